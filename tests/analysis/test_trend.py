"""Where a metric has been going."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from exporter.analysis.regression import Point
from exporter.analysis.trend import trend
from exporter.model.loadrun_judgement import Trend
from exporter.model.settings import LoadRunSettings

SETTINGS = LoadRunSettings()
RUNS = np.arange(20)


def judge(values: Sequence[float] | np.ndarray[tuple[int], np.dtype[np.float64]], name: str = "latency_p95") -> Trend:
    return trend([Point(float(value), 10_000) for value in values], name, SETTINGS)


def scatter(spread: float, seed: int = 1) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return 1 + np.random.default_rng(seed).normal(0, spread, 20)


def test_a_growing_latency_is_degrading_and_a_growing_rate_improving() -> None:
    """The slope is the change per run as a ratio of the median."""
    values = scatter(0.01) * (1 + 0.02 * (RUNS - 9.5))
    slower = judge(values)
    assert (slower.direction, slower.runs) == ("degrading", 20)
    assert slower.slope == pytest.approx(0.02, rel=0.1)
    assert judge(values, "request_rate").direction == "improving"
    assert judge(values[::-1]).direction == "improving"
    assert judge(values[::-1], "request_rate").direction == "degrading"


def test_noise_is_stable() -> None:
    """Of 100 series in which nothing moves at most 3 are said to go anywhere."""
    ways = [judge(scatter(0.05, seed)).direction for seed in range(100)]
    assert ways.count("stable") >= 97


def test_much_noise_is_volatile() -> None:
    """A series that varies by more than the limit goes nowhere, and is told so."""
    judged = judge(scatter(0.4, seed=2))
    assert judged.direction == "volatile"
    assert judged.variation is not None
    assert judged.variation > 0.2


def test_a_drift_too_small_to_matter_is_stable() -> None:
    """3 % over all runs, however sure, is below the tolerance."""
    assert judge(scatter(0.0001) * (1 + 0.03 * RUNS / 19)).direction == "stable"


def test_spikes_make_no_trend() -> None:
    """Three runs at ten times the latency, all of them late."""
    values = scatter(0.02)
    values[[13, 16, 19]] = 10
    assert judge(values).direction == "stable"


def test_few_runs_are_no_evidence() -> None:
    """Seven runs have neither direction nor slope."""
    assert judge([1.0] * 7) == Trend("", "latency_p95", None, None, None, 7)


def test_only_the_last_runs_count() -> None:
    """A drift that ended more than `settled` runs ago is over."""
    assert judge([*np.linspace(1, 3, 20), *(3 * scatter(0.01))]).direction == "stable"


def test_error_ratios_are_judged_by_their_difference() -> None:
    """From 0.01 % to 0.05 % is nothing, from 0.1 % to 3 % is; no errors at all are stable."""
    assert judge(np.linspace(0.0001, 0.0005, 20), "error_ratio").direction == "stable"
    assert judge(np.linspace(0.001, 0.03, 20), "error_ratio").direction == "degrading"
    assert judge([0.0] * 20, "error_ratio") == Trend("", "error_ratio", "stable", 0.0, None, 20)


def test_errors_now_and_then_are_volatile() -> None:
    """Five runs of twenty with 5 % errors; a ratio of the median, which is zero, is not told."""
    judged = judge([0.05 if run in (2, 3, 9, 11, 18) else 0.0 for run in range(20)], "error_ratio")
    assert (judged.direction, judged.variation) == ("volatile", None)


def test_what_never_changes_is_stable_also_at_nothing() -> None:
    """Latencies of 0, as tools that count milliseconds tell of fast requests, do not scatter."""
    assert judge([0.0] * 12).direction == "stable"


def test_a_curve_is_a_trend_too() -> None:
    """Compound growth leaves its line in one bend: that is no scatter that could have made the way."""
    assert judge(list(1.02**RUNS)).direction == "degrading"
    assert judge(list(scatter(0.005) * np.sqrt(RUNS + 1))).direction == "degrading"
