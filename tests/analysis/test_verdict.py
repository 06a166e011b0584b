"""Verdicts: the interval, what it rests on, and when it says nothing."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.analysis.arithmetic import Floats, measured
from exporter.analysis.baseline import summarise, summarise_arrays
from exporter.analysis.run import steady_minutes
from exporter.analysis.verdict import Mean, effective_samples, interval, mean_of, student, verdict
from exporter.model.observation import Summary
from exporter.model.settings import AnalysisSettings, GapRule
from tests.analysis.making import minutes, noisy

SETTINGS = AnalysisSettings()
LOWER, HIGHER, BOTH = GapRule(bad="lower"), GapRule(bad="higher"), GapRule(bad="both")
BASE = summarise(noisy(100.0))


def judged(pte: float, rule: GapRule = HIGHER, spread: float = 0.1, count: int = 1440) -> str:
    return verdict(BASE, summarise(noisy(pte, count, spread, seed=2)), rule, SETTINGS)


@pytest.mark.parametrize(
    ("freedom", "expected"), [(9, 2.262157), (10, 2.228139), (20, 2.085963), (60, 2.000298), (1e9, 1.959964)]
)
def test_student_agrees_with_the_table(freedom: float, expected: float) -> None:
    """Quantiles are those of printed tables to one in a thousand."""
    assert student(0.95, freedom) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(
    ("r", "expected"), [(0.0, 1000.0), (0.5, 1000 / 3), (0.9, 1000 / 19), (-0.4, 1000.0), (1.0, 0.0)]
)
def test_effective_samples(r: float, expected: float) -> None:
    """n(1-r)/(1+r); alternating series count no more than independent ones."""
    assert effective_samples(Summary(samples=1000, autocorrelation=r)) == pytest.approx(expected)


@pytest.mark.parametrize(
    "bad", [None, Summary(samples=10), Summary(autocorrelation=0.1), Summary(samples=9, autocorrelation=math.nan)]
)
def test_effective_samples_unknown(bad: Summary | None) -> None:
    """Unknown counts or autocorrelations give no number."""
    assert effective_samples(bad) is None


def test_noise_of_a_run_is_that_of_its_plateau() -> None:
    """Half of the minutes on the plateau are enough to leave ramps out; with fewer, everything counts."""
    for ramp, alone in ((30, True), (31, False)):
        rates = np.asarray([*range(ramp), *(100 + i % 2 for i in range(60 - ramp))], dtype=np.float64)
        times = np.arange(60.0, 3601.0, 60.0)
        steady = steady_minutes(times, rates)
        assert steady.tolist() == times[ramp:].tolist()
        noise = summarise_arrays(times, rates, steady).noise
        assert noise == (0.0 if alone else summarise_arrays(times, rates).noise)
        assert noise is not None


def test_the_plateau_is_the_middle_of_the_upper_half() -> None:
    """Long ramps do not pull it down, a spike does not pull it up."""
    times = np.arange(60.0, 721.0, 60.0)
    rates = np.array([1.0, 2, 3, 4, 5, 84, 86, 100, 100, 100, 115, 300])
    assert steady_minutes(times, rates).tolist() == [420.0, 480.0, 540.0, 600.0, 660.0]
    assert steady_minutes(times[:0], rates[:0]).size == 0


def autoregressive(r: float, count: int, series: int, seed: int) -> Floats:
    """First-order autoregressive series of deviation 1, shape (count, series)."""
    random = np.random.default_rng(seed)
    values = np.empty((count, series))
    values[0] = random.normal(size=series)
    for i in range(1, count):
        values[i] = r * values[i - 1] + math.sqrt(1 - r * r) * random.normal(size=series)
    return values


def test_variance_of_the_mean_by_hand() -> None:
    """With 100 independent values of noise 10 the mean varies by 10² / 100, whatever the day does beside it."""
    summary = Summary(mean=50.0, stddev=40.0, noise=10.0, autocorrelation=0.0, samples=100)
    assert mean_of(summary, 10.0) == Mean(50.0, 1.0, 100.0)


def test_variance_of_the_mean_of_a_correlated_series() -> None:
    """Means of simulated autoregressive series scatter as much as the effective samples say."""
    series = autoregressive(0.7, 400, 2000, seed=7)
    stated = [mean_of(summarise(minutes((series[:, k] + 100).tolist())), 10.0) for k in range(100)]
    assert np.mean([m.variance for m in stated if m]) == pytest.approx(series.mean(axis=0).var(), rel=0.15)


@pytest.mark.parametrize("r", [0.0, 0.5, 0.7])
def test_interval_covers_the_true_ratio_under_a_daily_swing(r: float) -> None:
    """Of 400 days against two-hour runs with ramp and spike, about 95 % of intervals hold the true ratio of means."""
    day = 100 + 40 * np.sin(np.arange(1440) * 2 * np.pi / 1440)
    plan = np.concatenate([np.linspace(10, 90, 9), np.full(71, 100.0), np.full(10, 140.0), np.full(30, 100.0)])
    production, test = 3 * autoregressive(r, 1440, 400, seed=5), 3 * autoregressive(r, 120, 400, seed=6)
    hits = 0
    for k in range(400):
        base = mean_of(summarise(minutes((day + production[:, k]).tolist())), 10.0)
        times, rates = measured(minutes((plan + test[:, k]).tolist()))
        run = mean_of(summarise_arrays(times, rates, steady_minutes(times, rates)), 10.0)
        result = interval(run, base, 0.95) if run and base else None
        hits += result is not None and result[0] <= plan.mean() / day.mean() <= result[1]
    assert 0.92 <= hits / 400 <= 0.985


def test_interval_covers_the_true_ratio_as_often_as_it_says() -> None:
    """Of 4000 simulated comparisons about 95 % hold the true ratio within their interval."""
    random, n, hits = np.random.default_rng(11), 15, 0
    for _ in range(4000):
        pte, base = random.normal(120, 30, n), random.normal(100, 30, n)
        means = [Mean(float(x.mean()), float(x.var(ddof=1)) / n, float(n)) for x in (pte, base)]
        result = interval(means[0], means[1], 0.95)
        hits += result is not None and result[0] <= 1.2 <= result[1]
    assert 0.94 <= hits / 4000 <= 0.98


def test_interval_solves_fiellers_equation() -> None:
    """At both ends (pte - R production)² equals t² times its variance."""
    pte, base = Mean(90.0, 4.0, 30.0), Mean(100.0, 9.0, 25.0)
    result = interval(pte, base, 0.95)
    assert result is not None
    for end in result:
        spread = student(0.95, 24.0) ** 2 * (pte.variance + end**2 * base.variance)
        assert (pte.value - end * base.value) ** 2 == pytest.approx(spread)


def test_base_that_may_be_zero_has_no_interval() -> None:
    """A mean within its own error of zero divides nothing."""
    assert interval(Mean(5.0, 1.0, 30.0), Mean(1.0, 1.0, 30.0), 0.95) is None


@pytest.mark.parametrize(
    ("pte", "rule", "expected"),
    [
        (100.0, HIGHER, "equal"),
        (103.0, HIGHER, "equal"),
        (105.0, HIGHER, "no_evidence"),
        (120.0, HIGHER, "worse"),
        (80.0, HIGHER, "better"),
        (120.0, LOWER, "better"),
        (80.0, LOWER, "worse"),
        (120.0, BOTH, "worse"),
        (80.0, BOTH, "better"),
    ],
)
def test_verdicts(pte: float, rule: GapRule, expected: str) -> None:
    """Within the tolerance it is equal, wholly beyond it the bad sign decides, across its edge nothing is said."""
    assert judged(pte, rule) == expected


def test_wide_interval_is_no_evidence() -> None:
    """Equal means that leave room for a difference beyond the tolerance are not called equal."""
    assert judged(100.0, spread=1.5, count=100) == "no_evidence"


@pytest.mark.parametrize(
    "pte",
    [
        None,
        Summary(),
        summarise(minutes([120.0])),
        summarise(minutes([120.0] * 500)),
        summarise(noisy(120.0, count=8)),
        replace(BASE, autocorrelation=0.999),
        replace(BASE, mean=math.nan),
        replace(BASE, noise=math.inf),
        replace(BASE, noise=None),
        replace(BASE, mean=0.0),
        replace(BASE, noise=1e-12),
        summarise(noisy(120.0, count=10)),
        summarise(minutes([100.0 + i for i in range(100)])),
    ],
)
def test_no_evidence(pte: Summary | None) -> None:
    """Nothing, one sample, a constant, too few samples, a mere slope and non-numbers decide nothing."""
    assert verdict(BASE, pte, HIGHER, SETTINGS) == "no_evidence"
    assert verdict(pte, BASE, HIGHER, SETTINGS) == "no_evidence"


def test_least_difference_widens_the_tolerance() -> None:
    """Twice as many errors are equal when both are below what counts as a difference."""
    first, two = summarise(noisy(1e-4)), summarise(noisy(2e-4, seed=2))
    assert verdict(first, two, HIGHER, SETTINGS) == "worse"
    assert verdict(first, two, GapRule(bad="higher", min_difference=5e-4), SETTINGS) == "equal"


@given(st.floats(50, 200), st.floats(0.01, 0.5), st.integers(2, 400))
def test_verdict_follows_the_sign(pte: float, spread: float, count: int) -> None:
    """Worse is only said of a higher mean, better only of a lower one, when higher is bad."""
    test = summarise(noisy(pte, count, spread))
    result = verdict(BASE, test, HIGHER, SETTINGS)
    assert test.mean is not None
    assert BASE.mean is not None
    assert result != "worse" or test.mean > BASE.mean
    assert result != "better" or test.mean < BASE.mean
