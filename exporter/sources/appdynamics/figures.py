"""Minutes of an application -> signals, latency, pattern. Where the controller kept no minutes, marked as coarser."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from exporter.analysis.minutes import gauges, samples
from exporter.model.minutes import Range
from exporter.model.observation import LATENCY_MEAN, MINUTE, PATTERN_STEP, Events, Latency, Samples, Summary, Window
from exporter.sources.appdynamics.minutes import Minutes, concatenate, resample, resolution, select
from exporter.sources.appdynamics.records import Floats

_WHOLE = 0.99
"""Share of a window that coarse steps must cover for their sum to stand for it."""

MetricMinutes = Mapping[str, Minutes]
"""Metric to its minutes; what is not wholly known has no key."""


def coarsest(metrics: MetricMinutes) -> float:
    """Seconds that all figures of an application rest on."""
    return max((resolution(minutes) for minutes in metrics.values()), default=MINUTE)


def signals(metrics: MetricMinutes, window: Window, *, run: bool = False) -> dict[str, Summary]:
    """Signal to its summary. Coarser than a minute, nothing is told of what goes on within an hour."""
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


def _ranges(metrics: MetricMinutes, window: Window, step: float) -> dict[str, Range]:
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


def _zeros_filled(errors: Minutes, calls: Minutes) -> Minutes:
    """An agent that reports a minute's calls and no errors saw none."""
    silent = select(calls, ~np.isin(calls.times, errors.times))
    zeros = Minutes(silent.times, np.zeros(silent.times.size), silent.steps)
    filled = concatenate([errors, zeros])
    order = np.argsort(filled.times)
    return Minutes(filled.times[order], filled.values[order], filled.steps[order])


def _served_and_spent(metrics: MetricMinutes) -> tuple[Minutes, Minutes]:
    """Calls, and the seconds that they took, of the minutes with calls whose mean is known."""
    calls = metrics["calls"]
    means = metrics["latency_mean"]
    times, of_calls, of_means = np.intersect1d(calls.times, means.times, assume_unique=True, return_indices=True)
    busy = calls.values[of_calls] > 0

    times = times[busy]
    number = calls.values[of_calls][busy]
    mean = means.values[of_means][busy]
    steps: Floats = np.maximum(calls.steps[of_calls], means.steps[of_means])[busy]
    return Minutes(times, number, steps), Minutes(times, number * mean, steps)


def latency(metrics: MetricMinutes, window: Window, p95: float | None) -> Latency | None:
    """Of the whole window; `p95` in seconds is the controller's own. None where nothing was served.

    Coarse steps that reach out of the window are not told, so that then the number of requests may be unknown.
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


def _mean_latency(metrics: MetricMinutes) -> float | None:
    served, spent = _served_and_spent(metrics)
    if not served.times.size:
        return None
    return float(spent.values.sum() / served.values.sum())


def rates(calls: Minutes) -> Samples | None:
    """One-minute request rates; None where they are not."""
    if not calls.times.size or resolution(calls) > MINUTE:
        return None
    return samples(_per_second(resample(calls, MINUTE, Window(0.0, np.inf))))


def pattern(calls: Minutes, window: Window) -> Samples | None:
    """Five-minute means in steps that end where the window ends; None where they would be made of coarser ones."""
    if not calls.times.size or resolution(calls) > MINUTE:
        return None

    # Steps end at multiples of five minutes: so the minutes are moved until the window's end is one.
    shift = window.end % PATTERN_STEP
    fine = resample(calls, MINUTE, window)
    moved = Minutes(fine.times - shift, fine.values / MINUTE, np.full(fine.times.size, MINUTE))
    means = resample(moved, PATTERN_STEP, Window(window.start - shift, window.end - shift))
    return samples(Range({}, means.times + shift, means.values))


def events(metrics: MetricMinutes, window: Window, *, errors_reported: bool) -> Events | None:
    """What was served; None where the controller has nothing of it.

    `errors_reported`: whether errors were of any other time. Then a window without is one without failures, however
    short it is.
    """
    calls = metrics["calls"]
    if not calls.times.size:
        return None

    # An agent reports errors only where there are some: none may mean that there were none, or that it never does.
    requests = float(calls.values.sum())
    errors = metrics.get("errors")
    failed = None
    if errors is not None and (errors.times.size or errors_reported or not requests):
        failed = float(errors.values.sum())
    return Events(window, requests, failed, Latency(requests=requests))
