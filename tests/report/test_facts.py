"""What the report says of a load test's run."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.analysis.assessment import analyse
from exporter.model.incident import Incident, IncidentSeverity
from exporter.model.loadrun_judgement import Change, JudgedRun
from exporter.model.observation import ApplicationObservation, Observation, Summary, TestRun, Window
from exporter.model.settings import AnalysisSettings
from exporter.report.facts import facts
from tests.making_runs import load_run

RUN = replace(load_run(), run="build-17")


def run_facts(judged: JudgedRun | None) -> dict[str, str]:
    """The facts of an application of which nothing else is known, by title."""
    window = Window(RUN.start, RUN.end)
    pte = Observation("pte", window, {"shop": ApplicationObservation(window)})
    result = analyse(None, pte, {}, AnalysisSettings(), RUN.end, {"production": "production", "pte": "pte"})
    return dict(facts(replace(result.applications["shop"], load_run=judged)))


def change(name: str, ratio: float | None, verdict: str) -> Change:
    return Change(name, "latency_p95", "history", 0.3, 0.2, ratio, verdict, None, None, 9)  # type: ignore[arg-type]


def test_without_a_result_file_nothing_is_said() -> None:
    """Applications that a Prometheus observes have no grade."""
    assert "graded" not in run_facts(None)


def test_the_grade_stands_with_its_inputs() -> None:
    """Grade, run, requests, success and P95."""
    text = run_facts(JudgedRun(RUN, "A"))["graded"]
    assert text == "A, jmeter build-17; 99 % of 6000 requests succeeded; P95 latency 231 ms"
    assert run_facts(JudgedRun(RUN, None))["graded"].startswith("no evidence, ")


def test_changes_begin_with_the_whole_run() -> None:
    """Changes for the worse or better are named, the rest counted; equal and unknown ones are left out."""
    names = [change(f"name {n}", n / 10, "worse") for n in range(1, 6)]
    judged = JudgedRun(RUN, "A", (*names, change("", 0.05, "worse"), change("x", None, "no_evidence")))
    assert run_facts(judged)["changed"].split("; ") == [
        "P95 latency is worse than in earlier runs (+5 %)",
        *(f"P95 latency of name {n} is worse than in earlier runs (+{n}0 %)" for n in (5, 4, 3, 2)),
        "1 more",
    ]
    assert "changed" not in run_facts(JudgedRun(RUN, "A", (change("", 0.0, "equal"),)))


def of(production: ApplicationObservation, pte: ApplicationObservation | None = None) -> dict[str, str]:
    """The facts of an application of which only this was observed, by title."""
    live = Observation("production", production.window, {"shop": production})
    run = pte and replace(pte, run=TestRun(pte.window))
    test = Observation("pte", run.window, {"shop": run}) if run else None
    result = analyse(live, test, {}, AnalysisSettings(), RUN.end, {"production": "production", "pte": "pte"})
    return dict(facts(result.applications["shop"]))


DAY = ApplicationObservation(Window(0.0, 86400.0))


def violation(name: str, start: float, severity: IncidentSeverity, end: float | None = None) -> Incident:
    return Incident("violation", name, "web", "TIER", severity, start, end)


def test_the_most_serious_open_incident_is_named() -> None:
    """Of those that are open, the most serious and of these the oldest; the rest are counted."""
    result = (
        violation("Disk", 60.0, "warning"),
        violation("Errors", 7200.0, "critical"),
        violation("Calls", 3600.0, "critical"),
        violation("Over", 0.0, "critical", 30.0),
    )
    assert of(replace(DAY, incidents=result), replace(DAY, incidents=()))["incidents"] == (
        "4 incidents in production, 3 open: Calls on web, critical, since 1970-01-01 01:00 UTC; none in the PTE"
    )
    assert of(replace(DAY, incidents=result[3:]))["incidents"] == "1 incident in production, none open"


def test_incidents_nobody_told_are_not_mentioned() -> None:
    """A source without incidents of its kind is not a source with zero incidents."""
    assert "incidents" not in of(DAY, DAY)


def test_coarse_signals_are_named_with_their_steps() -> None:
    """Which signals of which side have no peaks, by the time that each value covers; minutes are not mentioned."""
    ten, hour = Summary(5.0, 7.0, resolution=600.0), Summary(5.0, 7.0, resolution=3600.0)
    live = replace(DAY, signals={"request_rate": ten, "cpu": hour, "memory": Summary(0.5), "latency_mean": ten})
    assert of(live, replace(DAY, signals={"cpu": ten}))["resolution"] == (
        "production has only means over 10 minutes, without peaks: request rate, mean latency; "
        "production has only means over 1 hour, without peaks: CPU; "
        "the PTE has only means over 10 minutes, without peaks: CPU"
    )
    assert "resolution" not in of(replace(DAY, signals={"memory": Summary(0.5)}))


MINUTES = Summary(mean=50.0, peak=100.0, min=20.0, quantiles={"0.5": 50.0, "0.95": 90.0, "0.99": 98.0})


def load(peak: float, minimum: float = 20.0) -> str:
    """The fact about the load of a test with this peak, against minutes from `minimum` to 100 req/s."""
    production = replace(DAY, signals={"request_rate": replace(MINUTES, min=minimum)})
    return of(production, replace(DAY, signals={"request_rate": Summary(peak, peak)}))["load"]


@pytest.mark.parametrize(
    ("peak", "text"),
    [
        (
            19.0,
            "the test's peak (19 req/s) was below production's load in every minute of the window; "
            "it reached 19 % of production's peak (100 req/s)",
        ),
        (
            20.0,
            "the test's peak (20 req/s) was 20 % of production's peak (100 req/s), "
            "enough only for production's quietest minutes",
        ),
        (
            50.0,
            "the test's peak (50 req/s) was 50 % of production's peak (100 req/s), "
            "enough for 50 % of production's minutes",
        ),
        (
            99.99,
            "the test's peak (100 req/s) was 100 % of production's peak (100 req/s), "
            "enough for nearly every minute of production",
        ),
        (
            100.0,
            "the test's peak (100 req/s) was 100 % of production's peak (100 req/s), "
            "enough for every minute of production",
        ),
    ],
)
def test_load_is_compared_with_production(peak: float, text: str) -> None:
    """Below, at and above production's minutes the sentence has another form."""
    assert load(peak) == text


@given(st.floats(min_value=0.0, max_value=200.0), st.floats(min_value=0.0, max_value=50.0))
def test_the_sentence_about_load_is_true(peak: float, minimum: float) -> None:
    """Every minute is said to be missed exactly below the smallest, and to be reached exactly from the largest on."""
    text = load(peak, minimum)
    assert ("below production's load in every minute" in text) == (peak < minimum)
    assert ("enough for every minute" in text) == (peak >= 100.0)
