"""Shared queries on objectives. If labels split an SLO, its worst part counts."""

from __future__ import annotations

from exporter.dashboards.kit import value_mappings
from exporter.dashboards.kit.board import link
from exporter.dashboards.kit.panels import Key, Panel, PanelSpec, TableColumn, stat, table
from exporter.dashboards.kit.query import APPLICATION, Query, any_of, largest, selector, smallest
from exporter.slo.rules import names

ID = "sloth_id"
ROW = "sloth_id, sloth_service, sloth_slo, application, side"
"""The labels that name an SLO in tables."""

NO_SLO = "No data: no SLO rules are loaded, or none is selected. See `pte-exporter generate rules`."
NO_SLO_TILE = "no SLO found"

STATES = {"ok": 0, "young": 1, "idle": 2, "maintenance": 3, "broken": 4}
"""Value of the label `state` to its number in value_mappings.DATA_STATE; the largest is the worst."""


def burn(by: str, window: str, *matchers: str) -> str:
    """How many times too fast the budget was used up over a window."""
    ratio = largest(by, names.RATIO + window, *matchers)
    return f"{ratio} / on ({by}) {largest(by, names.BUDGET, *matchers)}"


def sli(by: str, *matchers: str) -> str:
    """The share of good events over the SLO's own period, whatever its length."""
    ratio = f"{largest(by, names.PERIOD_BURN, *matchers)} * on ({by}) {largest(by, names.BUDGET, *matchers)}"
    return f"1 - {ratio}"


def remaining(by: str, *matchers: str) -> str:
    return smallest(by, names.REMAINING, *matchers)


def state(by: str, *matchers: str) -> str:
    """The state of the data as a number (value_mappings.DATA_STATE)."""

    parts = []
    for name, value in STATES.items():
        series = selector(names.STATE, *matchers, f'state="{name}"')
        parts.append(f"{series} * {value}")
    return f"max by ({by}) ({any_of(parts)})"


def count(expr: str) -> str:
    """The number of SLOs for which a comparison (with `bool`) holds; empty without any SLO."""
    return f"sum({expr})"


def inside(production: str) -> str:
    """Per application: 1 all its SLOs have budget left, 0 not, -1 no evidence, -2 no SLO (value_mappings.INSIDE)."""
    of = (APPLICATION, f'side="{production}"')
    has_budget = f"{remaining('application', *of)} > bool 0"
    no_evidence = f"{largest('application', names.OBJECTIVE, *of)} * 0 - 1"
    no_slo = f"{largest('application', 'pte_certification_expected', APPLICATION)} * 0 - 2"
    return f"{has_budget} or {no_evidence} or {no_slo}"


def to_detail() -> tuple[dict[str, object]]:
    """The data link of a table's row to the SLO's own board."""
    return (link("pte-slo-detail", "This SLO in detail", "__data.fields.sloth_id", variable="slo"),)


def age(width: int, *matchers: str) -> Panel:
    """The age of the rules' results; Prometheus drops them five minutes after the last evaluation."""
    spec = PanelSpec(
        "Age of the data",
        "How long ago were the rules of these SLOs evaluated? They are due once a minute.",
        NO_SLO_TILE,
        "s",
        (width, 6),
    )

    query = f"max(time() - timestamp({selector(names.OBJECTIVE, *matchers)}))"
    return stat(spec, Query(query, "oldest"), decimals=0)


def alerts(size: tuple[int, int], *matchers: str) -> Panel:
    """The firing alerts of objectives; specs may choose their names."""
    spec = PanelSpec(
        "Firing alerts",
        "Which alerts of these SLOs are firing?",
        "No SLO alert fires: good, if the rules are loaded.",
        "none",
        size,
    )

    labels = ("severity", "alertname", ID, "side", "sloth_tier")
    keys = [
        Key("severity", "severity", value_mappings.ALERT_SEVERITY),
        Key("alertname", "alert"),
        Key(ID, ID, link=to_detail()),
        Key("side", "side"),
        Key("sloth_tier", "tier"),
    ]
    fires = largest(", ".join(labels), "ALERTS", 'sloth_id!=""', 'alertstate="firing"', *matchers)
    return table(spec, keys, [TableColumn("fires", fires, "none", value_mappings.YES)], sort="severity", desc=False)
