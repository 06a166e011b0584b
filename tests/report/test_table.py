"""Columns under each other."""

from __future__ import annotations

from exporter.report.table import columns


def test_columns_are_as_wide_as_their_longest_cell() -> None:
    """Text is aligned left, numbers right, and no line ends in a space."""
    rows = [("signal", "value", "verdict"), ("CPU", "7 %", ""), ("P95 latency", "245.8 ms", "worse")]
    assert list(columns(rows, left_aligned=(0, 2))) == [
        "signal          value  verdict",
        "CPU               7 %",
        "P95 latency  245.8 ms  worse",
    ]
