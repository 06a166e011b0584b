"""Schedules the next poll of each source: pure bookkeeping with the caller's clock.

Slots lie on a grid of the source's interval, shifted by a hash of its name, so several sources (and several
exporters) do not poll at the same moment. The first poll is due immediately. Slots that pass while a poll is in flight
are skipped and counted. After repeated failures a breaker spaces the polls out. The data of a poll expires after
max_age. The sources may change meanwhile; even then a name never has two polls in flight.
"""

from __future__ import annotations

import heapq
import math
import random
import zlib
from collections.abc import Container, Mapping
from dataclasses import dataclass

from exporter.errors import SourceError

FAILURES = 3
"""Failures in a row that open the breaker. `auth` opens it immediately, because more attempts may lock the account."""

LONGEST = 900.0
"""Seconds between polls of a failing source at most, or its interval where that is longer."""

LONGEST_ASKED = 3600.0
"""Seconds that a server may ask us to wait (Retry-After)."""

_JITTER = 0.1
_MARGIN = 0.5
"""Seconds past max_age, for a wall clock that runs a little slower."""


@dataclass(frozen=True, slots=True)
class Timing:
    """A source's configuration, in seconds."""

    interval: float
    max_age: float


@dataclass(slots=True)
class _State:
    interval: float
    max_age: float
    phase: float
    started: float | None = None
    failures: int = 0


class Schedule:
    """Not thread-safe. All times are seconds of one monotonic clock."""

    def __init__(self, timings: Mapping[str, Timing], now: float, random: random.Random | None = None) -> None:
        self._random = random or _random()
        self._states: dict[str, _State] = {}
        self._in_flight: set[str] = set()
        self._heap: list[tuple[float, str]] = []
        self._expiries: dict[str, float] = {}
        self.change(timings, now)

    def change(self, timings: Mapping[str, Timing], now: float, same: Container[str] = ()) -> None:
        """Use these sources: the `same` ones keep breaker, slot and expiry, the others are new and due immediately.

        A poll in flight belongs to the old configuration. Its result is dropped, and its source is due when it ends.
        """
        old_states = self._states
        old_due = {name: due for due, name in self._heap}
        old_expiries = self._expiries
        self._states = {}
        self._heap = []
        self._expiries = {}

        for name, timing in timings.items():
            due = now
            if name in same and name in old_states:
                self._states[name] = old_states[name]
                due = old_due.get(name, now)
                if name in old_expiries:
                    self._expiries[name] = old_expiries[name]
            else:
                self._states[name] = _state(name, timing)

            # This marks a poll of the old configuration for `finish`. Its source is not due until the poll has ended:
            # a name never has two polls in flight.
            self._states[name].started = None
            if name not in self._in_flight:
                heapq.heappush(self._heap, (due, name))

    def next(self) -> float | None:
        """When the next poll or expiry is due; None if only polls in flight are left."""
        times = list(self._expiries.values())
        if self._heap:
            first_poll, _ = self._heap[0]
            times.append(first_poll)
        return min(times, default=None)

    def expired(self, now: float) -> list[str]:
        """Takes out the sources whose last success is older than their max_age."""
        names = [name for name, at in self._expiries.items() if at <= now]
        for name in names:
            del self._expiries[name]
        return names

    def start(self, now: float) -> list[str]:
        """Takes out the sources that are due; a source stays out until `finish`, so it has one poll at a time."""
        names = []
        while self._heap and self._heap[0][0] <= now:
            _, name = heapq.heappop(self._heap)
            self._states[name].started = now
            self._in_flight.add(name)
            names.append(name)
        return names

    def finish(self, name: str, now: float, error: SourceError | None) -> int:
        """Puts the source back after its poll has ended; returns how many slots it overran."""
        self._in_flight.remove(name)
        state = self._states.get(name)
        if state is None:  # the source was removed
            return 0
        if state.started is None:  # a poll of an old configuration
            heapq.heappush(self._heap, (now, name))
            return 0

        due = _slot_after(state, now)
        skipped = round((due - _slot_after(state, state.started)) / state.interval)
        if error is None:
            state.failures = 0
            self._expiries[name] = state.started + state.max_age + _MARGIN
        else:
            state.failures += 1
            due = max(due, now + self._pause(state, error))
        state.started = None
        heapq.heappush(self._heap, (due, name))
        return skipped

    def _pause(self, state: _State, error: SourceError) -> float:
        """How long the breaker delays polls, with jitter; 0 while it is closed."""
        retry_after = min(error.retry_after or 0.0, LONGEST_ASKED)
        limit = 1 if error.reason == "auth" else FAILURES
        if state.failures < limit:
            return retry_after

        # Two intervals at the failure that opens the breaker, twice as long at each later one.
        doublings = min(state.failures - limit + 1, 20)
        pause = min(state.interval * 2.0**doublings, max(LONGEST, state.interval))
        return max(retry_after, pause * (1 + self._random.uniform(-_JITTER, _JITTER)))


def _random() -> random.Random:
    return random.Random()  # noqa: S311  spreads load, guards nothing


def _state(name: str, timing: Timing) -> _State:
    return _State(timing.interval, timing.max_age, _phase(name, timing.interval))


def _phase(name: str, interval: float) -> float:
    """Where in its interval the source's slots lie; the same in every process."""
    return zlib.crc32(name.encode()) / 2**32 * interval


def _slot_after(state: _State, now: float) -> float:
    return (math.floor((now - state.phase) / state.interval) + 1) * state.interval + state.phase
