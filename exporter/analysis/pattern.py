"""What is normal in production over seven days. docs/explanation/method.md, section "Pattern"."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo
from statistics import median
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from exporter.analysis.arithmetic import SMALLEST, Floats, divide, measured
from exporter.model.observation import PATTERN_STEP, Samples
from exporter.model.results import Pattern, Spike
from exporter.model.settings import AnalysisSettings

Integers = NDArray[np.int64]

_QUARTER = 900
"""Offsets of time zones change at quarters of an hour; asking once for each is enough."""

_THURSDAY = 3
"""The weekday of 1970-01-01, Monday being 0."""

_CONSTANT = 1e-9
"""Variation below this ratio of the largest rate is rounding."""

_OTHER_DAYS = 3
"""A spike is judged against the same hour of at least so many other days."""


def pattern(samples: Samples | None, settings: AnalysisSettings) -> Pattern | None:
    """Hourly and daily means, peak, volatility and spikes of five-minute rates, hours and days in the configured zone.

    None unless every hour of the day and every day of the week was seen, with traffic that varied: a peak hour out of
    half a day is a guess, and one of no traffic, or of traffic that is always the same, means nothing.
    """
    times, values = measured(samples)
    zone = UTC if settings.timezone == "UTC" else ZoneInfo(settings.timezone)
    # A value covers the step that ends at its time: it belongs to the hour in which that began.
    local = _local(times - PATTERN_STEP, zone)
    hour = local // 3600 % 24
    day = local // 86400

    hours = _means(values, hour)
    days = _means(values, (day + _THURSDAY) % 7)
    if len(hours) < 24 or len(days) < 7:
        return None
    if not np.ptp(values) > _CONSTANT * np.abs(values).max():
        return None

    profile = np.array(list(hours.values()))
    return Pattern(
        hours=hours,
        days=days,
        peak_hour=int(profile.argmax()),
        low_hour=int(profile.argmin()),
        volatility=divide(float(profile.std()), float(profile.mean())),
        peak=float(values.max()),
        spikes=_spikes(times, values, hour, day, settings.spike_magnitude),
    )


def _local(times: Floats, zone: tzinfo) -> Integers:
    """Seconds since 1970-01-01 00:00 on the zone's wall clock."""
    if not times.size:
        return np.empty(0, dtype=np.int64)
    quarters, position = np.unique(times // _QUARTER, return_inverse=True)
    offsets = np.array([_offset(quarter * _QUARTER, zone) for quarter in quarters.tolist()])
    local: Integers = (times + offsets[position]).astype(np.int64)
    return local


def _offset(time: float, zone: tzinfo) -> float:
    """Seconds that the zone's clock is ahead of UTC at that time."""
    offset = datetime.fromtimestamp(time, zone).utcoffset()
    return offset.total_seconds() if offset else 0.0


def _means(values: Floats, group: Integers) -> dict[int, float]:
    """Mean of the values of each group, by ascending group."""
    return {int(key): float(values[group == key].mean()) for key in np.unique(group)}


def _spikes(times: Floats, values: Floats, hour: Integers, day: Integers, magnitude: float) -> tuple[Spike, ...]:
    """Steps of at least `magnitude` times the same hour of the other days, adjacent ones merged; largest first."""
    reference = _references(values, hour, day)
    ratio = np.divide(values, reference, out=np.zeros_like(values), where=reference > SMALLEST)
    steps = [Spike(float(times[i]), float(values[i]), float(ratio[i])) for i in np.flatnonzero(ratio >= magnitude)]
    spikes = [max(stretch, key=lambda step: step.rate) for stretch in _adjacent(steps)]
    return tuple(sorted(spikes, key=lambda spike: (-spike.magnitude, spike.time)))


def _references(values: Floats, hour: Integers, day: Integers) -> Floats:
    """For each value the median of its hour's values on the other days; 0 where there are too few other days."""
    reference = np.zeros_like(values)
    for key in np.unique(hour):
        same_hour = np.flatnonzero(hour == key)
        dates = np.unique(day[same_hour])
        if len(dates) <= _OTHER_DAYS:
            continue
        for date in dates:
            on_date = day[same_hour] == date
            reference[same_hour[on_date]] = median(values[same_hour[~on_date]].tolist())
    return reference


def _adjacent(steps: list[Spike]) -> Iterator[list[Spike]]:
    """Steps in order of time, cut wherever one does not follow the other directly."""
    stretch: list[Spike] = []
    for step in steps:
        if stretch and step.time - stretch[-1].time > PATTERN_STEP:
            yield stretch
            stretch = []
        stretch.append(step)
    if stretch:
        yield stretch
