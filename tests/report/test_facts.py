"""What the report says of a load test's run."""

from __future__ import annotations

from dataclasses import replace

from exporter.analysis.assessment import analyse
from exporter.model.incident import Incident, IncidentSeverity
from exporter.model.loadrun_judgement import Change, JudgedRun
from exporter.model.observation import ApplicationObservation, Observation, Summary, TestRun, Window
from exporter.model.settings import AnalysisSettings
from exporter.report.facts import facts
from tests.making_runs import load_run

RUN = replace(load_run(), run="build-17")


def told(judged: JudgedRun | None) -> dict[str, str]:
    """The facts of an application of which nothing else is known, by title."""
    window = Window(RUN.start, RUN.end)
    pte = Observation("pte", window, {"shop": ApplicationObservation(window)})
    found = analyse(None, pte, {}, AnalysisSettings(), RUN.end, {"production": "production", "pte": "pte"})
    return dict(facts(replace(found.applications["shop"], load_run=judged)))


def change(name: str, ratio: float | None, verdict: str) -> Change:
    return Change(name, "latency_p95", "history", 0.3, 0.2, ratio, verdict, None, None, 9)  # type: ignore[arg-type]


def test_without_a_result_file_nothing_is_said() -> None:
    """Applications that a Prometheus observes have no grade."""
    assert "graded" not in told(None)


def test_the_grade_stands_with_its_inputs() -> None:
    """Grade, run, requests, success and P95."""
    text = told(JudgedRun(RUN, "A"))["graded"]
    assert text == "A, jmeter build-17; 99 % of 6000 requests succeeded; P95 231 ms"
    assert told(JudgedRun(RUN, None))["graded"].startswith("no evidence, ")


def test_changes_begin_with_the_whole_run() -> None:
    """What is worse or better is named, the rest counted; what is equal or unknown is not said."""
    names = [change(f"name {n}", n / 10, "worse") for n in range(1, 6)]
    judged = JudgedRun(RUN, "A", (*names, change("", 0.05, "worse"), change("x", None, "no_evidence")))
    assert told(judged)["changed"].split("; ") == [
        "latency P95 worse than the runs before, +5 %",
        *(f"latency P95 of name {n} worse than the runs before, +{n}0 %" for n in (5, 4, 3, 2)),
        "1 more",
    ]
    assert "changed" not in told(JudgedRun(RUN, "A", (change("", 0.0, "equal"),)))


def of(production: ApplicationObservation, pte: ApplicationObservation | None = None) -> dict[str, str]:
    """The facts of an application of which only this was observed, by title."""
    live = Observation("production", production.window, {"shop": production})
    run = pte and replace(pte, run=TestRun(pte.window))
    test = Observation("pte", run.window, {"shop": run}) if run else None
    found = analyse(live, test, {}, AnalysisSettings(), RUN.end, {"production": "production", "pte": "pte"})
    return dict(facts(found.applications["shop"]))


DAY = ApplicationObservation(Window(0.0, 86400.0))


def violation(name: str, start: float, severity: IncidentSeverity, end: float | None = None) -> Incident:
    return Incident("violation", name, "web", "TIER", severity, start, end)


def test_the_most_serious_open_incident_is_named() -> None:
    """Of those that are open, the most serious and of these the oldest; the rest are counted."""
    found = (
        violation("Disk", 60.0, "warning"),
        violation("Errors", 7200.0, "critical"),
        violation("Calls", 3600.0, "critical"),
        violation("Over", 0.0, "critical", 30.0),
    )
    assert of(replace(DAY, incidents=found), replace(DAY, incidents=()))["incidents"] == (
        "4 incidents in production, 3 open: Calls on web, critical, since 1970-01-01 01:00 UTC; none in the PTE"
    )
    assert of(replace(DAY, incidents=found[3:]))["incidents"] == "1 incident in production, none open"


def test_incidents_nobody_told_are_not_mentioned() -> None:
    """A source that cannot tell is not a source that told of none."""
    assert "incidents" not in of(DAY, DAY)


def test_coarse_signals_are_named_with_their_steps() -> None:
    """Which signals of which side have no peaks, by the time that each value covers; minutes are not mentioned."""
    ten, hour = Summary(5.0, 7.0, resolution=600.0), Summary(5.0, 7.0, resolution=3600.0)
    live = replace(DAY, signals={"request_rate": ten, "cpu": hour, "memory": Summary(0.5), "latency_mean": ten})
    assert of(live, replace(DAY, signals={"cpu": ten}))["resolution"] == (
        "in production means over 10 minutes, so no peaks: request rate, mean latency; "
        "in production means over 1 hour, so no peaks: CPU; in the PTE means over 10 minutes, so no peaks: CPU"
    )
    assert "resolution" not in of(replace(DAY, signals={"memory": Summary(0.5)}))
