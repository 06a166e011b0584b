"""Observations of an AppDynamics controller agree with the made-up shop, as far as a controller can know."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from exporter.demo.incidents import incidents
from exporter.demo.shop import APPLICATIONS
from exporter.model.observation import ApplicationObservation, Observation, Window
from exporter.sources import demo
from tests.polling_controller import DAY, Estate, choose, estate
from tests.seed import END, SEED

FIELDS = ("mean", "peak", "min", "stddev", "noise", "autocorrelation", "samples")
SIGNALS = {"request_rate", "error_ratio", "latency_mean", "cpu", "memory"}
SHOP = demo.Source(demo.Options(SEED), "side")
LOOKBACK = Window(END - 9 * DAY, END)


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    with estate(tmp_path_factory.mktemp("exact")) as estate_fixture:
        yield estate_fixture


@pytest.fixture(scope="module")
def production(there: Estate) -> Observation:
    return there.poll(there.source())


@pytest.fixture(scope="module")
def runs(there: Estate) -> Observation:
    return there.runs(there.source(suffix="-pte"))


def agree(application: ApplicationObservation, other: ApplicationObservation, within: float) -> None:
    """Every figure of every signal, and figures of the whole window."""
    assert application.window == other.window
    assert set(application.signals) == SIGNALS & set(other.signals)
    for signal, summary in application.signals.items():
        assert summary.resolution == 60.0
        for field in FIELDS:
            actual, right = getattr(summary, field), getattr(other.signals[signal], field)
            assert actual == (right if right is None else pytest.approx(right, rel=within, abs=1e-12)), (signal, field)
        assert summary.quantiles == pytest.approx(other.signals[signal].quantiles, rel=within)
    assert (application.latency is None) == (other.latency is None)
    if application.latency is not None and other.latency is not None:
        assert application.latency.mean == pytest.approx(other.latency.mean, rel=within)
        assert application.latency.requests == pytest.approx(other.latency.requests, rel=within)
    mine, right = ({(route.method, route.route): route for route in item.routes} for item in (application, other))
    assert set(mine) == set(right)
    for key, entry in mine.items():
        assert entry.requests == pytest.approx(right[key].requests, rel=within, abs=1e-9)
        assert entry.successes == pytest.approx(right[key].successes, rel=within, abs=1e-9)


def test_production_is_the_demo(production: Observation) -> None:
    """All signals that a controller has, mean latency, routes and the pattern are the demo's own."""
    right = SHOP.observe(production.window, Window(END - 7 * DAY, END))
    assert set(production.applications) == set(right.applications)
    for name, application in production.applications.items():
        agree(application, right.applications[name], 1e-9)
        actual, expected = application.pattern, right.applications[name].pattern
        assert actual is not None
        assert expected is not None
        assert actual.times == expected.times
        assert actual.values == pytest.approx(expected.values)
    assert production.warnings == ()


def test_runs_are_the_demo_s(runs: Observation) -> None:
    """Runs are detected at their real times, minute by minute."""
    right = SHOP.observe_runs(LOOKBACK, 1.0, choose)
    assert set(runs.applications) == set(right.applications) == {"shop", "checkout", "archive"}
    for name, application in runs.applications.items():
        agree(application, right.applications[name], 1e-9)
        assert application.run == right.applications[name].run
        assert application.minutes is not None
        assert application.minutes.values == pytest.approx(right.applications[name].minutes.values)  # type: ignore[union-attr]


def test_whole_numbers_cost_little(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A controller that rounds, as they do, gives means within a thousandth and loses no rare transaction."""
    with estate(tmp_path_factory.mktemp("rounded"), exact=False) as there:
        observation = there.poll(there.source(), pattern=False)
    right = SHOP.observe(observation.window)
    for name in ("shop", "checkout", "search"):
        application, other = observation.applications[name], right.applications[name]
        for signal in SIGNALS:
            mean = other.signals[signal].mean
            assert application.signals[signal].mean == pytest.approx(mean, rel=1e-3 if signal != "cpu" else 1e-2), (
                signal
            )
        requests = {(route.method, route.route): route.requests for route in other.routes}
        assert {(route.method, route.route): route.requests for route in application.routes} == pytest.approx(
            requests, abs=1.0
        )


def test_p95_is_the_controller_s_own(there: Estate) -> None:
    """It is asked for once over the whole window, never put together from minutes."""
    there.controller.forget()
    application = there.poll(there.source("shop"), pattern=False).applications["shop"]
    requests = [request for request in there.controller.requests if "95th" in request.query.get("metric-path", "")]
    assert [item.query["rollup"] for item in requests] == ["true"]
    start, end = (int(requests[0].query[key]) for key in ("start-time", "end-time"))
    assert (start, end) == ((END - DAY) * 1000, END * 1000)
    actual: list[float] = []
    there.rewrite(
        "95th Percentile",
        lambda data: actual.append(data[0]["metricValues"][0]["value"]) or data,  # type: ignore[func-returns-value]
    )
    again = there.poll(there.source("shop"), pattern=False).applications["shop"]
    there.controller.faults.clear()
    assert application.latency is not None
    assert again.latency == application.latency
    assert [application.latency.p95] == [pytest.approx(item / 1000.0) for item in actual]
    assert (application.latency.p50, application.latency.p99, application.latency.buckets) == (None, None, ())


def test_incidents_are_those_of_the_shop(production: Observation, runs: Observation) -> None:
    """Violations and events of the day are incidents; open ones have no end; the PTE has none."""
    there = [
        application for application in APPLICATIONS if incidents(SEED, "production", application, production.window)
    ]
    assert {item.name for item in there} >= {"checkout", "search"}
    for entry in APPLICATIONS:
        actual_incidents = production.applications[entry.name].incidents
        assert actual_incidents is not None
        right = incidents(SEED, "production", entry, production.window)
        assert [replace(item, text="") for item in actual_incidents] == [replace(item, text="") for item in right]
        assert all("<" not in item.text and "\n" not in item.text for item in actual_incidents)
    assert all(application.incidents == () for application in runs.applications.values())


def test_events_are_off_when_none_are_wanted(there: Estate) -> None:
    """With an empty list of types only violations are asked for."""
    there.controller.forget()
    actual_incidents = there.poll(there.source("search", events=()), pattern=False).applications["search"].incidents
    assert actual_incidents is not None
    assert {item.kind for item in actual_incidents} == {"violation"}
    assert not [request for request in there.controller.requests if request.path.endswith("/events")]


def test_names_of_transactions(there: Estate) -> None:
    """The table comes first, then the name itself; other names are unmapped, and listed in one warning."""

    def renamed(data: list[object]) -> list[object]:
        new = {"GET /search": "/search.GET", "GET /suggest": "_APPDYNAMICS_DEFAULT_TX_", "GET /facets/{name}": "Facets"}
        for metric in data:
            assert isinstance(metric, dict)
            parts = metric["metricPath"].split("|")
            metric["metricPath"] = "|".join(new.get(part, part) for part in parts)
        return data

    there.rewrite("Business Transaction", renamed)
    try:
        observation = there.poll(there.source("search"), pattern=False)
        tabled = there.poll(there.source("search", routes={"Facets": "GET /facets/{name}"}), pattern=False)
    finally:
        there.controller.faults.clear()
    application = {(route.method, route.route) for route in observation.applications["search"].routes}
    assert application == {("GET", "/search"), ("unmapped", "All Other Traffic"), ("unmapped", "Facets")}
    assert observation.warnings == ("search: no route is known of Facets: add them to `routes`",)
    application = {(route.method, route.route) for route in tabled.applications["search"].routes}
    assert application == {("GET", "/search"), ("unmapped", "All Other Traffic"), ("GET", "/facets/{name}")}
    assert tabled.warnings == ()


def test_transactions_of_one_route_are_added_up(there: Estate) -> None:
    """Two transactions that the table gives one route count together, failures and all."""
    table = {"GET /suggest": "GET /search", "GET /facets/{name}": "GET /search"}
    apart = there.poll(there.source("search"), pattern=False).applications["search"]
    [application] = there.poll(there.source("search", routes=table), pattern=False).applications["search"].routes
    assert (application.method, application.route) == ("GET", "/search")
    assert application.requests == pytest.approx(sum(route.requests for route in apart.routes))
    assert application.successes == pytest.approx(sum(route.successes or 0.0 for route in apart.routes))


def test_events_to_count_cost_nothing_after_a_poll(there: Estate) -> None:
    """Events since the last poll come from the cached minutes of that poll."""
    source = there.source("shop", "archive")
    application = there.poll(source, pattern=False).applications["shop"]
    there.controller.forget()
    hour = Window(END - 3600.0, END)
    events = source.events("production", {"shop": there.day(), "archive": hour, "nobody": hour})
    assert there.controller.rest_requests == 0
    assert set(events) == {"shop", "archive"}
    assert application.latency is not None
    assert events["shop"].requests == pytest.approx(application.latency.requests)
    assert (events["archive"].requests, events["archive"].errors) == (0.0, 0.0)
