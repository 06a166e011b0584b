"""hey's requests as CSV: `hey -o csv`. docs/reference/formats.md, section "wrk, hey, vegeta".

`offset` is when a request began, in seconds since the run did. The file has neither times of
day nor the URL. Requests that were not answered have no row.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from operator import add

from exporter.errors import SourceError
from exporter.formats import BLOCK, File, Format
from exporter.formats.hey.text import MOST_ROWS
from exporter.formats.tally import Tally
from exporter.formats.tally.limits import LONGEST_LATENCY, LONGEST_RUN
from exporter.formats.tally.lines import LineSplitter
from exporter.formats.tally.summaries import duration, infer_times
from exporter.model.loadrun import LoadRun

_REQUIRED = ("response-time", "status-code", "offset")


def recognise(head: bytes) -> bool:
    return head.startswith(b"response-time,DNS+dialup,")


@dataclass(slots=True)
class _Rows:
    """As arrays: there may be a million."""

    latencies: array[float] = field(default_factory=lambda: array("d"))
    statuses: array[int] = field(default_factory=lambda: array("l"))
    offsets: array[float] = field(default_factory=lambda: array("d"))


def read(content: bytes, file: File) -> LoadRun:
    """The run; raises SourceError."""
    tally = Tally()
    rows = _rows(content, tally)
    if not rows.offsets:
        raise SourceError("bad_data", "has no requests")

    # The run's end is known by the file's age, its start only when all rows are.
    last = max(map(add, rows.offsets, rows.latencies))
    began, _, _ = infer_times(file, duration(last, "offset"))
    tally.warn("has offsets but no times: the end is the time when the file was last written")
    tally.warn("has no requests without a response: hey omits them from its CSV")
    if len(rows.offsets) >= MOST_ROWS:
        tally.warn(f"has the first {MOST_ROWS} requests: hey remembers no more")

    _add(rows, began, tally)
    return replace(tally.run(FORMAT.tool, FORMAT.name), dated=False)


def _add(rows: _Rows, began: float, tally: Tally) -> None:
    endpoint = tally.endpoint(FORMAT.tool)
    columns = zip(rows.latencies, rows.statuses, rows.offsets, strict=True)
    for number, (latency, status, offset) in enumerate(columns, 2):
        failed = status >= 400
        kind = tally.kind(f"HTTP {status}") if failed else 0
        tally.add(endpoint, began + offset, latency, failed=failed, kind=kind, location=f"line {number}")


def _rows(content: bytes, tally: Tally) -> _Rows:
    lines = LineSplitter()
    records = _records(content, lines)
    columns = next(records, "").split(",")
    missing = [name for name in _REQUIRED if name not in columns]
    if missing:
        raise SourceError("bad_data", f"line 1: has no column {missing[0]}, expected the columns of hey 0.1.2 or later")

    rows = _Rows()
    positions = [columns.index(name) for name in _REQUIRED]
    for line in records:
        latency, status, offset = _row(line, lines.location, len(columns), positions)
        rows.latencies.append(latency)
        rows.statuses.append(status)
        rows.offsets.append(offset)

    try:
        cut = bool(lines.rest().strip())
    except SourceError:
        cut = True  # within a character
    if cut:
        tally.cut_off(lines.location, FORMAT.tool)
    return rows


def _records(content: bytes, lines: LineSplitter) -> Iterator[str]:
    """In blocks: all lines at once would take several times the file's size."""
    for at in range(0, len(content), BLOCK):
        for line in lines.feed(content[at : at + BLOCK]):
            if line:
                yield line


def _row(line: str, location: str, columns: int, positions: list[int]) -> tuple[float, int, float]:
    fields = line.split(",")
    if len(fields) != columns:
        raise SourceError("bad_data", f"{location}: has {len(fields)} fields, expected {columns} as in the header")

    latency, status, offset = (fields[position] for position in positions)
    if not (status.isascii() and status.isdecimal() and len(status) <= 5):
        raise SourceError("bad_data", f"{location}: status-code is {status[:40]!r}, expected a number")
    seconds = _seconds(latency, "response-time", LONGEST_LATENCY, location)
    return seconds, int(status), _seconds(offset, "offset", LONGEST_RUN, location)


def _seconds(text: str, what: str, most: float, location: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= most or "_" in text:
        raise SourceError("bad_data", f"{location}: {what} is {text[:40]!r}, expected seconds from 0 to {most:g}")
    return value


FORMAT = Format("hey-csv", "hey", recognise, read=read)
