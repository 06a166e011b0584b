"""Check-ups of a controller that lets us in: metrics and rights; a golden transcript for each failure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from deploy.stack.controller import Answer, Fault, Request, faults
from deploy.stack.controller.messages import as_json
from exporter.sources.appdynamics.options import ControllerApplication
from tests.sources.appdynamics.checking import Stand, causes, step_of, troubles

METRICS, BROWSED = "*/metric-data", "*/metrics"


@pytest.mark.parametrize(
    ("key", "path", "text"),
    [
        (
            "calls",
            "Overall Application Performance|Call per Minute",
            "'Call per Minute' does not exist below Overall Application Performance, but 'Calls per Minute'",
        ),
        (
            "cpu",
            "Application Infrastructure Performance|*|Hardware|CPU|%Busy",
            "'Hardware' does not exist below Application Infrastructure Performance|web, but 'Hardware Resources'",
        ),
        ("errors", "Overall|Errors per Minute", "'Overall' does not exist below the root, but 'Overall Application"),
        (
            "memory",
            "Application Infrastructure Performance|*|Hardware Resources|Memory|Used %|Now",
            "nothing exists below Application Infrastructure Performance|web|Hardware Resources|Memory|Used %",
        ),
    ],
)
def test_a_path_that_is_wrong(stand: Stand, key: str, path: str, text: str) -> None:
    """The finding names the first part that does not exist, and the existing names."""
    steps = stand.examined(metrics={key: path})
    if key == "calls":
        stand.assert_transcript("metric", steps)
        assert step_of(steps, "resolution").verdict == "skipped"
    assert troubles(steps)[f"metrics {key}"] == "failed"
    assert text in step_of(steps, "metrics", key).causes[0].text
    assert f"metrics.{key}" in causes(step_of(steps, "metrics", key))


def test_no_percentile(stand: Stand) -> None:
    """P95 is often not there: a warning says that it will have no evidence, and why."""
    stand.controller.faults.add(faults.without_percentiles(), unregistered("Percentile"))
    steps = stand.assert_transcript("no-percentile", stand.examined())
    assert troubles(steps) == {"metrics latency_p95": "warning"}
    cause_texts = causes(step_of(steps, "metrics", "latency_p95"))
    assert "latency P95 has no evidence then" in cause_texts
    assert "Average Response Time" not in cause_texts
    assert "Java's and .NET's do" in cause_texts


def unregistered(part: str) -> Fault:
    """Names with this in them are not in the tree of metrics either."""

    def change(request: Request, answer: Answer) -> Answer:
        rows: Any = msgspec.json.decode(answer.body)
        return replace(answer, body=as_json([row for row in rows if part not in row["name"]]).body)

    return Fault(change, BROWSED)


def test_another_percentile_is_no_p95(stand: Stand) -> None:
    """Where others are collected, 95 is to be added: none of them is offered in its place."""
    stand.controller.faults.add(faults.without_percentiles(), percentile_of_90())
    cause_texts = step_of(stand.examined(), "metrics", "latency_p95").causes[0]
    assert "but 90th Percentile Response Time (ms)" in cause_texts.text
    assert "another percentile cannot replace P95" in cause_texts.remedy


def percentile_of_90() -> Fault:
    """The tree of metrics has the 90th percentile in the place of the 95th."""
    return Fault(lambda _, answer: replace(answer, body=answer.body.replace(b"95th", b"90th")), BROWSED)


def test_no_machine_agent(stand: Stand) -> None:
    """Without utilisation other steps are ok, and the finding names the agent that measures it."""
    stand.controller.faults.add(faults.without_metric("Hardware Resources"))
    steps = stand.examined()
    assert troubles(steps) == {"metrics cpu": "warning", "metrics memory": "warning"}
    assert "no machine agent" in causes(step_of(steps, "metrics", "cpu"))
    assert not troubles(stand.examined(metrics={"cpu": None, "memory": None}))


def not_found(part: str) -> Fault:
    """Metrics whose path has this in it have no data."""

    def change(request: Request, answer: Answer) -> Answer:
        rows: Any = msgspec.json.decode(answer.body)
        for row in rows:
            if part in row["metricPath"]:
                row.update(metricName="METRIC DATA NOT FOUND", metricValues=[])
        return replace(answer, body=as_json(rows).body)

    return Fault(change, METRICS)


def test_no_data(stand: Stand) -> None:
    """Known metrics without values mean no traffic or agents that are down; it is reported once, for calls."""
    stand.controller.faults.add(not_found(""))
    steps = stand.assert_transcript("no-data", stand.examined())
    assert set(troubles(steps)) == {"metrics calls", "resolution"}
    assert set(troubles(steps).values()) == {"warning"}
    assert "the agents are down" in causes(step_of(steps, "metrics", "calls"))


def test_reported_and_zero(stand: Stand) -> None:
    """Agents that report minutes without a call are no traffic either, in production a warning."""

    def zero(request: Request, answer: Answer) -> Answer:
        rows: Any = msgspec.json.decode(answer.body)
        for step in (step for row in rows if "Calls" in row["metricPath"] for step in row["metricValues"]):
            step.update(value=0, sum=0)
        return replace(answer, body=as_json(rows).body)

    stand.controller.faults.add(Fault(zero, METRICS))
    steps = stand.examined()
    assert troubles(steps) == {"metrics calls": "warning"}
    assert step_of(steps, "metrics", "calls").result == "no calls in the last hour of shop"


def idle(stand: Stand, name: str) -> None:
    """A registered application without calls."""
    number = step_of(
        stand.examined("pte", applications={name: ControllerApplication()}), "applications", name
    ).result.split()[-1]
    stand.clean()
    for page in ("metric-data", "business-transactions"):
        stand.controller.faults.add(faults.instead(as_json([]), f"*/applications/{number}/{page}"))


def test_an_application_that_was_never_tested(stand: Stand) -> None:
    """In the PTE that is a warning with a remedy, and other metrics refer to it."""
    idle(stand, "search-pte")
    two = {"shop": ControllerApplication(name="shop-pte"), "search": ControllerApplication(name="search-pte")}
    steps = stand.assert_transcript("untested", stand.examined("pte", applications=two))
    assert troubles(steps) == {"transactions search": "warning", "metrics calls": "warning"}
    assert step_of(steps, "metrics", "calls").causes[0].remedy.startswith("test it, or remove it from applications")
    assert step_of(steps, "metrics", "latency_p95").result.startswith("no such metric of search")
    assert step_of(steps, "metrics", "latency_p95").result.endswith("; the same applies to calls")
    alone = stand.examined("pte", applications={"search": ControllerApplication(name="search-pte")})
    assert set(troubles(alone).values()) == {"warning"}
    wrong = {"calls": "Overall Application Performance|Call per Minute"}
    assert step_of(stand.examined("pte", applications=two, metrics=wrong), "metrics", "calls").verdict == "failed"


def test_data_of_some_metrics_only(stand: Stand) -> None:
    """With calls but without their times an agent is at fault; without errors there were none."""
    stand.controller.faults.add(not_found("Response Time"), not_found("Errors"))
    steps = stand.examined()
    assert troubles(steps) == {"metrics latency_mean": "warning", "metrics latency_p95": "warning"}
    assert "there were none" in step_of(steps, "metrics", "errors").result


def test_sentinels(stand: Stand) -> None:
    """Placeholders are ignored, and counted."""
    stand.controller.faults.add(faults.sentinels())
    steps = stand.examined()
    assert "30 placeholders (2147483647) ignored" in step_of(steps, "metrics", "calls").result
    stand.clean()
    stand.controller.faults.add(faults.sentinels(every=1))
    assert step_of(stand.examined(), "metrics", "calls").verdict == "warning"


def test_metrics_are_forbidden(stand: Stand) -> None:
    """A role without the right to metrics is reported for each metric, and for no earlier step."""
    stand.controller.faults.add(faults.forbidden(METRICS))
    steps = stand.examined()
    assert next(iter(troubles(steps).items())) == ("metrics calls", "failed")
    assert "may list the application, but not read its metrics" in causes(step_of(steps, "metrics", "calls"))


@pytest.mark.parametrize(
    ("page", "check", "verdict"),
    [
        ("*/events", "events", "failed"),
        ("*/healthrule-violations", "violations", "failed"),
        ("*/request-snapshots", "snapshots", "warning"),
    ],
)
def test_a_right_is_missing(stand: Stand, page: str, check: str, verdict: str) -> None:
    """Each missing right is a separate finding; snapshots are a warning, because nothing uses them."""
    stand.controller.faults.add(faults.forbidden(page))
    steps = stand.assert_transcript(f"{check}-forbidden", stand.examined())
    assert troubles(steps) == {f"rights {check}": verdict}
    assert f"the role may not read {check}" in causes(step_of(steps, "rights", check))


def test_an_unknown_type_of_event(stand: Stand) -> None:
    """One makes the controller refuse all: the finding names it and suggests a type."""
    steps = stand.assert_transcript("event-type", stand.examined(events=("DEADLOCK", "DEPLOYMENT", "SNAFU")))
    assert troubles(steps) == {"rights events": "failed"}
    result = step_of(steps, "rights", "events")
    assert "unknown event types DEPLOYMENT and SNAFU" in result.result
    assert [cause.remedy for cause in result.causes] == [
        "write APPLICATION_DEPLOYMENT instead, or remove it",
        "remove it",
    ]
    assert not [step for step in stand.examined(events=()) if step.subject == "events"]
