"""The rows that Locust writes every second of a run: PREFIX_stats_history.csv, beside PREFIX_stats.csv.

Counts and means are of everything up to the row, so that what lies between two rows is their difference. Percentiles
are those of the last ten seconds, or N/A, and are left alone.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from exporter.errors import SourceError
from exporter.formats.tally.limits import LONGEST_LATENCY, LONGEST_RUN
from exporter.formats.tally.table import Row, rows
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

_FIRST, _LAST = 946684800.0, 4102444800.0
"""2000 and 2100, Unix seconds."""

_APART = 10.0
"""Seconds between rows; what lies further apart tells nothing minute by minute."""

_MOST_BYTES = 2.0**60


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
        """The row that tells the last response; up to a second late. Unix seconds."""
        return next(point.at for point in self.points if point.requests == self.requests)

    def timeline(self, start: float) -> Timeline | None:
        """Minute by minute from `start` on; None where rows lie too far apart for that."""
        begun, end = self.start, self.end
        points = [point for point in self.points if begun <= point.at <= end]
        pairs = list(itertools.pairwise([_Point(points[0].at, 0.0, 0, 0, 0.0, 0.0), *points]))
        if any(after.at - before.at > _APART for before, after in pairs if after.requests > before.requests):
            return None
        first, last = int(min(start, points[0].at) // MINUTE), int(end // MINUTE)

        def per_minute(of: Callable[[_Point], float]) -> list[float]:
            found = [0.0] * (last - first + 1)
            for before, after in pairs:
                found[int(after.at // MINUTE) - first] += max(0.0, of(after) - of(before))
            return found

        users: list[float | None] = [None] * (last - first + 1)
        for point in points:
            minute = int(point.at // MINUTE) - first
            users[minute] = max(users[minute] or 0.0, point.users)
        return Timeline(
            ends=tuple((minute + 1) * MINUTE for minute in range(first, last + 1)),
            requests=tuple(int(count) for count in per_minute(lambda point: point.requests)),
            seconds=tuple(per_minute(lambda point: point.seconds)),
            failures=tuple(int(count) for count in per_minute(lambda point: point.failures)),
            received=tuple(per_minute(lambda point: point.received)),
            users=tuple(users),
        )


def read(content: bytes, warn: Callable[[str], None]) -> History:
    """Raises SourceError. A last row without its end was cut, and is left out."""
    if not content.endswith(b"\n"):
        content = content[: content.rfind(b"\n") + 1]
        warn("the history breaks off; its last row was left out")
    points: list[_Point] = []
    for row in rows(content, COLUMNS):
        if row.values["Name"] == TOTAL:
            point = _point(row)
            if points and point.at < points[-1].at:
                row.fail(f"the clock goes back, from {points[-1].at:.0f} to {point.at:.0f}")
            if points and point.requests < points[-1].requests:
                points = []
                warn("statistics were reset while the test ran; what was before does not count")
            points.append(point)
    return _checked(points)


def _checked(points: Sequence[_Point]) -> History:
    if not points or not points[-1].requests:
        raise SourceError("bad_data", "holds no requests")
    found = History(tuple(points))
    if found.end - found.start > LONGEST_RUN:
        days = (found.end - found.start) / 86400
        raise SourceError("bad_data", f"goes over {days:.1f} days, wanted at most {LONGEST_RUN / 86400:g}")
    return found


def _point(row: Row) -> _Point:
    at, requests = float(row.whole("Timestamp")), row.whole("Total Request Count")
    if not _FIRST <= at <= _LAST:
        row.fail(f"Timestamp is {at:.0f}, wanted Unix seconds")
    mean = row.number("Total Average Response Time", LONGEST_LATENCY * 1000) or 0.0
    size = row.number("Total Average Content Size", _MOST_BYTES) or 0.0
    failures = row.whole("Total Failure Count")
    return _Point(at, float(row.whole("User Count")), requests, failures, requests * mean / 1000, requests * size)
