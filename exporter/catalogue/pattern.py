"""Patterns: what is normal in production over seven days, and when is the peak?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from exporter.catalogue.series import ApplicationReader, Series, Values, evidence, per_application
from exporter.model.results import Pattern

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
TOP_SPIKES = 5


def _pattern(read: Callable[[Pattern], Values]) -> ApplicationReader:
    """Nothing without a pattern."""
    return lambda result: read(result.pattern) if result.pattern else ()


def _scalar(name: str, help: str, read: Callable[[Pattern], float | None]) -> Series:
    return per_application(name, help, (), _pattern(lambda pattern: [((), read(pattern))]))


def _spike(field: Literal["time", "rate", "magnitude"]) -> ApplicationReader:
    def read(pattern: Pattern) -> Values:
        for rank, spike in enumerate(pattern.spikes[:TOP_SPIKES], start=1):
            yield (str(rank),), getattr(spike, field)

    return _pattern(read)


SERIES: tuple[Series, ...] = (
    per_application(
        "pte_pattern_hour_requests_per_second",
        "Mean request rate of this hour of the day (00..23) over the last seven days. Polled.",
        ("hour",),
        _pattern(lambda pattern: [((f"{hour:02d}",), rate) for hour, rate in pattern.hours.items()]),
    ),
    per_application(
        "pte_pattern_day_requests_per_second",
        "Mean request rate of this day of the week (mon..sun) over the last seven days. Polled.",
        ("day",),
        _pattern(lambda pattern: [((WEEKDAYS[day],), rate) for day, rate in pattern.days.items()]),
    ),
    _scalar(
        "pte_pattern_peak_hour",
        "Hour of the day (0..23) with the highest mean rate. Polled.",
        lambda pattern: pattern.peak_hour,
    ),
    _scalar(
        "pte_pattern_low_hour",
        "Hour of the day (0..23) with the lowest mean rate. Polled.",
        lambda pattern: pattern.low_hour,
    ),
    _scalar(
        "pte_pattern_volatility_ratio",
        "Coefficient of variation of the hourly mean rates over seven days. Polled.",
        lambda pattern: pattern.volatility,
    ),
    _scalar(
        "pte_pattern_peak_requests_per_second",
        "Largest five-minute mean rate of the last seven days. Polled.",
        lambda pattern: pattern.peak,
    ),
    _scalar(
        "pte_pattern_spikes",
        "Spikes in the last seven days, compared with the same hour of the other days. Polled.",
        lambda pattern: float(len(pattern.spikes)),
    ),
    per_application(
        "pte_spike_timestamp_seconds",
        "Time of the spike; rank 1 is the largest. Polled.",
        ("rank",),
        _spike("time"),
    ),
    per_application(
        "pte_spike_requests_per_second",
        "Five-minute mean rate of the spike; rank 1 is the largest. Polled.",
        ("rank",),
        _spike("rate"),
    ),
    per_application(
        "pte_spike_magnitude_ratio",
        "The spike's rate / the median of the same hour on the other days; rank 1 is the largest. Polled.",
        ("rank",),
        _spike("magnitude"),
    ),
    evidence(
        "pte_pattern_evidence",
        "1 when there are seven days of varying request rates. Polled.",
        lambda result: result.pattern,
    ),
)
