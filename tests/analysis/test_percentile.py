"""How sure a latency percentile is: by hand, by simulation, and when nothing is said."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.analysis.baseline import histogram_quantile, latency
from exporter.analysis.percentile import bounds, effective_requests, ratio
from exporter.model.observation import LATENCY_MEAN, ApplicationObservation, Latency, Summary
from exporter.model.settings import AnalysisSettings
from tests.analysis import making

SETTINGS = AnalysisSettings()
FLAT = (0.1, 0.2, 0.4, 0.8, math.inf)


def observed(counts: list[float], r: float | None = 0.0, le: tuple[float, ...] = FLAT) -> ApplicationObservation:
    """A histogram and what is known of its minutes."""
    minutes = Summary(mean=0.1, noise=0.01, autocorrelation=r, samples=1440)
    return making.production({LATENCY_MEAN: minutes}, latency(le, counts, counts[-1] * 0.1, counts[-1]))


def test_bounds_by_hand() -> None:
    """The median of 10000 requests lies between ranks 4902 and 5098, interpolated within their bucket."""
    result = bounds(observed([4000.0, 6000.0, 8000.0, 10_000.0, 10_000.0]), 0.5, SETTINGS)
    reach = 1.959964 * 0.5 / 100 * 10_000
    assert result == pytest.approx((0.1 + 0.1 * (1000 - reach) / 2000, 0.1 + 0.1 * (1000 + reach) / 2000), rel=1e-6)


def test_dependent_minutes_count_for_less() -> None:
    """With r = 0.6 requests count a quarter, and the interval is twice as wide."""
    counts = [4000.0, 6000.0, 8000.0, 10_000.0, 10_000.0]
    free, tied = (bounds(observed(counts, r), 0.5, SETTINGS) for r in (0.0, 0.6))
    assert effective_requests(observed(counts, 0.6)) == pytest.approx(2500.0)
    assert free is not None
    assert tied is not None
    assert tied[1] - tied[0] == pytest.approx(2 * (free[1] - free[0]))


@pytest.mark.parametrize("quantile", [0.5, 0.95, 0.99])
def test_bounds_cover_the_true_quantile(quantile: float) -> None:
    """Of 400 simulated histograms of independent requests about 95 % hold the true quantile."""
    random = np.random.default_rng(31)
    le = np.append(np.arange(1, 400) * 0.002, math.inf)
    shares = np.diff(np.concatenate([[0.0], 1 - np.exp(-le / 0.1)]))
    truth, hits = -0.1 * math.log(1 - quantile), 0
    for _ in range(400):
        counts = np.cumsum(random.multinomial(5000, shares)).astype(float).tolist()
        result = bounds(observed(counts, le=tuple(le.tolist())), quantile, SETTINGS)
        hits += result is not None and result[0] <= truth <= result[1]
    assert 0.92 <= hits / 400 <= 0.985


def test_more_may_be_asked_for() -> None:
    """The least count of independent samples holds for requests too."""
    observation = observed([400.0, 600.0, 800.0, 1000.0, 1000.0])
    assert bounds(observation, 0.5, AnalysisSettings(min_effective_samples=1000.0)) is not None
    assert bounds(observation, 0.5, AnalysisSettings(min_effective_samples=1001.0)) is None


def test_ratio_is_as_wide_as_both_sides_allow() -> None:
    """The PTE's least by production's most, and the reverse."""
    production, test = making.timed(), making.timed(factor=1.3, role="t")
    (production_low, production_high), (pte_low, pte_high) = (
        bounds(observation, 0.95, SETTINGS) or (0, 0) for observation in (production, test)
    )
    assert ratio(production, test, 0.95, SETTINGS) == (pte_low / production_high, pte_high / production_low)


COUNTS = [900.0, 960.0, 980.0, 990.0, 1000.0]


@pytest.mark.parametrize(
    ("observation", "quantile"),
    [
        (None, 0.5),
        (making.production({}, Latency(p50=0.1, requests=1e6)), 0.5),
        (replace(observed(COUNTS), latency=None), 0.5),
        (replace(observed(COUNTS), signals={}), 0.5),
        (observed(COUNTS, None), 0.5),
        (observed(COUNTS, 1.0), 0.5),
        (observed(COUNTS), 0.99),
        (observed(COUNTS), 0.999),
        (observed([9.0, 9.0, 9.0, 9.0, 9.0]), 0.5),
        (observed([99.0] * 5), 0.95),
        (replace(observed(COUNTS), latency=Latency(p50=0.1, requests=1000.0)), 0.5),
        (replace(observed(COUNTS), signals={LATENCY_MEAN: Summary(mean=0.1, noise=1e-12, autocorrelation=0.1)}), 0.5),
    ],
)
def test_no_evidence(observation: ApplicationObservation | None, quantile: float) -> None:
    """Nothing, no minutes, no r, bounds beyond the last finite bucket, few requests and constants say nothing."""
    assert bounds(observation, quantile, SETTINGS) is None
    assert ratio(observed(COUNTS), observation, quantile, SETTINGS) is None
    assert ratio(observation, observed(COUNTS), quantile, SETTINGS) is None


@given(st.lists(st.floats(0, 1e5), min_size=4, max_size=4), st.floats(1, 1e5), st.floats(-1, 1), st.floats(0.01, 0.99))
def test_bounds_enclose_the_quantile(counts: list[float], beyond: float, r: float, quantile: float) -> None:
    """Whatever the histogram, the interval holds what the histogram itself says."""
    cumulative = [*np.cumsum(counts).tolist(), sum(counts) + beyond]
    result, said = bounds(observed(cumulative, r), quantile, SETTINGS), histogram_quantile(FLAT, cumulative, quantile)
    assert result is None or (said is not None and result[0] - 1e-9 <= said <= result[1] + 1e-9)
