"""Summaries and histogram quantiles, against slow and obvious references and Prometheus's own rules."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.analysis.baseline import histogram_quantile, latency, summarise
from exporter.model.observation import QUANTILES, Samples, Summary
from tests.analysis.making import minutes

INF = math.inf
VALUES = st.lists(st.floats(0, 1e6), min_size=2, max_size=50)
COUNTS = st.lists(st.integers(0, 1000), min_size=2, max_size=12)


def by_rank(values: list[float], q: float) -> float:
    """PromQL's quantile, spelled out."""
    ordered, rank = sorted(values), q * (len(values) - 1)
    low = math.floor(rank)
    high = min(low + 1, len(values) - 1)
    return ordered[low] * (1 - (rank - low)) + ordered[high] * (rank - low)


@given(VALUES)
def test_summary_is_what_the_standard_library_says(values: list[float]) -> None:
    """Mean, peak, min, population deviation and quantiles agree with plain Python."""
    result = summarise(minutes(values))
    assert result.mean == pytest.approx(statistics.fmean(values), rel=1e-9, abs=1e-9)
    assert (result.peak, result.min, result.samples) == (max(values), min(values), len(values))
    assert result.stddev == pytest.approx(statistics.pstdev(values), rel=1e-6, abs=1e-6)
    for q in QUANTILES:
        assert result.quantiles[q] == pytest.approx(by_rank(values, float(q)), rel=1e-9, abs=1e-9)


def by_pairs(samples: Samples, lag: float) -> float:
    """mean((x[t] - x[t-lag])²), pair by pair."""
    values = dict(zip(samples.times, samples.values, strict=True))
    return statistics.fmean((values[t] - values[t - lag]) ** 2 for t in values if t - lag in values)


@given(st.lists(st.tuples(st.floats(-1e3, 1e3), st.booleans()), min_size=12, max_size=60))
def test_noise_agrees_with_its_definition(minutes_seen: list[tuple[float, bool]]) -> None:
    """Deviation and autocorrelation are those of all pairs of minutes one and ten apart, holes or not."""
    present = [(60.0 * i, value) for i, (value, is_present) in enumerate(minutes_seen) if is_present or i in (0, 1, 10)]
    samples = Samples(tuple(time for time, _ in present), tuple(value for _, value in present))
    result, near, far = summarise(samples), by_pairs(samples, 60.0), by_pairs(samples, 600.0)
    assert result.noise == pytest.approx(math.sqrt(far / 2), rel=1e-9, abs=1e-9)
    if far > 1e-12:
        assert result.autocorrelation == pytest.approx(max(-1.0, 1 - near / far), rel=1e-9, abs=1e-9)


def autoregressive(coefficient: float, count: int, seed: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """A first-order autoregressive series of deviation 1."""
    shocks = np.random.default_rng(seed).normal(size=count + 200) * math.sqrt(1 - coefficient**2)
    values = np.zeros(count + 200)
    for i in range(1, count + 200):
        values[i] = coefficient * values[i - 1] + shocks[i]
    return values[200:]


@pytest.mark.parametrize("coefficient", [0.0, 0.3, 0.6])
def test_noise_finds_what_made_the_series_under_a_daily_swing(coefficient: float) -> None:
    """The noise on a swing ten times as large gives back its deviation and its coefficient."""
    swing = 100 + 20 * np.sin(np.arange(20_000) * 2 * np.pi / 1440)
    result = summarise(minutes((swing + 2 * autoregressive(coefficient, 20_000, 3)).tolist()))
    assert result.noise == pytest.approx(2.0, rel=0.05)
    assert result.autocorrelation == pytest.approx(coefficient, abs=0.07)
    assert result.stddev == pytest.approx(14.3, rel=0.05)


def test_autocorrelation_of_what_alternates_is_limited() -> None:
    """Differences of neighbours that dwarf those ten minutes apart give -1, not less."""
    alternating = [float(i % 2) + i / 1000 for i in range(40)]
    assert summarise(minutes(alternating)).autocorrelation == -1.0


@pytest.mark.parametrize(
    ("times", "noise"),
    [((60.0, 120.0, 180.0), None), ((60.0, 660.0, 1260.0), math.sqrt(2.5 / 2)), ((60.0, 120.0, 690.0), None)],
)
def test_noise_needs_its_pairs(times: tuple[float, ...], noise: float | None) -> None:
    """Without minutes exactly ten apart there is no noise, without neighbours no autocorrelation."""
    result = summarise(Samples(times, (1.0, 2.0, 4.0)))
    assert (result.noise, result.autocorrelation) == (None if noise is None else pytest.approx(noise), None)


def test_constant_series_has_no_spread_and_no_autocorrelation() -> None:
    """A constant that floats cannot hold exactly still has a deviation and noise of exactly zero."""
    result = summarise(minutes([0.1] * 1000))
    assert (result.mean, result.stddev, result.noise, result.autocorrelation) == (0.1, 0.0, 0.0, None)


@pytest.mark.parametrize("bad", [math.nan, INF, -INF])
def test_what_is_not_a_number_was_not_measured(bad: float) -> None:
    """NaN and infinite values are left out."""
    assert summarise(minutes([1.0, bad, 3.0])) == summarise(Samples((60.0, 180.0), (1.0, 3.0)))


def test_nothing_measured() -> None:
    """No values give no figures and a count of zero."""
    assert summarise(Samples((), ())) == Summary(samples=0)


BOUNDS = [0.1, 0.5, 1.0, INF]


@pytest.mark.parametrize(
    ("le", "cumulative", "q", "expected"),
    [
        (BOUNDS, [10, 30, 40, 40], 0.5, 0.1 + 0.4 * 0.5),
        (BOUNDS, [10, 30, 40, 40], 0.125, 0.05),
        (BOUNDS, [10, 30, 40, 40], 1.0, 1.0),
        (BOUNDS, [10, 30, 40, 50], 0.8, 1.0),
        (BOUNDS, [10, 30, 40, 50], 0.81, None),
        (BOUNDS, [0, 0, 0, 0], 0.5, None),
        (BOUNDS, [0, 0, 0, 7], 0.5, None),
        (BOUNDS[:3], [10, 30, 40], 0.5, None),
        ([INF], [10], 0.5, None),
        ([], [], 0.5, None),
        ([-1.0, 1.0, INF], [10, 10, 20], 0.1, -1.0),
        ([INF, 1.0, 0.5, 0.1], [40, 40, 30, 10], 0.5, 0.3),
        ([0.1, 0.1, 0.5, INF], [4, 6, 30, 30], 0.5, 0.1 + 0.4 * 5 / 20),
        (BOUNDS, [10, 8, 40, 40], 0.5, 0.5 + 0.5 * 10 / 30),
        (BOUNDS, [10, 10 * (1 - 1e-13), 40, 40], 0.25, 0.1),
        (BOUNDS, [10, 30, 40, 40], math.nan, None),
        (BOUNDS, [10, 30, 40, 40], 1.5, None),
        (BOUNDS, [10, math.nan, 40, 40], 0.5, 0.1 + 0.9 * 10 / 30),
    ],
)
def test_histogram_quantile_by_hand(le: list[float], cumulative: list[float], q: float, expected: float | None) -> None:
    """Interpolation, order, equal bounds, repairs and missing answers are as in PromQL, worked out by hand."""
    result = histogram_quantile(le, cumulative, q)
    assert result == (None if expected is None else pytest.approx(expected, rel=1e-12))


@given(COUNTS, st.floats(0.01, 1), st.floats(0.01, 1))
def test_histogram_quantile_grows_with_q(counts: list[int], first: float, other: float) -> None:
    """A higher quantile is never lower, and beyond the first that is unknown all are."""
    le = [float(i + 1) for i in range(len(counts) - 1)] + [INF]
    cumulative = [float(sum(counts[: i + 1])) for i in range(len(counts))]
    low, high = sorted((first, other))
    below, above = histogram_quantile(le, cumulative, low), histogram_quantile(le, cumulative, high)
    assert above is None or (below is not None and below <= above + 1e-9)


@given(st.lists(st.floats(0, 1000), min_size=1, max_size=12), st.floats(0, 1))
def test_histogram_quantile_lies_within_the_finite_bounds(cumulative: list[float], q: float) -> None:
    """Whatever the counts, decreasing ones included, an answer lies between zero and the last finite bound."""
    le = [float(i) + 1 for i in range(len(cumulative) - 1)] + [INF]
    result = histogram_quantile(le, cumulative, q)
    assert result is None or 0 <= result <= len(cumulative) - 1


def test_latency() -> None:
    """Mean from sum and count, quantiles from the buckets, and nothing beyond the last finite bucket."""
    result = latency(BOUNDS, [90.0, 97.0, 98.0, 100.0], 20.0, 100.0)
    assert result.mean == pytest.approx(0.2)
    assert result.p50 == pytest.approx(0.1 * 50 / 90)
    assert result.p95 == pytest.approx(0.1 + 0.4 * 5 / 7)
    assert (result.p99, result.p999, result.requests) == (None, None, 100.0)
    assert result.buckets == ((0.1, 90.0), (0.5, 97.0), (1.0, 98.0))


def test_buckets_are_repaired_and_those_that_cannot_be_written_left_out() -> None:
    """Order and decreases are mended as for quantiles; +Inf, negative bounds and counts beyond measure are left out."""
    result = latency([INF, 1.0, 0.5, -1.0, 0.1], [math.inf, 7.0, 8.0, 0.0, 5.0], 1.0, 9.0)
    assert result.buckets == ((0.1, 5.0), (0.5, 8.0), (1.0, 8.0))
    assert latency(BOUNDS, [0.0] * 4, 0.0, 0.0).buckets == ()


@pytest.mark.parametrize(("total", "count"), [(None, 10.0), (math.nan, 10.0), (5.0, None), (5.0, 0.0), (5.0, math.nan)])
def test_latency_without_sum_or_count_has_no_mean(total: float | None, count: float | None) -> None:
    """A missing, zero or non-finite sum or count leaves the mean out."""
    assert latency(BOUNDS, [1.0, 1.0, 1.0, 1.0], total, count).mean is None
