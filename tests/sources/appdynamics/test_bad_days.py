"""What can go wrong with a controller costs what it touches, says so in one line, and is mended by the next poll."""

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
    with estate(tmp_path) as one:
        yield one


def test_sentinels_are_no_values(there: Estate) -> None:
    """Every second step stands for none: the others count, and no peak is 2147483647."""
    right = there.poll(there.source("search"), pattern=False).applications["search"]
    there.controller.faults.add(faults.sentinels(every=2))
    seen = there.poll(there.source("search"), pattern=False).applications["search"]
    for signal, summary in seen.signals.items():
        assert summary.samples == 720
        assert (summary.peak or 0.0) <= (right.signals[signal].peak or 0.0)
        assert summary.mean == pytest.approx(right.signals[signal].mean, rel=0.01)


def test_a_metric_that_is_not_there(there: Estate) -> None:
    """Its signal is absent, the others are not; the warning names the path and the option."""
    metrics = {"errors": "Overall Application Performance|Error per Minute"}
    seen = there.poll(there.source("search", metrics=metrics), pattern=False)
    assert set(seen.applications["search"].signals) == {"request_rate", "latency_mean", "cpu", "memory"}
    [warning] = seen.warnings
    assert warning == f"the controller knows no metric {metrics['errors']!r} of search: see metrics.errors"


def test_a_metric_that_comes_later(there: Estate) -> None:
    """A controller that did not know a metric for a while is asked again for all of the day, not for what is new."""
    source = there.source("search")
    there.controller.faults.add(faults.without_metric("Calls per Minute"))
    assert "request_rate" not in there.poll(source).applications["search"].signals
    there.controller.faults.clear()
    assert there.poll(source, after=60.0).applications == there.poll(there.source("search")).applications


def test_a_metric_that_nobody_wants(there: Estate) -> None:
    """A metric that is null is not asked for, and nobody warns of it."""
    metrics = dict.fromkeys(("cpu", "memory", "latency_p95", "transaction_errors"))
    seen = there.poll(there.source("search", metrics=metrics), pattern=False)
    assert seen.queries == 1 + 3 + 1 + 2
    one = seen.applications["search"]
    assert set(one.signals) == {"request_rate", "error_ratio", "latency_mean"}
    assert all(route.successes is None for route in one.routes)
    assert one.latency is not None
    assert one.latency.p95 is None
    assert seen.warnings == ()


def test_a_metric_without_data(there: Estate) -> None:
    """METRIC DATA NOT FOUND is absence, and no warning: the path is right."""

    def nothing(data: list[Any]) -> list[Any]:
        return [{**one, "metricName": "METRIC DATA NOT FOUND", "metricValues": []} for one in data]

    there.rewrite("Errors per Minute", nothing)
    seen = there.poll(there.source("search"), pattern=False)
    assert "error_ratio" not in seen.applications["search"].signals
    assert all(route.successes is None for route in seen.applications["search"].routes)
    assert seen.warnings == ()


def test_agents_without_percentiles(there: Estate) -> None:
    """There is a mean and no P95, and that is no reason to warn at every poll."""
    there.controller.faults.add(faults.without_percentiles())
    seen = there.poll(there.source("search"), pattern=False)
    latency = seen.applications["search"].latency
    assert latency is not None
    assert (latency.mean is not None, latency.p95) == (True, None)
    assert seen.warnings == ()


@pytest.mark.parametrize("path", ["*/events", "*/problems/healthrule-violations"])
def test_incidents_that_we_may_not_read(there: Estate, path: str) -> None:
    """403 costs the incidents, in one warning for all applications."""
    there.controller.faults.add(faults.forbidden(path))
    seen = there.poll(there.source("shop", "search"), pattern=False)
    assert [one.incidents for one in seen.applications.values()] == [None, None]
    assert [len(one.signals) for one in seen.applications.values()] == [5, 5]
    [warning] = seen.warnings
    assert warning.startswith("incidents of shop and search are not known: ")
    assert "403" in warning


def test_an_unknown_type_of_event(there: Estate) -> None:
    """One wrong type fails the controller's answer, not the poll."""
    seen = there.poll(there.source("search", events=("DEPLOYMENT",)), pattern=False)
    assert seen.applications["search"].incidents is None
    [warning] = seen.warnings
    assert "DEPLOYMENT" in warning


def test_what_we_may_not_see_at_all(there: Estate) -> None:
    """403 on data is a failure with its reason."""
    there.controller.faults.add(faults.forbidden("*/metric-data"))
    with pytest.raises(SourceError, match=r"127\.0\.0\.1:\d+: .*403") as caught:
        there.poll(there.source())
    assert caught.value.reason == "auth"


def test_an_application_that_is_not_shown(there: Estate) -> None:
    """It is left out with a warning that names it and what is like it; the others are there."""
    there.controller.hidden.add("search")
    applications = {**there.options(("shop", "search")).applications}
    applications["cart"] = type(applications["shop"])(name="Checkout")
    seen = there.poll(there.source(applications=applications), pattern=False)
    assert set(seen.applications) == {"shop"}
    [warning] = seen.warnings
    assert "'search' (but 'search-pte' and 'archive')" in warning
    assert "'Checkout' (but 'checkout' and 'checkout-pte')" in warning
    assert warning.endswith("it shows 7")


def test_no_application_at_all(there: Estate) -> None:
    """None of those configured, or none whatever: not found, and the next step is said."""
    with pytest.raises(SourceError, match=r"'shopp' \(but 'shop'.*it shows 8") as caught:
        there.poll(there.source("shopp"))
    assert caught.value.reason == "not_found"
    there.controller.hidden |= {f"{name}{end}" for name in there.options().applications for end in ("", "-pte")}
    with pytest.raises(SourceError, match="it shows none: has our role the right to view them"):
        there.poll(there.source())


def test_data_that_comes_late(there: Estate) -> None:
    """What agents report up to half an hour late takes the place of what was there before."""
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
    """A minute that agents may still report is left to the next poll, by the controller's clock."""
    source = there.source("search")
    window = Window(there.clock.now - 86400.0, there.clock.now)
    seen = source.observe(window).applications["search"]
    assert seen.window == window
    assert {summary.samples for summary in seen.signals.values()} == {1437}
    due = {"search": Window(window.end - 600.0, window.end)}
    told = source.events("production", due)["search"]
    assert told.window == Window(window.end - 600.0, window.end - 180.0)
    due = {"search": Window(told.window.end, window.end)}
    assert source.events("production", due) == {}


def test_a_failure_in_the_middle_keeps_what_came_before(there: Estate) -> None:
    """A poll that breaks off fails whole; the next one asks for what is missing alone, and is as if nothing was."""
    source = there.source()
    there.controller.faults.add(faults.unavailable("*/events"))
    with pytest.raises(SourceError) as caught:
        there.poll(source)
    assert caught.value.reason == "server_error"
    there.controller.faults.clear()
    there.controller.forget()
    seen = there.poll(source)
    asked = [one for one in there.controller.requests if one.query.get("rollup") == "false"]
    longest = max(int(one.query["end-time"]) - int(one.query["start-time"]) for one in asked if "CPU" in str(one.query))
    assert longest <= 45 * 60000, "the day's minutes were kept"
    assert seen.applications == there.poll(there.source()).applications


def test_a_controller_that_restarts(tmp_path: Path) -> None:
    """In the middle of a poll it goes away; when it is back, with tokens it does not know, the source goes on."""
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
        seen = there.poll(source)
        assert back.rest_requests == 1 + 11 + 1, "and one that was refused with the old token"
        assert seen.applications == there.poll(there.source("search")).applications


def test_a_clock_that_is_wrong(there: Estate) -> None:
    """Thirty seconds and more are warned of, and the controller's clock says which minutes are over."""
    there.controller.faults.add(faults.wrong_clock(-400.0))
    seen = there.poll(there.source("search"), pattern=False)
    assert seen.clock_skew == pytest.approx(-399.5, abs=1.0)
    [warning] = seen.warnings
    assert "behind ours: windows miss data" in warning
    assert seen.applications["search"].signals["request_rate"].samples == 1440 - 5
    there.controller.faults.clear()
    assert there.poll(there.source("search"), pattern=False).warnings == ()


def test_a_path_for_more_than_one_metric(there: Estate) -> None:
    """A mean of several metrics is none: that is said, with the option; numbers of several are added up."""
    metrics = {"latency_mean": "Overall Application Performance|*|Average Response Time (ms)"}
    with pytest.raises(SourceError, match=r"metrics\.latency_mean stands for 2 metrics") as caught:
        there.poll(there.source("shop", metrics=metrics))
    assert caught.value.reason == "bad_data"
    metrics = {"calls": "Overall Application Performance|web|Calls per Minute"}
    web = there.poll(there.source("shop", metrics=metrics), pattern=False).applications["shop"]
    metrics = {"calls": "Overall Application Performance|app|Calls per Minute"}
    app = there.poll(there.source("shop", metrics=metrics), pattern=False).applications["shop"]
    metrics = {"calls": "Overall Application Performance|*|Calls per Minute"}
    both = there.poll(there.source("shop", metrics=metrics), pattern=False).applications["shop"]
    means = [one.signals["request_rate"].mean or 0.0 for one in (web, app, both)]
    assert means[2] == pytest.approx(means[0] + means[1])


def test_missing_optional_fields(there: Estate) -> None:
    """Without sums and counts values are taken, and are the same but for their rounding."""
    right = there.poll(there.source("search"), pattern=False).applications["search"]
    there.controller.faults.add(faults.without("sum", "count", "occurrences", "min", "max", "current"))
    seen = there.poll(there.source("search"), pattern=False).applications["search"]
    assert {key: one.mean for key, one in seen.signals.items()} == pytest.approx(
        {key: one.mean for key, one in right.signals.items()}
    )
    told, wanted = ({one.route: replace(one).requests for one in each.routes} for each in (seen, right))
    assert told == pytest.approx(wanted)


@pytest.mark.parametrize("path", ["*/tiers", "*/problems/healthrule-violations", "*/metric-data"])
def test_one_failure_ends_the_others(there: Estate, path: str) -> None:
    """Nobody waits for calls that hang when another has failed already."""
    first = iter([True])
    ended = threading.Event()
    fails = faults.unavailable(path)

    def change(asked: Request, answer: Answer) -> Answer:
        if next(first, False):
            return fails.change(asked, answer)
        ended.wait(PATIENCE)
        return answer

    there.controller.faults.add(Fault(change, path))
    began = time.monotonic()
    with pytest.raises(SourceError, match="503"):
        there.poll(there.source(), pattern=False)
    assert time.monotonic() - began < SLACK
    ended.set()


def test_errors_that_are_told_only_where_there_are_some(there: Estate) -> None:
    """A minute without is one without failures for counters too: neighbouring windows add up to what one of all is."""

    def some(data: list[Any]) -> list[Any]:
        kept = [step for one in data for step in one["metricValues"] if step["startTimeInMillis"] % 420_000 == 0]
        return [{**one, "metricValues": kept} for one in data]

    there.rewrite("Overall Application Performance|Errors per Minute", some)
    source = there.source("search")
    there.poll(source, pattern=False)
    ends = [there.end - 60.0 * minute for minute in range(15, -1, -1)]
    parts = [source.events("production", {"search": Window(*pair)})["search"] for pair in pairwise(ends)]
    whole = source.events("production", {"search": Window(ends[0], ends[-1])})["search"]
    assert [part.errors is None for part in parts] == [False] * 15
    assert sum(part.errors or 0.0 for part in parts) == pytest.approx(whole.errors)
    assert sum(part.requests or 0.0 for part in parts) == pytest.approx(whole.requests)
