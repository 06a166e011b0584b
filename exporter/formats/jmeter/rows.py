"""Rows of a JMeter CSV as columns: polars reads a block; where it stumbles, every row is looked at for the reason.

Which library, and why: docs/explanation/decisions/0013-*.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from exporter.analysis.arithmetic import Floats
from exporter.formats.jmeter.header import INTEGERS, TEXTS, Layout
from exporter.formats.jmeter.records import (
    LINE_END,
    QUOTE,
    Bytes,
    Ints,
    line_of,
    record_of,
    records,
    refuse_stray_quotes,
    stray_quote,
)

if TYPE_CHECKING:  # 40 MiB that an exporter without JMeter's files does without
    import polars as pl

CODES = ("label", "threadName")
"""Columns of few texts."""


@dataclass(frozen=True, slots=True)
class Header:
    """The header is repeated: another file follows, put behind."""

    line: int


@dataclass(frozen=True, slots=True)
class ColumnValues:
    """A column of texts as numbers: row to number, number to text."""

    numbers: Ints
    texts: Sequence[str]

    def text(self, row: int) -> str:
        text: str = self.texts[self.numbers[row]]
        return text


class RowBlock:
    """Whole rows, in the order of the file. `location` gives the line on which a row begins."""

    def __init__(self, frame: pl.DataFrame, layout: Layout, location: Callable[[int], str]) -> None:
        self.location = location
        self._frame = frame
        self._layout = layout

    def __len__(self) -> int:
        return len(self._frame)

    def has(self, column: str) -> bool:
        return self._layout.has(column)

    def integers(self, column: str) -> Floats | None:
        """None where the file has no such column; NaN where a row has nothing there."""
        return self.required_integers(column) if self.has(column) else None

    def required_integers(self, column: str) -> Floats:
        """Of a column that the file has."""
        return self._frame[column].to_numpy().astype(np.float64)

    def flags(self) -> NDArray[np.bool_]:
        return self._frame["success"].to_numpy()

    def codes(self, column: str) -> ColumnValues:
        texts = self._frame[column]
        numbers = texts.to_physical().to_numpy().astype(np.int64)
        # Any row of a text will do to learn it; written from the end, the first one stays.
        first = np.zeros(int(numbers.max()) + 1, dtype=np.int64)
        first[numbers[::-1]] = np.arange(numbers.size)[::-1]
        return ColumnValues(numbers, texts.gather(first).to_list())

    def begins(self, column: str, text: str) -> Ints:
        """The rows whose text begins so, ascending; none without the column."""
        if not self.has(column):
            return np.zeros(0, dtype=np.int64)
        return np.flatnonzero(self._frame[column].str.starts_with(text).to_numpy())

    def texts(self, column: str, rows: Ints) -> list[str]:
        """Of these rows; empty texts without the column."""
        if not self.has(column):
            return [""] * rows.size
        return self._frame[column].gather(rows).to_list()


@dataclass(frozen=True, slots=True)
class Parsed:
    """Whole rows; `frame` is None where anything in them is not as it should be, or two were put together."""

    block: bytes
    frame: pl.DataFrame | None
    lines: int


def parse(block: bytes, layout: Layout) -> Parsed:
    """What can be done with a block without knowing those before it."""
    values = np.frombuffer(block, dtype=np.uint8)
    lines = int(np.count_nonzero(values == LINE_END))
    return Parsed(block, _fast(block, values, lines, layout), lines)


def rows_of(parsed: Parsed, layout: Layout, line: int) -> Iterator[RowBlock | Header]:
    """The rows of a block that begins on `line`, and where the header is repeated."""
    if parsed.frame is None:
        yield from _one_by_one(parsed.block, layout, line)
    else:
        block = parsed.block
        yield RowBlock(parsed.frame, layout, lambda row: f"line {line_of(block, layout, row, line)}")


def _types(layout: Layout) -> dict[str, pl.DataType]:
    import polars as pl

    types: dict[str, pl.DataType] = dict.fromkeys(layout.columns, pl.String())
    types.update({name: pl.Int64() for name in INTEGERS if layout.has(name)})
    return {**types, "success": pl.Boolean()}


def _used(layout: Layout) -> list[str]:
    return [name for name in layout.columns if name in INTEGERS or name in TEXTS or name == "success"]


def _fast(block: bytes, values: Bytes, lines: int, layout: Layout) -> pl.DataFrame | None:
    """None where anything is not as it should be. A row of more fields than the header's is cut by the library."""
    import polars as pl

    delimiters = int(np.count_nonzero(values == ord(layout.delimiter)))
    rows = lines
    if b'"' in block:
        quotes = np.flatnonzero(values == QUOTE)
        if stray_quote(values, quotes, ord(layout.delimiter)) is not None:
            return None
        quoted = _quoted(block, quotes)
        delimiters -= quoted.count(layout.delimiter.encode())
        rows -= quoted.count(b"\n")

    used = _used(layout)
    try:
        frame = pl.read_csv(
            block,
            has_header=False,
            separator=layout.delimiter,
            schema=_types(layout),
            columns=[layout.columns.index(name) for name in used],
            empty_string_is_null=False,
            missing_columns="raise",
            extra_columns="raise",
        )
    except pl.exceptions.PolarsError:
        return None

    # The library cuts rows that are too long and fills what is empty: the count of delimiters and the nulls show it.
    if len(frame) != rows or delimiters != rows * (len(layout.columns) - 1):
        return None
    if any(frame[name].null_count() for name in used):
        return None
    return _coded(frame, layout)


def _quoted(block: bytes, quotes: Ints) -> bytes:
    """The quoted texts, one after the other."""
    pairs = zip(quotes[::2].tolist(), quotes[1::2].tolist(), strict=True)
    return b"".join([block[opens:closes] for opens, closes in pairs])


def _coded(frame: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """Texts that repeat as categories: after the reading, whose threads would wait for each other."""
    import polars as pl

    codes = [frame[name].cast(pl.Categorical(pl.Categories.random())) for name in CODES if layout.has(name)]
    return frame.with_columns(codes)


class _SlowRows:
    """Rows that are read one by one, to learn what is wrong with which."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._columns: dict[str, list[object]] = {name: [] for name in _used(layout)}
        self._lines: list[int] = []

    def __bool__(self) -> bool:
        return bool(self._lines)

    def add(self, fields: Sequence[str], line: int) -> None:
        """Raises SourceError."""
        record = record_of(fields, self._layout, line)
        self._lines.append(line)
        for name, values in self._columns.items():
            values.append(record[name])

    def rows(self) -> RowBlock:
        import polars as pl

        types = _types(self._layout)
        frame = pl.DataFrame(self._columns, schema={name: types[name] for name in self._columns})
        return RowBlock(_coded(frame, self._layout), self._layout, lambda row: f"line {self._lines[row]}")


def _one_by_one(block: bytes, layout: Layout, line: int) -> Iterator[RowBlock | Header]:
    refuse_stray_quotes(block, layout, line)
    slow = _SlowRows(layout)
    for number, fields in records(block, layout, line):
        if tuple(fields) != layout.columns:
            slow.add(fields, number)
            continue

        if slow:
            yield slow.rows()
        yield Header(number)
        slow = _SlowRows(layout)
    if slow:
        yield slow.rows()
