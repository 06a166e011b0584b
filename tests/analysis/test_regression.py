"""Whether a run has become worse than the runs before it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.analysis.arithmetic import Floats
from exporter.analysis.regression import Point, against_history, metric
from exporter.model.loadrun import Figures, Latencies
from exporter.model.loadrun_judgement import METRICS, Change
from exporter.model.settings import LoadRunSettings

SETTINGS = LoadRunSettings()


def judge(values: Sequence[float] | Floats, name: str = "latency_p95", requests: int = 10_000) -> Change:
    return against_history([Point(float(value), requests) for value in values], name, SETTINGS)[0]


def runs(*levels: tuple[int, float], spread: float = 0.02, seed: int = 1) -> Floats:
    """So many runs around each level."""
    level = np.concatenate([np.full(count, value) for count, value in levels])
    return level * np.exp(np.random.default_rng(seed).normal(0, spread, level.size))


def test_a_slower_level_is_worse_and_tells_its_inputs() -> None:
    """Both levels as medians, the ratio, the effect in standard deviations between runs, and where it may lie."""
    change = judge(runs((20, 0.2), (5, 0.24)))
    assert (change.verdict, change.severity, change.against, change.samples) == ("worse", "medium", "history", 25)
    assert change.value == pytest.approx(0.24, rel=0.02)
    assert change.reference == pytest.approx(0.2, rel=0.02)
    assert change.ratio == pytest.approx(0.2, abs=0.03)
    assert change.effect == pytest.approx(np.log(1.2) / 0.02, rel=0.4)
    assert change.least is not None
    assert change.most is not None
    assert change.least < 0.24 < change.most


@pytest.mark.parametrize(("by", "severity"), [(1.08, "low"), (1.15, "medium"), (1.35, "high"), (1.7, "critical")])
def test_severity_follows_the_steps(by: float, severity: str) -> None:
    """The larger the change, the more severe."""
    assert judge(runs((20, 0.2), (8, 0.2 * by), spread=0.01)).severity == severity


def test_which_direction_is_bad_depends_on_the_metric() -> None:
    """Latency that falls is better, a request rate that falls is worse."""
    falling = runs((20, 100.0), (5, 80.0))
    assert judge(falling).verdict == "better"
    assert judge(falling, "request_rate").verdict == "worse"
    assert judge(runs((15, 80.0), (8, 100.0)), "request_rate").verdict == "better"


def test_an_unchanged_level_is_equal() -> None:
    """With little noise the interval lies within the tolerance."""
    change = judge(runs((30, 0.2), spread=0.01))
    assert (change.verdict, change.severity) == ("equal", "none")


def test_much_noise_is_no_evidence() -> None:
    """With so much that 5 % could not be seen nobody says equal."""
    assert judge(runs((30, 0.2), spread=0.2)).verdict == "no_evidence"


def test_a_spike_is_no_evidence_and_is_forgotten() -> None:
    """A run at twice the latency may be the first of many; when the next is as before, it was a spike."""
    before = runs((20, 0.2), spread=0.01)
    spike = judge([*before, 0.4])
    assert (spike.verdict, spike.severity) == ("no_evidence", None)
    assert spike.value == pytest.approx(0.4)
    assert judge([*before, 0.4, 0.4]).verdict == "no_evidence"
    assert judge([*before, 0.4, 0.2]).verdict == "equal"
    assert judge([*before, 0.4, 0.4, 0.4]).verdict == "worse"


def test_a_regression_that_was_fixed_is_none_now() -> None:
    """Back on the old level after ten slower runs."""
    assert judge(runs((12, 0.2), (10, 0.3), (8, 0.2), spread=0.01)).verdict == "equal"


def test_a_regression_that_was_fixed_in_part_remains_one() -> None:
    """The best level of the runs before is what counts, not the worst."""
    change = judge(runs((12, 0.2), (10, 0.3), (8, 0.24), spread=0.01))
    assert change.verdict == "worse"
    assert change.reference == pytest.approx(0.2, rel=0.02)


def test_a_slow_ramp_is_told_in_full() -> None:
    """1 % a run: the level now is compared with that before it began, not with the last step of the stairs."""
    change = judge(0.2 * np.exp(np.clip(np.arange(30) - 12, 0, None) * 0.012) * runs((30, 1.0), spread=0.01))
    assert change.verdict == "worse"
    assert change.ratio is not None
    assert change.ratio > 0.12


def test_a_level_that_has_settled_is_what_is_usual() -> None:
    """After `settled` runs a new level is compared with itself."""
    assert judge(runs((10, 0.2), (19, 0.3), spread=0.01)).verdict == "worse"
    assert judge(runs((10, 0.2), (20, 0.3), spread=0.01)).verdict == "equal"


def test_few_runs_are_no_evidence() -> None:
    """Seven runs, whatever they show."""
    change = judge(runs((4, 0.2), (3, 0.9)))
    assert (change.verdict, change.reference, change.ratio, change.samples) == ("no_evidence", None, None, 7)


def test_error_ratios_need_a_difference() -> None:
    """0.01 % to 0.05 % is five times as much and nothing; none to 2 % is high, and has no ratio."""
    assert judge([0.0001] * 15 + [0.0005] * 5, "error_ratio", 100_000).verdict == "equal"
    change = judge([0.0] * 15 + [0.02] * 5, "error_ratio")
    assert (change.verdict, change.severity, change.ratio) == ("worse", "high", None)


def test_error_ratios_of_few_requests_are_no_evidence() -> None:
    """One failure of 50 now and then is chance."""
    ratios = [0.02 if run % 3 == 0 else 0.0 for run in range(20)]
    assert judge([*ratios, 0.04, 0.04, 0.04], "error_ratio", 50).verdict == "no_evidence"


def test_the_naive_rule_would_cry_wolf() -> None:
    """Of 200 quiet histories with 8 % noise, in which a tenth of the last runs is 10 % slow, none is worse."""
    quiet = [runs((30, 0.2), spread=0.08, seed=seed) for seed in range(200)]
    assert sum(values[-1] > 1.1 * np.median(values[:10]) for values in quiet) > 10
    assert not [seed for seed, values in enumerate(quiet) if judge(values).verdict == "worse"]


def test_metrics_are_read_from_the_figures() -> None:
    """Each as its name says; what is not told is None."""
    figures = Figures(100, 3, latency=Latencies(mean=0.2, p99=0.9))
    assert metric(figures, "latency_mean", 10) == 0.2
    assert metric(figures, "latency_p95", 10) is None
    assert metric(figures, "error_ratio", 10) == 0.03
    assert metric(figures, "request_rate", 10) == 10
    assert metric(figures, "request_rate", 0) is None
    assert metric(Figures(100), "error_ratio", 10) is None


@settings(max_examples=200)
@given(
    st.sampled_from(METRICS),
    st.lists(st.one_of(st.just(0.0), st.floats(0, 1), st.floats(1e-12, 1e-6)), min_size=1, max_size=40),
    st.integers(1, 10**7),
)
def test_whatever_the_series_a_verdict_has_its_inputs(name: str, values: list[float], requests: int) -> None:
    """Zeros, the tiny and the constant raise nothing; all verdicts but no evidence tell value, reference and effect."""
    change = judge(values, name, requests)
    assert (change.severity is None) == (change.verdict == "no_evidence")
    assert change.severity in (None, "none") or change.verdict == "worse"
    if change.verdict != "no_evidence":
        assert None not in (change.value, change.reference, change.effect, change.least, change.most)


def test_the_value_lies_in_its_interval_where_every_request_failed() -> None:
    """There is nothing beyond 100 %, and the way back from there is none."""
    judged = judge([0.0] * 12 + [1.0] * 3, "error_ratio")
    assert (judged.verdict, judged.severity, judged.value, judged.most) == ("worse", "critical", 1.0, 1.0)
    assert judged.least is not None
    assert judged.least <= 1.0


def test_a_latency_of_nothing_stays_nothing() -> None:
    """A tool that counts milliseconds tells 0 of fast requests: shown as that, and nothing is a ratio of it."""
    judged = judge([0.0] * 12)
    assert (judged.verdict, judged.value, judged.reference, judged.ratio) == ("equal", 0.0, 0.0, None)
    assert judge([0.0] * 12 + [0.2] * 3).ratio is None


def test_the_run_that_mends_a_regression_is_not_worse() -> None:
    """One run makes no level, but as good as before it is no regression: a gate would stop the mending change."""
    broken = [*runs((12, 0.2), (5, 0.4))]
    assert judge(broken).verdict == "worse"
    assert judge([*broken, 0.2]).verdict == judge([*broken, 0.2, 0.2]).verdict == "no_evidence"
    assert judge([*broken, 0.3]).verdict == "worse", "mended in part"
