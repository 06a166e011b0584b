"""Values minute by minute, each with the resolution of its step in the controller.

A step of ten minutes or an hour is stored as its minutes, and marked as such. So windows can be cut, parts joined and
later, finer results put in their place without counting anything twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from exporter.model.minutes import Range
from exporter.model.observation import MINUTE, Window
from exporter.sources.appdynamics.records import Floats

_FEW = 0.01
"""Up to this share of coarse minutes is dropped; more make the whole window coarse."""


@dataclass(frozen=True, slots=True)
class MetricMinutes:
    """Arrays of one length: the end of each minute in Unix seconds, ascending; its value; seconds of its step."""

    times: Floats
    values: Floats
    steps: Floats


NO_MINUTES = MetricMinutes(np.zeros(0), np.zeros(0), np.zeros(0))


def spread(times: Floats, values: Floats, resolution: float) -> MetricMinutes:
    """Each step as its minutes, all with its value."""
    number = max(1, round(resolution / MINUTE))
    back = MINUTE * np.arange(number - 1, -1, -1.0)
    ends = (np.asarray(times)[:, None] - back[None, :]).ravel()
    return MetricMinutes(ends, np.repeat(values, number), np.full(ends.size, float(resolution)))


def cut(minutes: MetricMinutes, window: Window) -> MetricMinutes:
    """Those inside (start, end]."""
    return select(minutes, (minutes.times > window.start) & (minutes.times <= window.end))


def select(minutes: MetricMinutes, which: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> MetricMinutes:
    return MetricMinutes(minutes.times[which], minutes.values[which], minutes.steps[which])


def concatenate(parts: Sequence[MetricMinutes]) -> MetricMinutes:
    """Parts one after the other, unchanged: of several metrics, a minute occurs several times."""
    times: Floats = np.concatenate([part.times for part in parts])
    values: Floats = np.concatenate([part.values for part in parts])
    steps: Floats = np.concatenate([part.steps for part in parts])
    return MetricMinutes(times, values, steps)


def merge(parts: Sequence[MetricMinutes]) -> MetricMinutes:
    """Parts that do not overlap, as one; of a duplicate minute the finer one stays."""
    every = concatenate(parts)
    order = np.lexsort((every.steps, every.times))  # by time, and of one time the finest first
    first = np.diff(every.times[order], prepend=-np.inf) > 0
    return select(MetricMinutes(every.times[order], every.values[order], every.steps[order]), first)


def resolution(minutes: MetricMinutes) -> float:
    """Resolution in seconds: a minute, unless more than a few values are coarser."""
    coarse = minutes.steps > MINUTE
    if coarse.sum() <= _FEW * coarse.size:
        return MINUTE
    return float(minutes.steps.max())


def resample(minutes: MetricMinutes, step: float, window: Window) -> Range:
    """Means over steps of so many seconds that lie wholly in the window; of a minute: the fine minutes themselves."""
    if step <= MINUTE:
        fine = select(minutes, minutes.steps <= MINUTE)
        return Range({}, fine.times, fine.values)

    ends, number = np.unique(np.ceil(minutes.times / step) * step, return_inverse=True)
    means = np.bincount(number, minutes.values, ends.size) / np.bincount(number, minlength=ends.size)
    whole = (ends - step >= window.start) & (ends <= window.end)
    return Range({}, ends[whole], means[whole])
