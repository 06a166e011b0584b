"""What the report says of a load test's run."""

from __future__ import annotations

from dataclasses import replace

from exporter.analysis.round import analyse
from exporter.model.judgement import Change, JudgedRun
from exporter.model.observation import ApplicationObservation, Observation, Window
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
