"""Check-ups of a controller that lets us in: names, metrics and rights; a golden transcript for each failure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from exporter.appdynamics.options import Application
from exporter.appdynamics.probing import CALLS
from exporter.demo.controller import Answer, Asked, Fault, faults
from exporter.demo.controller.answers import as_json
from tests.appdynamics.checking import Stand, causes, one, plain, standing, troubles

SHOP = Application()
METRICS, BROWSED = "*/metric-data", "*/metrics"


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    plain(monkeypatch, tmp_path)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    with standing(tmp_path_factory.mktemp("stand")) as one:
        yield one


@pytest.fixture
def stand(running: Stand) -> Stand:
    running.clean()
    return running


def renamed(names: dict[str, str]) -> tuple[Fault, Fault]:
    """Transactions that the controller calls otherwise, in its list and in its metrics."""

    def listed(_asked: Asked, answer: Answer) -> Answer:
        rows = msgspec.json.decode(answer.body)
        return replace(
            answer, body=as_json([{**row, "name": names.get(row["name"], row["name"])} for row in rows]).body
        )

    def measured(_asked: Asked, answer: Answer) -> Answer:
        rows = msgspec.json.decode(answer.body)
        for row in rows:
            parts = row["metricPath"].split("|")
            row["metricPath"] = "|".join(names.get(part, part) for part in parts)
        return replace(answer, body=as_json(rows).body)

    return Fault(listed, "*/business-transactions"), Fault(measured, METRICS)


def test_all_is_well_in_production(stand: Stand) -> None:
    """Every step is well, and its calls are told; they are few."""
    steps = stand.shown("well-production", stand.examined(applications={"shop": Application(tiers=("web", "app"))}))
    assert {each.verdict for each in steps} == {"ok"}
    assert f"this check-up took {stand.controller.rest_requests - 1} calls" in one(steps, "budget").found
    assert stand.controller.rest_requests < 30
    assert stand.controller.token_requests == 2


def test_all_is_well_in_the_pte(stand: Stand) -> None:
    """No test runs just now, and that is well: the latest run is found, and is had in minutes."""
    steps = stand.examined("pte", applications={"shop": Application(name="shop-pte")})
    stand.shown("well-pte", steps)
    assert {each.verdict for each in steps} == {"ok"}
    assert "the latest activity, of shop at 2026-11-19 04:00 UTC, came in minutes" in one(steps, "resolution").found


def test_many_applications_are_not_many_calls(stand: Stand) -> None:
    """All are looked for; the metrics of the first four are looked at, and that is said."""
    names = ("shop", "checkout", "search", "shop-pte", "checkout-pte", "search-pte", "archive", "archive-pte")
    steps = stand.examined(applications={name: Application() for name in names})
    assert one(steps, "applications", "archive-pte").verdict == "ok"
    assert one(steps, "metrics", "calls").tried.endswith("of the first 4 of 8 applications")
    assert stand.controller.rest_requests < CALLS


def test_no_application(stand: Stand) -> None:
    """A role that may view nothing gives an empty list, and no error."""
    stand.controller.hidden |= {
        one + side for one in ("shop", "checkout", "search", "archive") for side in ("", "-pte")
    }
    steps = stand.shown("no-application", stand.examined())
    assert troubles(steps) == {"applications": "failed"}
    assert "Applications & Dashboards Viewer" in one(steps, "applications").causes[0].remedy
    assert one(steps, "metrics", "calls").verdict == "skipped"


def test_the_list_of_applications_is_forbidden(stand: Stand) -> None:
    """A token that opens nothing is told from one that is not taken."""
    stand.controller.faults.add(faults.forbidden("*/rest/applications"))
    steps = stand.shown("applications-forbidden", stand.examined())
    assert troubles(steps) == {"applications": "failed"}
    assert "may not even list" in one(steps, "applications").causes[0].text
    stand.clean()
    stand.controller.door.life, stand.controller.door.told = -1.0, 300.0
    [failed] = [each for each in stand.examined() if each.verdict == "failed"]
    assert (failed.check, failed.subject) == ("applications", "")
    assert "expired sooner than it said" in failed.causes[0].text


def test_an_application_is_misspelt(stand: Stand) -> None:
    """The near names are told; another application goes on."""
    steps = stand.examined(applications={"shop": SHOP, "pay": Application(name="Check-Out")})
    stand.shown("application", steps)
    assert troubles(steps) == {"applications pay": "failed"}
    assert "applications.pay.name: checkout" in causes(one(steps, "applications", "pay"))
    assert one(steps, "transactions", "pay").verdict == "skipped"
    assert one(steps, "metrics", "calls").found.startswith("shop: 60 values")


def test_nothing_like_it(stand: Stand) -> None:
    """Where no name is near, the rights and the page to look at are told."""
    steps = stand.examined(applications={"warehouse": SHOP})
    told = causes(one(steps, "applications", "warehouse"))
    assert "View on the application" in told
    assert "the page Applications" in told
    assert one(steps, "budget").verdict == "skipped"


def test_names_of_the_table_that_do_not_exist(stand: Stand) -> None:
    """Each is told with the names it may stand for, in an application's own table and in the one for all."""
    own = Application(routes={"GET /card": "GET /cart", "xyzzy": "GET /x"})
    steps = stand.examined(applications={"shop": own}, routes={"GET /Products": "GET /products", "Nobody": "GET /n"})
    stand.shown("routes", steps)
    assert troubles(steps) == {"transactions shop": "warning", "transactions routes": "warning"}
    assert "write 'GET /cart'" in causes(one(steps, "transactions", "shop"))
    assert "'xyzzy'" in causes(one(steps, "transactions", "shop"))
    assert "'GET /products'" in causes(one(steps, "transactions", "routes"))
    assert "'Nobody' is no transaction of any application" in causes(one(steps, "transactions", "routes"))


def test_transactions_without_a_route(stand: Stand) -> None:
    """Names that are no method and path are told, the busiest first, with their share of the calls."""
    stand.controller.faults.add(*renamed({"GET /products": "ProductList", "GET /cart": "CartService.show"}))
    steps = stand.shown("unmapped", stand.examined())
    assert troubles(steps) == {"transactions shop": "warning"}
    found = one(steps, "transactions", "shop").found
    assert "43 of 45 names stand for a route" in found
    assert "% of the calls of the last hour" in found
    assert "applications.shop.routes: {" in causes(one(steps, "transactions", "shop"))
    table = {"ProductList": "GET /products", "CartService.show": "GET /cart"}
    assert not troubles(stand.examined(applications={"shop": Application(routes=table)}))


def test_all_other_traffic(stand: Stand) -> None:
    """A limit of the agents that is reached is told with its share and what to do."""
    stand.controller.faults.add(*renamed({"GET /products": "_APPDYNAMICS_DEFAULT_TX_"}))
    steps = stand.shown("overflow", stand.examined())
    assert troubles(steps) == {"transactions shop": "warning"}
    assert "All Other Traffic, " in one(steps, "transactions", "shop").found
    assert "50 transactions of an agent, 200 of an application" in causes(one(steps, "transactions", "shop"))


def test_no_transactions(stand: Stand) -> None:
    """An application without any has no endpoints, and that is said."""
    stand.controller.faults.add(faults.instead(as_json([]), "*/business-transactions"))
    steps = stand.examined()
    assert troubles(steps) == {"transactions shop": "warning"}
    assert "coverage has no evidence" in one(steps, "transactions", "shop").found


def test_a_tier_that_does_not_exist(stand: Stand) -> None:
    """It is told with those that do."""
    steps = stand.shown("tier", stand.examined(applications={"shop": Application(tiers=("webb", "app"))}))
    assert troubles(steps) == {"tiers shop": "failed"}
    assert "applications.shop.tiers: web instead" in causes(one(steps, "tiers", "shop"))


@pytest.mark.parametrize(
    ("key", "path", "told"),
    [
        ("calls", "Overall Application Performance|Call per Minute", "no 'Call per Minute', but 'Calls per Minute'"),
        (
            "cpu",
            "Application Infrastructure Performance|*|Hardware|CPU|%Busy",
            "no 'Hardware', but 'Hardware Resources'",
        ),
        ("errors", "Overall|Errors per Minute", "below the root there is no 'Overall', but 'Overall Application"),
        (
            "memory",
            "Application Infrastructure Performance|*|Hardware Resources|Memory|Used %|Now",
            "nothing below Application Infrastructure Performance|web|Hardware Resources|Memory|Used %",
        ),
    ],
)
def test_a_path_that_is_wrong(stand: Stand, key: str, path: str, told: str) -> None:
    """The first part that does not exist is told, and what is there instead."""
    steps = stand.examined(metrics={key: path})
    if key == "calls":
        stand.shown("metric", steps)
        assert one(steps, "resolution").verdict == "skipped"
    assert troubles(steps)[f"metrics {key}"] == "failed"
    assert told in one(steps, "metrics", key).causes[0].text
    assert f"metrics.{key}" in causes(one(steps, "metrics", key))


def test_no_percentile(stand: Stand) -> None:
    """P95 is often not there: a warning says that it will have no evidence, and why."""
    stand.controller.faults.add(faults.without_percentiles(), unregistered("Percentile"))
    steps = stand.shown("no-percentile", stand.examined())
    assert troubles(steps) == {"metrics latency_p95": "warning"}
    told = causes(one(steps, "metrics", "latency_p95"))
    assert "latency P95 will have no evidence" in told
    assert "Java's and .NET's do" in told


def unregistered(part: str) -> Fault:
    """Names with this in them are not in the tree of metrics either."""

    def change(_asked: Asked, answer: Answer) -> Answer:
        rows: Any = msgspec.json.decode(answer.body)
        return replace(answer, body=as_json([row for row in rows if part not in row["name"]]).body)

    return Fault(change, BROWSED)


def test_no_machine_agent(stand: Stand) -> None:
    """Without utilisation the rest is well, and what measures it is named."""
    stand.controller.faults.add(faults.without_metric("Hardware Resources"))
    steps = stand.examined()
    assert troubles(steps) == {"metrics cpu": "warning", "metrics memory": "warning"}
    assert "no machine agent" in causes(one(steps, "metrics", "cpu"))
    assert not troubles(stand.examined(metrics={"cpu": None, "memory": None}))


def not_found(part: str) -> Fault:
    """Metrics whose path has this in it have no data."""

    def change(_asked: Asked, answer: Answer) -> Answer:
        rows: Any = msgspec.json.decode(answer.body)
        for row in rows:
            if part in row["metricPath"]:
                row.update(metricName="METRIC DATA NOT FOUND", metricValues=[])
        return replace(answer, body=as_json(rows).body)

    return Fault(change, METRICS)


def test_no_data(stand: Stand) -> None:
    """Known metrics without values mean no traffic or agents that are down; it is told once, of the calls."""
    stand.controller.faults.add(not_found(""))
    steps = stand.shown("no-data", stand.examined())
    assert set(troubles(steps)) == {"metrics calls", "resolution"}
    assert set(troubles(steps).values()) == {"warning"}
    assert "the agents are down" in causes(one(steps, "metrics", "calls"))


def test_data_of_some_metrics_only(stand: Stand) -> None:
    """With calls but without their times an agent is at fault; without errors there were none."""
    stand.controller.faults.add(not_found("Response Time"), not_found("Errors"))
    steps = stand.examined()
    assert troubles(steps) == {"metrics latency_mean": "warning", "metrics latency_p95": "warning"}
    assert "there were none" in one(steps, "metrics", "errors").found


def test_sentinels(stand: Stand) -> None:
    """Numbers that stand for none are left out, and counted."""
    stand.controller.faults.add(faults.sentinels())
    steps = stand.examined()
    assert "30 more left out that stand for none" in one(steps, "metrics", "calls").found
    stand.clean()
    stand.controller.faults.add(faults.sentinels(every=1))
    assert one(stand.examined(), "metrics", "calls").verdict == "warning"


def test_metrics_are_forbidden(stand: Stand) -> None:
    """A role that lists applications and gives no metrics is told at each metric."""
    stand.controller.faults.add(faults.forbidden(METRICS))
    steps = stand.examined()
    assert troubles(steps)["metrics calls"] == "failed"
    assert "may list the application and not see its metrics" in causes(one(steps, "metrics", "calls"))


def test_too_many_requests(stand: Stand) -> None:
    """A limit of the controller is told with what else may use it up."""
    stand.controller.faults.add(faults.too_many("7", "*/rest/applications"))
    steps = stand.shown("too-many", stand.examined())
    assert troubles(steps) == {"applications": "failed"}
    assert "429" in one(steps, "applications").found
    assert "others use up the same limit" in causes(one(steps, "applications"))


def test_unavailable(stand: Stand) -> None:
    """503 with an empty body, which is all that a controller says while it starts."""
    stand.controller.faults.add(faults.unavailable("*/rest/applications"))
    steps = stand.shown("unavailable", stand.examined())
    assert troubles(steps) == {"applications": "failed"}
    assert "503" in one(steps, "applications").found
    assert "down or starting" in causes(one(steps, "applications"))


@pytest.mark.parametrize(
    ("page", "check", "verdict"),
    [
        ("*/events", "events", "failed"),
        ("*/healthrule-violations", "violations", "failed"),
        ("*/request-snapshots", "snapshots", "warning"),
    ],
)
def test_a_right_is_missing(stand: Stand, page: str, check: str, verdict: str) -> None:
    """What the role may not read is told by itself; snapshots are no failure, as nothing uses them."""
    stand.controller.faults.add(faults.forbidden(page))
    steps = stand.shown(f"{check}-forbidden", stand.examined())
    assert troubles(steps) == {f"rights {check}": verdict}
    assert f"the role may not see {check}" in causes(one(steps, "rights", check))


def test_an_unknown_type_of_event(stand: Stand) -> None:
    """One makes the controller refuse all: it is found, and the type that may be meant."""
    steps = stand.shown("event-type", stand.examined(events=("DEADLOCK", "DEPLOYMENT", "SNAFU")))
    assert troubles(steps) == {"rights events": "failed"}
    found = one(steps, "rights", "events")
    assert "no type of event is DEPLOYMENT and SNAFU" in found.found
    assert [cause.remedy for cause in found.causes] == [
        "write APPLICATION_DEPLOYMENT instead, or take it away",
        "take it away",
    ]
    assert not [each for each in stand.examined(events=()) if each.subject == "events"]
