"""Where a metric has been going over the runs: docs/explanation/method.md, section "Trend".

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

    # The line: Theil-Sen's slope, through the median of what it leaves at the middle of the runs.
    slope = _slope(values)
    position = np.arange(values.size) - (values.size - 1) / 2
    middle = median(values - slope * position)
    rest = values - middle - slope * position
    scatter = deviation(rest)
    scatters = scatter >= settings.error_steps.low if name == "error_ratio" else scatter > 0

    usual = median(values)
    if usual <= 0:  # most runs had no errors, or latencies that a tool of milliseconds does not see: no ratio of none
        ratio = None if slope else 0.0
        return Trend("", name, _without_direction(is_wild=scatters), ratio, None, values.size)

    variation = scatter / usual
    is_wild = scatters and variation > settings.volatile
    drift = slope * (values.size - 1)
    first = max(0.0, middle - drift / 2)
    direction = _direction(first, first + drift, name, settings) if _is_sure(values, rest) else None
    # A way that is shorter than the scatter around it is lost in it.
    if direction is None or (is_wild and abs(drift) <= scatter):
        direction = _without_direction(is_wild=is_wild)
    return Trend("", name, direction, slope / usual, variation, values.size)


def _without_direction(*, is_wild: bool) -> Direction:
    return "volatile" if is_wild else "stable"


def _direction(first: float, last: float, name: str, settings: LoadRunSettings) -> Direction | None:
    """None where the way from the first to the last run is too short to matter."""
    # From zero there is no ratio: any value at the end exceeds every tolerance.
    has_ratio = first > 0 or name == "error_ratio"
    if has_ratio and not matters(first, last, name, settings):
        return None
    return "degrading" if is_bad(last - first, name) else "improving"


def _slope(values: Floats) -> float:
    """Theil-Sen: the median of the slopes between any two runs."""
    early, late = np.triu_indices(values.size, 1)
    return median((values[late] - values[early]) / (late - early))


def _is_sure(values: Floats, rest: Floats) -> bool:
    """Mann-Kendall, with the variance inflated by the autocorrelation of what lies around the line.

    That is as high as can be where the way is a curve without any scatter: hence its limit.
    """
    # S counts the pairs that rise less those that fall. Its variance without a trend, less what ties take from it:
    # (n(n-1)(2n+5) - sum t(t-1)(2t+5)) / 18. docs/explanation/method.md, "Trend".
    n = values.size
    early, late = np.triu_indices(n, 1)
    s = float(np.sign(values[late] - values[early]).sum())
    _, ties = np.unique(values, return_counts=True)
    variance = (n * (n - 1) * (2 * n + 5) - float((ties * (ties - 1) * (2 * ties + 5)).sum())) / 18
    if variance <= 0:
        return False

    r = _lag_correlation(rest)
    return (abs(s) - 1) / math.sqrt(variance * (1 + r) / (1 - r)) > _SURE


def _lag_correlation(rest: Floats) -> float:
    """Of neighbouring runs around the line, within 0..MOST_CORRELATED; spikes are clipped."""
    clipped = np.clip(rest, -3 * deviation(rest), 3 * deviation(rest))
    total = float(np.dot(clipped, clipped))
    if total <= 0:
        return 0.0
    return max(0.0, min(MOST_CORRELATED, float(np.dot(clipped[1:], clipped[:-1])) / total))
