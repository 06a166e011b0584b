"""When each source is polled next: pure bookkeeping on a clock that the caller reads.

Slots lie on a grid of the source's interval, shifted by a hash of its name, so that several sources (and several
exporters) do not ask at the same moment. The first poll is due at once. Slots that pass while a poll is in flight are
skipped and counted. After repeated failures a breaker spaces the polls out. What a poll brought expires after max_age.
The sources may change on the way; still no name is polled twice at once.
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
"""Failures in a row that open the breaker. `auth` opens it at once, as more attempts may lock the account."""

LONGEST = 900.0
"""Seconds between polls of a failing source at most, or its interval where that is longer."""

LONGEST_ASKED = 3600.0
"""Seconds that a server may ask us to wait (Retry-After)."""

_JITTER = 0.1
_MARGIN = 0.5
"""Seconds past max_age, so that a wall clock that runs a little slower agrees that the time has come."""


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
    """Not safe for several threads by itself. All times are seconds of one monotonic clock."""

    def __init__(self, timings: Mapping[str, Timing], now: float, random: random.Random | None = None) -> None:
        self._random = random or _random()
        self._states: dict[str, _State] = {}
        self._in_flight: set[str] = set()
        self._heap: list[tuple[float, str]] = []
        self._expiries: dict[str, float] = {}
        self.change(timings, now)

    def change(self, timings: Mapping[str, Timing], now: float, same: Container[str] = ()) -> None:
        """Go on with these sources: the `same` ones with breaker, slot and expiry, the others as new and due at once.

        A poll in flight is one of the old configuration. It counts for nothing, and its source is due when it ends.
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

            # This is how `finish` knows a poll of the old configuration. Until that has ended its source is not due,
            # so that no name is polled twice at once.
            self._states[name].started = None
            if name not in self._in_flight:
                heapq.heappush(self._heap, (due, name))

    def next(self) -> float | None:
        """When the next poll or expiry is due; None when nothing is to be waited for but polls in flight."""
        times = list(self._expiries.values())
        if self._heap:
            first_poll, _ = self._heap[0]
            times.append(first_poll)
        return min(times, default=None)

    def expired(self, now: float) -> list[str]:
        """Takes out the sources whose last success has grown older than their max_age."""
        names = [name for name, at in self._expiries.items() if at <= now]
        for name in names:
            del self._expiries[name]
        return names

    def start(self, now: float) -> list[str]:
        """Takes out the sources that are due; each stays out until `finish`, so it is polled once at a time."""
        names = []
        while self._heap and self._heap[0][0] <= now:
            _, name = heapq.heappop(self._heap)
            self._states[name].started = now
            self._in_flight.add(name)
            names.append(name)
        return names

    def finish(self, name: str, now: float, error: SourceError | None) -> int:
        """Puts the source back, as the poll that was started has ended; gives how many slots it overran."""
        self._in_flight.remove(name)
        state = self._states.get(name)
        if state is None:  # the source has been configured away
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
        """How long the breaker holds polls back, with jitter; 0 while it is closed."""
        retry_after = min(error.retry_after or 0.0, LONGEST_ASKED)
        limit = 1 if error.reason == "auth" else FAILURES
        if state.failures < limit:
            return retry_after

        # Two intervals at the failure that opens the breaker, twice as long at each that follows.
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
