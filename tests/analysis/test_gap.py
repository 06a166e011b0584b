"""Gaps: sign, severity, evidence, and words that fit the sign."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.analysis.gap import gap, gaps, severity
from exporter.analysis.recommendations import recommendation
from exporter.model.observation import Latency
from exporter.model.results import Gap
from exporter.model.settings import COMPARED, AnalysisSettings, GapRule
from exporter.model.verdict import SEVERITIES
from tests.analysis import making

SETTINGS = AnalysisSettings()
RULES = SETTINGS.gaps
VALUES = st.one_of(st.just(0.0), st.floats(1e-6, 1e6))


def compared(signal: str, production: float, test: float) -> Gap:
    production_peaks = making.peaks(request_rate=100.0) | making.peaks(**{signal: production})
    pte_peaks = making.peaks(request_rate=100.0) | making.peaks(**{signal: test})
    return gap(signal, making.production(production_peaks), making.run(pte_peaks), SETTINGS)


@pytest.mark.parametrize(
    ("signal", "production", "test", "expected"),
    [
        ("request_rate", 100.0, 95.0, "none"),
        ("request_rate", 100.0, 94.9, "low"),
        ("request_rate", 100.0, 89.0, "medium"),
        ("request_rate", 100.0, 84.0, "high"),
        ("request_rate", 100.0, 74.0, "critical"),
        ("request_rate", 100.0, 75.0, "high"),
        ("request_rate", 100.0, 500.0, "none"),
        ("error_ratio", 0.01, 0.02, "critical"),
        ("error_ratio", 0.5, 0.0, "none"),
        ("error_ratio", 0.0001, 0.0005, "none"),
        ("error_ratio", 0.0, 0.05, "critical"),
        ("error_ratio", 0.0, 0.0, "none"),
        ("cpu", 0.5, 0.52, "none"),
        ("cpu", 0.5, 0.6, "low"),
        ("cpu", 0.9, 0.81, "high"),
        ("memory", 0.5, 0.9, "high"),
        ("concurrent_users", 100.0, 50.0, "medium"),
    ],
)
def test_severity(signal: str, production: float, test: float, expected: str) -> None:
    """Steps are exclusive, the good sign is none, a value beyond its limit is at least high."""
    assert compared(signal, production, test).severity == expected


@pytest.mark.parametrize(
    ("test", "expected"), [(0.14, "critical"), (0.06, "high"), (0.1005, "none"), (0.04, "critical")]
)
def test_latency_is_bad_both_ways(test: float, expected: str) -> None:
    """A faster PTE is as suspect as a slower one."""
    assert severity(0.09 if expected != "none" else 0.1, test, RULES["latency_p95"]) == expected


@given(st.sampled_from(COMPARED), VALUES, VALUES)
def test_severity_grows_with_the_gap(signal: str, production: float, test: float) -> None:
    """Twice the distance on the same side is never less severe."""
    rule = RULES[signal]
    near, far = (
        severity(production, test, rule),
        severity(production, production + 2 * (test - production), rule),
    )
    if near is not None and far is not None and (rule.limit is None or test > production):
        assert SEVERITIES.index(far) >= SEVERITIES.index(near)


@pytest.mark.parametrize("signal", ["request_rate", "throughput", "cpu", "memory", "concurrent_users"])
def test_zero_denominator_is_no_evidence(signal: str) -> None:
    """Against nothing there is neither ratio nor severity."""
    result = compared(signal, 0.0, 5.0)
    assert (result.ratio, result.severity, result.verdict, result.recommendation) == (None, None, "no_evidence", None)


def test_errors_against_none() -> None:
    """Errors in the PTE against a production without any have no ratio, and are critical."""
    result = compared("error_ratio", 0.0, 0.05)
    assert (result.ratio, result.severity) == (None, "critical")
    assert result.verdict == "no_evidence"
    assert result.recommendation is not None
    assert "(5 %) is WORSE than production's (0 %)" in result.recommendation


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_non_numbers_are_no_evidence(bad: float) -> None:
    """NaN and infinity on a side are as good as nothing."""
    for result in (compared("cpu", bad, 0.5), compared("cpu", 0.5, bad)):
        assert (result.ratio, result.severity, result.recommendation) == (None, None, None)


def test_idle_production_is_no_evidence() -> None:
    """What an idle production does with its CPU is compared with nothing."""
    idle = making.production(making.peaks(request_rate=0.0, cpu=0.1))
    result = gap("cpu", idle, making.run(making.peaks(request_rate=9.0, cpu=0.9)), SETTINGS)
    assert (result.production, result.pte) == (0.1, 0.9)
    assert (result.ratio, result.severity, result.recommendation) == (None, None, None)


def test_one_sample_is_no_evidence() -> None:
    """A single minute is compared with nothing."""
    minute = making.production(making.rates(making.minutes([100.0])))
    assert gap("request_rate", minute, making.run(making.peaks(request_rate=9.0)), SETTINGS).ratio is None


def test_missing_sides_give_every_gap_without_evidence() -> None:
    """All signals are there, none with a value."""
    result = gaps(None, None, SETTINGS)
    assert [g.signal for g in result] == list(COMPARED)
    assert all((g.ratio, g.severity, g.verdict) == (None, None, "no_evidence") for g in result)


@pytest.mark.parametrize(("requests", "is_compared"), [(19.0, False), (20.0, True)])
def test_quantile_needs_requests_beyond_it(requests: float, is_compared: bool) -> None:
    """P95 of fewer than twenty requests is not compared."""
    live = making.production({}, Latency(p95=0.2, requests=requests))
    test = making.run({}, Latency(p95=0.2, requests=1e6))
    assert (gap("latency_p95", live, test, SETTINGS).ratio is not None) is is_compared


def test_latency_without_its_minutes_and_buckets_has_no_verdict() -> None:
    """Two numbers alone have no interval, however far apart."""
    live, test = (
        making.production(making.rates(making.noisy(9.0)), Latency(p95=0.1, requests=1e6)),
        making.run(making.rates(making.noisy(9.0)), Latency(p95=9.0, requests=1e6)),
    )
    assert gap("latency_p95", live, test, SETTINGS).verdict == "no_evidence"


@pytest.mark.parametrize(
    ("factor", "expected"), [(1.0, "equal"), (1.3, "worse"), (0.8, "better"), (1.05, "no_evidence")]
)
@pytest.mark.parametrize("signal", ["latency_mean", "latency_p50", "latency_p95", "latency_p99"])
def test_latency_has_verdicts(signal: str, factor: float, expected: str) -> None:
    """With minutes and buckets latency is judged, and the independent samples behind it are told."""
    result = gap(signal, making.timed(), making.timed(factor=factor, role="t"), SETTINGS)
    assert result.verdict == expected
    assert result.effective_samples.keys() == {"production", "pte"}
    least = 400.0 if signal == "latency_mean" else 400_000.0
    assert all(least < count <= 1e6 for count in result.effective_samples.values())


def test_verdict_and_samples_come_from_the_means() -> None:
    """With enough independent samples on both sides the verdict is given, and what it rests on."""
    production, test = making.rates(making.noisy(100.0)), making.rates(making.noisy(60.0, 120, seed=2))
    result = gap("request_rate", making.production(production), making.run(test), SETTINGS)
    assert result.verdict == "worse"
    assert result.effective_samples["production"] > 1000
    assert 60 < result.effective_samples["pte"] <= 120


SIGNS = [GapRule(bad="lower", low=0.0), GapRule(bad="higher", low=0.0), GapRule(bad="both", low=0.0)]


@given(st.sampled_from(COMPARED), VALUES, VALUES, st.sampled_from(SIGNS))
def test_recommendation_never_contradicts_the_sign(signal: str, production: float, test: float, rule: GapRule) -> None:
    """Words of falling short go with a lower PTE, words of exceeding with a higher one, whatever the rule says."""
    text = recommendation(signal, production, test, rule, severity(production, test, rule))
    short = ("did not reach", "is slower than the test", "stayed below")
    beyond = ("is better than", "WORSE than production", "uses more than", "went beyond")
    if text is not None:
        assert any(words in text for words in short) == (test < production)
        assert any(words in text for words in beyond) == (test > production)
        assert rule.bad in ("both", "lower" if test < production else "higher")
    assert (text is None) == (severity(production, test, rule) in (None, "none"))


@given(VALUES, VALUES)
def test_limit_is_only_named_when_it_is_passed(production: float, test: float) -> None:
    """The limit is named exactly when the PTE's own value lies above it."""
    rule = RULES["cpu"]
    text = recommendation("cpu", production, test, rule, severity(production, test, rule))
    assert rule.limit is not None
    assert (text is not None and "above the limit of 80 %" in text) == (production > 0 and test > rule.limit)


def test_severity_beyond_the_limit_needs_production_too() -> None:
    """A gap needs two sides, even one beyond its limit."""
    assert severity(None, 0.99, RULES["cpu"]) is None


def test_constant_series_has_a_gap_but_no_verdict() -> None:
    """Constant series on both sides are compared by value, yet nothing is known of their spread."""
    production, test = (making.rates(making.minutes([v] * 60)) for v in (100.0, 50.0))
    result = gap("request_rate", making.production(production), making.run(test), SETTINGS)
    assert (result.ratio, result.severity, result.verdict, result.effective_samples) == (
        -0.5,
        "critical",
        "no_evidence",
        {},
    )
