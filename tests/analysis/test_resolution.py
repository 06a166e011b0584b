"""Means over more than a minute: they count as traffic and as means, and never as the peak of a minute."""

from __future__ import annotations

from dataclasses import replace

import pytest

from exporter.analysis.arithmetic import coarse, has_traffic
from exporter.analysis.assessment import analyse
from exporter.analysis.slo import events
from exporter.analysis.verdict import verdict
from exporter.model.observation import MINUTE, ApplicationObservation, Latency
from exporter.model.results import ApplicationResult, LoadCoverage
from exporter.model.settings import AnalysisSettings, GapRule
from tests.analysis import making
from tests.analysis.making import AT, DAY, SIDES

STEPS = 600.0
ROUTES = making.routes(a=60_000, b=40_000)
LATENCY = Latency(mean=0.05, p50=0.05, p95=0.1, p99=0.2, requests=1e6)
SIGNALS = {"request_rate": 100.0, "error_ratio": 0.01, "throughput": 5e5, "concurrent_users": 30.0, "cpu": 0.5}


def observed(factor: float = 1.0, resolution: float = MINUTE, *, test: bool = False) -> ApplicationObservation:
    """A side whose every signal is known, in steps of so many seconds; its noise tells as if they were minutes."""
    rates = making.noisy(100.0 * factor, 120 if test else 1440, 0.01)
    signals = {
        name: replace(making.rates(making.noisy(value, 1440, 0.01))["request_rate"], resolution=resolution)
        for name, value in SIGNALS.items()
    }
    signals["request_rate"] = replace(making.rates(rates)["request_rate"], resolution=resolution)
    make = making.run(signals, LATENCY, ROUTES, rates) if test else making.production(signals, LATENCY, ROUTES)
    return replace(make, minutes=None) if resolution > MINUTE else make


def result(production: ApplicationObservation, test: ApplicationObservation) -> ApplicationResult:
    sides = (making.side("production", shop=production), making.side("pte", shop=test))
    return analyse(*sides, {}, AnalysisSettings(), AT, SIDES).applications["shop"]


def test_minutes_are_compared() -> None:
    """The same sides in minutes hold, so that what follows is due to the resolution alone."""
    outcome = result(observed(), observed(1.1, test=True))
    assert outcome.certification.holds is True
    assert outcome.load.peak_ratio == pytest.approx(1.1, rel=0.05)
    assert {gap.signal for gap in outcome.gaps if gap.ratio is not None} > set(SIGNALS)


@pytest.mark.parametrize("whose", ["production", "test"])
def test_no_certification_rests_on_coarse_rates(whose: str) -> None:
    """Where either side is only known in steps of ten minutes, there is no evidence, and the sentence says why."""
    coarse_steps = {"production": MINUTE, "test": MINUTE} | {whose: STEPS}
    outcome = result(observed(1.0, coarse_steps["production"]), observed(1.1, coarse_steps["test"], test=True))
    assert outcome.certification.holds is None
    assert outcome.certification.sentence == (
        f"The certification cannot be judged: {'production' if whose == 'production' else 'the test'}'s request rate "
        "has only means over 10 minutes, which hide shorter peaks."
    )
    assert "load_coverage" not in outcome.certification.reasons


@pytest.mark.parametrize("whose", ["production", "test"])
def test_nothing_is_made_of_coarse_peaks(whose: str) -> None:
    """No gap and no verdict of a signal, no capacity, no part of the score, and no figure of load from peaks."""
    steps = {"production": MINUTE, "test": MINUTE} | {whose: STEPS}
    outcome = result(observed(1.0, steps["production"]), observed(1.1, steps["test"], test=True))
    for gap in outcome.gaps:
        if gap.signal in SIGNALS:
            assert (gap.ratio, gap.severity, gap.verdict) == (None, None, "no_evidence"), gap.signal
            assert set(gap.effective_samples) == {"production", "pte"} - {
                "production" if steps["test"] == 60 else "pte"
            }
    assert outcome.capacity.ratio is None
    assert "load_coverage" not in outcome.efficacy.parts
    assert (outcome.load.peak_ratio, outcome.load.peak_percentile) == (None, None)


def test_no_objective_for_the_next_test_from_coarse_peaks() -> None:
    """What the next test must reach is not made of production's ten-minute means; latencies of the window are."""
    expected = {first.metric for first in result(observed(1.0, STEPS), observed(1.1, test=True)).next_certification}
    assert not expected & {"request_rate", "throughput", "concurrent_users", "error_ratio", "db_connections"}
    assert {"latency_p95", "cpu"} <= expected


def test_load_of_a_coarse_production_is_unknown() -> None:
    """Neither its percentiles nor its peak are those of minutes, so that all five figures are absent."""
    outcome = result(observed(1.0, STEPS), observed(1.1, test=True)).load
    assert outcome == LoadCoverage(None, None, None, None, None)


def test_coarse_production_has_traffic() -> None:
    """Its mean says that requests were served, and a mean of zero that none were."""
    production = observed(1.0, STEPS)
    assert has_traffic(production)
    assert coarse(production, "request_rate") == STEPS
    assert coarse(observed(), "request_rate") is None
    idle = replace(production.signals["request_rate"], mean=0.0, peak=0.0)
    assert not has_traffic(replace(production, signals={"request_rate": idle}))


def test_the_verdict_is_on_minutes() -> None:
    """Means over ten minutes vary less than minutes do: they would pass for more certain than they are."""
    first, other = (observed(factor).signals["request_rate"] for factor in (1.0, 1.3))
    rule, settings = GapRule(bad="lower"), AnalysisSettings()
    assert verdict(first, other, rule, settings) == "better"
    assert verdict(replace(first, resolution=STEPS), other, rule, settings) == "no_evidence"


def test_requests_are_counted_over_their_steps() -> None:
    """144 values of ten minutes are a day of requests, as 1,440 values of a minute are."""
    rate = {"request_rate": making.rates(making.minutes([5.0] * 144))["request_rate"]}
    steps = {"request_rate": replace(rate["request_rate"], resolution=STEPS)}
    assert events(making.production(rate)).requests == 5.0 * 144 * MINUTE
    assert events(making.production(steps)).requests == 5.0 * DAY
