"""Rows of a CSV file with a header: what summaries of load generators are. What is wrong is told with its line."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

import msgspec

from exporter.errors import SourceError
from exporter.formats.tally import MAX_KINDS, MAX_NAMES
from exporter.formats.tally.names import kind
from exporter.model.loadrun import OTHER, QUANTILE_FIGURES, Endpoint, Figures, Latencies

_SHOWN = 40
"""Characters of a wrong value that are shown."""


@dataclass(frozen=True, slots=True)
class Row:
    """One record. `place` says where it stands, such as "line 17"."""

    place: str
    values: Mapping[str, str]

    def number(self, column: str, most: float) -> float | None:
        """From 0 to `most`; None for what is empty, not applicable, or no column at all. Raises SourceError."""
        text = self.values.get(column, "").strip()
        if text in ("", "N/A"):
            return None
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not 0 <= value <= most or "_" in text:
            self.fail(f"{column} is {text[:_SHOWN]!r}, wanted a number from 0 to {most:.12g}")
        return value

    def whole(self, column: str) -> int:
        """A number of requests; raises SourceError."""
        text = self.values.get(column, "").strip()
        if not (text.isascii() and text.isdecimal()) or len(text) > 15:
            self.fail(f"{column} is {text[:_SHOWN]!r}, wanted a whole number from 0 on")
        return int(text)

    def fail(self, text: str) -> NoReturn:
        raise SourceError("bad_data", f"{self.place}: {text}")


def header(head: bytes) -> list[str]:
    """The columns that the first line names; none where it is no CSV."""
    line = head.split(b"\n", 1)[0]
    try:
        return next(csv.reader([line.decode().removesuffix("\r")], strict=True), [])
    except (UnicodeDecodeError, csv.Error):
        return []


def rows(content: bytes, required: Sequence[str]) -> Iterator[Row]:
    """Each record below the header; raises SourceError."""
    if b"\0" in content:
        raise SourceError("bad_data", "holds NUL bytes, wanted text")
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SourceError("bad_data", f"line {line}: is no UTF-8") from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        columns = next(reader, [])
        missing = [name for name in required if name not in columns]
        if missing:
            wanted = ", ".join(required)
            raise SourceError("bad_data", f"line 1: has no column {', '.join(missing)}, wanted {wanted}")
        if len(set(columns)) < len(columns):
            raise SourceError("bad_data", "line 1: has a column twice")
        for fields in reader:
            place = f"line {reader.line_num}"
            if fields and len(fields) != len(columns):
                raise SourceError("bad_data", f"{place}: has {len(fields)} columns, wanted {len(columns)}")
            if fields:
                yield Row(place, dict(zip(columns, fields, strict=True)))
    except csv.Error as error:
        raise SourceError("bad_data", f"line {reader.line_num}: is no CSV: {error}") from None


def quantiles(row: Row, columns: Mapping[float, str], per_second: float, most: float) -> Latencies:
    """Percentiles out of the columns of these percents; `per_second` of their unit are a second, `most` is in seconds.

    Raises SourceError where a percentile is below a lower one.
    """
    found: dict[str, float] = {}
    below = 0.0
    for name, quantile in QUANTILE_FIGURES.items():
        column = next((one for percent, one in columns.items() if math.isclose(percent, quantile * 100)), "")
        value = row.number(column, most * per_second)
        if value is not None:
            if value < below:
                row.fail(f"{column} is {value:g}, which is less than a lower percentile")
            below = value
            found[name] = value / per_second
    return msgspec.convert(found, Latencies)


def percents(columns: Sequence[str], before: str, after: str) -> dict[float, str]:
    """The columns that are percentiles, such as 99.9%, by their percent."""
    found = {}
    for column in columns:
        text = column.removeprefix(before).removesuffix(after)
        if before + text + after == column and text.replace(".", "", 1).isdecimal():
            found[float(text)] = column
    return found


def capped(endpoints: Sequence[Endpoint]) -> tuple[Endpoint, ...]:
    """By name; of very many those with the most requests, and the rest as one, of which only counts are known."""
    if len(endpoints) <= MAX_NAMES:
        return tuple(sorted(endpoints, key=lambda one: one.name))
    kept = sorted(endpoints, key=lambda one: (-one.figures.requests, one.name))
    rest = [one.figures for one in kept[MAX_NAMES:]]
    other = Figures(sum(one.requests for one in rest), sum(one.failures or 0 for one in rest))
    return tuple(sorted([*kept[:MAX_NAMES], Endpoint(OTHER, other)], key=lambda one: one.name))


def capped_errors(errors: Mapping[str, int]) -> dict[str, int]:
    """The most frequent kinds, and the rest as one."""
    found: dict[str, int] = {}
    for error, count in errors.items():
        found[kind(error)] = found.get(kind(error), 0) + count
    kept = dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))[:MAX_KINDS])
    rest = sum(errors.values()) - sum(kept.values())
    return {**kept, OTHER: kept.get(OTHER, 0) + rest} if rest else kept
