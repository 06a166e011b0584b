"""The boards of SLOs: tiles, the table, the burn rates, and the tile beside the certification's verdict."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from exporter.dashboards import budget
from exporter.slo.rules import names
from tests.dashboards import history, objectives
from tests.dashboards.grafana import ask, boards, panels, queries

TABLE = "State of each SLO"
HEALTHY, BAD = history.HEALTHY, history.END


def _answers(
    url: str, board: str, panel: str, ref: str = "A", at: float = HEALTHY, slo: str = objectives.SHOP.id
) -> list[tuple[dict[str, str], float]]:
    """Labels and latest value of each series that a panel's query gives."""
    (query,) = (query for query in queries() if (query.board, query.panel, query.ref) == (board, panel, ref))
    rows = ask(url, query, at, application=".+", side=".+", service=".+", slo=slo)
    return [(row["metric"], float((row["value"] if query.instant else row["values"][-1])[1])) for row in rows]


@pytest.mark.parametrize(
    ("tile", "healthy", "bad"),
    [("Out of budget", 0, 3), ("Burning", 0, 3), ("Broken", 1, 4), ("SLA credit due", 0, 1)],
)
def test_tiles(prometheus: str, tile: str, healthy: float, bad: float) -> None:
    """The first row counts the SLOs in trouble: none, or how many."""
    assert _answers(prometheus, "pte-slo", tile) == [({}, healthy)]
    assert _answers(prometheus, "pte-slo", tile, at=BAD) == [({}, bad)]


def test_states(prometheus: str) -> None:
    """The tile of the data counts the SLOs in each state."""
    states = _answers(prometheus, "pte-slo", "Is the data current?")
    assert sorted((labels["state"], value) for labels, value in states) == [("broken", 1), ("ok", 3)]


def _column(url: str, title: str, at: float = HEALTHY) -> dict[str, float]:
    """A column of the table of all SLOs, by their ids."""
    (table,) = (panel for panel in panels(boards()["pte-slo"]) if panel["title"] == TABLE)
    columns: dict[str, str] = table["transformations"][-1]["options"]["renameByName"]
    (ref,) = (name[-1] for name, text in columns.items() if text == title and name != "Value")
    return {labels["sloth_id"]: value for labels, value in _answers(url, "pte-slo", TABLE, ref, at)}


def test_table(prometheus: str) -> None:
    """A row has an SLO's objective, SLI, budget, burn rates and state, each relative to its own budget."""
    shop = objectives.SHOP.id
    assert _column(prometheus, "objective")[shop] == 0.999
    assert _column(prometheus, "SLI")[shop] == pytest.approx(1 - 0.4 * 0.001)
    burns = {shop: 0.4, objectives.SHOP_PTE.id: 0.4, objectives.CHECKOUT.id: 0.04}
    assert _column(prometheus, "burn 1 h") == pytest.approx(burns)
    assert _column(prometheus, "forecast credit", BAD) == {shop: 0.25}
    assert _column(prometheus, "data", BAD) == {slo.id: budget.STATES["broken"] for slo in objectives.SLOS}


def test_trouble_comes_first(prometheus: str) -> None:
    """The table begins with the smallest budget; an SLO that a label splits has the budget of its worst part."""
    (table,) = (panel for panel in panels(boards()["pte-slo"]) if panel["title"] == TABLE)
    assert table["options"]["sortBy"] == [{"desc": False, "displayName": "remaining budget"}]
    budgets = _column(prometheus, "remaining budget")
    assert budgets[objectives.CHECKOUT.id] == pytest.approx(budgets[objectives.SHOP.id] / 2)


def test_inside(prometheus: str) -> None:
    """Beside its certification each application shows a budget that lasts, is exhausted, unknown or not set."""
    for at, expected in (
        (HEALTHY, {"shop": 1, "checkout": 1, "search": -1, "archive": -2}),
        (BAD, {"shop": 0, "checkout": 0, "search": -1, "archive": -2}),
    ):
        tile = _answers(prometheus, "pte-certification", "Inside its budget?", at=at)
        assert {labels["application"]: value for labels, value in tile} == expected


def test_graphs_have_few_lines(prometheus: str) -> None:
    """Graphs over all SLOs draw the SLOs that are worst at the end of the time range."""
    for panel, choice in (("Smallest remaining budget", "bottomk"), ("Highest burn rate of one hour", "topk")):
        (query,) = (query for query in queries() if query.panel == panel and query.ref == "A")
        single = dataclasses.replace(query, expr=query.expr.replace(f"{choice}(20", f"{choice}(1"))
        assert single != query
        (worst,) = ask(prometheus, single, HEALTHY, application=".+", side="production", service=".+")
        expected = objectives.CHECKOUT if choice == "bottomk" else objectives.SHOP
        assert worst["metric"]["sloth_id"] == expected.id


def test_states_are_words() -> None:
    """Every state that rules record has a number and a word."""
    assert set(budget.STATES) == set(names.STATES)


@pytest.mark.parametrize(
    ("panel", "windows", "tiers"),
    [
        ("Burn rate over hours", {"30m", "1h", "2h", "6h"}, {"page_quick", "page_slow"}),
        ("Burn rate over days", {"1d", "3d", "month"}, {"ticket_quick", "ticket_slow"}),
    ],
)
def test_burn_rates(prometheus: str, panel: str, windows: set[str], tiers: set[str]) -> None:
    """Each window is drawn once, with the limits of the tiers whose long window is of its kind."""
    limits = next(query.ref for query in queries() if query.panel == panel and names.BURN_FACTOR in query.expr)
    assert {labels["sloth_window"] for labels, _ in _answers(prometheus, "pte-slo-detail", panel)} == windows
    drawn = {labels["sloth_tier"]: value for labels, value in _answers(prometheus, "pte-slo-detail", panel, limits)}
    factors = {tier.name: float(tier.factor) for tier in objectives.TIERS}
    assert drawn == {tier: factors[tier] for tier in tiers}


def test_one_slo_only(prometheus: str) -> None:
    """The board of one SLO shows no other one."""
    detail = [query for query in queries() if query.board == "pte-slo-detail"]
    for slo in objectives.SLOS:
        for query in detail:
            for row in ask(prometheus, query, BAD, slo=slo.id):
                assert _ids(row["metric"]) <= {slo.id}, query


def _ids(labels: dict[str, Any]) -> set[str]:
    return {labels["sloth_id"]} if "sloth_id" in labels else set()
