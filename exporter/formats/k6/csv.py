"""k6's points as CSV: `k6 run --out csv=FILE`. docs/reference/formats.md, section "k6".

Times are whole seconds, unless K6_CSV_TIME_FORMAT asks for more. Which columns there are depends on the test's option
systemTags, so they are found by name.
"""

from __future__ import annotations

import csv
import math
from datetime import datetime

from exporter.errors import SourceError
from exporter.formats import Format
from exporter.formats.k6.points import METRICS_READ, Points, Tags, refuse
from exporter.formats.tally import Tally
from exporter.formats.tally.lines import LineSplitter

_FIRST = ["metric_name", "timestamp", "metric_value"]
_TAGS = tuple(Tags.__struct_fields__)

_LONGEST = 1024 * 1024
"""Bytes of a row with quotes."""

_UNITS = ((1e11, 1.0), (1e14, 1e3), (1e17, 1e6), (1e20, 1e9))
"""Numbers below this are in this part of a second: up to the year 5138 no two of them overlap."""


def recognise(head: bytes) -> bool:
    return head.startswith(b"metric_name,timestamp,metric_value,")


class Reader:
    """Reads points, row by row."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._lines = LineSplitter()
        self._points = Points(tally)
        self._columns: list[str] = []
        self._indices: list[tuple[str, int]] = []
        """Tags and their columns."""
        self._begun = ""
        """A row whose quote is still open."""
        self._begun_at = ""

    def feed(self, block: bytes) -> None:
        """The file's next bytes; raises SourceError."""
        for line in self._lines.feed(block):
            if self._begun or '"' in line:
                self._quoted(line)
            elif line:
                self._take(line.split(","), self._lines.location)

    def end(self) -> None:
        """A row without its end was cut, even where it looks whole: its last field may have lost something."""
        try:
            cut = bool(self._begun or self._lines.rest().strip())
        except SourceError:
            cut = True  # within a character
        if cut:
            self._tally.cut_off(self._lines.location, FORMAT.tool)

    def _quoted(self, line: str) -> None:
        """A row with quotes may go over several lines."""
        if not self._begun:
            self._begun_at = self._lines.location
        self._begun += line
        if len(self._begun) > _LONGEST:
            refuse(self._begun_at, "a quote that is not closed")
        if self._begun.count('"') % 2:
            self._begun += "\n"
            return

        row = self._begun
        self._begun = ""
        try:
            rows = list(csv.reader([row], strict=True))
        except csv.Error as error:
            raise SourceError("bad_data", f"{self._begun_at}: is not valid CSV: {error}") from None
        self._take(rows[0], self._begun_at)

    def _take(self, row: list[str], location: str) -> None:
        if not self._columns:
            self._head(row, location)
            return

        if len(row) != len(self._columns):
            refuse(location, f"has {len(row)} fields, expected {len(self._columns)} as in the header")
        metric = row[0]
        if metric not in METRICS_READ:
            self._points.skip(metric)
            return

        tags = Tags(**{name: row[index] for name, index in self._indices})
        self._points.add(metric, _time(row[1], location), _number(row[2], location), tags, location)

    def _head(self, row: list[str], location: str) -> None:
        if row[:3] != _FIRST:
            refuse(location, f"expected a header that begins with {','.join(_FIRST)}")
        self._columns = row
        self._indices = [(name, row.index(name)) for name in _TAGS if name in row]


def _number(text: str, location: str) -> float:
    try:
        value = float(text)
    except ValueError:
        refuse(location, f"metric_value is {text[:40]!r}, expected a number")
    if not math.isfinite(value) or "_" in text:
        refuse(location, f"metric_value is {text[:40]!r}, expected a finite number")
    return value


def _time(text: str, location: str) -> float:
    """Unix seconds, from a whole number or RFC 3339."""
    if text.isascii() and text.isdecimal() and len(text) <= 20:
        value = int(text)
        for below, parts in _UNITS:
            if value < below:
                return value / parts

    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        time = None
    if time is None or time.tzinfo is None:
        refuse(location, f"timestamp is {text[:40]!r}, expected Unix time, or RFC 3339 with an offset")
    return time.timestamp()


FORMAT = Format("k6-csv", "k6", recognise, reader=Reader)
