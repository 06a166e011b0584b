"""What an AppDynamics controller tells of the made-up shop is what the shop did, as far as a controller can know."""

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
    with estate(tmp_path_factory.mktemp("exact")) as one:
        yield one


@pytest.fixture(scope="module")
def production(there: Estate) -> Observation:
    return there.poll(there.source())


@pytest.fixture(scope="module")
def runs(there: Estate) -> Observation:
    return there.runs(there.source(suffix="-pte"))


def agree(one: ApplicationObservation, other: ApplicationObservation, within: float) -> None:
    """Every figure of every signal, and what is told of the whole window."""
    assert one.window == other.window
    assert set(one.signals) == SIGNALS & set(other.signals)
    for signal, summary in one.signals.items():
        assert summary.resolution == 60.0
        for field in FIELDS:
            told, right = getattr(summary, field), getattr(other.signals[signal], field)
            assert told == (right if right is None else pytest.approx(right, rel=within, abs=1e-12)), (signal, field)
        assert summary.quantiles == pytest.approx(other.signals[signal].quantiles, rel=within)
    assert (one.latency is None) == (other.latency is None)
    if one.latency is not None and other.latency is not None:
        assert one.latency.mean == pytest.approx(other.latency.mean, rel=within)
        assert one.latency.requests == pytest.approx(other.latency.requests, rel=within)
    mine, right = ({(each.method, each.route): each for each in seen.routes} for seen in (one, other))
    assert set(mine) == set(right)
    for key, each in mine.items():
        assert each.requests == pytest.approx(right[key].requests, rel=within, abs=1e-9)
        assert each.successes == pytest.approx(right[key].successes, rel=within, abs=1e-9)


def test_production_is_the_demo(production: Observation) -> None:
    """All signals that a controller has, mean latency, routes and the pattern are the demo's own."""
    right = SHOP.observe(production.window, Window(END - 7 * DAY, END))
    assert set(production.applications) == set(right.applications)
    for name, one in production.applications.items():
        agree(one, right.applications[name], 1e-9)
        told, wanted = one.pattern, right.applications[name].pattern
        assert told is not None
        assert wanted is not None
        assert told.times == wanted.times
        assert told.values == pytest.approx(wanted.values)
    assert production.warnings == ()


def test_runs_are_the_demo_s(runs: Observation) -> None:
    """Runs are found where they were, minute by minute."""
    right = SHOP.observe_runs(LOOKBACK, 1.0, choose)
    assert set(runs.applications) == set(right.applications) == {"shop", "checkout", "archive"}
    for name, one in runs.applications.items():
        agree(one, right.applications[name], 1e-9)
        assert one.run == right.applications[name].run
        assert one.minutes is not None
        assert one.minutes.values == pytest.approx(right.applications[name].minutes.values)  # type: ignore[union-attr]


def test_whole_numbers_cost_little(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A controller that rounds, as they do, gives means within a thousandth and loses no rare transaction."""
    with estate(tmp_path_factory.mktemp("rounded"), exact=False) as there:
        seen = there.poll(there.source(), pattern=False)
    right = SHOP.observe(seen.window)
    for name in ("shop", "checkout", "search"):
        one, other = seen.applications[name], right.applications[name]
        for signal in SIGNALS:
            mean = other.signals[signal].mean
            assert one.signals[signal].mean == pytest.approx(mean, rel=1e-3 if signal != "cpu" else 1e-2), signal
        requests = {(each.method, each.route): each.requests for each in other.routes}
        assert {(each.method, each.route): each.requests for each in one.routes} == pytest.approx(requests, abs=1.0)


def test_p95_is_the_controller_s_own(there: Estate) -> None:
    """It is asked for once over the whole window, never put together from minutes."""
    there.controller.forget()
    seen = there.poll(there.source("shop"), pattern=False).applications["shop"]
    asked = [one for one in there.controller.requests if "95th" in one.query.get("metric-path", "")]
    assert [one.query["rollup"] for one in asked] == ["true"]
    start, end = (int(asked[0].query[key]) for key in ("start-time", "end-time"))
    assert (start, end) == ((END - DAY) * 1000, END * 1000)
    told: list[float] = []
    there.rewrite(
        "95th Percentile",
        lambda data: told.append(data[0]["metricValues"][0]["value"]) or data,  # type: ignore[func-returns-value]
    )
    again = there.poll(there.source("shop"), pattern=False).applications["shop"]
    there.controller.faults.clear()
    assert seen.latency is not None
    assert again.latency == seen.latency
    assert [seen.latency.p95] == [pytest.approx(one / 1000.0) for one in told]
    assert (seen.latency.p50, seen.latency.p99, seen.latency.buckets) == (None, None, ())


def test_incidents_are_those_of_the_shop(production: Observation, runs: Observation) -> None:
    """Violations and events of the day are told as incidents; what is open has no end; the PTE has none."""
    there = [one for one in APPLICATIONS if incidents(SEED, "production", one, production.window)]
    assert {one.name for one in there} >= {"checkout", "search"}
    for one in APPLICATIONS:
        told = production.applications[one.name].incidents
        assert told is not None
        right = incidents(SEED, "production", one, production.window)
        assert [replace(each, text="") for each in told] == [replace(each, text="") for each in right]
        assert all("<" not in each.text and "\n" not in each.text for each in told)
    assert all(one.incidents == () for one in runs.applications.values())


def test_events_are_off_when_none_are_wanted(there: Estate) -> None:
    """With an empty list of types only violations are asked for."""
    there.controller.forget()
    told = there.poll(there.source("search", events=()), pattern=False).applications["search"].incidents
    assert told is not None
    assert {one.kind for one in told} == {"violation"}
    assert not [one for one in there.controller.requests if one.path.endswith("/events")]


def test_names_of_transactions(there: Estate) -> None:
    """The table comes first, then the name itself; what is neither is unmapped, and told once in a warning."""

    def renamed(data: list[object]) -> list[object]:
        new = {"GET /search": "/search.GET", "GET /suggest": "_APPDYNAMICS_DEFAULT_TX_", "GET /facets/{name}": "Facets"}
        for metric in data:
            assert isinstance(metric, dict)
            parts = metric["metricPath"].split("|")
            metric["metricPath"] = "|".join(new.get(part, part) for part in parts)
        return data

    there.rewrite("Business Transaction", renamed)
    try:
        seen = there.poll(there.source("search"), pattern=False)
        tabled = there.poll(there.source("search", routes={"Facets": "GET /facets/{name}"}), pattern=False)
    finally:
        there.controller.faults.clear()
    found = {(one.method, one.route) for one in seen.applications["search"].routes}
    assert found == {("GET", "/search"), ("unmapped", "All Other Traffic"), ("unmapped", "Facets")}
    assert seen.warnings == ("search: no route is known of Facets: add them to `routes`",)
    found = {(one.method, one.route) for one in tabled.applications["search"].routes}
    assert found == {("GET", "/search"), ("unmapped", "All Other Traffic"), ("GET", "/facets/{name}")}
    assert tabled.warnings == ()


def test_transactions_of_one_route_are_added_up(there: Estate) -> None:
    """Two transactions that the table gives one route count together, failures and all."""
    table = {"GET /suggest": "GET /search", "GET /facets/{name}": "GET /search"}
    apart = there.poll(there.source("search"), pattern=False).applications["search"]
    [one] = there.poll(there.source("search", routes=table), pattern=False).applications["search"].routes
    assert (one.method, one.route) == ("GET", "/search")
    assert one.requests == pytest.approx(sum(each.requests for each in apart.routes))
    assert one.successes == pytest.approx(sum(each.successes or 0.0 for each in apart.routes))


def test_events_to_count_cost_nothing_after_a_poll(there: Estate) -> None:
    """What was served since the last poll is in the minutes that the poll asked for."""
    source = there.source("shop", "archive")
    seen = there.poll(source, pattern=False).applications["shop"]
    there.controller.forget()
    hour = Window(END - 3600.0, END)
    told = source.events("production", {"shop": there.day(), "archive": hour, "nobody": hour})
    assert there.controller.rest_requests == 0
    assert set(told) == {"shop", "archive"}
    assert seen.latency is not None
    assert told["shop"].requests == pytest.approx(seen.latency.requests)
    assert (told["archive"].requests, told["archive"].errors) == (0.0, 0.0)
