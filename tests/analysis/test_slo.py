"""Whether a run would have met production's objectives, and what counts as good and bad."""

from __future__ import annotations

from dataclasses import replace

import pytest

from exporter.analysis.slo import EventTotals, count_events, events, objectives
from exporter.model.observation import ApplicationObservation, Events, Latency, Summary, Window
from exporter.model.results import Objective
from exporter.model.settings import Duration
from exporter.model.slo_settings import ErrorSli, EventsSli, LatencySli, SliSettings, SloSettings

HOUR = Window(0.0, 3600.0)
ERRORS = SliSettings(errors=ErrorSli())
SLOW = SliSettings(latency=LatencySli(threshold=Duration(0.3)))
LATENCY = Latency(requests=1000.0, buckets=((0.1, 900.0), (0.1 + 0.2, 996.0), (1.0, 1000.0)))


def slo(objective: float = 99.9, sli: SliSettings = ERRORS) -> SloSettings:
    return SloSettings("availability", "shop", objective, sli)


def observed(
    rate: float | None = 10.0, ratio: float | None = 0.001, latency: Latency | None = None, samples: int | None = None
) -> ApplicationObservation:
    signals = {
        name: Summary(mean=value, samples=samples)
        for name, value in (("request_rate", rate), ("error_ratio", ratio))
        if value is not None
    }
    return ApplicationObservation(HOUR, signals, latency)


def judged(
    run: ApplicationObservation | None, objective: SloSettings, production: ApplicationObservation | None = None
) -> Objective:
    (result,) = objectives(production, run, [objective])
    return result


def test_requests_are_those_of_the_minutes_that_were_seen() -> None:
    """Requests are rate times minutes, or times the window where nobody counted minutes."""
    assert events(observed(samples=30)) == Events(HOUR, 18000.0, 18.0)
    assert events(observed()) == Events(HOUR, 36000.0, 36.0)
    assert events(observed(ratio=None)).errors is None
    assert events(observed(rate=None, latency=LATENCY)) == Events(HOUR, None, None, LATENCY)


@pytest.mark.parametrize(
    ("objective", "ratio", "met"),
    [(99.9, 0.001, True), (99.9, 0.0010001, False), (99.9, 0.0, True), (99.95, 0.0005, True), (99.0, 0.010001, False)],
)
def test_the_limit_itself_is_met(objective: float, ratio: float, met: bool) -> None:
    """The run meets the objective up to exactly its budget, whatever floats make of it."""
    assert judged(observed(ratio=ratio), slo(objective)).met is met


def test_an_objective_is_a_decimal() -> None:
    """99.9 % is 0.999 with a budget of 0.001, to the last digit."""
    result = judged(observed(), slo())
    assert (result.objective, result.budget) == (0.999, 0.001)


@pytest.mark.parametrize(("rate", "met"), [(999.0 / 3600, None), (1000.0 / 3600, True)])
def test_few_requests_prove_nothing(rate: float, met: bool | None) -> None:
    """With fewer requests than it takes for one failure to be the budget, the ratio is told but no verdict."""
    result = judged(observed(rate=rate, ratio=0.0), slo())
    assert result.met is met
    assert result.run_error_ratio == 0.0


@pytest.mark.parametrize(("threshold", "ratio"), [(0.3, 0.004), (0.1, 0.1), (1.0, 0.0), (0.2, None), (2.0, None)])
def test_latency_is_known_at_bounds_only(threshold: float, ratio: float | None) -> None:
    """Slow requests are counted where a bucket ends at the threshold, and nowhere else."""
    sli = SliSettings(latency=LatencySli(threshold=Duration(threshold)))
    result = judged(observed(latency=LATENCY), slo(99.0, sli))
    assert result.run_error_ratio == ratio
    assert result.met is (None if ratio is None else ratio <= 0.01)
    assert result.threshold == threshold


def test_both_sides_stand_beside_each_other() -> None:
    """Production's own ratio is told as well, and either may be missing."""
    result = judged(observed(ratio=0.002), slo(), observed(ratio=0.0005))
    assert (result.run_error_ratio, result.baseline_error_ratio, result.met) == (0.002, 0.0005, False)
    assert judged(None, slo(), observed()).run_requests is None
    assert judged(observed(), slo()).baseline_error_ratio is None


def test_hand_written_queries_are_not_judged() -> None:
    """An objective on queries of its own has no result, and counts nothing even when nothing was served."""
    sli = SliSettings(events=EventsSli("up", "up"))
    assert objectives(observed(), observed(), [slo(sli=sli)]) == ()
    assert count_events(sli, Events(HOUR, 0.0, 0.0)) is None


@pytest.mark.parametrize("sli", [ERRORS, SLOW])
def test_nothing_served_is_nothing_bad(sli: SliSettings) -> None:
    """Without requests both counts are 0, though errors and latencies have no data then; a run without has no ratio."""
    assert count_events(sli, Events(HOUR, 0.0, None)) == EventTotals(0.0, 0.0)
    assert judged(observed(rate=0.0), slo(sli=sli)).run_error_ratio is None


@pytest.mark.parametrize(("errors", "bad"), [(-1e-9, 0.0), (100.5, 100.0), (7.0, 7.0)])
def test_bad_events_are_a_part_of_all(errors: float, bad: float) -> None:
    """Rounding gives neither less than none nor more than all."""
    assert count_events(ERRORS, Events(HOUR, 100.0, errors)) == EventTotals(100.0, bad)


def test_what_was_not_counted_is_unknown() -> None:
    """Missing errors, a missing histogram, one without a count and what is no number all leave the SLI unknown."""
    for sli, expected in (
        (ERRORS, Events(HOUR, 5.0, None)),
        (ERRORS, Events(HOUR, float("nan"), 1.0)),
        (SLOW, Events(HOUR, 5.0, 1.0)),
        (SLOW, Events(HOUR, 5.0, 1.0, replace(LATENCY, requests=None))),
    ):
        assert count_events(sli, expected) is None
