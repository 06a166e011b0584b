"""What an application did on one day, minute by minute, cached for later requests.

Counts are whole numbers, as a controller's are: what a minute's rounding leaves over goes to the next one, so that no
request is lost over a day. `exact` days keep them as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from deploy.stack.controller.estate import Application, Transaction
from exporter.demo.noise import Floats, MinuteNumbers
from exporter.demo.traffic import DAY, LATENCY_MEAN, LATENCY_SHAPE, traffic

P95 = (0.95 / 0.05) ** (1.0 / LATENCY_SHAPE)
"""95th percentile / median of the latencies' distribution."""

CACHED = 64
"""Days of applications that are kept, the last ones."""


class Day:
    """Whole minutes; everything is computed when it is first asked for."""

    def __init__(self, seed: int, application: Application, day: int, *, exact: bool) -> None:
        numbers = np.arange(day * DAY + 1, (day + 1) * DAY + 1)
        self.traffic = traffic(seed, application.role, application.served, numbers)
        self.starts: MinuteNumbers = (self.traffic.minutes - 1) * 60
        """Unix seconds at which the minutes begin."""
        self._exact = exact
        self._counts: dict[str, Floats] = {}

    def calls(self, transaction: Transaction | None = None) -> Floats:
        """Calls in each minute, of all or of one business transaction."""
        if transaction is None:
            return self._count("calls", lambda: self.traffic.requests)
        share = transaction.share.requests
        return self._count(f"calls {transaction.id}", lambda: self.traffic.requests * share)

    def errors(self, transaction: Transaction | None = None) -> Floats:
        if transaction is None:
            return self._count("errors", lambda: self.traffic.errors)
        share = transaction.share.errors
        return self._count(f"errors {transaction.id}", lambda: self.traffic.errors * share)

    def mean(self) -> Floats:
        """Mean response time of each minute in milliseconds."""
        mean: Floats = self.traffic.latency * (LATENCY_MEAN * 1000.0)
        return mean

    def p95(self) -> Floats:
        """95th percentile in milliseconds."""
        high: Floats = self.traffic.latency * (P95 * 1000.0)
        return high

    def _count(self, name: str, rate: Callable[[], Floats]) -> Floats:
        """Requests/s as a number of each minute."""
        if name not in self._counts:
            counts = rate() * 60.0
            if not self._exact:  # the sum so far is rounded, not each minute: so nothing is lost over a day
                counts = np.diff(np.floor(np.cumsum(counts) + 0.5), prepend=0.0)
            self._counts[name] = counts
        return self._counts[name]


class Days:
    """All days of all applications of one shop."""

    def __init__(self, seed: int, *, exact: bool) -> None:
        self._applications: dict[str, Application] = {}
        self._day = lru_cache(CACHED)(lambda name, day: Day(seed, self._applications[name], day, exact=exact))

    def of(self, application: Application, start: float, end: float) -> list[Day]:
        """The days that [start, end) touches."""
        self._applications[application.name] = application
        first = int(start // 86400)
        after = int(-(-end // 86400))
        return [self._day(application.name, day) for day in range(first, after)]
