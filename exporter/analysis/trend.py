"""Where a metric has been going over the runs: docs/method.md, section "Trend".

Theil-Sen's slope, Kendall's test of whether there is one, and the scatter around the line: none of them minds spikes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from exporter.analysis.arithmetic import Floats
from exporter.analysis.noise import MOST_CORRELATED, deviation, median, without_season
from exporter.analysis.regression import Point, is_bad, matters
from exporter.model.loadrun_judgement import Direction, Trend
from exporter.model.settings import LoadRunSettings

_SURE = 2.58
"""Standard deviations of Kendall's S: one trend in a hundred is none."""


def trend(points: Sequence[Point], name: str, settings: LoadRunSettings) -> Trend:
    """Of one metric over the last `settled` runs, oldest first; the name of the trend is left empty."""
    values = without_season(np.asarray([point.value for point in points[-settings.settled :]]))
    if values.size < settings.min_history:
        return Trend("", name, None, None, None, values.size)
    slope = _slope(values)
    position = np.arange(values.size) - (values.size - 1) / 2
    middle = median(values - slope * position)
    rest = values - middle - slope * position
    scatter, usual = deviation(rest), median(values)
    wild = scatter >= settings.error_steps.low if name == "error_ratio" else scatter > 0
    if usual <= 0:  # most runs had no errors, or latencies that a tool of milliseconds does not see: no ratio of none
        return Trend("", name, "volatile" if wild else "stable", None if slope else 0.0, None, values.size)
    variation, drift = scatter / usual, slope * (values.size - 1)
    first = max(0.0, middle - drift / 2)
    way = _direction(first, first + drift, name, settings) if _sure(values, rest) else None
    wild = wild and variation > settings.volatile
    if way is None or (wild and abs(drift) <= scatter):
        way = "volatile" if wild else "stable"
    return Trend("", name, way, slope / usual, variation, values.size)


def _direction(first: float, last: float, name: str, settings: LoadRunSettings) -> Direction | None:
    """None where the way from the first to the last run is too short to matter."""
    if first <= 0 and name != "error_ratio":
        return "degrading" if is_bad(last - first, name) else "improving"
    if not matters(first, last, name, settings):
        return None
    return "degrading" if is_bad(last - first, name) else "improving"


def _slope(values: Floats) -> float:
    """Theil-Sen: the median of the slopes between any two runs."""
    early, late = np.triu_indices(values.size, 1)
    return median((values[late] - values[early]) / (late - early))


def _sure(values: Floats, rest: Floats) -> bool:
    """Mann-Kendall, with the variance inflated by the autocorrelation of what lies around the line.

    That is as high as can be where the way is a curve without any scatter: hence its limit.
    """
    early, late = np.triu_indices(values.size, 1)
    s, n = float(np.sign(values[late] - values[early]).sum()), values.size
    _, ties = np.unique(values, return_counts=True)
    variance = (n * (n - 1) * (2 * n + 5) - float((ties * (ties - 1) * (2 * ties + 5)).sum())) / 18
    if variance <= 0:
        return False
    clipped = np.clip(rest, -3 * deviation(rest), 3 * deviation(rest))
    total = float(np.dot(clipped, clipped))
    r = max(0.0, min(MOST_CORRELATED, float(np.dot(clipped[1:], clipped[:-1])) / total)) if total > 0 else 0.0
    return (abs(s) - 1) / math.sqrt(variance * (1 + r) / (1 - r)) > _SURE
