"""Objectives of the next certification, and how the present run fares. The values are those of test_worked_example."""

from __future__ import annotations

import math

import pytest

from exporter.analysis.next_certification import next_certification
from exporter.model.observation import ApplicationObservation, Latency
from exporter.model.settings import AnalysisSettings
from tests.analysis import making

SETTINGS = AnalysisSettings()
LIVE = making.production(making.peaks(request_rate=100.0, error_ratio=0.01), Latency(p95=0.1, requests=1e6))


def met(pte: ApplicationObservation | None, production: ApplicationObservation = LIVE) -> dict[str, bool | None]:
    return {line.metric: line.met for line in next_certification(production, pte, SETTINGS)}


def shaped(values: list[float]) -> ApplicationObservation:
    samples = making.minutes(values)
    return making.run(making.rates(samples), rates=samples)


@pytest.mark.parametrize(
    ("metric", "value", "expected"),
    [
        ("request_rate", 150.0, True),
        ("request_rate", 149.9, False),
        ("error_ratio", 0.01, True),
        ("error_ratio", 0.0101, False),
        ("cpu", 0.80, True),
        ("cpu", 0.81, False),
        ("memory", 0.85, True),
        ("memory", 0.86, False),
    ],
)
def test_edges(metric: str, value: float, expected: bool) -> None:
    """Reaching an objective exactly meets it."""
    assert met(making.run(making.peaks(**{metric: value})))[metric] is expected


@pytest.mark.parametrize(("p95", "expected"), [(0.13, True), (0.131, False), (math.nan, None), (None, None)])
def test_latency_edges(p95: float | None, expected: bool | None) -> None:
    """A latency up to the objective meets it; what is unknown is not judged."""
    assert met(making.run({}, Latency(p95=p95, requests=1e6)))["latency_p95"] is expected


def test_spike_and_sustained() -> None:
    """The spike is the peak over the plateau; the plateau has to be held without a break."""
    long = shaped([50.0] + [100.0] * 60 + [200.0] * 3)
    short = shaped([50.0] + [100.0] * 59 + [30.0] + [100.0] * 30 + [199.0] * 3)
    assert (met(long)["spike_multiplier"], met(long)["sustained"]) == (True, True)
    assert (met(short)["spike_multiplier"], met(short)["sustained"]) == (False, False)


def test_unobserved_metrics_are_not_judged() -> None:
    """What no source tells has an objective and no outcome."""
    result = met(shaped([100.0] * 90))
    unobserved = ("timeout_ratio", "uptime_ratio", "recovery_time", "failover_time", "data_loss_tolerance")
    assert {result[metric] for metric in unobserved} == {None}


def test_without_a_run_nothing_is_judged() -> None:
    """Objectives stand without a test run."""
    result = met(None)
    assert "request_rate" in result
    assert set(result.values()) == {None}


def test_unknown_production_values_have_no_objective() -> None:
    """Signals that production does not show are left out, assumptions on them too."""
    assert met(None).keys().isdisjoint({"concurrent_users", "throughput", "db_connections", "latency_p99"})


@pytest.mark.parametrize(
    "production", [None, making.production(), making.production(making.peaks(request_rate=0.0, cpu=0.5))]
)
def test_production_without_traffic_asks_for_nothing(production: ApplicationObservation | None) -> None:
    """From no traffic no objective is made."""
    assert next_certification(production, making.run(), SETTINGS) == ()
