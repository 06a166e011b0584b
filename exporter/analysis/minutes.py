"""Series of one-minute values, cut to windows and summed up as the signals of the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from exporter.analysis.arithmetic import Floats
from exporter.analysis.baseline import summarise_arrays
from exporter.analysis.run import steady_minutes
from exporter.model.minutes import Range
from exporter.model.observation import Samples, Summary, Window


def cut(series: Range, window: Window) -> Range:
    """The part of a series inside (start, end]."""
    inside = (series.times > window.start) & (series.times <= window.end)
    return Range(series.labels, series.times[inside], series.values[inside])


def samples(series: Range) -> Samples:
    return Samples(tuple(series.times.tolist()), tuple(series.values.tolist()))


def gauges(values: Mapping[str, Range], *, run: bool = False) -> dict[str, Summary]:
    """Signal to summary of one application, from its one-minute values by key; quantiles of the request rate only.

    In a test run, noise is taken on its plateau.
    """
    rate = values.get("request_rate")
    steady = steady_minutes(rate.times, rate.values) if run and rate is not None else None

    signals: dict[str, Summary] = {}
    for key, series in values.items():
        if key == "error_rate":  # becomes a ratio below
            continue
        summary = summarise_arrays(series.times, series.values, steady)
        signals[key] = summary if key == "request_rate" else replace(summary, quantiles={})

    if rate is not None and "error_rate" in values:
        error_ratio = _ratio(values["error_rate"], rate, steady)
        if error_ratio is not None:
            signals["error_ratio"] = error_ratio
    return signals


def _ratio(errors: Range, requests: Range, steady: Floats | None) -> Summary | None:
    """Summary of errors / requests per minute; the mean is the sum of errors / the sum of requests."""
    minutes, at_errors, at_requests = np.intersect1d(
        errors.times, requests.times, assume_unique=True, return_indices=True
    )
    failed = errors.values[at_errors]
    served = requests.values[at_requests]
    busy = served > 0
    if not busy.any():
        return None

    summary = summarise_arrays(minutes[busy], failed[busy] / served[busy], steady)
    mean = float(failed[busy].sum() / served[busy].sum())
    return replace(summary, mean=mean, quantiles={})
