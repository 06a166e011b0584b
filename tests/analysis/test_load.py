"""Load coverage's four figures, against counting minutes one by one."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.analysis.baseline import summarise
from exporter.analysis.load import load_coverage, percentile_of, sustained_rate
from exporter.model.observation import ApplicationObservation, Samples, Summary
from exporter.model.results import LoadCoverage
from exporter.model.settings import TestRunSettings
from tests.analysis import making

SETTINGS = TestRunSettings()
NOTHING = LoadCoverage(None, None, None, None, None)
DAY = making.minutes(np.random.default_rng(5).gamma(4.0, 50.0, 1440).tolist())
RATES = st.lists(st.floats(0, 1000), min_size=1, max_size=60)


def loads(production: dict[str, Summary], test: ApplicationObservation | None) -> LoadCoverage:
    return load_coverage(making.production(production), test, SETTINGS)


def run(values: list[float]) -> ApplicationObservation:
    samples = making.minutes(values)
    return making.run(making.rates(samples), rates=samples)


def test_four_figures() -> None:
    """Peak, its percentile, what was sustained, its percentile, and the time above P95, by hand."""
    production = making.rates(making.minutes([float(i) for i in range(1, 101)]))
    result = loads(production, run([50.0] * 5 + [80.0] * 10 + [96.0] * 3))
    assert result.peak_ratio == pytest.approx(0.96)
    assert result.peak_percentile == pytest.approx(95 / 99)
    assert result.sustained_rate == 80.0
    assert result.sustained_percentile == pytest.approx(79 / 99)
    assert result.above_p95_seconds == 180.0


@given(RATES.map(max))
def test_percentile_is_within_its_stated_error(rate: float) -> None:
    """The fraction differs from counting minutes by less than the distance of the neighbouring quantiles."""
    result = percentile_of(rate, summarise(DAY))
    counted = sum(value <= rate for value in DAY.values) / len(DAY.values)
    steps = [0.0, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1.0]
    bound = max(b - a for a, b in pairwise(steps) if a - 0.001 <= counted <= b + 0.001)
    assert result == pytest.approx(counted, abs=bound + 0.001)


def test_percentile_of_flat_stretches() -> None:
    """A rate that many quantiles share is reached by all of those minutes."""
    assert percentile_of(10.0, summarise(making.minutes([10.0] * 90 + [20.0] * 10))) == pytest.approx(0.75)
    assert percentile_of(10.0, summarise(making.minutes([10.0] * 50))) == 1.0
    assert percentile_of(9.9, summarise(making.minutes([10.0] * 50))) == 0.0


def test_percentile_needs_quantiles() -> None:
    """Minimum and peak alone say nothing of what lies between."""
    assert percentile_of(5.0, Summary(min=0.0, peak=10.0)) is None
    assert percentile_of(5.0, Summary(peak=10.0, quantiles={"0.5": 1.0})) is None


@given(RATES, st.integers(1, 12))
def test_sustained_rate_agrees_with_a_slow_reference(values: list[float], length: int) -> None:
    """Trying every stretch one by one gives the same rate."""
    stretches = [values[i : i + length] for i in range(len(values) - length + 1)]
    expected = max((min(stretch) for stretch in stretches), default=None)
    assert sustained_rate(making.minutes(values), 60.0 * length) == expected


def test_sustained_rate_is_not_carried_over_a_hole() -> None:
    """A missing minute ends the stretch."""
    times = tuple(60.0 * m for m in (*range(1, 6), *range(7, 12)))
    assert sustained_rate(Samples(times, (9.0,) * 10), 300.0) == 9.0
    assert sustained_rate(Samples(times, (9.0,) * 10), 360.0) is None


@pytest.mark.parametrize(
    "production",
    [
        {},
        {"request_rate": Summary(peak=0.0, samples=1440)},
        {"request_rate": Summary(peak=float("nan"), samples=1440)},
        {"request_rate": summarise(making.minutes([5.0]))},
    ],
)
def test_production_without_traffic_is_no_evidence(production: dict[str, Summary]) -> None:
    """No rate, no traffic, not a number, or a single minute: nothing is said."""
    assert loads(production, run([50.0] * 20)) == NOTHING


def test_no_test_is_no_evidence() -> None:
    """Without a test run nothing is said."""
    assert loads(making.rates(DAY), None) == NOTHING


def test_run_without_minutes() -> None:
    """Without minutes only the peak's figures are known."""
    result = loads(making.rates(DAY), making.run(making.peaks(request_rate=1e9)))
    assert (result.peak_percentile, result.sustained_rate, result.above_p95_seconds) == (1.0, None, None)


def test_time_at_p95_counts() -> None:
    """A minute exactly at production's P95 is at or above it."""
    production = making.rates(making.minutes([10.0] * 100))
    assert loads(production, run([9.0, 10.0, 11.0])).above_p95_seconds == 120.0


def test_idle_p95_is_no_bar() -> None:
    """Where production's P95 is zero every minute would be above it, so no time is given."""
    production = making.rates(making.minutes([0.0] * 99 + [5.0]))
    assert loads(production, run([50.0] * 20)).above_p95_seconds is None
