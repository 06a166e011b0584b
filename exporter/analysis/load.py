"""Load coverage: four figures, because one misleads. docs/explanation/method.md, section "Load coverage"."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from exporter.analysis.arithmetic import Floats, divide, finite, has_traffic, measured, peak, summary
from exporter.model.observation import MINUTE, ApplicationObservation, Samples, Summary
from exporter.model.results import LoadCoverage
from exporter.model.settings import TestRunSettings


def load_coverage(
    production: ApplicationObservation | None, pte: ApplicationObservation | None, settings: TestRunSettings
) -> LoadCoverage:
    """Did the test reach production's load? Every figure is None where a side lacks what it needs."""
    baseline = summary(production, "request_rate") if has_traffic(production) else None
    if baseline is None or pte is None or baseline.resolution > MINUTE:
        return LoadCoverage(None, None, None, None, None)

    highest = peak(pte, "request_rate")
    sustained = sustained_rate(pte.minutes, settings.sustained)
    return LoadCoverage(
        peak_ratio=divide(highest, baseline.peak),
        peak_percentile=percentile_of(highest, baseline),
        sustained_rate=sustained,
        sustained_percentile=percentile_of(sustained, baseline),
        above_p95_seconds=_seconds_from(pte.minutes, baseline.quantiles.get("0.95")),
    )


def percentile_of(rate: float | None, baseline: Summary) -> float | None:
    """Fraction (0..1) of the baseline's minutes with at most this rate, interpolated between its known quantiles.

    The true fraction lies between the two neighbouring quantiles, so the error is below their distance: 0.01 above P99,
    0.04 from P95, 0.05 from P90, and up to 0.25 around the median.
    """
    quantiles = [(float(quantile), finite(value)) for quantile, value in baseline.quantiles.items()]
    quantiles += [(0.0, finite(baseline.min)), (1.0, finite(baseline.peak))]
    points = sorted((q, value) for q, value in quantiles if value is not None)
    if rate is None or len(points) < 3 or points[0][0] > 0 or points[-1][0] < 1:
        return None

    # From above: where several quantiles have the same rate, the test reached the highest of them.
    if rate >= points[-1][1]:
        return 1.0
    for (low_q, low), (high_q, high) in reversed(list(pairwise(points))):
        if low <= rate < high:
            return low_q + (high_q - low_q) * (rate - low) / (high - low)
    return 0.0


def sustained_rate(minutes: Samples | None, seconds: float) -> float | None:
    """Highest rate (requests/s) that every minute of some unbroken `seconds` reached, None without one."""
    length = max(1, math.ceil(seconds / MINUTE))
    floors = []
    for block in _unbroken(minutes):
        if block.size >= length:
            stretches = np.lib.stride_tricks.sliding_window_view(block, length)
            floors.append(float(stretches.min(axis=1).max()))
    return max(floors, default=None)


def _unbroken(minutes: Samples | None) -> Sequence[Floats]:
    """The values cut wherever a minute is missing."""
    times, values = measured(minutes)
    return np.split(values, np.flatnonzero(np.diff(times) != MINUTE) + 1)


def _seconds_from(minutes: Samples | None, level: float | None) -> float | None:
    """How long the rate was at or above `level`; None where either is unknown or the level is zero."""
    _, values = measured(minutes)
    bar = finite(level)
    if not values.size or bar is None or bar <= 0:
        return None
    return MINUTE * float((values >= bar).sum())
