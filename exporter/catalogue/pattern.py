"""Patterns: what is normal in production over seven days, and when is the peak?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from exporter.catalogue.series import ApplicationReader, Series, evidence, per_application, scalar
from exporter.model.results import ApplicationResult

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
TOP_SPIKES = 5


def _hours(result: ApplicationResult) -> list[tuple[tuple[str, ...], float | None]]:
    return [((f"{hour:02d}",), rate) for hour, rate in result.pattern.hours.items()] if result.pattern else []


def _days(result: ApplicationResult) -> list[tuple[tuple[str, ...], float | None]]:
    return [((WEEKDAYS[day],), rate) for day, rate in result.pattern.days.items()] if result.pattern else []


def _spike(field: Literal["time", "rate", "magnitude"]) -> ApplicationReader:
    def read(result: ApplicationResult) -> Iterator[tuple[tuple[str, ...], float | None]]:
        for rank, spike in enumerate(result.pattern.spikes[:TOP_SPIKES] if result.pattern else (), start=1):
            yield (str(rank),), getattr(spike, field)

    return read


SERIES: tuple[Series, ...] = (
    per_application(
        "pte_pattern_hour_requests_per_second",
        "Mean request rate of this hour of the day (00..23) over the last seven days. Polled.",
        ("hour",),
        _hours,
    ),
    per_application(
        "pte_pattern_day_requests_per_second",
        "Mean request rate of this day of the week (mon..sun) over the last seven days. Polled.",
        ("day",),
        _days,
    ),
    scalar(
        "pte_pattern_peak_hour",
        "Hour of the day (0..23) with the highest mean rate. Polled.",
        lambda result: result.pattern.peak_hour if result.pattern else None,
    ),
    scalar(
        "pte_pattern_low_hour",
        "Hour of the day (0..23) with the lowest mean rate. Polled.",
        lambda result: result.pattern.low_hour if result.pattern else None,
    ),
    scalar(
        "pte_pattern_volatility_ratio",
        "Coefficient of variation of the hourly mean rates over seven days. Polled.",
        lambda result: result.pattern.volatility if result.pattern else None,
    ),
    scalar(
        "pte_pattern_peak_requests_per_second",
        "Largest five-minute mean rate of the last seven days. Polled.",
        lambda result: result.pattern.peak if result.pattern else None,
    ),
    scalar(
        "pte_pattern_spikes",
        "Spikes in the last seven days, against the same hour of the other days. Polled.",
        lambda result: float(len(result.pattern.spikes)) if result.pattern else None,
    ),
    per_application(
        "pte_spike_timestamp_seconds",
        "When the spike was; rank 1 is the largest. Polled.",
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
        "1 when seven days of request rates were seen, and they varied. Polled.",
        lambda r: r.pattern,
    ),
)
