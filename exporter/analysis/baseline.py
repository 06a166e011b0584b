"""What a signal did over a window: the summary of one-minute values, and latency from a histogram.

Formulas and their sources: docs/method.md, sections "Baseline" and "Latency".
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

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
    low, high = float(values.min()), float(values.max())
    constant = low == high
    level = np.ones_like(times, dtype=bool) if steady is None else np.isin(times, steady)
    calm = level if 2 * level.sum() >= level.size else np.ones_like(level)
    noise, autocorrelation = _noise(times[calm], values[calm])
    return Summary(
        mean=low if constant else float(values.mean()),
        peak=high,
        min=low,
        stddev=0.0 if constant else float(values.std()),
        noise=noise,
        autocorrelation=autocorrelation,
        samples=int(values.size),
        quantiles=dict(zip(QUANTILES, np.quantile(values, [float(q) for q in QUANTILES]).tolist(), strict=True)),
    )


def _noise(times: Floats, values: Floats) -> tuple[float | None, float | None]:
    """Deviation and lag-1 autocorrelation of what moves faster than NOISE_LAG; each None without the pairs it needs."""
    near, far = _squared_difference(times, values, MINUTE), _squared_difference(times, values, NOISE_LAG)
    noise = None if far is None else math.sqrt(far / 2)
    return noise, None if near is None or not far else float(np.clip(1 - near / far, -1, 1))


def _squared_difference(times: Floats, values: Floats, lag: float) -> float | None:
    """mean((x[t] - x[t-lag])²) over the pairs that are exactly `lag` seconds apart; None when there is no such pair."""
    _, later, earlier = np.intersect1d(times, times + lag, assume_unique=True, return_indices=True)
    differences = values[later] - values[earlier]
    return float(np.mean(differences * differences)) if differences.size else None


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
    index = next(i for i, (_, count) in enumerate(buckets) if count >= rank or i == len(buckets) - 1)
    if index == len(buckets) - 1:
        return None
    end, count = buckets[index]
    if index == 0 and end <= 0:
        return end
    start, below = buckets[index - 1] if index else (0.0, 0.0)
    return start + (end - start) * ((rank - below) / (count - below)) if count > below else None


def _monotonic(le: Sequence[float], cumulative: Sequence[float]) -> list[tuple[float, float]]:
    """Buckets by ascending bound, same bounds added up, rounding noise and decreases levelled, as Prometheus does."""
    merged: dict[float, float] = {}
    known = (bucket for bucket in zip(le, cumulative, strict=True) if not any(map(math.isnan, bucket)))
    for bound, count in sorted(known):
        merged[bound] = merged.get(bound, 0.0) + count
    levelled: list[tuple[float, float]] = []
    previous = 0.0
    for bound, count in merged.items():
        noise = abs(count - previous) <= _SMALL_DELTA * max(abs(count), abs(previous))
        previous = previous if levelled and (noise or count < previous) else count
        levelled.append((bound, previous))
    return levelled


def latency(le: Sequence[float], cumulative: Sequence[float], sum: float | None, count: float | None) -> Latency:  # noqa: A002
    """Latency over a window from its one histogram: `sum` in seconds and `count` in requests over the same window."""
    requests, seconds = finite(count), finite(sum)
    served = requests is not None and requests > 0
    return Latency(
        mean=seconds / requests if served and requests and seconds is not None else None,
        p50=histogram_quantile(le, cumulative, 0.5),
        p95=histogram_quantile(le, cumulative, 0.95),
        p99=histogram_quantile(le, cumulative, 0.99),
        p999=histogram_quantile(le, cumulative, 0.999),
        requests=requests if served else None,
        buckets=_finite_buckets(le, cumulative) if served else (),
    )


def _finite_buckets(le: Sequence[float], cumulative: Sequence[float]) -> tuple[tuple[float, float], ...]:
    """The buckets that can be written down: below +Inf, repaired as for quantiles."""
    known = (bucket for bucket in _monotonic(le, cumulative) if bucket[0] >= 0)
    return tuple(bucket for bucket in known if all(finite(number) is not None for number in bucket))
