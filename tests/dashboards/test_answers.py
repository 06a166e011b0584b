"""Every query of every board on real servers that hold our own published series."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from exporter.dashboards.kit import validation
from exporter.dashboards.kit.query import DATA_STATE, VERDICT
from tests.dashboards import history, objectives
from tests.dashboards.grafana import PanelQuery, ask, boards, label_values, panels, queries

ALL = {"application": ".+", "side": ".+", "service": ".+", "slo": objectives.SHOP.id}

QUIET: Mapping[str, frozenset[str]] = {
    "no alert fires": frozenset({"Firing alerts A", "The exporter's own alerts A"}),
    "no poll fails": frozenset({"Failed polls by reason A"}),
    "the demo uses no TLS": frozenset({"TLS verification A", "Sources L"}),
    "the demo reports no clock": frozenset({"Clock skew A", "Sources K"}),
}
"""Why a healthy demo has no data, and the queries concerned; the bad period has data for them."""


def _label(query: PanelQuery) -> str:
    return str(query)


@pytest.mark.parametrize("query", queries(), ids=_label)
def test_answers(prometheus: str, query: PanelQuery) -> None:
    """A query returns data on a healthy day, or on a bad one if a healthy day has none."""
    quiet = f"{query.panel} {query.ref}" in frozenset().union(*QUIET.values())
    assert bool(ask(prometheus, query, history.HEALTHY, **ALL)) != quiet
    if quiet:
        assert ask(prometheus, query, history.END, **ALL)


def test_quiet_queries_exist() -> None:
    """The list of queries without data on a healthy day names only existing queries."""
    assert frozenset().union(*QUIET.values()) <= {f"{query.panel} {query.ref}" for query in queries()}


def test_rows_join(prometheus: str) -> None:
    """All columns of a table have the labels that name its rows, and no others, so that Grafana merges them."""
    for uid, board in boards().items():
        for panel in panels(board):
            if panel["type"] == "table" and "alerts" not in panel["title"].lower():
                names = panel["transformations"][-1]["options"]["indexByName"]
                keys = {name for name in names if not name.startswith("Value")}
                for target in panel["targets"]:
                    query = PanelQuery(uid, panel["title"], target["refId"], target["expr"], instant=True)
                    for row in ask(prometheus, query, history.HEALTHY, **ALL):
                        assert row["metric"].keys() == keys, query


def test_week(prometheus: str) -> None:
    """The days of the profile sort in the order of the week."""
    [query] = [query for query in queries() if query.panel == "Day of the week"]
    rows = ask(prometheus, query, history.HEALTHY, application="(shop)", side=".+")
    days = sorted(row["metric"]["day"] for row in rows)
    assert days == ["1 Mon", "2 Tue", "3 Wed", "4 Thu", "5 Fri", "6 Sat", "7 Sun"]


def test_one_application(prometheus: str) -> None:
    """With one application chosen, no query shows another one."""
    for query in queries():
        chosen = {**ALL, "application": "(checkout)", "side": "(production|pte)", "slo": objectives.CHECKOUT.id}
        for row in ask(prometheus, query, history.HEALTHY, **chosen):
            assert row["metric"].get("application", "checkout") == "checkout", query


def test_replicas(prometheus: str) -> None:
    """A second replica adds no rows, except to the panels that are about replicas."""
    moments = (history.SECOND - history.POLL, history.HEALTHY)
    for query in queries():
        before, after = (
            {tuple(sorted(row["metric"].items())) for row in ask(prometheus, query, at, **ALL)} for at in moments
        )
        per_replica = [row for row in before if "instance" in dict(row)]
        if per_replica:
            assert query.board == "pte-exporter", query
            assert len(after) == 2 * len(before), query
        else:
            assert after == before, query


VALUES: Mapping[str, list[str]] = {
    "application": ["archive", "checkout", "search", "shop"],
    "side": ["production", "pte"],
    "service": ["checkout", "search", "shop"],
    "slo": ["checkout-payments", "search-results", "shop-availability", "shop-availability-pte"],
}


def test_variables(prometheus: str) -> None:
    """Every variable finds its values; the boards of SLOs know the applications that have one."""
    for uid, board in boards().items():
        expected = {**VALUES, "application": ["checkout", "search", "shop"]} if uid.startswith("pte-slo") else VALUES
        for variable in board["templating"]["list"]:
            if variable["type"] == "query":
                definition = variable["definition"].removeprefix("label_values(").removesuffix(")")
                series, label = validation.fill_variables(definition, **ALL).rsplit(", ", 1)
                assert validation.series_names(series) <= validation.PUBLISHED | validation.OBJECTIVES
                assert label_values(prometheus, series, label, history.HEALTHY) == expected[variable["name"]]


def _states(url: str, expr: str, label: str, at: float) -> dict[str, float]:
    rows = ask(url, PanelQuery("", "", "", expr, instant=True), at, **ALL)
    return {row["metric"][label]: float(row["value"][1]) for row in rows}


def test_verdicts(prometheus: str) -> None:
    """The verdict distinguishes holding, failed and no evidence, also after a side was withdrawn."""
    healthy = _states(prometheus, VERDICT, "application", history.HEALTHY)
    assert healthy == {"shop": 1, "checkout": 0, "search": -1, "archive": -1}
    withdrawn = _states(prometheus, VERDICT, "application", history.END)
    assert withdrawn == dict.fromkeys(healthy, -1)


def test_data_states(prometheus: str) -> None:
    """The data tile distinguishes current data, a failed last poll and withdrawn series."""
    moments = (history.HEALTHY, history.HEALTHY + history.POLL, history.END)
    states = [_states(prometheus, DATA_STATE, "source", at) for at in moments]
    assert states == [{"production": 0, "pte": state, "ci": 0} for state in (0, 1, 2)]
