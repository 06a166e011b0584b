"""Boards made for Sloth's series continue to work: their queries' shapes, on rules that a real Prometheus evaluates.

The shapes are those of the public dashboards 14348 (one SLO) and 14643 (all SLOs) of grafana.com, in our own words.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
import requests

from exporter.model.slo import DAY, Alerting, Period, Slo
from exporter.slo import rules as slo_rules
from tests import servers
from tests.dashboards.grafana import Json, PanelQuery, ask, queries
from tests.dashboards.objectives import CHECKOUT, SHOP_PTE, TIERS, sli
from tests.slo.rules.evaluation import BASE, Evaluation, rules

SLO = Slo("shop", "requests", Decimal("99.9"), sli("shop"), Period(30 * DAY), TIERS, Alerting("ShopBurns"))
SLOS = (SLO, SHOP_PTE, CHECKOUT)

WHO = 'sloth_service="shop", sloth_slo="requests"'
WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d", "30d")

DETAIL = {
    "objective": f"slo:objective:ratio{{{WHO}}}",
    "info": f"sloth_slo_info{{{WHO}, sloth_objective='99.9'}}",
    "burn now": f"slo:current_burn_rate:ratio{{{WHO}}} or on () vector(0)",
    "burn's size": f"slo:current_burn_rate:ratio{{{WHO}}} > 0",
    "budget of the period": f"slo:period_error_budget_remaining:ratio{{{WHO}}} or on () vector(1)",
    "page": f'max(ALERTS{{{WHO}, sloth_severity="page"}}) or on () vector(0)',
    "ticket": f'max(ALERTS{{{WHO}, sloth_severity="ticket"}}) or on () vector(0)',
    "budget of the month": (
        f"1 - (sum_over_time((slo:sli_error:ratio_rate1h{{{WHO}}} * on () group_left ()"
        " (month() == bool vector(MONTH)))[32d:1h])"
        f" / on (sloth_id) (slo:error_budget:ratio{{{WHO}}} * on () group_left () (24 * days_in_month())))"
    ),
} | {
    f"SLI of {window}": f"1 - (max(slo:sli_error:ratio_rate{window}{{{WHO}}}) or on () vector(0))" for window in WINDOWS
}
"""Questions of dashboard 14348; each has one answer for an SLO."""

OVERVIEW = {
    "SLOs": "count(sloth_slo_info)",
    "services": "count(max by (sloth_service) (sloth_slo_info))",
    "mean burn": "avg(slo:current_burn_rate:ratio)",
    "tickets": 'max(ALERTS{sloth_id!="", sloth_severity="ticket"}) or on () vector(0)',
    "pages": 'max(ALERTS{sloth_id!="", sloth_severity="page"}) or on () vector(0)',
}
"""Questions of dashboard 14643 that have one answer."""

PER_SLO = ("slo:current_burn_rate:ratio", "slo:current_burn_rate:ratio > 1", "slo:period_error_budget_remaining:ratio")
"""Its questions that have an answer for each SLO."""


def _requests(start: float, end: float) -> Iterator[str]:
    """Ten requests a second, of which every tenth fails, for each job."""
    who = ('job="shop"', 'job="shop-pte"', 'job="checkout",cluster="a"', 'job="checkout",cluster="b"')
    yield "# TYPE http_requests counter\n"
    for labels in who:
        for code, rate in (("200", 9), ("500", 1)):
            for at in range(int(start), int(end), 30):
                yield f'http_requests_total{{{labels},code="{code}"}} {rate * (at - int(start))} {at}\n'
    yield "# EOF\n"


@pytest.fixture(scope="module", params=["2.42", "3"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that evaluates the rules of three SLOs, and holds the last two hours.

    It does so every other second to save time: counts are too large then, ratios are correct.
    """
    directory, now = tmp_path_factory.mktemp("sloth"), time.time()
    (directory / "requests.om").write_text("".join(_requests(now - 10800, now)))
    blocks = servers.create_blocks("2.42", directory / "requests.om", directory / "blocks")
    paths = []
    for name, content in slo_rules.files(SLOS, "https://runbook.example", "https://grafana.example").items():
        paths.append(directory / Path(name).name)
        paths[-1].write_bytes(content.replace(b"interval: 1m", b"interval: 2s"))
    storage: dict[str, object] = {"storage": {"tsdb": {"out_of_order_time_window": "1d"}}}
    # Without compactions, beside which a write of past samples can make Prometheus panic.
    receiver = ["--web.enable-remote-write-receiver", "--storage.tsdb.min-block-duration=1000d"]
    receiver += ["--storage.tsdb.max-block-duration=1000d"]
    with servers.prometheus(
        request.param, directory / "server", config=storage, rules=paths, blocks=blocks, args=receiver
    ) as server:
        for slo in SLOS:
            short = [rule for rule in rules(slo) if rule.name in BASE or rule.labels.get("sloth_window") == "1h"]
            Evaluation(server.url, []).over(short, now - 7200, now - 60)
        alerts = [tier for slo in SLOS for tier in slo.tiers]
        servers.eventually(lambda: len(_rows(server.url, "ALERTS")) >= len(alerts), 60, "the alerts wait to fire")
        yield server.url


def _rows(url: str, expr: str) -> list[Json]:
    return ask(url, PanelQuery("sloth", expr, "A", expr, instant=True), time.time())


@pytest.mark.parametrize("question", DETAIL)
def test_one_slo(url: str, question: str) -> None:
    """Each query of the dashboard of one SLO gives one series, and so do those that it draws over the last hour."""
    expr = DETAIL[question].replace("MONTH", time.strftime("%m", time.gmtime()).lstrip("0"))
    (row,) = _rows(url, expr)
    if question not in {"burn now", "budget of the period"}:  # tiles have their own value for none
        assert len(ask(url, PanelQuery("sloth", question, "A", expr, instant=False), time.time())) == 1
    expected = {"objective": 0.999, "page": 1, "ticket": 1, "info": 1} | {f"SLI of {w}": 0.9 for w in WINDOWS}
    if question in expected:
        assert float(row["value"][1]) == pytest.approx(expected[question], rel=1e-3)


@pytest.mark.parametrize("question", OVERVIEW)
def test_all_slos(url: str, question: str) -> None:
    """Each query of the dashboard of all SLOs gives one series."""
    (row,) = _rows(url, OVERVIEW[question])
    expected = {"SLOs": 3.0, "services": 2.0, "pages": 1.0, "tickets": 1.0}
    assert float(row["value"][1]) == expected.get(question, pytest.approx((100 + 100 + 10 + 10) / 4))


@pytest.mark.parametrize("expr", PER_SLO)
def test_each_slo(url: str, expr: str) -> None:
    """Queries over all SLOs give one series an SLO, and one for each value of a label that splits it."""
    ids = [row["metric"]["sloth_id"] for row in _rows(url, expr)]
    assert sorted(ids) == sorted([SLO.id, SHOP_PTE.id, CHECKOUT.id, CHECKOUT.id])


def test_variables(url: str) -> None:
    """Services, and the SLOs of a service, are found by the queries of Sloth's dashboards."""
    for query, label, expected in (
        ("slo:objective:ratio", "sloth_service", ["checkout", "shop"]),
        ('slo:objective:ratio{sloth_service="shop"}', "sloth_slo", ["availability-pte", "requests"]),
    ):
        reply = requests.get(f"{url}/api/v1/label/{label}/values", params={"match[]": query}, timeout=30).json()
        assert reply["data"] == expected


def test_our_boards(url: str) -> None:
    """Our own boards' queries on objectives run on the same rules without an error, whichever SLO is chosen."""
    own = [query for query in queries() if query.board.startswith("pte-slo")]
    for slo in SLOS:
        chosen = {"application": ".+", "side": ".+", "service": ".+", "slo": slo.id}
        answered = {query.panel for query in own if ask(url, query, time.time(), **chosen)}
        expected = {
            "SLOs",
            "Out of budget",
            "Burning",
            "Broken",
            "Is the data current?",
            "Remaining budget over 30 days",
        }
        assert expected | {"Burn rate over hours", "Events", "Bad events", "Error ratio"} <= answered
