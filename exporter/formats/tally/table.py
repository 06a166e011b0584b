"""Rows of a CSV file with a header, as summaries of load generators are. Problems are reported with their line."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from exporter import decoding
from exporter.errors import SourceError
from exporter.formats.tally import MAX_KINDS, MAX_NAMES
from exporter.formats.tally.names import kind
from exporter.model.loadrun import OTHER, QUANTILE_FIGURES, Figures, Latencies, RunEndpoint

_QUOTED = 40
"""Characters of an invalid value that are quoted."""


@dataclass(frozen=True, slots=True)
class TableRow:
    """One record. `location` is its line or position, such as "line 17"."""

    location: str
    values: Mapping[str, str]

    def number(self, column: str, most: float) -> float | None:
        """From 0 to `most`; None if empty, not applicable, or without a column. Raises SourceError."""
        text = self.values.get(column, "").strip()
        if text in ("", "N/A"):
            return None

        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not 0 <= value <= most or "_" in text:
            self.fail(f"{column} is {text[:_QUOTED]!r}, expected a number from 0 to {most:.12g}")
        return value

    def whole(self, column: str) -> int:
        """A number of requests; raises SourceError."""
        text = self.values.get(column, "").strip()
        if not (text.isascii() and text.isdecimal()) or len(text) > 15:
            self.fail(f"{column} is {text[:_QUOTED]!r}, expected a whole number from 0 on")
        return int(text)

    def fail(self, text: str) -> NoReturn:
        raise SourceError("bad_data", f"{self.location}: {text}")


def header(head: bytes) -> list[str]:
    """The columns that the first line names; none where it is not valid CSV."""
    line = head.split(b"\n", 1)[0]
    try:
        return next(csv.reader([line.decode().removesuffix("\r")], strict=True), [])
    except (UnicodeDecodeError, csv.Error):
        return []


def rows(content: bytes, required: Sequence[str]) -> Iterator[TableRow]:
    """Each record below the header; raises SourceError."""
    reader = csv.reader(io.StringIO(_text(content), newline=""), strict=True)
    try:
        columns = next(reader, [])
        _check_columns(columns, required)

        for fields in reader:
            if fields:
                yield _row(fields, columns, f"line {reader.line_num}")
    except csv.Error as error:
        raise SourceError("bad_data", f"line {reader.line_num}: is not valid CSV: {error}") from None


def _text(content: bytes) -> str:
    if b"\0" in content:
        raise SourceError("bad_data", "has NUL bytes, expected text")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SourceError("bad_data", f"line {line}: is not UTF-8") from None


def _check_columns(columns: Sequence[str], required: Sequence[str]) -> None:
    missing = [name for name in required if name not in columns]
    if missing:
        text = f"line 1: has no column {', '.join(missing)}, expected {', '.join(required)}"
        raise SourceError("bad_data", text)
    if len(set(columns)) < len(columns):
        raise SourceError("bad_data", "line 1: duplicate column")


def _row(fields: Sequence[str], columns: Sequence[str], location: str) -> TableRow:
    if len(fields) != len(columns):
        raise SourceError("bad_data", f"{location}: has {len(fields)} columns, expected {len(columns)}")
    return TableRow(location, dict(zip(columns, fields, strict=True)))


def quantiles(row: TableRow, columns: Mapping[float, str], per_second: float, most: float) -> Latencies:
    """Percentiles out of the columns of these percents; `per_second` of their unit are a second, `most` is in seconds.

    Raises SourceError where a percentile is below a lower one.
    """
    figures: dict[str, float] = {}
    below = 0.0
    for name, quantile in QUANTILE_FIGURES.items():
        column = _column(columns, quantile)
        value = row.number(column, most * per_second)
        if value is None:
            continue

        if value < below:
            row.fail(f"{column} is {value:g}, which is less than a lower percentile")
        below = value
        figures[name] = value / per_second
    return decoding.convert(figures, Latencies)


def _column(columns: Mapping[float, str], quantile: float) -> str:
    """The column of a quantile; no column where there is none."""
    for percent, column in columns.items():
        if math.isclose(percent, quantile * 100):
            return column
    return ""


def percents(columns: Sequence[str], before: str, after: str) -> dict[float, str]:
    """The columns that are percentiles, such as 99.9%, by their percent."""
    by_percent: dict[float, str] = {}
    for column in columns:
        text = column.removeprefix(before).removesuffix(after)
        if before + text + after == column and text.replace(".", "", 1).isdecimal():
            by_percent[float(text)] = column
    return by_percent


def capped(endpoints: Sequence[RunEndpoint]) -> tuple[RunEndpoint, ...]:
    """By name; of very many those with the most requests, and the rest as one, of which only counts are known."""
    if len(endpoints) > MAX_NAMES:
        by_requests = sorted(endpoints, key=lambda endpoint: (-endpoint.figures.requests, endpoint.name))
        rest = [endpoint.figures for endpoint in by_requests[MAX_NAMES:]]
        requests = sum(figures.requests for figures in rest)
        failures = sum(figures.failures or 0 for figures in rest)
        endpoints = [*by_requests[:MAX_NAMES], RunEndpoint(OTHER, Figures(requests, failures))]
    return tuple(sorted(endpoints, key=lambda endpoint: endpoint.name))


def capped_errors(errors: Mapping[str, int]) -> dict[str, int]:
    """The most frequent kinds, and the rest as one."""
    kinds: dict[str, int] = {}
    for error, count in errors.items():
        name = kind(error)
        kinds[name] = kinds.get(name, 0) + count

    by_count = sorted(kinds.items(), key=lambda pair: (-pair[1], pair[0]))
    frequent = dict(by_count[:MAX_KINDS])
    rest = sum(errors.values()) - sum(frequent.values())
    if rest:
        frequent[OTHER] = frequent.get(OTHER, 0) + rest
    return frequent
