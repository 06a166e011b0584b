"""A run minute by minute: a request counts in the minute in which its response came."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exporter.analysis.arithmetic import Floats
from exporter.errors import SourceError
from exporter.formats.tally.batch import LONGEST_RUN, Batch
from exporter.model.loadrun import Timeline
from exporter.model.observation import MINUTE


@dataclass(slots=True)
class _Minute:
    requests: int = 0
    failures: int = 0
    seconds: float = 0.0
    received: float = 0.0


class Minutes:
    """Grows with the run's length, which is limited."""

    def __init__(self) -> None:
        self._minutes: dict[int, _Minute] = {}
        self._users: dict[int, float] = {}
        self._received: dict[int, float] = {}
        self.start, self.end = np.inf, -np.inf
        """Of the first request's start, and of the last one's end; Unix seconds."""

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
        """So many bytes were received until `at`, beside what the requests themselves tell."""
        minute = int(at // MINUTE)
        self._received[minute] = self._received.get(minute, 0.0) + size

    def add(self, batch: Batch, ends: Floats) -> None:
        """Requests that ended at `ends`; raises SourceError when they are too far from the others."""
        self.start, self.end = min(self.start, float(batch.starts.min())), max(self.end, float(ends.max()))
        if self.end - self.start > LONGEST_RUN:
            days = (self.end - self.start) / 86400
            text = f"has requests that lie {days:.1f} days apart, wanted at most {LONGEST_RUN / 86400:g}"
            raise SourceError("bad_data", text)
        minutes = (ends // MINUTE).astype(np.int64)
        first = int(minutes.min())
        where = minutes - first
        requests = np.bincount(where)
        failures = np.bincount(where[batch.failed], minlength=requests.size)
        seconds = np.bincount(where, weights=batch.seconds)
        sizes = np.zeros(where.size) if batch.received is None else np.nan_to_num(batch.received)
        received = np.bincount(where, weights=sizes)
        held = np.flatnonzero(requests).tolist()
        for position in held:
            one = self._minutes.setdefault(first + position, _Minute())
            one.requests += int(requests[position])
            one.failures += int(failures[position])
            one.seconds += float(seconds[position])
            one.received += float(received[position])
        if batch.users is not None:
            most = np.zeros(requests.size)
            np.maximum.at(most, where, np.nan_to_num(batch.users))
            for position in held:
                self.users((first + position) * MINUTE, float(most[position]))

    def timeline(self, *, sizes: bool) -> Timeline:
        """All minutes from the first to the last; `sizes`: whether requests tell theirs."""
        numbers = range(min(self._minutes), max(self._minutes) + 1)
        minutes = [self._minutes.get(number, _Minute()) for number in numbers]
        received = [one.received for one in minutes]
        for number, size in self._received.items():
            received[min(max(number, numbers[0]), numbers[-1]) - numbers[0]] += size
        return Timeline(
            ends=tuple((number + 1) * MINUTE for number in numbers),
            requests=tuple(one.requests for one in minutes),
            seconds=tuple(one.seconds for one in minutes),
            failures=tuple(one.failures for one in minutes),
            received=tuple(received) if sizes or self._received else None,
            users=tuple(self._users.get(number) for number in numbers) if self._users else None,
        )
