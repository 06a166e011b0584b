"""The worked example: a round over its two observations gives its results."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest

from exporter.analysis.assessment import analyse
from exporter.model.observation import ApplicationObservation, Latency, Observation, RouteCount, Summary, Window
from exporter.model.results import ApplicationResult
from exporter.model.settings import AnalysisSettings

EXAMPLE: dict[str, Any] = msgspec.json.decode(
    (Path(__file__).parents[1] / "golden" / "certification_sample.json").read_bytes()
)
EXPECTED = EXAMPLE["expected"]
AT = 1_800_000_000.0
TOLERANCE = 5e-4
SIGNALS = {
    "request_rate": ("request_rate", 1.0),
    "error_pct": ("error_ratio", 0.01),
    "throughput_mb_per_s": ("throughput", 1e6),
    "concurrent_users": ("concurrent_users", 1.0),
    "cpu_pct": ("cpu", 0.01),
    "memory_pct": ("memory", 0.01),
}
"""Key in the example to signal and factor to the base unit."""
NAMES = {"error": "error_ratio"}


def observation(role: str) -> Observation:
    inputs = EXAMPLE["inputs"][role]
    seconds = inputs["duration_minutes"] * 60 if role == "pte" else inputs["window_hours"] * 3600
    window = Window(AT - seconds, AT)
    signals = {
        signal: Summary(
            samples=inputs["samples"], **{stat: value * factor for stat, value in inputs[key].items() if key in inputs}
        )
        for key, (signal, factor) in SIGNALS.items()
    }
    latency = Latency(**{stat: value / 1000 for stat, value in inputs["latency_ms"].items()})
    routes = tuple(RouteCount("GET", f"/route{i:02d}", 10_000.0, 9_990.0) for i in range(inputs["endpoints"]))
    observed = ApplicationObservation(window, signals, latency, routes)
    return Observation(role, window, {"shop": observed})


@cache
def result() -> ApplicationResult:
    sides = {"production": "production", "pte": "pte"}
    snapshot = analyse(observation("production"), observation("pte"), {}, AnalysisSettings(), AT, sides)
    return snapshot.applications["shop"]


def gap(signal: str) -> Any:
    return next(gap for gap in result().gaps if gap.signal == NAMES.get(signal, signal))


@pytest.mark.parametrize(("signal", "percent"), EXPECTED["gaps_pct_abs"].items())
def test_gaps(signal: str, percent: float) -> None:
    """Every gap has the example's size."""
    assert abs(gap(signal).ratio) * 100 == pytest.approx(percent, rel=TOLERANCE)


@pytest.mark.parametrize(("signal", "severity"), EXPECTED["severity"].items())
def test_severities(signal: str, severity: str) -> None:
    """The default rules lead to the example's severities."""
    assert gap(signal).severity in severity.split(" or ")


def test_coverage() -> None:
    """Thirty-three of forty-five endpoints are covered and twelve untested."""
    coverage = result().coverage
    assert coverage.ratio is not None
    assert coverage.ratio * 100 == pytest.approx(EXPECTED["coverage_pct"], rel=TOLERANCE)
    assert len(coverage.untested) == EXPECTED["untested_endpoints"]


def test_efficacy() -> None:
    """The score, its parts, its weights and its rating are the example's."""
    efficacy, expected = result().efficacy, EXPECTED["efficacy"]
    for part in ("coverage", "load_coverage", "performance", "error_validation"):
        assert efficacy.parts[part] * 100 == pytest.approx(expected[f"{part}_score"], rel=TOLERANCE)
    assert efficacy.weights == pytest.approx(expected["weights"])
    assert efficacy.score is not None
    assert efficacy.score * 100 == pytest.approx(expected["overall"], abs=expected["overall_tolerance"])
    assert efficacy.rating == expected["rating"].lower()


OBJECTIVES = {
    "request_rate": ("request_rate", 1.0),
    "spike_multiplier": ("spike_multiplier", 1.0),
    "sustained_minutes": ("sustained", 60.0),
    "latency_mean_ms": ("latency_mean", 0.001),
    "latency_p95_ms": ("latency_p95", 0.001),
    "latency_p99_ms": ("latency_p99", 0.001),
    "error_pct": ("error_ratio", 0.01),
    "timeout_pct": ("timeout_ratio", 0.01),
    "uptime_pct": ("uptime_ratio", 0.01),
    "cpu_pct": ("cpu", 0.01),
    "memory_pct": ("memory", 0.01),
    "db_connections": ("db_connections", 1.0),
    "concurrent_users": ("concurrent_users", 1.0),
    "throughput_mb_per_s": ("throughput", 1e6),
    "recovery_time_s": ("recovery_time", 1.0),
    "failover_time_s": ("failover_time", 1.0),
}


def test_next_certification() -> None:
    """Every objective of the example is there, with its value, and nothing else."""
    lines = {line.metric: line for line in result().next_certification}
    expected = {k: v for k, v in EXPECTED["next_certification"].items() if k not in ("note", "data_loss_tolerance")}
    for key, value in expected.items():
        metric, factor = OBJECTIVES[key]
        assert lines[metric].objective == pytest.approx(value * factor, rel=TOLERANCE)
    assert lines["data_loss_tolerance"].objective == EXPECTED["next_certification"]["data_loss_tolerance"]
    assert lines.keys() == {metric for metric, _ in OBJECTIVES.values()} | {"data_loss_tolerance"}
    assert [line.metric for line in lines.values() if line.assumption] == ["db_connections"]


@pytest.mark.parametrize(("metric", "outcome"), EXPECTED["pte_against_next_certification"].items())
def test_present_run_against_next_certification(metric: str, outcome: str) -> None:
    """The present run passes and fails the objectives that the example says."""
    line = next(line for line in result().next_certification if line.metric == NAMES.get(metric, metric))
    assert line.met is (outcome == "pass")


def test_capacity() -> None:
    """CPU per request in the PTE over production's is the example's."""
    expected = EXPECTED["capacity"]["cpu_per_request_pte_over_production"]
    assert result().capacity.ratio == pytest.approx(expected, rel=TOLERANCE)


@pytest.mark.parametrize(("signal", "text"), EXPECTED["recommendations_must_say"].items())
def test_recommendations(signal: str, text: str) -> None:
    """Recommendations say what the example asks for, word by word."""
    assert text in gap(signal).recommendation


def test_certification() -> None:
    """With a quarter of peak and traffic untested, the certification does not hold, and says so in numbers."""
    certification = result().certification
    assert certification.holds is False
    assert certification.reasons["load_coverage"]
    assert certification.reasons["weighted_coverage"]
    assert certification.reasons["errors"]
    assert not certification.reasons["latency"]
    assert "73 %" in certification.sentence
