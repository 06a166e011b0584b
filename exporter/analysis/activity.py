"""Active minutes found so far, kept between polls: the past does not change, so it is asked for once.

Kept is only what lies in the look-back: 16 bytes for each active minute and application. What is known for sure is one
piece without holes, from the look-back's start on; a poll asks for what came after it, and a little before.
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
"""Seconds asked for at once: a day, so that no query is heavier than production's; far fewer points than any limit."""


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
            self._series, self._until = {}, lookback.start
        self._start = lookback.start
        self._until = min(max(self._until, lookback.start), lookback.end)
        known = {name: cut(series, Window(lookback.start, lookback.end)) for name, series in self._series.items()}
        self._series = {name: series for name, series in known.items() if series.times.size}
        start = max(lookback.start, self._until - OVERLAP)
        while start < lookback.end:
            end = min(start + CHUNK, lookback.end)
            yield Window(start, end)
            start = end

    def add(self, asked: Window, found: Mapping[str, Range], *, sure: bool) -> None:
        """Put what was found in a window in the place of what was known of it; not `sure`: to be asked for again."""
        for name in self._series.keys() | found.keys():
            parts = [found[name]] if name in found else []
            if name in self._series:
                before, after = Window(self._start, asked.start), Window(asked.end, float("inf"))
                parts = [cut(self._series[name], before), *parts, cut(self._series[name], after)]
            times = np.concatenate([part.times for part in parts])
            self._series[name] = Range({}, times, np.concatenate([part.values for part in parts]))
        if sure and asked.start <= self._until:
            self._until = max(self._until, asked.end)

    def samples(self) -> dict[str, Samples]:
        """Application to its active minutes in the look-back."""
        return {name: samples(series) for name, series in self._series.items() if series.times.size}
