"""Minutes of an application -> signals, latency, pattern. Without minutes they are marked as coarser."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from exporter.analysis.minutes import gauges, samples
from exporter.model.minutes import Range
from exporter.model.observation import LATENCY_MEAN, MINUTE, PATTERN_STEP, Events, Latency, Samples, Summary, Window
from exporter.sources.appdynamics.minutes import MetricMinutes, concatenate, resample, resolution, select
from exporter.sources.appdynamics.records import Floats

_WHOLE = 0.99
"""Share of a window that coarse steps must cover for their sum to count for the window."""

MinutesByMetric = Mapping[str, MetricMinutes]
"""Metric to its minutes; an incomplete one has no key."""


def coarsest(metrics: MinutesByMetric) -> float:
    """The longest step of an application's metrics in seconds."""
    return max((resolution(minutes) for minutes in metrics.values()), default=MINUTE)


def signals(metrics: MinutesByMetric, window: Window, *, run: bool = False) -> dict[str, Summary]:
    """Signal to its summary. Steps above a minute say nothing about shorter changes: no noise, no quantiles."""
    # All at the same step: a ratio of minutes and hours would be one of different times.
    step = coarsest(metrics)
    ranges = _ranges(metrics, window, step)
    ranges = {key: values for key, values in ranges.items() if values.times.size}
    if step <= MINUTE:
        return gauges(ranges, run=run)

    return {
        signal: replace(summary, resolution=step, noise=None, autocorrelation=None, quantiles={})
        for signal, summary in gauges(ranges).items()
    }


def _ranges(metrics: MinutesByMetric, window: Window, step: float) -> dict[str, Range]:
    """By the keys of exporter.analysis.minutes.gauges."""
    ranges = {key: resample(metrics[key], step, window) for key in ("cpu", "memory") if key in metrics}
    if "calls" not in metrics:
        return ranges

    calls = metrics["calls"]
    ranges["request_rate"] = _per_second(resample(calls, step, window))
    if "errors" in metrics and metrics["errors"].times.size:
        errors = _zeros_filled(metrics["errors"], calls)
        ranges["error_rate"] = _per_second(resample(errors, step, window))
    if "latency_mean" in metrics:
        served, spent = _served_and_spent(metrics)
        seconds = resample(spent, step, window)
        number = resample(served, step, window)
        ranges[LATENCY_MEAN] = Range({}, seconds.times, seconds.values / number.values)
    return ranges


def _per_second(numbers: Range) -> Range:
    """Numbers in a minute as a rate."""
    return Range(numbers.labels, numbers.times, numbers.values / MINUTE)


def _zeros_filled(errors: MetricMinutes, calls: MetricMinutes) -> MetricMinutes:
    """A minute with calls and without reported errors had none."""
    silent = select(calls, ~np.isin(calls.times, errors.times))
    zeros = MetricMinutes(silent.times, np.zeros(silent.times.size), silent.steps)
    filled = concatenate([errors, zeros])
    order = np.argsort(filled.times)
    return MetricMinutes(filled.times[order], filled.values[order], filled.steps[order])


def _served_and_spent(metrics: MinutesByMetric) -> tuple[MetricMinutes, MetricMinutes]:
    """Calls, and the seconds that they took, of the minutes with calls whose mean is known."""
    calls = metrics["calls"]
    means = metrics["latency_mean"]
    times, of_calls, of_means = np.intersect1d(calls.times, means.times, assume_unique=True, return_indices=True)
    busy = calls.values[of_calls] > 0

    times = times[busy]
    number = calls.values[of_calls][busy]
    mean = means.values[of_means][busy]
    steps: Floats = np.maximum(calls.steps[of_calls], means.steps[of_means])[busy]
    return MetricMinutes(times, number, steps), MetricMinutes(times, number * mean, steps)


def latency(metrics: MinutesByMetric, window: Window, p95: float | None) -> Latency | None:
    """Of the whole window; `p95` in seconds is the controller's own. None where nothing was served.

    Coarse steps that reach out of the window are missing; the number of requests may then be unknown.
    """
    if "calls" not in metrics:
        return None
    calls = metrics["calls"]
    requests = float(calls.values.sum())
    if not requests:
        return None

    mean = _mean_latency(metrics) if "latency_mean" in metrics else None
    whole = coarsest(metrics) <= MINUTE or calls.times.size * MINUTE >= _WHOLE * window.duration
    known_requests = requests if whole else None
    return Latency(mean=mean, p95=p95, requests=known_requests)


def _mean_latency(metrics: MinutesByMetric) -> float | None:
    served, spent = _served_and_spent(metrics)
    if not served.times.size:
        return None
    return float(spent.values.sum() / served.values.sum())


def rates(calls: MetricMinutes) -> Samples | None:
    """One-minute request rates; None for coarser ones."""
    if not calls.times.size or resolution(calls) > MINUTE:
        return None
    return samples(_per_second(resample(calls, MINUTE, Window(0.0, np.inf))))


def pattern(calls: MetricMinutes, window: Window) -> Samples | None:
    """Five-minute means in steps that end where the window ends; None for coarser data."""
    if not calls.times.size or resolution(calls) > MINUTE:
        return None

    # resample() ends steps at multiples of five minutes: move the minutes so that the window's end is one.
    shift = window.end % PATTERN_STEP
    fine = resample(calls, MINUTE, window)
    moved = MetricMinutes(fine.times - shift, fine.values / MINUTE, np.full(fine.times.size, MINUTE))
    means = resample(moved, PATTERN_STEP, Window(window.start - shift, window.end - shift))
    return samples(Range({}, means.times + shift, means.values))


def events(metrics: MinutesByMetric, window: Window, *, errors_reported: bool) -> Events | None:
    """Counted requests and errors; None without data.

    `errors_reported`: whether any other time has errors. Then a window without errors had no failures, however short
    it is.
    """
    calls = metrics["calls"]
    if not calls.times.size:
        return None

    # Agents report errors only if there are any: no value means no errors, or an agent that never reports them.
    requests = float(calls.values.sum())
    errors = metrics.get("errors")
    failed = None
    if errors is not None and (errors.times.size or errors_reported or not requests):
        failed = float(errors.values.sum())
    return Events(window, requests, failed, Latency(requests=requests))
