"""A controller's failure affects only its own data, gives one warning, and the next poll recovers."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from deploy.stack.controller import Answer, Controller, Fault, Request, faults, serve
from exporter.errors import SourceError
from exporter.model.observation import Window
from tests.polling_controller import Estate, estate
from tests.running import PATIENCE, SLACK
from tests.seed import SEED


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Estate]:
    with estate(tmp_path) as estate_fixture:
        yield estate_fixture


def test_sentinels_are_no_values(there: Estate) -> None:
    """Every second step is a placeholder: the others count, and no peak is 2147483647."""
    right = there.poll(there.source("search"), pattern=False).applications["search"]
    there.controller.faults.add(faults.sentinels(every=2))
    application = there.poll(there.source("search"), pattern=False).applications["search"]
    for signal, summary in application.signals.items():
        assert summary.samples == 720
        assert (summary.peak or 0.0) <= (right.signals[signal].peak or 0.0)
        assert summary.mean == pytest.approx(right.signals[signal].mean, rel=0.01)


def test_a_metric_that_is_not_there(there: Estate) -> None:
    """Its signal is absent, the others are not; the warning names the path and the option."""
    metrics = {"errors": "Overall Application Performance|Error per Minute"}
    observation = there.poll(there.source("search", metrics=metrics), pattern=False)
    assert set(observation.applications["search"].signals) == {"request_rate", "latency_mean", "cpu", "memory"}
    [warning] = observation.warnings
    assert warning == f"the controller has no metric {metrics['errors']!r} of search: see metrics.errors"


def test_a_metric_that_comes_later(there: Estate) -> None:
    """After a metric was unknown for a while, the whole day is requested again, not just new minutes."""
    source = there.source("search")
    there.controller.faults.add(faults.without_metric("Calls per Minute"))
    assert "request_rate" not in there.poll(source).applications["search"].signals
    there.controller.faults.clear()
    assert there.poll(source, after=60.0).applications == there.poll(there.source("search")).applications


def test_a_metric_that_nobody_wants(there: Estate) -> None:
    """A metric that is null is not requested, without a warning."""
    metrics = dict.fromkeys(("cpu", "memory", "latency_p95", "transaction_errors"))
    observation = there.poll(there.source("search", metrics=metrics), pattern=False)
    assert observation.queries == 1 + 3 + 1 + 2
    application = observation.applications["search"]
    assert set(application.signals) == {"request_rate", "error_ratio", "latency_mean"}
    assert all(route.successes is None for route in application.routes)
    assert application.latency is not None
    assert application.latency.p95 is None
    assert observation.warnings == ()


def test_a_metric_without_data(there: Estate) -> None:
    """METRIC DATA NOT FOUND is absence without a warning: the path is right."""

    def nothing(data: list[Any]) -> list[Any]:
        return [{**row, "metricName": "METRIC DATA NOT FOUND", "metricValues": []} for row in data]

    there.rewrite("Errors per Minute", nothing)
    observation = there.poll(there.source("search"), pattern=False)
    assert "error_ratio" not in observation.applications["search"].signals
    assert all(route.successes is None for route in observation.applications["search"].routes)
    assert observation.warnings == ()


def test_agents_without_percentiles(there: Estate) -> None:
    """A mean without P95 gives no warning at every poll."""
    there.controller.faults.add(faults.without_percentiles())
    observation = there.poll(there.source("search"), pattern=False)
    latency = observation.applications["search"].latency
    assert latency is not None
    assert (latency.mean is not None, latency.p95) == (True, None)
    assert observation.warnings == ()


@pytest.mark.parametrize("path", ["*/events", "*/problems/healthrule-violations"])
def test_incidents_that_we_may_not_read(there: Estate, path: str) -> None:
    """403 costs the incidents, in one warning for all applications."""
    there.controller.faults.add(faults.forbidden(path))
    observation = there.poll(there.source("shop", "search"), pattern=False)
    assert [application.incidents for application in observation.applications.values()] == [None, None]
    assert [len(application.signals) for application in observation.applications.values()] == [5, 5]
    [warning] = observation.warnings
    assert warning.startswith("incidents of shop and search are unknown: ")
    assert "403" in warning


def test_an_unknown_type_of_event(there: Estate) -> None:
    """One wrong type fails the controller's answer, not the poll."""
    observation = there.poll(there.source("search", events=("DEPLOYMENT",)), pattern=False)
    assert observation.applications["search"].incidents is None
    [warning] = observation.warnings
    assert "DEPLOYMENT" in warning


def test_what_we_may_not_see_at_all(there: Estate) -> None:
    """403 on data is a failure with its reason."""
    there.controller.faults.add(faults.forbidden("*/metric-data"))
    with pytest.raises(SourceError, match=r"127\.0\.0\.1:\d+: .*403") as caught:
        there.poll(there.source())
    assert caught.value.reason == "auth"


def test_an_application_that_is_not_shown(there: Estate) -> None:
    """It is omitted with a warning that names it and similar names; the others stay."""
    there.controller.hidden.add("search")
    applications = {**there.options(("shop", "search")).applications}
    applications["cart"] = type(applications["shop"])(name="Checkout")
    observation = there.poll(there.source(applications=applications), pattern=False)
    assert set(observation.applications) == {"shop"}
    [warning] = observation.warnings
    assert "'search' (but 'search-pte' and 'archive')" in warning
    assert "'Checkout' (but 'checkout' and 'checkout-pte')" in warning
    assert warning.endswith("it lists 7")


def test_no_application_at_all(there: Estate) -> None:
    """None of the configured ones, or none at all: not found, with the next step."""
    with pytest.raises(SourceError, match=r"'shopp' \(but 'shop'.*it lists 8") as caught:
        there.poll(there.source("shopp"))
    assert caught.value.reason == "not_found"
    there.controller.hidden |= {f"{name}{end}" for name in there.options().applications for end in ("", "-pte")}
    with pytest.raises(SourceError, match="it lists none: may our role view them"):
        there.poll(there.source())


def test_data_that_comes_late(there: Estate) -> None:
    """Reports up to half an hour late replace earlier data."""
    source = there.source("search")
    right = there.poll(there.source("search"), pattern=False).applications["search"]
    edge = (there.end - 1200.0) * 1000

    def early(data: list[Any]) -> list[Any]:
        for metric in data:
            for step in metric["metricValues"]:
                if step["startTimeInMillis"] >= edge:
                    step.update({key: step[key] / 2 for key in ("value", "sum")})
        return data

    there.rewrite("'rollup', 'false'", early)
    halved = there.poll(source, pattern=False).applications["search"]
    assert halved.signals["request_rate"].mean != right.signals["request_rate"].mean
    there.controller.faults.clear()
    later = there.poll(source, after=300.0, pattern=False).applications["search"]
    assert later == there.poll(there.source("search"), pattern=False).applications["search"]


def test_minutes_that_are_not_over_are_not_taken(there: Estate) -> None:
    """An unsettled minute waits for the next poll, by the controller's clock."""
    source = there.source("search")
    window = Window(there.clock.now - 86400.0, there.clock.now)
    application = source.observe(window).applications["search"]
    assert application.window == window
    assert {summary.samples for summary in application.signals.values()} == {1437}
    due = {"search": Window(window.end - 600.0, window.end)}
    events = source.events("production", due)["search"]
    assert events.window == Window(window.end - 600.0, window.end - 180.0)
    due = {"search": Window(events.window.end, window.end)}
    assert source.events("production", due) == {}


def test_a_failure_in_the_middle_keeps_what_came_before(there: Estate) -> None:
    """An aborted poll fails as a whole; the next one requests only missing data, with the usual result."""
    source = there.source()
    there.controller.faults.add(faults.unavailable("*/events"))
    with pytest.raises(SourceError) as caught:
        there.poll(source)
    assert caught.value.reason == "server_error"
    there.controller.faults.clear()
    there.controller.forget()
    observation = there.poll(source)
    requests = [request for request in there.controller.requests if request.query.get("rollup") == "false"]
    longest = max(
        int(item.query["end-time"]) - int(item.query["start-time"]) for item in requests if "CPU" in str(item.query)
    )
    assert longest <= 45 * 60000, "the day's minutes were kept"
    assert observation.applications == there.poll(there.source()).applications


def test_a_controller_that_restarts(tmp_path: Path) -> None:
    """It disappears during a poll; after its return, with unknown tokens, the source recovers."""
    with estate(tmp_path) as there:
        source, port = there.source("search"), urlsplit(there.url).port
        there.poll(source)
        there.controller.faults.add(faults.hang_up("*/tiers"))
        with pytest.raises(SourceError) as caught:
            there.poll(source, after=60.0)
        assert caught.value.reason == "truncated"
    with pytest.raises(SourceError) as caught:
        there.poll(source)
    assert caught.value.reason == "refused"
    assert port is not None
    back = Controller(SEED, there.clock, exact=True, secret=there.controller.secret)
    with serve(back, port):
        observation = there.poll(source)
        assert back.rest_requests == 1 + 11 + 1, "and one that was refused with the old token"
        assert observation.applications == there.poll(there.source("search")).applications


def test_a_clock_that_is_wrong(there: Estate) -> None:
    """Thirty seconds and more are warned of, and the controller's clock says which minutes are over."""
    there.controller.faults.add(faults.wrong_clock(-400.0))
    observation = there.poll(there.source("search"), pattern=False)
    assert observation.clock_skew == pytest.approx(-399.5, abs=1.0)
    [warning] = observation.warnings
    assert "behind ours: windows miss data" in warning
    assert observation.applications["search"].signals["request_rate"].samples == 1440 - 5
    there.controller.faults.clear()
    assert there.poll(there.source("search"), pattern=False).warnings == ()


def test_a_path_for_more_than_one_metric(there: Estate) -> None:
    """A mean of several metrics is none: that is said, with the option; numbers of several are added up."""
    metrics = {"latency_mean": "Overall Application Performance|*|Average Response Time (ms)"}
    with pytest.raises(SourceError, match=r"metrics\.latency_mean matches 2 metrics") as caught:
        there.poll(there.source("shop", metrics=metrics))
    assert caught.value.reason == "bad_data"
    metrics = {"calls": "Overall Application Performance|web|Calls per Minute"}
    web = there.poll(there.source("shop", metrics=metrics), pattern=False).applications["shop"]
    metrics = {"calls": "Overall Application Performance|app|Calls per Minute"}
    app = there.poll(there.source("shop", metrics=metrics), pattern=False).applications["shop"]
    metrics = {"calls": "Overall Application Performance|*|Calls per Minute"}
    both = there.poll(there.source("shop", metrics=metrics), pattern=False).applications["shop"]
    means = [item.signals["request_rate"].mean or 0.0 for item in (web, app, both)]
    assert means[2] == pytest.approx(means[0] + means[1])


def test_missing_optional_fields(there: Estate) -> None:
    """Without sums and counts values are taken, and are the same but for their rounding."""
    right = there.poll(there.source("search"), pattern=False).applications["search"]
    there.controller.faults.add(faults.without("sum", "count", "occurrences", "min", "max", "current"))
    application = there.poll(there.source("search"), pattern=False).applications["search"]
    assert {key: summary.mean for key, summary in application.signals.items()} == pytest.approx(
        {key: summary.mean for key, summary in right.signals.items()}
    )
    actual, expected = (
        {route.route: replace(route).requests for route in item.routes} for item in (application, right)
    )
    assert actual == pytest.approx(expected)


@pytest.mark.parametrize("path", ["*/tiers", "*/problems/healthrule-violations", "*/metric-data"])
def test_one_failure_ends_the_others(there: Estate, path: str) -> None:
    """Hanging calls do not delay the failure of another one."""
    first = iter([True])
    ended = threading.Event()
    fails = faults.unavailable(path)

    def change(request: Request, answer: Answer) -> Answer:
        if next(first, False):
            return fails.change(request, answer)
        ended.wait(PATIENCE)
        return answer

    there.controller.faults.add(Fault(change, path))
    began = time.monotonic()
    with pytest.raises(SourceError, match="503"):
        there.poll(there.source(), pattern=False)
    assert time.monotonic() - began < SLACK
    ended.set()


def test_errors_that_are_told_only_where_there_are_some(there: Estate) -> None:
    """A minute without errors had no failures, for counters too: adjacent windows add up to the whole."""

    def some(data: list[Any]) -> list[Any]:
        remaining = [step for row in data for step in row["metricValues"] if step["startTimeInMillis"] % 420_000 == 0]
        return [{**row, "metricValues": remaining} for row in data]

    there.rewrite("Overall Application Performance|Errors per Minute", some)
    source = there.source("search")
    there.poll(source, pattern=False)
    ends = [there.end - 60.0 * minute for minute in range(15, -1, -1)]
    parts = [source.events("production", {"search": Window(*pair)})["search"] for pair in pairwise(ends)]
    whole = source.events("production", {"search": Window(ends[0], ends[-1])})["search"]
    assert [part.errors is None for part in parts] == [False] * 15
    assert sum(part.errors or 0.0 for part in parts) == pytest.approx(whole.errors)
    assert sum(part.requests or 0.0 for part in parts) == pytest.approx(whole.requests)
