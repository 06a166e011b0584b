"""Log-linear histograms of latencies, after HdrHistogram: every power of two is cut into SUB equal buckets.

So runs merge without loss, and a value read back is at most half a bucket off: 1 / (2 * SUB), 0.4 %, relative.
docs/explanation/method.md, section "Latencies of a load test", has the layout and the definition of percentiles.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from exporter.analysis.arithmetic import Floats
from exporter.model.loadrun import QUANTILE_FIGURES, Histogram, Latencies

Counts = NDArray[np.int64]

SUB = 128
"""Buckets in each power of two."""

_LEAST = -20
"""Exponent of the smallest latency that is distinguished from zero: 2**-20 s, a microsecond."""

_MOST = 20
"""Exponent of the largest: 2**20 s, twelve days."""

SIZE = (_MOST - _LEAST) * SUB + 1
"""The number of buckets. The first, 0, holds values below a microsecond; the last, values above twelve days."""


def index(seconds: Floats) -> Counts:
    """The bucket of each latency; shape (n,), seconds from 0 on."""
    # seconds = mantissa * 2**exponent with the mantissa in [0.5, 1): the exponent chooses the power of two,
    # and the mantissa's distance from 0.5 which of its SUB equal buckets.
    mantissa, exponent = np.frexp(seconds)
    within = (mantissa * (2 * SUB)).astype(np.int64) - SUB
    power = exponent.astype(np.int64) - 1 - _LEAST
    position = power * SUB + within + 1  # the first bucket holds indistinguishably small values
    return np.where(seconds < 2.0**_LEAST, 0, np.minimum(position, SIZE - 1))


def bounds(position: int) -> tuple[float, float]:
    """Lower bound (inclusive) and upper bound (exclusive) of a bucket, in seconds."""
    if position == 0:
        return 0.0, 2.0**_LEAST
    power, within = divmod(position - 1, SUB)
    width = 2.0 ** (power + _LEAST) / SUB
    return (SUB + within) * width, (SUB + within + 1) * width


def sparse(counts: Counts) -> Histogram:
    """From dense counts of shape (SIZE,)."""
    (filled,) = np.nonzero(counts)
    return Histogram(tuple(filled.tolist()), tuple(counts[filled].tolist()))


def dense(histogram: Histogram) -> Counts:
    """To dense counts of shape (SIZE,)."""
    counts: Counts = np.zeros(SIZE, dtype=np.int64)
    counts[list(histogram.indices)] = histogram.counts
    return counts


def merged(histograms: Iterable[Histogram]) -> Histogram:
    """Of all requests in any of them."""
    total: Counts = np.zeros(SIZE, dtype=np.int64)
    for histogram in histograms:
        total += dense(histogram)
    return sparse(total)


def percentile(histogram: Histogram, q: float) -> float | None:
    """The nearest-rank q-quantile (0..1) in seconds: the ceil(q * n)-th smallest, as the middle of its bucket."""
    total = sum(histogram.counts)
    if not total:
        return None

    rank = max(1, math.ceil(q * total))
    below = 0
    for position, count in zip(histogram.indices, histogram.counts, strict=True):
        below += count
        if below >= rank:
            return _middle(position)
    return None


def _middle(position: int) -> float:
    """What a request in the bucket is taken to have lasted; in the first one, which is below a microsecond, nothing."""
    if position == 0:
        return 0.0
    low, high = bounds(position)
    return (low + high) / 2


def latencies(histogram: Histogram, least: float, total: float, most: float) -> Latencies:
    """All figures of a histogram whose exact minimum, sum and maximum (seconds) are known."""
    requests = sum(histogram.counts)
    if not requests:
        return Latencies()

    percentiles = {}
    for name, q in QUANTILE_FIGURES.items():
        # At least one request has to be expected beyond a percentile; rounded, as 100 * (1 - 0.99) is below 1.
        if round(requests * (1 - q), 9) >= 1 or q <= 0.5:
            # The middle of a bucket may lie outside what was measured, which is known exactly.
            percentiles[name] = min(max(percentile(histogram, q) or 0.0, least), most)
    return Latencies(min=least, mean=total / requests, max=most, histogram=histogram, **percentiles)


def buckets(histogram: Histogram, upper: Iterable[float]) -> tuple[tuple[float, float], ...]:
    """(upper bound in seconds, requests up to it) for each of `upper`, ascending, as a classic Prometheus histogram.

    A bound inside a bucket gets a share of it, as if its requests were spread evenly.
    """
    result = []
    for bound in upper:
        count = 0.0
        for position, requests in zip(histogram.indices, histogram.counts, strict=True):
            low, high = bounds(position)
            share = (bound - low) / (high - low)
            count += requests * min(1.0, max(0.0, share))
        result.append((bound, count))
    return tuple(result)
