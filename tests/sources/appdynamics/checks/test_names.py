"""Check-ups of a controller that lets us in: applications, transactions and tiers; a transcript for each failure."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from deploy.stack.controller import Answer, Fault, Request, faults
from deploy.stack.controller.messages import as_json
from exporter.sources.appdynamics.checks.probe import CALLS
from exporter.sources.appdynamics.options import ControllerApplication
from tests.sources.appdynamics.checking import Stand, causes, step_of, troubles

SHOP = ControllerApplication()


def renamed(names: dict[str, str]) -> tuple[Fault, Fault]:
    """Transactions that the controller calls otherwise, in its list and in its metrics."""

    def listed(request: Request, answer: Answer) -> Answer:
        rows = msgspec.json.decode(answer.body)
        return replace(
            answer, body=as_json([{**row, "name": names.get(row["name"], row["name"])} for row in rows]).body
        )

    def measured(request: Request, answer: Answer) -> Answer:
        rows = msgspec.json.decode(answer.body)
        for row in rows:
            parts = row["metricPath"].split("|")
            row["metricPath"] = "|".join(names.get(part, part) for part in parts)
        return replace(answer, body=as_json(rows).body)

    return Fault(listed, "*/business-transactions"), Fault(measured, "*/metric-data")


def test_all_is_well_in_production(stand: Stand) -> None:
    """Every step is ok and reports its calls, which are few."""
    steps = stand.assert_transcript(
        "well-production", stand.examined(applications={"shop": ControllerApplication(tiers=("web", "app"))})
    )
    assert {step.verdict for step in steps} == {"ok"}
    assert f"this check-up took {stand.controller.rest_requests - 1} calls" in step_of(steps, "budget").result
    assert stand.controller.rest_requests < 30
    assert stand.controller.token_requests == 2


def test_all_is_well_in_the_pte(stand: Stand) -> None:
    """Without a running test all is ok: the latest run is detected, in minutes."""
    steps = stand.examined("pte", applications={"shop": ControllerApplication(name="shop-pte")})
    stand.assert_transcript("well-pte", steps)
    assert {step.verdict for step in steps} == {"ok"}
    assert (
        "the latest activity, of shop at 2026-11-19 04:00 UTC, came in minutes" in step_of(steps, "resolution").result
    )


def test_many_applications_are_not_many_calls(stand: Stand) -> None:
    """All are searched; metrics of the first four are checked, and the text says so."""
    names = ("shop", "checkout", "search", "shop-pte", "checkout-pte", "search-pte", "archive", "archive-pte")
    steps = stand.examined(applications={name: ControllerApplication() for name in names})
    assert step_of(steps, "applications", "archive-pte").verdict == "ok"
    assert step_of(steps, "metrics", "calls").tried.endswith("of the first 4 of 8 applications")
    assert stand.controller.rest_requests < CALLS


def test_no_application(stand: Stand) -> None:
    """A role that may view nothing gives an empty list, and no error."""
    stand.controller.hidden |= {
        item + side for item in ("shop", "checkout", "search", "archive") for side in ("", "-pte")
    }
    steps = stand.assert_transcript("no-application", stand.examined())
    assert troubles(steps) == {"applications": "failed"}
    assert "Applications & Dashboards Viewer" in step_of(steps, "applications").causes[0].remedy
    assert step_of(steps, "metrics", "calls").verdict == "skipped"


def test_the_list_of_applications_is_forbidden(stand: Stand) -> None:
    """A token without rights is distinguished from a rejected one."""
    stand.controller.faults.add(faults.forbidden("*/rest/applications"))
    steps = stand.assert_transcript("applications-forbidden", stand.examined())
    assert troubles(steps) == {"applications": "failed"}
    assert "may not even list" in step_of(steps, "applications").causes[0].text
    stand.clean()
    stand.controller.access.lifetime, stand.controller.access.announced = -1.0, 300.0
    [failed] = [step for step in stand.examined() if step.verdict == "failed"]
    assert (failed.check, failed.subject) == ("applications", "")
    assert "expired earlier than announced" in failed.causes[0].text


def test_an_application_is_misspelt(stand: Stand) -> None:
    """Each finding suggests similar names; the checks of another application run anyway."""
    wrong = {"pay": ControllerApplication(name="Check-Out"), "find": ControllerApplication(name="Search")}
    steps = stand.examined(applications={**wrong, "shop": SHOP})
    stand.assert_transcript("application", steps)
    assert troubles(steps) == {"applications pay": "failed", "applications find": "failed"}
    assert {step.subject for step in steps if step.verdict == "skipped"} == {"pay", "find"}
    assert "applications.find.name: search" in causes(step_of(steps, "applications", "find"))
    assert "applications.pay.name: checkout" in causes(step_of(steps, "applications", "pay"))
    assert step_of(steps, "transactions", "pay").verdict == "skipped"
    assert step_of(steps, "metrics", "calls").result.startswith("shop: 60 values")


def test_nothing_like_it(stand: Stand) -> None:
    """Without a similar name, the remedy names the rights and the page to check."""
    steps = stand.examined(applications={"warehouse": SHOP})
    cause_texts = causes(step_of(steps, "applications", "warehouse"))
    assert "View on the application" in cause_texts
    assert "the page Applications" in cause_texts
    assert step_of(steps, "budget").verdict == "skipped"


def test_names_of_the_table_that_do_not_exist(stand: Stand) -> None:
    """Each is reported with suggestions, in an application's own table and in the one for all."""
    own = ControllerApplication(routes={"GET /card": "GET /cart", "xyzzy": "GET /x"})
    steps = stand.examined(applications={"shop": own}, routes={"GET /Products": "GET /products", "Nobody": "GET /n"})
    stand.assert_transcript("routes", steps)
    assert troubles(steps) == {"transactions shop": "warning", "transactions routes": "warning"}
    assert "write 'GET /cart'" in causes(step_of(steps, "transactions", "shop"))
    assert "'xyzzy'" in causes(step_of(steps, "transactions", "shop"))
    assert "'GET /products'" in causes(step_of(steps, "transactions", "routes"))
    assert "'Nobody' is not a transaction of any application" in causes(step_of(steps, "transactions", "routes"))


def test_transactions_without_a_route(stand: Stand) -> None:
    """Names without method and path are reported, the busiest first, with their share of the calls."""
    stand.controller.faults.add(*renamed({"GET /products": "ProductList", "GET /cart": "CartService.show"}))
    steps = stand.assert_transcript("unmapped", stand.examined())
    assert troubles(steps) == {"transactions shop": "warning"}
    result = step_of(steps, "transactions", "shop").result
    assert "43 of 45 names map to a route" in result
    assert "% of the calls of the last hour" in result
    assert "applications.shop.routes: {" in causes(step_of(steps, "transactions", "shop"))
    table = {"ProductList": "GET /products", "CartService.show": "GET /cart"}
    assert not troubles(stand.examined(applications={"shop": ControllerApplication(routes=table)}))


def test_all_other_traffic(stand: Stand) -> None:
    """A reached limit of the agents is reported with its share and a remedy."""
    stand.controller.faults.add(*renamed({"GET /products": "_APPDYNAMICS_DEFAULT_TX_"}))
    steps = stand.assert_transcript("overflow", stand.examined())
    assert troubles(steps) == {"transactions shop": "warning"}
    assert "All Other Traffic: " in step_of(steps, "transactions", "shop").result
    assert "50 transactions of an agent, 200 of an application" in causes(step_of(steps, "transactions", "shop"))


def test_no_transactions(stand: Stand) -> None:
    """An application without any has no endpoints, and that is said."""
    stand.controller.faults.add(faults.instead(as_json([]), "*/business-transactions"))
    steps = stand.examined()
    assert troubles(steps) == {"transactions shop": "warning"}
    assert "coverage has no evidence" in step_of(steps, "transactions", "shop").result


def test_a_tier_that_does_not_exist(stand: Stand) -> None:
    """It is reported with the existing ones."""
    steps = stand.assert_transcript(
        "tier", stand.examined(applications={"shop": ControllerApplication(tiers=("webb", "app"))})
    )
    assert troubles(steps) == {"tiers shop": "failed"}
    assert "applications.shop.tiers: web instead" in causes(step_of(steps, "tiers", "shop"))


def test_too_many_requests(stand: Stand) -> None:
    """A limit of the controller is reported with its other possible users."""
    stand.controller.faults.add(faults.too_many("7", "*/rest/applications"))
    steps = stand.assert_transcript("too-many", stand.examined())
    assert troubles(steps) == {"applications": "failed"}
    assert "429" in step_of(steps, "applications").result
    assert "ten threads" in causes(step_of(steps, "applications"))


def test_unavailable(stand: Stand) -> None:
    """503 with an empty body, which is all that a controller says while it starts."""
    stand.controller.faults.add(faults.unavailable("*/rest/applications"))
    steps = stand.assert_transcript("unavailable", stand.examined())
    assert troubles(steps) == {"applications": "failed"}
    assert "503" in step_of(steps, "applications").result
    assert "lost its database" in causes(step_of(steps, "applications"))
