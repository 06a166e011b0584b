"""Board "slo": which SLOs are in trouble?"""

from __future__ import annotations

from exporter.dashboards import budget
from exporter.dashboards.budget import ID, NO_SLO, NO_SLO_TILE, ROW
from exporter.dashboards.kit import value_mappings
from exporter.dashboards.kit.board import Board, applications, data_source, labels, sides
from exporter.dashboards.kit.panels import Column, Key, Panel, PanelSpec, heading, stat, table, timeline, timeseries
from exporter.dashboards.kit.query import APPLICATION, SIDE, Query, largest, selector, smallest
from exporter.dashboards.shared import application_key
from exporter.slo.rules import names

LINES = 20
"""Most lines of a graph over all SLOs, of which there may be a thousand."""

CHOSEN = (APPLICATION, SIDE, 'sloth_service=~"$service"')


def board() -> Board:
    return Board(
        "pte-slo",
        "Which SLOs have used up their error budget, which burn it too fast, and which have no data?",
        (
            *_tiles(),
            heading("All SLOs, the least budget first"),
            _all(),
            heading("Would the test run have met production's objectives?"),
            _run(),
            _counted(),
            heading("Over time"),
            _left(),
            _burn(),
            _states(),
            heading("Alerts"),
            budget.alerts((24, 6), *CHOSEN),
        ),
        (data_source(), applications(names.OBJECTIVE), sides(names.OBJECTIVE), services()),
    )


def services() -> dict[str, object]:
    return labels("service", "Service", "Which services to show.", f"label_values({names.OBJECTIVE}, sloth_service)")


def _tiles() -> tuple[Panel, ...]:
    def tile(title: str, question: str, expr: str, kind: value_mappings.ValueMap, empty: str = NO_SLO_TILE) -> Panel:
        return stat(PanelSpec(title, question, empty, "none", (3, 6)), Query(budget.count(expr)), value_map=kind)

    hour, six = (f"{budget.burn(ID, window, *CHOSEN)} > bool 1" for window in ("1h", "6h"))
    credit = f"{largest(ID, names.SLA_CREDIT, *CHOSEN)} > bool 0"

    return (
        stat(
            PanelSpec("SLOs", "How many SLOs are there?", NO_SLO_TILE, "none", (3, 6)),
            Query(f"count({largest(ID, names.OBJECTIVE, *CHOSEN)})"),
        ),
        tile(
            "Out of budget",
            "How many SLOs have no error budget left?",
            f"{budget.left(ID, *CHOSEN)} <= bool 0",
            value_mappings.OUT_OF_BUDGET,
        ),
        tile(
            "Burning",
            "How many SLOs burn their budget too fast to last the period, both in the last hour and in the last six?",
            f"({hour}) * on ({ID}) ({six})",
            value_mappings.BURNING,
            "no events",
        ),
        tile(
            "Broken",
            "For how many SLOs does nothing tell whether they are met?",
            f"{budget.state(ID, *CHOSEN)} == bool {budget.STATES['broken']}",
            value_mappings.OUT_OF_BUDGET,
        ),
        tile(
            "SLA credit due",
            "For how many SLOs is a service credit due now?",
            credit,
            value_mappings.OUT_OF_BUDGET,
            "no SLA",
        ),
        _data(),
        budget.age(4, *CHOSEN),
    )


def _data() -> Panel:
    spec = PanelSpec("Is the data current?", "How many SLOs are in each state of data?", NO_SLO_TILE, "none", (5, 6))
    return stat(spec, Query(f"count by (state) ({largest(f'{ID}, state', names.STATE, *CHOSEN)})", "{{state}}"))


def _all() -> Panel:
    spec = PanelSpec(
        "How each SLO stands",
        "How does each SLO stand: its good events over the period, what is left of the budget, how fast that goes, "
        "what is due under the SLA? Where labels split an SLO, its worst part counts.",
        NO_SLO,
        "none",
        (24, 14),
    )

    keys = [
        Key(ID, ID, link=budget.to_detail()),
        Key("sloth_service", "service"),
        Key("sloth_slo", "SLO"),
        application_key("pte-certification", "Certification of this application"),
        Key("side", "side"),
    ]
    columns = [
        Column("objective", largest(ROW, names.OBJECTIVE, *CHOSEN), "percentunit", decimals=3),
        Column("SLI", budget.sli(ROW, *CHOSEN), "percentunit", decimals=3),
        Column("budget left", budget.left(ROW, *CHOSEN), "percentunit", decimals=1),
        Column("burn 1 h", budget.burn(ROW, "1h", *CHOSEN), decimals=2, empty="no events"),
        Column("burn 6 h", budget.burn(ROW, "6h", *CHOSEN), decimals=2, empty="no events"),
        Column("gone in", smallest(ROW, names.EXHAUSTION, *CHOSEN), "s", decimals=1, empty="not in sight"),
        Column("SLA credit", largest(ROW, names.SLA_CREDIT, *CHOSEN), "percentunit", decimals=1, empty="none"),
        Column(
            "forecast credit",
            largest(ROW, names.SLA_CREDIT_FORECAST, *CHOSEN),
            "percentunit",
            decimals=1,
            empty="no forecast",
        ),
        Column("data", budget.state(ROW, *CHOSEN), "none", value_mappings.DATA_STATE),
    ]

    return table(spec, keys, columns, sort="budget left", desc=False)


def _run() -> Panel:
    spec = PanelSpec(
        "Objectives in the test run",
        "Would the PTE's run have met each objective of production, and does production's last day meet it?",
        "Nothing here: the exporter's configuration has no `slos`, or the exporter is not scraped.",
        "none",
        (15, 8),
    )

    by = "application, slo"

    def column(title: str, what: str, unit: str = "percentunit", decimals: int = 3) -> Column:
        return Column(title, largest(by, f"pte_slo_{what}", APPLICATION), unit, decimals=decimals)

    columns = [
        column("objective", "objective_ratio"),
        column("errors in the run", "run_error_ratio"),
        column("events in the run", "run_requests", "locale", 0),
        column("errors in production", "baseline_error_ratio"),
        Column("met by the run", smallest(by, "pte_slo_run_met", APPLICATION), "none", value_mappings.MET),
        Column("evidence", largest(by, "pte_slo_run_evidence", APPLICATION), "none", value_mappings.EVIDENCE),
    ]
    keys = [application_key("pte-certification", "Certification of this application"), Key("slo", "SLO")]
    return table(spec, keys, columns, sort="met by the run", desc=False)


def _counted() -> Panel:
    spec = PanelSpec(
        "Events that the exporter counts",
        "Where the exporter alone sees the data: how many events does it count for each SLO, and how many are bad?",
        "Nothing here: every SLO of the configuration rests on a Prometheus, or there is none.",
        "eps",
        (9, 8),
    )

    by = "application, side, slo"
    # Every replica counts the same events: the largest, not the sum.
    rates = [
        f"max by ({by}) (rate(pte_slo_{name}_total{{{APPLICATION}, {SIDE}}}[30m]))" for name in ("events", "bad_events")
    ]
    who = "{{application}} {{side}} {{slo}}"
    return timeseries(spec, Query(rates[0], f"{who} events"), Query(rates[1], f"{who} bad"))


def _end(aggregate: str, name: str) -> str:
    """A series as it is at the end of the time shown, so that each step of a graph chooses the same SLOs."""
    return f"{aggregate} by ({ID}) ({selector(name, *CHOSEN)} @ end())"


def _left() -> Panel:
    spec = PanelSpec(
        "Least budget left",
        f"How did the budgets go over the last 30 days? The {LINES} SLOs with the least left.",
        NO_SLO,
        "percentunit",
        (12, 10),
    )

    chosen = f"bottomk({LINES}, {_end('min', names.REMAINING)})"
    return timeseries(spec, Query(f"{budget.left(ID, *CHOSEN)} and {chosen}", "{{sloth_id}}"), span="30d")


def _burn() -> Panel:
    spec = PanelSpec(
        "Highest burn rate of one hour",
        "How many times too fast do budgets burn? At 1 one lasts exactly its period (limit). "
        f"The {LINES} SLOs that burn fastest.",
        "No evidence: no SLO is chosen, or none had events.",
        "none",
        (12, 10),
    )

    chosen = f"topk({LINES}, {_end('max', f'{names.RATIO}1h')} / on ({ID}) {_end('max', names.BUDGET)})"
    rates = f"{budget.burn(ID, '1h', *CHOSEN)} and {chosen}"
    return timeseries(spec, Query(rates, "{{sloth_id}}"), Query("vector(1)", "limit"))


def _states() -> Panel:
    spec = PanelSpec(
        "SLOs whose data is not ok",
        "For which SLOs were the numbers not to be believed as they stand, since when, and why?",
        "Every chosen SLO had data all the time, or none is chosen.",
        "none",
        (24, 9),
    )

    return timeline(
        spec, Query(f"{budget.state(ID, *CHOSEN)} > 0", "{{sloth_id}}"), value_map=value_mappings.DATA_STATE
    )
