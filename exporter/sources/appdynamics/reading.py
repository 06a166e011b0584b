"""Answers of the controller -> minutes in base units. Where it tells sums, they are taken: its values are rounded.

Calls and errors are numbers in a minute; times of an answer are milliseconds, utilisation is percent.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from exporter.errors import SourceError
from exporter.model.observation import MINUTE
from exporter.sources.appdynamics.decoding import segments
from exporter.sources.appdynamics.minutes import NOTHING, Minutes, spread
from exporter.sources.appdynamics.records import Answer, Floats, Metric

COUNTS = ("calls", "errors")
TIMES = ("latency_mean", "latency_p95")
USED = ("cpu", "memory")

Weights = Mapping[str, float]
"""Tier to its weight: those that are not there do not count."""


def read(key: str, answer: Answer, weights: Weights | None = None) -> Minutes:
    """The minutes of one metric of an application; `weights` for what is told by tier.

    Raises SourceError (bad_data) when the path stands for several metrics that make no one value.
    """
    metrics = answer.metrics
    if key in COUNTS:
        return _added([(_numbers(metric), 1.0) for metric in metrics], mean=False)
    if key in USED:
        parts = [(_means(metric, 100.0), _weight(answer, metric, weights)) for metric in metrics]
        return _added([(part, weight) for part, weight in parts if weight > 0], mean=True)
    if len(metrics) > 1:
        text = f"metrics.{key} stands for {len(metrics)} metrics, one is {'|'.join(metrics[1].path)}: wanted one"
        raise SourceError("bad_data", text)
    return _means(metrics[0], 1000.0) if metrics else NOTHING


def stars(path: str) -> list[int]:
    """The positions of a metric path's segments that are wildcards."""
    return [number for number, part in enumerate(segments(path)) if part == "*"]


def total(metric: Metric) -> float:
    """All that was counted over a rollup, or over all steps: rates alone would lose what is rare to rounding."""
    return float(np.sum(totals(metric)))


def totals(metric: Metric) -> Floats:
    """What was counted in each step."""
    return metric.sums if metric.sums is not None else metric.values * (metric.resolution / MINUTE)


def _numbers(metric: Metric) -> Minutes:
    return spread(metric.times, totals(metric) / max(1.0, metric.resolution / MINUTE), metric.resolution)


def _means(metric: Metric, unit: float) -> Minutes:
    """Means in base units; steps without a single measurement have none."""
    values, times = metric.values, metric.times
    if metric.counts is not None:
        some = metric.counts > 0
        values, times = values[some], times[some]
        if metric.sums is not None:
            values = metric.sums[some] / metric.counts[some]
    return spread(times, values / unit, metric.resolution)


def _weight(answer: Answer, metric: Metric, weights: Weights | None) -> float:
    wild = stars(answer.ask.path)
    if weights is None or not wild:
        return 1.0
    return weights.get(metric.path[wild[0]], 0.0) if wild[0] < len(metric.path) else 0.0


def _added(parts: list[tuple[Minutes, float]], *, mean: bool) -> Minutes:
    """Minute by minute the sum, or the weighted mean of those that have a value."""
    if len(parts) < 2:
        return parts[0][0] if parts else NOTHING
    times, values, steps = (np.concatenate([getattr(part, name) for part, _ in parts]) for name in Minutes.__slots__)
    weights: Floats = np.concatenate([np.full(part.times.size, weight) for part, weight in parts])
    minutes, number = np.unique(times, return_inverse=True)
    sums, heaviness = np.zeros(minutes.size), np.zeros(minutes.size)
    np.add.at(sums, number, weights * values)
    np.add.at(heaviness, number, weights)
    coarsest = np.zeros(minutes.size)
    np.maximum.at(coarsest, number, steps)
    return Minutes(minutes, sums / heaviness if mean else sums, coarsest)
