"""The rows that Locust writes every second of a run: PREFIX_stats_history.csv, beside PREFIX_stats.csv.

Counts and means are of everything up to the row; the minute between two rows is their difference. Percentiles
are those of the last ten seconds, or N/A, and are left alone.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from exporter.errors import SourceError
from exporter.formats.tally.limits import EARLIEST, LATEST, LONGEST_LATENCY, LONGEST_RUN, MOST
from exporter.formats.tally.minutes import Minute, timeline
from exporter.formats.tally.table import TableRow, rows
from exporter.model.loadrun import Timeline
from exporter.model.observation import MINUTE

COLUMNS = (
    "Timestamp",
    "User Count",
    "Type",
    "Name",
    "Total Request Count",
    "Total Failure Count",
    "Total Average Response Time",
    "Total Average Content Size",
)

TOTAL = "Aggregated"

_APART = 10.0
"""Seconds between rows; rows further apart say nothing about single minutes."""


@dataclass(frozen=True, slots=True)
class _Point:
    """All that had happened by a time."""

    at: float
    """Unix seconds, cut to whole ones."""
    users: float
    requests: int
    failures: int
    seconds: float
    received: float


@dataclass(frozen=True, slots=True)
class History:
    """The rows since statistics were last reset, which is what the statistics are of."""

    points: tuple[_Point, ...]

    @property
    def requests(self) -> int:
        return self.points[-1].requests

    @property
    def users(self) -> float:
        """Most concurrent users."""
        return max(point.users for point in self.points)

    @property
    def start(self) -> float:
        """The last row before the first response, or the first row. Unix seconds."""
        before = [point.at for point in self.points if not point.requests]
        return before[-1] if before else self.points[0].at

    @property
    def end(self) -> float:
        """The row of the last response; up to a second late. Unix seconds."""
        return next(point.at for point in self.points if point.requests == self.requests)

    def timeline(self, start: float) -> Timeline | None:
        """Minute by minute from `start` on; None where rows lie too far apart for that."""
        points = [point for point in self.points if self.start <= point.at <= self.end]
        nothing = _Point(points[0].at, 0.0, 0, 0, 0.0, 0.0)
        pairs = list(itertools.pairwise([nothing, *points]))
        if _has_gap(pairs):
            return None

        first = int(min(start, points[0].at) // MINUTE)
        last = int(self.end // MINUTE)
        minutes = {number: Minute() for number in range(first, last + 1)}
        users: dict[int, float | None] = dict.fromkeys(minutes)
        for before, after in pairs:
            number = int(after.at // MINUTE)
            _add(minutes[number], before, after)
            users[number] = max(users[number] or 0.0, after.users)
        return replace(timeline(minutes), users=tuple(users.values()))


def _add(minute: Minute, before: _Point, after: _Point) -> None:
    """What happened between two rows."""
    minute.requests += max(0, after.requests - before.requests)
    # Sums are means times counts: rounding may let them shrink a little.
    minute.failures += max(0, after.failures - before.failures)
    minute.seconds += max(0.0, after.seconds - before.seconds)
    minute.received += max(0.0, after.received - before.received)


def _has_gap(pairs: Iterable[tuple[_Point, _Point]]) -> bool:
    """Whether there were requests between rows whose minute is unknown."""
    return any(after.requests > before.requests and after.at - before.at > _APART for before, after in pairs)


def read(content: bytes, warn: Callable[[str], None]) -> History:
    """Raises SourceError. A last row without its end was cut, and is omitted."""
    if not content.endswith(b"\n"):
        content = content[: content.rfind(b"\n") + 1]
        warn("the history is incomplete; its last row was omitted")

    points: list[_Point] = []
    for row in rows(content, COLUMNS):
        if row.values["Name"] != TOTAL:
            continue
        point = _point(row)
        if points and point.at < points[-1].at:
            row.fail(f"the clock goes back, from {points[-1].at:.0f} to {point.at:.0f}")
        if points and point.requests < points[-1].requests:
            points = []
            warn("statistics were reset while the test ran; earlier requests do not count")
        points.append(point)
    return _checked(points)


def _checked(points: Sequence[_Point]) -> History:
    if not points or not points[-1].requests:
        raise SourceError("bad_data", "has no requests")

    history = History(tuple(points))
    if history.end - history.start > LONGEST_RUN:
        days = (history.end - history.start) / 86400
        raise SourceError("bad_data", f"covers {days:.1f} days, expected at most {LONGEST_RUN / 86400:g}")
    return history


def _point(row: TableRow) -> _Point:
    at = float(row.whole("Timestamp"))
    requests = row.whole("Total Request Count")
    if not EARLIEST <= at <= LATEST:
        row.fail(f"Timestamp is {at:.0f}, expected Unix seconds")

    mean = row.number("Total Average Response Time", LONGEST_LATENCY * 1000) or 0.0
    size = row.number("Total Average Content Size", MOST) or 0.0
    failures = row.whole("Total Failure Count")
    return _Point(at, float(row.whole("User Count")), requests, failures, requests * mean / 1000, requests * size)
