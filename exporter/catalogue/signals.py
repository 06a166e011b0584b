"""The observations of both sides: the inputs of everything else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

from exporter.catalogue.series import Row, Series
from exporter.model.observation import GAUGE_SIGNALS, LATENCY_STATS, ApplicationObservation, Summary
from exporter.model.results import Snapshot

LATENCY = "latency"


def sides(snapshot: Snapshot) -> Iterator[tuple[str, str, ApplicationObservation]]:
    """(application, the side's name, its observation) of every observed side."""
    for application, result in snapshot.applications.items():
        for role, observation in (("production", result.production), ("pte", result.pte)):
            if observation is not None:
                yield application, snapshot.sides[role], observation


def _stats(summary: Summary) -> Iterator[tuple[str, float | None]]:
    yield "mean", summary.mean
    yield "peak", summary.peak
    yield "min", summary.min
    for quantile, value in summary.quantiles.items():
        yield f"p{float(quantile) * 100:g}", value


def _signal(signal: str) -> Callable[[Snapshot], Iterator[Row]]:
    def rows(snapshot: Snapshot) -> Iterator[Row]:
        for application, side, observation in sides(snapshot):
            summary = observation.signals.get(signal)
            if summary is None:
                continue
            for stat, value in _stats(summary):
                if value is not None:
                    yield (application, side, stat), value

    return rows


def _latency(snapshot: Snapshot) -> Iterator[Row]:
    for application, side, observation in sides(snapshot):
        for stat in LATENCY_STATS:
            value = getattr(observation.latency, stat, None)
            if value is not None:
                yield (application, side, stat), value


def _samples(snapshot: Snapshot) -> Iterator[Row]:
    for application, side, observation in sides(snapshot):
        for signal, summary in observation.signals.items():
            if summary.samples is not None:
                yield (application, side, signal), summary.samples
        if observation.latency is not None and observation.latency.requests is not None:
            yield (application, side, LATENCY), observation.latency.requests


def _resolution(snapshot: Snapshot) -> Iterator[Row]:
    for application, side, observation in sides(snapshot):
        for signal, summary in observation.signals.items():
            yield (application, side, signal), summary.resolution


def _evidence(snapshot: Snapshot) -> Iterator[Row]:
    for application, result in snapshot.applications.items():
        for role, observation in (("production", result.production), ("pte", result.pte)):
            side = snapshot.sides[role]
            signals = observation.signals if observation is not None else {}
            for signal in GAUGE_SIGNALS:
                yield (application, side, signal), float(signal in signals)
            has_latency = observation is not None and observation.latency is not None
            yield (application, side, LATENCY), float(has_latency)


def _window(edge: Literal["start", "end"]) -> Callable[[Snapshot], Iterator[Row]]:
    def rows(snapshot: Snapshot) -> Iterator[Row]:
        for application, side, observation in sides(snapshot):
            yield (application, side), getattr(observation.window, edge)

    return rows


_BY = ("application", "side", "stat")
_STATS = (
    "over the observed window; stat is mean, peak, min or a percentile of one-minute values. Values are coarser, and "
    "hide peaks, where pte_observed_resolution_seconds is above 60. Polled."
)

SERIES: tuple[Series, ...] = (
    Series("pte_requests_per_second", f"Request rate {_STATS}", _BY, _signal("request_rate")),
    Series("pte_error_ratio", f"Failed requests / requests {_STATS}", _BY, _signal("error_ratio")),
    Series("pte_throughput_bytes_per_second", f"Bytes sent per second {_STATS}", _BY, _signal("throughput")),
    Series("pte_concurrent_users", f"Concurrent users {_STATS}", _BY, _signal("concurrent_users")),
    Series("pte_cpu_utilisation_ratio", f"CPU used / CPU available {_STATS}", _BY, _signal("cpu")),
    Series("pte_memory_utilisation_ratio", f"Memory used / memory available {_STATS}", _BY, _signal("memory")),
    Series(
        "pte_latency_seconds",
        "Latency over the observed window, from one histogram; stat is mean, p50, p95, p99 or p999. Polled.",
        _BY,
        _latency,
    ),
    Series(
        "pte_observed_samples",
        "Number of values behind the signal, each over pte_observed_resolution_seconds; for latency the requests in "
        "the histogram. Polled.",
        ("application", "side", "signal"),
        _samples,
    ).as_input(),
    Series(
        "pte_observed_resolution_seconds",
        "Time that each value behind the signal covers. Above 60, the stat peak is only the largest mean over that "
        "time, and is not compared with the other side. Polled.",
        ("application", "side", "signal"),
        _resolution,
    ).as_input(),
    Series(
        "pte_observation_evidence",
        "1 when the side was observed and has data for the signal. Polled.",
        ("application", "side", "signal"),
        _evidence,
    ),
    Series(
        "pte_observation_start_timestamp_seconds",
        "Start of the observed window: the baseline, or the test run. Polled.",
        ("application", "side"),
        _window("start"),
    ),
    Series(
        "pte_observation_end_timestamp_seconds",
        "End of the observed window: the baseline, or the test run. Polled.",
        ("application", "side"),
        _window("end"),
    ),
)
