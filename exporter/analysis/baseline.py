"""What a signal did over a window: the summary of one-minute values, and latency from a histogram.

Formulas and their sources: docs/explanation/method.md, sections "Baseline" and "Latency".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from exporter.analysis.arithmetic import Floats, finite, finite_only, measured
from exporter.model.observation import MINUTE, NOISE_LAG, QUANTILES, Latency, Samples, Summary

_SMALL_DELTA = 1e-12
"""Relative difference of neighbouring buckets that is rounding, not observations; the same as in Prometheus."""


def summarise(samples: Samples) -> Summary:
    """Summary of one-minute values. NaN and infinite values are not measurements and are left out."""
    return summarise_arrays(*measured(samples))


def summarise_arrays(times: Floats, values: Floats, steady: Floats | None = None) -> Summary:
    """As `summarise`, for arrays of shape (n,): Unix seconds, ascending, and the value of the minute ending there.

    `steady` are the ends of a test's minutes on its plateau. What ramps and spikes do is the test's plan, not noise, so
    noise is taken from pairs of steady minutes alone, unless they are less than half of the minutes.
    """
    times, values = finite_only(times, values)
    if not values.size:
        return Summary(samples=0)

    low = float(values.min())
    high = float(values.max())
    mean = low
    stddev = 0.0
    # The mean of equal values may differ from them by rounding, and would make a constant series seem to vary.
    if low != high:
        mean = float(values.mean())
        stddev = float(values.std())

    calm = _calm(times, steady)
    noise, autocorrelation = _noise(times[calm], values[calm])
    quantiles = np.quantile(values, [float(q) for q in QUANTILES]).tolist()

    return Summary(
        mean=mean,
        peak=high,
        min=low,
        stddev=stddev,
        noise=noise,
        autocorrelation=autocorrelation,
        samples=int(values.size),
        quantiles=dict(zip(QUANTILES, quantiles, strict=True)),
    )


def _calm(times: Floats, steady: Floats | None) -> NDArray[np.bool_]:
    """Which minutes noise is taken from: the steady ones, or all where those are too few or unknown."""
    everything = np.ones_like(times, dtype=bool)
    if steady is None:
        return everything
    on_plateau = np.isin(times, steady)
    return on_plateau if 2 * on_plateau.sum() >= on_plateau.size else everything


def _noise(times: Floats, values: Floats) -> tuple[float | None, float | None]:
    """Deviation and lag-1 autocorrelation of what moves faster than NOISE_LAG; each None without the pairs it needs.

    docs/explanation/method.md, "Noise": e² = D(10 min) / 2 and r = 1 - D(1 min) / D(10 min), D being the mean squared
    difference.
    """
    near = _squared_difference(times, values, MINUTE)
    far = _squared_difference(times, values, NOISE_LAG)
    if far is None:
        return None, None

    noise = math.sqrt(far / 2)
    if near is None or far == 0:  # a constant series has noise 0 and no autocorrelation
        return noise, None
    return noise, float(np.clip(1 - near / far, -1, 1))


def _squared_difference(times: Floats, values: Floats, lag: float) -> float | None:
    """mean((x[t] - x[t-lag])²) over the pairs that are exactly `lag` seconds apart; None without such a pair."""
    _, later, earlier = np.intersect1d(times, times + lag, assume_unique=True, return_indices=True)
    if not later.size:
        return None
    differences = values[later] - values[earlier]
    return float(np.mean(differences * differences))


def histogram_quantile(le: Sequence[float], cumulative: Sequence[float], q: float) -> float | None:
    """The q-quantile (0..1) of a classic histogram as PromQL's histogram_quantile gives it, in the unit of `le`.

    `le` are the buckets' upper bounds with +Inf among them, in any order; `cumulative` their counts or rates.
    None where Prometheus says NaN (no observations, no +Inf bucket, fewer than two buckets), and, unlike Prometheus,
    when the quantile lies beyond the last finite bound: that bound would be a lower limit posing as a measurement.
    """
    buckets = _monotonic(le, cumulative)
    if len(buckets) < 2 or not math.isinf(buckets[-1][0]) or not 0 <= q <= 1:
        return None
    total = buckets[-1][1]
    if not 0 < total < math.inf:
        return None

    rank = q * total
    below = 0.0
    start = 0.0
    for index, (end, count) in enumerate(buckets[:-1]):
        if count >= rank:
            # A first bucket that ends at or below zero has no start to interpolate from: its end is used.
            if index == 0 and end <= 0:
                return end
            if count <= below:
                return None
            return start + (end - start) * ((rank - below) / (count - below))
        start = end
        below = count
    return None


def _monotonic(le: Sequence[float], cumulative: Sequence[float]) -> list[tuple[float, float]]:
    """Buckets by ascending bound, same bounds added up, rounding noise and decreases levelled, as Prometheus does."""
    valid = [bucket for bucket in zip(le, cumulative, strict=True) if not any(map(math.isnan, bucket))]
    merged: dict[float, float] = {}
    for bound, count in sorted(valid):
        merged[bound] = merged.get(bound, 0.0) + count

    levelled: list[tuple[float, float]] = []
    previous = 0.0
    for bound, count in merged.items():
        is_rounding = abs(count - previous) <= _SMALL_DELTA * max(abs(count), abs(previous))
        # Counts of several targets are scraped at different moments: a bucket may lag behind a smaller one.
        if not levelled or not (is_rounding or count < previous):
            previous = count
        levelled.append((bound, previous))
    return levelled


def latency(le: Sequence[float], cumulative: Sequence[float], sum: float | None, count: float | None) -> Latency:  # noqa: A002
    """Latency over a window from its one histogram: `sum` in seconds and `count` in requests over the same window."""
    quantiles = Latency(
        p50=histogram_quantile(le, cumulative, 0.5),
        p95=histogram_quantile(le, cumulative, 0.95),
        p99=histogram_quantile(le, cumulative, 0.99),
        p999=histogram_quantile(le, cumulative, 0.999),
    )
    requests = finite(count)
    if requests is None or requests <= 0:
        return quantiles

    seconds = finite(sum)
    mean = None if seconds is None else seconds / requests
    return replace(quantiles, mean=mean, requests=requests, buckets=_finite_buckets(le, cumulative))


def _finite_buckets(le: Sequence[float], cumulative: Sequence[float]) -> tuple[tuple[float, float], ...]:
    """The buckets that can be written down: below +Inf, repaired as for quantiles."""
    return tuple(
        (bound, count)
        for bound, count in _monotonic(le, cumulative)
        if bound >= 0 and finite(bound) is not None and finite(count) is not None
    )
