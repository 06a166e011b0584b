"""Active minutes found so far, kept between polls: the past does not change, so it is asked for once.

It holds only the look-back: 16 bytes for each active minute and application. The final part is one
piece without holes, from the look-back's start on; a poll queries the time after it, and a little before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from exporter.analysis.minutes import cut, samples
from exporter.model.minutes import Range
from exporter.model.observation import Samples, Window

OVERLAP = 1800.0
"""Seconds that are asked for again, for samples that came late."""

CHUNK = 86400.0
"""Seconds in one query: a day, which is no heavier than production's queries and far below any limit of points."""


class Activity:
    """Minutes above one threshold."""

    def __init__(self, threshold: float) -> None:
        self.threshold = threshold
        self._start = float("inf")
        self._until = float("inf")
        """Up to here, from the start on, everything is known for sure."""
        self._series: dict[str, Range] = {}

    def missing(self, lookback: Window) -> Iterator[Window]:
        """Forget what lies outside the look-back; what to ask for, in ascending order, each to be added in turn."""
        if lookback.start < self._start:  # never asked for, or an earlier start than ever
            self._series = {}
            self._until = lookback.start
        self._start = lookback.start
        self._until = min(max(self._until, lookback.start), lookback.end)

        inside = {name: cut(series, lookback) for name, series in self._series.items()}
        self._series = {name: series for name, series in inside.items() if series.times.size}

        # Samples may come late, so the last half hour before what is sure is asked for once more.
        start = max(lookback.start, self._until - OVERLAP)
        while start < lookback.end:
            end = min(start + CHUNK, lookback.end)
            yield Window(start, end)
            start = end

    def add(self, window: Window, answer: Mapping[str, Range], *, sure: bool) -> None:
        """Replace the window's values by a new result; unless `sure`, the window is queried again."""
        before = Window(self._start, window.start)
        after = Window(window.end, float("inf"))

        for name in self._series.keys() | answer.keys():
            parts = [answer[name]] if name in answer else []
            if name in self._series:
                old = self._series[name]
                parts = [cut(old, before), *parts, cut(old, after)]
            times = np.concatenate([part.times for part in parts])
            values = np.concatenate([part.values for part in parts])
            self._series[name] = Range({}, times, values)

        # A window that does not join the final part would leave a hole, which would never be queried again.
        if sure and window.start <= self._until:
            self._until = max(self._until, window.end)

    def samples(self) -> dict[str, Samples]:
        """Application to its active minutes in the look-back."""
        return {name: samples(series) for name, series in self._series.items() if series.times.size}
