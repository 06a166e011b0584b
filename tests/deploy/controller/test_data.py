"""The controller stub has the data of the source `demo`, up to rounding."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from exporter.demo.histogram import BOUNDS
from exporter.demo.incidents import incidents
from exporter.demo.shop import APPLICATIONS
from exporter.demo.traffic import traffic
from exporter.model.observation import ApplicationObservation, Window
from exporter.sources import demo
from tests.asking_controller import INFRASTRUCTURE, OVERALL, TRANSACTIONS, Asking, asking
from tests.seed import END, SEED

DAY = 86400.0
WINDOW = Window(END - DAY, END)
HALVES = (WINDOW.start, WINDOW.start + 43200.0, WINDOW.end)
"""A day is one minute too long for steps of a minute."""

SHAPES = {application.name: application for application in APPLICATIONS}


@pytest.fixture(scope="module")
def client() -> Iterator[Asking]:
    with asking() as client:
        yield client


@pytest.fixture(scope="module")
def exact() -> Iterator[Asking]:
    with asking(exact=True) as client:
        yield client


@pytest.fixture(scope="module")
def observed() -> dict[str, ApplicationObservation]:
    return dict(demo.Source(demo.Options(SEED), "production").observe(WINDOW).applications)


def steps(client: Asking, application: str, path: str, back: float = 0.0) -> dict[str, list[dict[str, Any]]]:
    """Each metric's steps over the window, or one of its length so many seconds before it, by its path."""
    result: dict[str, list[dict[str, Any]]] = {}
    for start, end in itertools.pairwise(HALVES):
        for entry in client.metrics(application, path, start - back, end - back):
            assert entry["frequency"] == "ONE_MIN"
            result.setdefault(entry["metricPath"], []).extend(entry["metricValues"])
    return result


def values(result: dict[str, list[dict[str, Any]]], key: str = "value") -> np.ndarray[Any, np.dtype[np.float64]]:
    (only,) = result.values()
    return np.array([step[key] for step in only], np.float64)


@pytest.mark.parametrize("application", ["shop", "checkout", "search"])
def test_signals_are_those_of_the_demo(
    client: Asking, observed: dict[str, ApplicationObservation], application: str
) -> None:
    """Mean and peak of the request rate, error ratio and mean latency agree within the rounding."""
    item = observed[application]
    calls = values(steps(client, application, OVERALL + "Calls per Minute"))
    errors = values(steps(client, application, OVERALL + "Errors per Minute"))
    mean = steps(client, application, OVERALL + "Average Response Time (ms)")
    rate = item.signals["request_rate"]
    assert calls.size == 1440
    assert calls.mean() / 60 == pytest.approx(rate.mean, abs=1e-3)
    assert calls.max() / 60 == pytest.approx(rate.peak, abs=1 / 60)
    assert errors.sum() / calls.sum() == pytest.approx(item.signals["error_ratio"].mean, abs=1 / calls.sum())
    assert item.latency is not None
    assert values(mean, "sum").sum() / values(mean, "count").sum() / 1000 == pytest.approx(item.latency.mean, rel=1e-4)
    assert values(mean, "value") == pytest.approx(values(mean, "sum") / values(mean, "count"), abs=0.51)


def test_exact_values_are_the_traffic_itself(exact: Asking) -> None:
    """Without rounding, numbers come with exponents and are equal to the last digits."""
    minutes = np.arange(int(HALVES[0] // 60) + 1, int(END // 60) + 1)
    served = traffic(SEED, "production", SHAPES["shop"], minutes)
    calls = steps(exact, "shop", OVERALL + "Calls per Minute")
    assert values(calls) == pytest.approx(served.requests * 60, rel=1e-12)
    assert values(steps(exact, "shop", OVERALL + "Errors per Minute")) == pytest.approx(served.errors * 60, rel=1e-12)
    text = exact.get(
        "/shop/metric-data",
        metric_path=OVERALL + "Calls per Minute",
        time_range_type="BEFORE_NOW",
        duration_in_mins=1,
    ).text
    assert f'"value":{served.requests[-1] * 60:.16E}'.replace("E+0", "E") in text


def test_the_percentile_is_the_histograms(exact: Asking) -> None:
    """A minute's 95th percentile lies where 95 % of the minute's requests have ended."""
    high = values(steps(exact, "search", OVERALL + "95th Percentile Response Time (ms)")) / 1000
    served = traffic(SEED, "production", SHAPES["search"], np.arange(int(END // 60) - 9, int(END // 60) + 1))
    assert 1 / (1 + (served.latency / high[-10:]) ** 4) == pytest.approx(np.full(10, 0.95))
    assert high.max() < BOUNDS[-2]


@pytest.mark.parametrize(("leaf", "signal"), [("CPU|%Busy", "cpu"), ("Memory|Used %", "memory")])
def test_the_tiers_mean_by_nodes_is_the_applications(
    client: Asking, observed: dict[str, ApplicationObservation], leaf: str, signal: str
) -> None:
    """Weighed by their nodes the tiers make up the application's utilisation; each node shows its tier's."""
    result = steps(client, "shop", INFRASTRUCTURE + leaf)
    used = {path.split("|")[1]: np.array([step["value"] for step in item]) for path, item in result.items()}
    mean = (4 * used["web"] + 2 * used["app"]) / 6 / 100
    summary = observed["shop"].signals[signal]
    assert mean.mean() == pytest.approx(summary.mean, abs=0.001)
    assert mean.max() == pytest.approx(summary.peak, abs=0.006)
    assert abs(used["web"].mean() - used["app"].mean()) > 2


def test_transactions_have_their_shares(client: Asking, observed: dict[str, ApplicationObservation]) -> None:
    """Each route's requests and failures of a day are those of the demo, the smallest within one request."""
    calls = steps(client, "shop", TRANSACTIONS + "Calls per Minute")
    errors = steps(client, "shop", TRANSACTIONS + "Errors per Minute")
    for route in observed["shop"].routes:
        (path,) = (path for path in calls if path.split("|")[3] == f"{route.method} {route.route}")
        assert sum(step["sum"] for step in calls[path]) == pytest.approx(route.requests, abs=1.5)
        failed = sum(step["sum"] for step in errors[path.replace("Calls", "Errors")])
        assert route.successes is not None
        assert failed == pytest.approx(route.requests - route.successes, abs=1.5)


def test_minutes_without_calls_are_left_out_of_a_transaction(client: Asking) -> None:
    """A transaction that is called rarely has no step for the other minutes; of those that it has, none is 0."""
    calls = steps(client, "shop-pte", TRANSACTIONS + "Calls per Minute", DAY)
    (rare,) = (call for path, call in calls.items() if "POST /contact" in path)
    assert 0 < len(rare) < 30
    assert all(step["value"] > 0 for step in rare)


def test_an_idle_application_has_calls_of_0(client: Asking) -> None:
    """Production's archive has calls and errors of 0, and no other values."""
    assert set(values(steps(client, "archive", OVERALL + "Calls per Minute"))) == {0.0}
    assert values(steps(client, "archive", OVERALL + "Average Response Time (ms)")).size == 0
    assert len(client.metrics("archive", TRANSACTIONS + "Calls per Minute", END - 60, END)) == 2


def test_the_pte_is_there_around_its_runs_only(client: Asking) -> None:
    """The PTE has data only while it exists, with idle minutes before and after the run."""
    minutes = np.arange(int((WINDOW.start - DAY) // 60) + 1, int((END - DAY) // 60) + 1)
    served = traffic(SEED, "pte", SHAPES["shop"], minutes)
    result = steps(client, "shop-pte", OVERALL + "Calls per Minute", DAY)
    times = values(result, "startTimeInMillis") / 1000 + 60
    assert times.tolist() == served.times.tolist()
    assert values(result) == pytest.approx(served.requests * 60, abs=1.0)
    assert (values(result) == 0).sum() == 30


@pytest.mark.parametrize("leaf", ["Calls per Minute", "Average Response Time (ms)"])
def test_coarser_steps_are_means_of_the_minutes(client: Asking, leaf: str) -> None:
    """A step of ten minutes holds the sums of its minutes; a rate is per minute, a mean is by calls."""
    end = END // 600 * 600
    (coarse,) = client.metrics("shop", OVERALL + leaf, end - 2000 * 60, end)
    (fine,) = client.metrics("shop", OVERALL + leaf, end - 600, end)
    last, minutes = coarse["metricValues"][-1], fine["metricValues"]
    total = sum(step["sum"] for step in minutes)
    count = sum(step["count"] for step in minutes) if "Average" in leaf else 10
    assert last["startTimeInMillis"] == minutes[0]["startTimeInMillis"]
    assert last["sum"] == pytest.approx(total, abs=10)
    assert last["value"] == pytest.approx(total / count, abs=0.51)


def test_every_field_is_there_and_current_is_not_the_value(client: Asking) -> None:
    """A step has all ten fields, and `current` differs from `value`."""
    (metrics,) = client.metrics("shop", OVERALL + "Calls per Minute", END - 600, END)
    assert metrics.keys() == {"metricId", "metricName", "metricPath", "frequency", "metricValues"}
    fields = "startTimeInMillis occurrences current min max useRange count sum value standardDeviation"
    for step in metrics["metricValues"]:
        assert step.keys() == set(fields.split())
        assert step["current"] != step["value"]


def test_violations_are_those_of_the_shop(client: Asking) -> None:
    """Those that touch the window come with start, end and state; an open one has an end of 0."""
    lately = incidents(SEED, "production", SHAPES["shop"], Window(END - 3 * DAY, END))
    outage = next(item for item in lately if item.severity == "critical")
    client.clock.now = now = outage.start + 300.0
    client.enter()
    expected = incidents(SEED, "production", SHAPES["shop"], Window(now - 7 * DAY, now))
    parameters: dict[str, str | int] = {"time_range_type": "BEFORE_NOW", "duration_in_mins": 7 * 1440}
    actual = client.get("/shop/problems/healthrule-violations", **parameters).json()
    assert [(item["name"], item["startTimeInMillis"] / 1000) for item in actual] == [
        (item.name, item.start) for item in expected if item.kind == "violation"
    ]
    assert {item["incidentStatus"] for item in actual} == {"OPEN", "RESOLVED"}
    for entry in actual:
        assert (entry["endTimeInMillis"] == 0) == (entry["incidentStatus"] == "OPEN")
    assert client.get("/shop-pte/problems/healthrule-violations", **parameters).json() == []
    client.clock.now = END
    client.enter()


def test_events_are_asked_for_by_type_and_severity(client: Asking) -> None:
    """Both are needed, an unknown type spoils the whole request, and the newest comes first."""
    parameters: dict[str, str | int] = {"time_range_type": "BEFORE_NOW", "duration_in_mins": 7 * 1440}
    right: dict[str, str | int] = {"event_types": "APP_SERVER_RESTART,POLICY_OPEN_CRITICAL", "severities": "WARN,ERROR"}
    for wrong in ({"event_types": "APP_SERVER_RESTART"}, {"severities": "WARN"}, right | {"event_types": "DEPLOYMENT"}):
        assert client.get("/shop/events", **parameters | wrong).status_code == 400
    result = client.get("/shop/events", **parameters | right).json()
    assert {item["type"] for item in result} == {"APP_SERVER_RESTART", "POLICY_OPEN_CRITICAL"}
    times = [item["eventTime"] for item in result]
    assert times == sorted(times, reverse=True)
    assert all(item["affectedEntities"][-1]["entityType"] == "APPLICATION" for item in result)


def test_snapshots_are_of_the_outage(client: Asking) -> None:
    """Failed requests of each day's outage, and none where there was none."""
    parameters: dict[str, str | int] = {"time_range_type": "BEFORE_NOW", "duration_in_mins": 7 * 1440}
    trouble = incidents(SEED, "production", SHAPES["shop"], Window(END - 7 * DAY, END))
    outages = [item for item in trouble if item.severity == "critical"]
    assert len(client.get("/shop/request-snapshots", **parameters).json()) == 3 * len(outages)
    assert client.get("/archive/request-snapshots", **parameters).json() == []


def test_a_day_of_all_transactions_is_answered_in_time(client: Asking) -> None:
    """45 transactions minute by minute take no longer than the client that reads them."""
    client.metrics("shop", TRANSACTIONS + "Calls per Minute", END - 1459 * 60, END)
    began = time.process_time()  # of both sides, which are threads of this process
    metrics = client.metrics("shop", TRANSACTIONS + "Calls per Minute", END - 1459 * 60, END)
    assert time.process_time() - began < 5
    assert sum(len(item["metricValues"]) for item in metrics) > 60_000
