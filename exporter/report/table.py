"""Aligned columns, for a terminal."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence


def columns(rows: Sequence[tuple[str, ...]], left_aligned: Collection[int]) -> Iterator[str]:
    """Each row as a line; the columns at the positions in `left_aligned` are aligned left, the others right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]

    for row in rows:
        cells = []
        for position, (cell, width) in enumerate(zip(row, widths, strict=True)):
            aligned = cell.ljust(width) if position in left_aligned else cell.rjust(width)
            cells.append(aligned)
        yield "  ".join(cells).rstrip()
