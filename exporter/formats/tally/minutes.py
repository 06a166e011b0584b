"""A run minute by minute: a request counts in the minute in which its response came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from exporter.analysis.arithmetic import Floats
from exporter.errors import SourceError
from exporter.formats.tally.batch import Batch, Codes
from exporter.formats.tally.limits import LONGEST_RUN
from exporter.model.loadrun import Timeline
from exporter.model.observation import MINUTE


@dataclass(slots=True)
class Minute:
    """What came in it."""

    requests: int = 0
    failures: int = 0
    seconds: float = 0.0
    received: float = 0.0


class MinuteTally:
    """Grows with the run's length, which is limited."""

    def __init__(self) -> None:
        self.start = np.inf
        """Of the first request; Unix seconds."""
        self.end = -np.inf
        """Of the last response."""
        self._minutes: dict[int, Minute] = {}
        self._users: dict[int, float] = {}
        self._received: dict[int, float] = {}

    def __bool__(self) -> bool:
        return bool(self._minutes)

    @property
    def most_users(self) -> float | None:
        return max(self._users.values()) if self._users else None

    def users(self, at: float, count: float) -> None:
        """So many users were active at a time, Unix seconds."""
        minute = int(at // MINUTE)
        self._users[minute] = max(count, self._users.get(minute, 0.0))

    def received(self, at: float, size: float) -> None:
        """So many bytes were received until `at`, beyond those that requests report."""
        minute = int(at // MINUTE)
        self._received[minute] = self._received.get(minute, 0.0) + size

    def add(self, batch: Batch, ends: Floats) -> None:
        """Requests that ended at `ends`; raises SourceError when they are too far from the others."""
        self._extend(batch.starts, ends)
        numbers = (ends // MINUTE).astype(np.int64)
        first = int(numbers.min())
        self._add_requests(batch, numbers - first, first)
        if batch.users is not None:
            self._add_users(batch.users, numbers - first, first)

    def _extend(self, starts: Floats, ends: Floats) -> None:
        self.start = min(self.start, float(starts.min()))
        self.end = max(self.end, float(ends.max()))
        if self.end - self.start > LONGEST_RUN:
            days = (self.end - self.start) / 86400
            text = f"has requests {days:.1f} days apart, expected at most {LONGEST_RUN / 86400:g}"
            raise SourceError("bad_data", text)

    def _add_requests(self, batch: Batch, where: Codes, first: int) -> None:
        """`where`: each request's minute, counted from `first`."""
        requests = np.bincount(where)
        failures = np.bincount(where[batch.failed], minlength=requests.size)
        seconds = np.bincount(where, weights=batch.seconds)
        sizes = np.zeros(where.size) if batch.received is None else np.nan_to_num(batch.received)
        received = np.bincount(where, weights=sizes)

        for position in np.flatnonzero(requests).tolist():
            minute = self._minutes.setdefault(first + position, Minute())
            minute.requests += int(requests[position])
            minute.failures += int(failures[position])
            minute.seconds += float(seconds[position])
            minute.received += float(received[position])

    def _add_users(self, users: Floats, where: Codes, first: int) -> None:
        requests = np.bincount(where)
        most = np.zeros(requests.size)
        np.maximum.at(most, where, np.nan_to_num(users))
        for position in np.flatnonzero(requests).tolist():
            self.users((first + position) * MINUTE, float(most[position]))

    def timeline(self, *, sizes: bool) -> Timeline:
        """All minutes from the first to the last; `sizes`: whether requests report theirs."""
        numbers = range(min(self._minutes), max(self._minutes) + 1)
        minutes = {number: self._minutes.get(number, Minute()) for number in numbers}
        line = timeline(minutes)

        received = self._sizes(minutes) if sizes or self._received else None
        users = tuple(map(self._users.get, numbers)) if self._users else None
        return replace(line, received=received, users=users)

    def _sizes(self, minutes: Mapping[int, Minute]) -> tuple[float, ...]:
        sizes = {number: minute.received for number, minute in minutes.items()}
        for number, size in self._received.items():
            # Bytes that were reported without a request may lie before the first or after the last.
            nearest = min(max(number, min(sizes)), max(sizes))
            sizes[nearest] += size
        return tuple(sizes.values())


def timeline(minutes: Mapping[int, Minute]) -> Timeline:
    """Of minutes by their number since 1970: ascending, without gaps."""
    return Timeline(
        ends=tuple((number + 1) * MINUTE for number in minutes),
        requests=tuple(minute.requests for minute in minutes.values()),
        seconds=tuple(minute.seconds for minute in minutes.values()),
        failures=tuple(minute.failures for minute in minutes.values()),
        received=tuple(minute.received for minute in minutes.values()),
    )
