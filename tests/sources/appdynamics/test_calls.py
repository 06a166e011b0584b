"""How many calls an observation makes: counted by the controller, and no more for more transactions, tiers or nodes."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from exporter.model.observation import Window
from tests.polling_controller import DAY, Estate, estate

APPLICATION = 5 + 1 + 1 + 2 + 2
"""Five series of minutes, the tiers, a percentile, routes (requests and failures), violations and events."""

HISTORY = 6
"""Days of the pattern beside the day that is observed."""


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Estate]:
    with estate(tmp_path) as estate_fixture:
        yield estate_fixture


def test_first_poll_and_later_ones(there: Estate) -> None:
    """The first requests whole days, one call each; later ones request new data."""
    source = there.source()
    first = there.poll(source)
    assert first.queries == there.controller.rest_requests == 1 + 4 * (APPLICATION + HISTORY)
    for _ in range(3):
        there.controller.forget()
        later = there.poll(source, after=300.0)
        assert later.queries == there.controller.rest_requests == 1 + 4 * APPLICATION
        assert {application.signals["request_rate"].samples for application in later.applications.values()} == {1440}
    spans = [(int(request.query["end-time"]) - int(request.query["start-time"])) / 60000 for request in minutes(there)]
    assert max(spans) <= 45, "half an hour again, five new minutes, and whole steps of ten minutes"


def minutes(there: Estate) -> list[Any]:
    return [request for request in there.controller.requests if request.query.get("rollup") == "false"]


def test_what_was_asked_piecemeal_is_what_is_asked_at_once(there: Estate) -> None:
    """After an hour of polls the day is the same as for somebody who asks for the first time."""
    source = there.source("shop")
    there.poll(source)
    for _ in range(12):
        later = there.poll(source, after=300.0)
    afresh = there.poll(there.source("shop"))
    assert later.applications == afresh.applications


def _more(number: int, at: int) -> Any:
    """An answer that has so many metrics instead, made of the first, with names of their own at a place of the path."""

    def change(data: list[Any]) -> list[Any]:
        result = []
        for count in range(number if data else 0):
            row = deepcopy(data[0])
            parts = row["metricPath"].split("|")
            parts[at] = f"GET /{count}" if at == 3 else f"tier {count}"
            result.append({**row, "metricPath": "|".join(parts)})
        return result

    return change


@pytest.mark.parametrize("number", [5, 500])
def test_calls_do_not_grow_with_transactions(there: Estate, number: int) -> None:
    """Five or five hundred business transactions are one call, and all are reported."""
    there.rewrite("Business Transaction", _more(number, 3))
    observation = there.poll(there.source("search"))
    assert observation.queries == there.controller.rest_requests == 1 + APPLICATION + HISTORY
    assert len(observation.applications["search"].routes) == number


@pytest.mark.parametrize("number", [1, 60])
def test_calls_do_not_grow_with_tiers(there: Estate, number: int) -> None:
    """One tier or sixty, with their nodes, cost the same."""
    there.rewrite("Hardware Resources", _more(number, 1))
    tiers = [{"id": count, "name": f"tier {count}", "numberOfNodes": 10} for count in range(number)]
    there.rewrite("/tiers", lambda _: tiers)
    observation = there.poll(there.source("search"))
    assert observation.queries == there.controller.rest_requests == 1 + APPLICATION + HISTORY
    assert observation.applications["search"].signals["cpu"].samples == 1440


def test_utilisation_is_weighed_by_nodes(there: Estate) -> None:
    """The mean over the tiers counts each with its nodes; those that are not configured do not count."""
    whole = there.poll(there.source("shop"), pattern=False).applications["shop"].signals["cpu"].mean
    options = there.options(("shop",))
    application = {"shop": type(options.applications["shop"])(tiers=("web", "wep"))}
    observation = there.poll(there.source(applications=application), pattern=False)
    web = observation.applications["shop"].signals["cpu"].mean
    assert whole is not None
    assert web is not None
    assert web > 1.05 * whole
    assert observation.warnings == ("shop has no tier 'wep' (but 'web')",)
    there.rewrite("/tiers", lambda data: [{**tier, "numberOfNodes": None} for tier in data])
    plain = there.poll(there.source("shop"), pattern=False)
    assert plain.applications["shop"].signals["cpu"].mean != pytest.approx(whole, rel=1e-3)
    [warning] = plain.warnings
    assert "cpu and memory are their unweighted mean" in warning


def test_two_tokens_in_ten_minutes(there: Estate) -> None:
    """A token lives five minutes: polls at 0 and 300 s take one each, however many calls they make."""
    source = there.source()
    there.poll(source)
    there.poll(source, after=300.0)
    assert there.controller.token_requests == 2


def test_a_look_back_costs_its_calls_once(there: Estate) -> None:
    """One call over 35 days shows the busy hours; later polls request the newest minutes alone."""
    source = there.source("archive", suffix="-pte")
    first = there.runs(source, days=35)
    [run] = first.applications
    assert run == "archive"
    requests = [request for request in minutes(there) if request.query["metric-path"].endswith("Calls per Minute")]
    whole, *pieces = requests
    assert (int(whole.query["end-time"]) - int(whole.query["start-time"])) / 1000 >= 35 * DAY
    assert len(pieces) == 1 + 9, "the newest hours, and a run on every fourth day"
    assert first.queries == there.controller.rest_requests == 1 + len(requests) + APPLICATION - 1
    there.controller.forget()
    later = there.runs(source, days=35, after=300.0)
    assert later.queries == there.controller.rest_requests == 2, "a run that is over costs nothing"
    assert later.applications == first.applications


def test_a_run_that_goes_on_is_asked_for_until_it_is_over(there: Estate) -> None:
    """During a run its newest minutes are requested; half an hour after its end it is cached."""
    source = there.source("shop", suffix="-pte")
    observation = there.runs(source, days=2)
    start, end = observation.applications["shop"].window.start, observation.applications["shop"].window.end
    there.clock.now = start + 2400.0 + 300.0
    source = there.source("shop", suffix="-pte")
    growing = there.runs(source, days=1)
    assert growing.applications["shop"].window == Window(start, start + 2400.0)
    growing = there.runs(source, days=1, after=300.0)
    assert growing.queries == 2 + APPLICATION - 1
    assert growing.applications["shop"].window == Window(start, start + 2700.0)
    there.clock.now = end + 300.0
    over = there.runs(source, days=1)
    assert over.applications["shop"].window == Window(start, end)
    there.runs(source, days=1, after=2100.0)
    assert there.runs(source, days=1, after=300.0).queries == 2


def test_a_run_that_ended_amid_an_incident_costs_its_calls_once(there: Estate) -> None:
    """An incident that ends after the run stays open in it, without new requests for the run."""
    there.clock.now += 6 * 3600.0
    run = there.runs(there.source("archive", suffix="-pte"), days=3).applications["archive"].window
    item = {"id": 1, "name": "rule", "startTimeInMillis": (run.start + 60) * 1000, "incidentStatus": "RESOLVED"}
    there.rewrite("healthrule", lambda _: [{**item, "endTimeInMillis": (run.end + 600) * 1000}])
    source = there.source("archive", suffix="-pte")
    first = there.runs(source, days=3).applications["archive"]
    assert [incident.end for incident in first.incidents or ()] == [None]
    later = there.runs(source, days=3, after=300.0)
    assert (later.applications["archive"], later.queries) == (first, 2)


def test_an_idle_pte_costs_two_calls(there: Estate) -> None:
    """Nothing ran in a day: no application, and later polls ask for the list and the newest minutes."""
    there.clock.now -= 12 * 3600.0
    source = there.source("checkout", suffix="-pte")
    assert there.runs(source, days=0.25).applications == {}
    later = there.runs(source, days=0.25, after=300.0)
    assert (later.applications, later.queries, later.warnings) == ({}, 2, ())


def test_events_of_the_pte_cost_their_failures(there: Estate) -> None:
    """Requests are known from the look-back, the applications from the poll: only failures are requested."""
    source = there.source("shop", suffix="-pte")
    there.runs(source, days=1)
    there.controller.forget()
    source.events("pte", {"shop": Window(there.end - 600.0, there.end)})
    assert [path.split("|")[-1] for path in there.paths()] == ["Errors per Minute"]
    assert there.controller.rest_requests == 1


def test_a_clock_that_is_put_back_makes_no_past(there: Estate) -> None:
    """After our clock was an hour ahead, polls continue from the cache."""
    source = there.source("search")
    day = Window(there.clock.now - DAY + 3600.0, there.clock.now + 3600.0)
    source.observe(day)
    there.controller.forget()
    for minutes in (0.0, 5.0):
        now = there.clock.now + minutes * 60.0
        observation = source.observe(Window(now - DAY, now))
        assert observation.applications["search"].signals["request_rate"].samples
    assert there.controller.rest_requests == 2 * (1 + APPLICATION) + 5, "and the hour that the day then begins earlier"
