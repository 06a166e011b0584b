"""Results of the controller -> minutes in base units. Sums are preferred, because its values are rounded.

Calls and errors are numbers in a minute; latencies are milliseconds, utilisation is percent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from exporter.errors import SourceError
from exporter.model.observation import MINUTE
from exporter.sources.appdynamics.decoding import segments
from exporter.sources.appdynamics.minutes import NO_MINUTES, MetricMinutes, concatenate, spread
from exporter.sources.appdynamics.records import Floats, Metric, MetricResult

COUNTS = ("calls", "errors")
UTILISATION = ("cpu", "memory")

Weights = Mapping[str, float]
"""Tier to its weight; a tier without a weight does not count."""


def to_minutes(key: str, result: MetricResult, weights: Weights | None = None) -> MetricMinutes:
    """The minutes of one metric of an application; `weights` for metrics with a value for each tier.

    Raises SourceError (bad_data) when the path matches several metrics that cannot be combined.
    """
    metrics = result.metrics
    if key in COUNTS:
        return _sum([_numbers(metric) for metric in metrics])
    if key in UTILISATION:
        return _weighted_mean(result, weights)

    if len(metrics) > 1:
        text = f"metrics.{key} matches {len(metrics)} metrics, such as {'|'.join(metrics[1].path)}: expected one"
        raise SourceError("bad_data", text)
    return _means(metrics[0], 1000.0) if metrics else NO_MINUTES


def wildcards(path: str) -> list[int]:
    """The positions of a metric path's segments that are wildcards."""
    return [position for position, segment in enumerate(segments(path)) if segment == "*"]


def total(metric: Metric) -> float:
    """The count of a rollup, or of all steps: rates alone would lose rare calls to rounding."""
    return float(np.sum(step_totals(metric)))


def step_totals(metric: Metric) -> Floats:
    """The count in each step."""
    if metric.sums is not None:
        return metric.sums
    return metric.values * (metric.resolution / MINUTE)


def _numbers(metric: Metric) -> MetricMinutes:
    """The count of each minute; a longer step is divided evenly."""
    minutes = max(1.0, metric.resolution / MINUTE)
    return spread(metric.times, step_totals(metric) / minutes, metric.resolution)


def _means(metric: Metric, unit: float) -> MetricMinutes:
    """Means in base units; steps without a single measurement have none."""
    times = metric.times
    values = metric.values

    if metric.counts is not None:
        measured = metric.counts > 0
        times = times[measured]
        values = values[measured]
        if metric.sums is not None:
            values = metric.sums[measured] / metric.counts[measured]

    return spread(times, values / unit, metric.resolution)


def _sum(parts: Sequence[MetricMinutes]) -> MetricMinutes:
    """Minute by minute the sum of those that have a value."""
    if not parts:
        return NO_MINUTES
    return _combine(parts, [1.0] * len(parts), mean=False)


def _weighted_mean(result: MetricResult, weights: Weights | None) -> MetricMinutes:
    """Minute by minute the mean over the tiers that have a value, each by its weight."""
    parts: list[MetricMinutes] = []
    by_part: list[float] = []
    for metric in result.metrics:
        weight = _weight(result, metric, weights)
        if weight > 0:
            parts.append(_means(metric, 100.0))
            by_part.append(weight)

    if not parts:
        return NO_MINUTES
    return _combine(parts, by_part, mean=True)


def _weight(result: MetricResult, metric: Metric, weights: Weights | None) -> float:
    positions = wildcards(result.query.path)
    if weights is None or not positions:
        return 1.0

    tier = positions[0]
    if tier >= len(metric.path):
        return 0.0
    return weights.get(metric.path[tier], 0.0)


def _combine(parts: Sequence[MetricMinutes], weights: Sequence[float], *, mean: bool) -> MetricMinutes:
    """The sum or the mean of values with weights, as coarse as the coarsest of them."""
    if len(parts) == 1:
        return parts[0]

    every = concatenate(parts)
    weight = np.repeat(weights, [part.times.size for part in parts])
    minutes, position = np.unique(every.times, return_inverse=True)
    values = np.zeros(minutes.size)
    np.add.at(values, position, weight * every.values)
    if mean:
        total_weight = np.zeros(minutes.size)
        np.add.at(total_weight, position, weight)
        values = values / total_weight

    coarsest = np.zeros(minutes.size)
    np.maximum.at(coarsest, position, every.steps)
    return MetricMinutes(minutes, values, coarsest)
