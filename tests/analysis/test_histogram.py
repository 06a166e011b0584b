"""Log-linear histograms against sorted lists."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.analysis import histogram
from exporter.analysis.arithmetic import Floats
from exporter.model.loadrun import QUANTILE_FIGURES, Histogram

LATENCIES = st.lists(st.floats(1e-6, 86400), min_size=1, max_size=300)


def histogram_of(values: list[float]) -> Histogram:
    counts = np.bincount(histogram.index(np.asarray(values)), minlength=histogram.SIZE)
    return histogram.sparse(counts)


def nearest_rank(values: list[float], q: float) -> float:
    """The definition: the ceil(q * n)-th smallest."""
    return sorted(values)[max(1, math.ceil(q * len(values))) - 1]


@given(LATENCIES, st.sampled_from([0.0, 0.001, *QUANTILE_FIGURES.values(), 1.0]))
def test_percentiles_are_within_half_a_percent(values: list[float], q: float) -> None:
    """Any percentile is within 0.4 % of the exact nearest-rank one."""
    assert histogram.percentile(histogram_of(values), q) == pytest.approx(nearest_rank(values, q), rel=1 / 256)


@pytest.mark.parametrize("shape", ["lognormal", "pareto", "bimodal", "whole_milliseconds", "constant"])
def test_a_hundred_thousand_latencies(shape: str) -> None:
    """Heavy tails, two humps, whole milliseconds: every percentile up to P99.9 is within 1 % of the exact one."""
    chance, n = np.random.default_rng(7), 100_000
    values: Floats = {
        "lognormal": chance.lognormal(-2, 1.5, n),
        "pareto": 0.01 * (1 + chance.pareto(1.1, n)),
        "bimodal": np.where(chance.random(n) < 0.97, chance.normal(0.05, 0.005, n), chance.normal(3, 0.1, n)),
        "whole_milliseconds": np.round(chance.lognormal(-3, 1, n), 3) + 0.001,
        "constant": np.full(n, 0.25),
    }[shape]
    buckets = histogram_of(values.tolist())
    result = histogram.latencies(buckets, float(values.min()), float(values.sum()), float(values.max()))
    for name, q in QUANTILE_FIGURES.items():
        assert getattr(result, name) == pytest.approx(np.quantile(values, q, method="inverted_cdf"), rel=0.01), name
    assert (result.min, result.max) == (values.min(), values.max())
    assert result.mean == pytest.approx(values.mean())


@given(LATENCIES, LATENCIES)
def test_merging_loses_nothing(first: list[float], other: list[float]) -> None:
    """Two runs' histograms merged are the histogram of both runs."""
    assert histogram.merged([histogram_of(first), histogram_of(other)]) == histogram_of(first + other)


@given(st.floats(0, 1e7))
def test_a_latency_lies_in_its_bucket(seconds: float) -> None:
    """Buckets' bounds hold what the index puts there, as far as twelve days; beyond, the last bucket does."""
    position = int(histogram.index(np.asarray([seconds]))[0])
    low, high = histogram.bounds(position)
    assert low <= seconds
    assert seconds < high or position == histogram.SIZE - 1


def test_buckets_leave_no_gap() -> None:
    """Each bucket begins where the one before ends, and is at most 1/128 of its lower bound wide."""
    for position in range(1, histogram.SIZE):
        low, high = histogram.bounds(position)
        assert low == pytest.approx(histogram.bounds(position - 1)[1], rel=1e-12)
        assert high / low <= 1 + 1 / 128 + 1e-12


def test_zero_is_zero() -> None:
    """A latency of 0 ms, as JMeter writes below one, is told as 0 and not as a guess."""
    result = histogram.latencies(histogram_of([0.0] * 99 + [1.0]), 0.0, 1.0, 1.0)
    assert (result.p50, result.p95, result.max) == (0.0, 0.0, 1.0)


def test_a_percentile_that_no_request_lies_beyond_is_absent() -> None:
    """P99 needs a hundred requests, P99.9 a thousand; the median is always told."""
    few = histogram.latencies(histogram_of([0.1] * 99), 0.1, 9.9, 0.1)
    assert (few.p50, few.p90, few.p99, few.p999) == (0.1, 0.1, None, None)
    enough = histogram.latencies(histogram_of([0.1] * 1000), 0.1, 100.0, 0.1)
    assert enough.p999 == 0.1
    assert histogram.latencies(histogram_of([0.1]), 0.1, 0.1, 0.1).p50 == 0.1


def test_without_requests_there_is_nothing() -> None:
    """An empty histogram has no figures."""
    empty = Histogram((), ())
    assert histogram.percentile(empty, 0.5) is None
    assert histogram.latencies(empty, math.inf, 0.0, 0.0).mean is None


def test_buckets_of_a_classic_histogram() -> None:
    """At bounds of Prometheus the counts are those of a sorted list, but for one bucket's width."""
    values = np.random.default_rng(3).lognormal(-2, 1, 10_000)
    for bound, count in histogram.buckets(histogram_of(values.tolist()), [0.005, 0.1, 0.25, 1.0, 10.0]):
        low, high = (np.count_nonzero(values <= bound * factor) for factor in (1 - 1 / 128, 1 + 1 / 128))
        assert low <= count <= high


def test_ten_requests_have_a_p90() -> None:
    """One of ten lies beyond it, though 10 * (1 - 0.9) is less than 1 in binary."""
    assert histogram.latencies(histogram_of([0.1] * 10), 0.1, 1.0, 0.1).p90 == 0.1
