"""Minutes of an application -> signals, latency, pattern. Where the controller kept no minutes, marked as coarser."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from exporter.analysis.minutes import gauges, samples
from exporter.model.minutes import Range
from exporter.model.observation import LATENCY_MEAN, MINUTE, PATTERN_STEP, Events, Latency, Samples, Summary, Window
from exporter.sources.appdynamics.minutes import Minutes, at, chosen, resolution
from exporter.sources.appdynamics.records import Floats

_WHOLE = 0.99
"""Share of a window that coarse steps must cover for their sum to stand for it."""

Found = Mapping[str, Minutes]
"""Metric to its minutes; what is not wholly known has no key."""


def coarsest(found: Found) -> float:
    """Seconds that all figures of an application rest on."""
    return max((resolution(one) for one in found.values()), default=MINUTE)


def signals(found: Found, window: Window, *, run: bool = False) -> dict[str, Summary]:
    """Signal to its summary. Coarser than a minute, nothing is told of what goes on within an hour."""
    step = coarsest(found)
    values = {key: one for key, one in _values(found, window, step).items() if one.times.size}
    if step <= MINUTE:
        return gauges(values, run=run)
    return {
        key: replace(one, resolution=step, noise=None, autocorrelation=None, quantiles={})
        for key, one in gauges(values).items()
    }


def _values(found: Found, window: Window, step: float) -> dict[str, Range]:
    """By the keys of exporter.analysis.minutes.gauges."""
    values = {key: at(found[key], step, window) for key in ("cpu", "memory") if key in found}
    if "calls" in found:
        calls = found["calls"]
        values["request_rate"] = _scaled(at(calls, step, window))
        if "errors" in found and found["errors"].times.size:
            values["error_rate"] = _scaled(at(_zeros_filled(found["errors"], calls), step, window))
        if "latency_mean" in found:
            served, spent = _spent(found)
            seconds, number = at(spent, step, window), at(served, step, window)
            values[LATENCY_MEAN] = Range({}, seconds.times, seconds.values / number.values)
    return values


def _scaled(one: Range) -> Range:
    """Numbers in a minute as a rate."""
    return Range(one.labels, one.times, one.values / MINUTE)


def _zeros_filled(errors: Minutes, calls: Minutes) -> Minutes:
    """An agent that reports a minute's calls and no errors saw none."""
    silent = chosen(calls, ~np.isin(calls.times, errors.times))
    times = np.concatenate([errors.times, silent.times])
    order = np.argsort(times)
    values = np.concatenate([errors.values, np.zeros(silent.times.size)])
    return Minutes(times[order], values[order], np.concatenate([errors.steps, silent.steps])[order])


def _spent(found: Found) -> tuple[Minutes, Minutes]:
    """Calls, and the seconds that they took, of the minutes with calls whose mean is known."""
    calls, means = found["calls"], found["latency_mean"]
    times, here, there = np.intersect1d(calls.times, means.times, assume_unique=True, return_indices=True)
    busy = calls.values[here] > 0
    number, mean = calls.values[here][busy], means.values[there][busy]
    steps: Floats = np.maximum(calls.steps[here], means.steps[there])[busy]
    return Minutes(times[busy], number, steps), Minutes(times[busy], number * mean, steps)


def latency(found: Found, window: Window, p95: float | None) -> Latency | None:
    """Of the whole window; `p95` in seconds is the controller's own. None where nothing was served.

    Coarse steps that reach out of the window are not told, so that then the number of requests may be unknown.
    """
    calls = float(found["calls"].values.sum()) if "calls" in found else 0.0
    if not calls:
        return None
    mean = None
    if "latency_mean" in found:
        served, spent = _spent(found)
        mean = float(spent.values.sum() / served.values.sum()) if served.times.size else None
    whole = coarsest(found) <= MINUTE or found["calls"].times.size * MINUTE >= _WHOLE * window.duration
    return Latency(mean=mean, p95=p95, requests=calls if whole else None)


def rates(calls: Minutes) -> Samples | None:
    """One-minute request rates; None where they are not."""
    if not calls.times.size or resolution(calls) > MINUTE:
        return None
    return samples(_scaled(at(calls, MINUTE, Window(0.0, np.inf))))


def pattern(calls: Minutes, window: Window) -> Samples | None:
    """Five-minute means in steps that end where the window ends; None where they would be made of coarser ones."""
    if not calls.times.size or resolution(calls) > MINUTE:
        return None
    fine = at(calls, MINUTE, window)
    shift = window.end % PATTERN_STEP
    moved = Minutes(fine.times - shift, fine.values / MINUTE, np.full(fine.times.size, MINUTE))
    means = at(moved, PATTERN_STEP, Window(window.start - shift, window.end - shift))
    return samples(Range({}, means.times + shift, means.values))


def events(found: Found, window: Window, *, told: bool) -> Events | None:
    """What was served; None where the controller has nothing of it.

    `told`: whether errors were of any other time. Then a window without is one without failures, however short it is.
    """
    calls, errors = found["calls"], found.get("errors")
    if not calls.times.size:
        return None
    requests = float(calls.values.sum())
    failed = float(errors.values.sum()) if errors is not None and (errors.times.size or told or not requests) else None
    return Events(window, requests, failed, Latency(requests=requests))
