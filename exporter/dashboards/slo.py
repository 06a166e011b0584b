"""Board "slo": which SLOs are in trouble?"""

from __future__ import annotations

from exporter.dashboards import budget
from exporter.dashboards.budget import ID, NO_SLO, NO_SLO_TILE, ROW
from exporter.dashboards.kit import value_mappings
from exporter.dashboards.kit.board import Board, applications, data_source, labels, sides
from exporter.dashboards.kit.panels import (
    Key,
    Panel,
    PanelSpec,
    TableColumn,
    heading,
    stat,
    table,
    timeline,
    timeseries,
)
from exporter.dashboards.kit.query import APPLICATION, SIDE, Query, largest, selector, smallest
from exporter.dashboards.shared import application_key
from exporter.slo.rules import names

LINES = 20
"""Maximum lines of a graph over all SLOs; there may be a thousand SLOs."""

CHOSEN = (APPLICATION, SIDE, 'sloth_service=~"$service"')


def board() -> Board:
    return Board(
        "pte-slo",
        "Which SLOs have exhausted their error budget, which use it too fast, and which have no data?",
        (
            *_tiles(),
            heading("All SLOs, the smallest budget first"),
            _all(),
            heading("Would the test run have met production's objectives?"),
            _run(),
            _counted(),
            heading("Over time"),
            _remaining(),
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
            f"{budget.remaining(ID, *CHOSEN)} <= bool 0",
            value_mappings.OUT_OF_BUDGET,
        ),
        tile(
            "Burning",
            "How many SLOs use their budget too fast to last the period, in the last hour and the last six hours?",
            f"({hour}) * on ({ID}) ({six})",
            value_mappings.BURNING,
            "no events",
        ),
        tile(
            "Broken",
            "How many SLOs cannot be judged because data is missing?",
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
    spec = PanelSpec("Is the data current?", "How many SLOs have data in each state?", NO_SLO_TILE, "none", (5, 6))
    return stat(spec, Query(f"count by (state) ({largest(f'{ID}, state', names.STATE, *CHOSEN)})", "{{state}}"))


def _all() -> Panel:
    spec = PanelSpec(
        "State of each SLO",
        "How does each SLO perform: share of good events over the period, remaining budget, burn rate, and credit due "
        "under the SLA? If labels split an SLO, its worst part counts.",
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
        TableColumn("objective", largest(ROW, names.OBJECTIVE, *CHOSEN), "percentunit", decimals=3),
        TableColumn("SLI", budget.sli(ROW, *CHOSEN), "percentunit", decimals=3),
        TableColumn("remaining budget", budget.remaining(ROW, *CHOSEN), "percentunit", decimals=1),
        TableColumn("burn 1 h", budget.burn(ROW, "1h", *CHOSEN), decimals=2, empty="no events"),
        TableColumn("burn 6 h", budget.burn(ROW, "6h", *CHOSEN), decimals=2, empty="no events"),
        TableColumn("exhausted in", smallest(ROW, names.EXHAUSTION, *CHOSEN), "s", decimals=1, empty="not expected"),
        TableColumn("SLA credit", largest(ROW, names.SLA_CREDIT, *CHOSEN), "percentunit", decimals=1, empty="none"),
        TableColumn(
            "forecast credit",
            largest(ROW, names.SLA_CREDIT_FORECAST, *CHOSEN),
            "percentunit",
            decimals=1,
            empty="no forecast",
        ),
        TableColumn("data", budget.state(ROW, *CHOSEN), "none", value_mappings.DATA_STATE),
    ]

    return table(spec, keys, columns, sort="remaining budget", desc=False)


def _run() -> Panel:
    spec = PanelSpec(
        "Objectives in the test run",
        "Would the PTE's run have met each objective of production, and does production's last day meet it?",
        "No data: the exporter's configuration has no `slos`, or the exporter is not scraped.",
        "none",
        (15, 8),
    )

    by = "application, slo"

    def column(title: str, what: str, unit: str = "percentunit", decimals: int = 3) -> TableColumn:
        return TableColumn(title, largest(by, f"pte_slo_{what}", APPLICATION), unit, decimals=decimals)

    columns = [
        column("objective", "objective_ratio"),
        column("errors in the run", "run_error_ratio"),
        column("events in the run", "run_requests", "locale", 0),
        column("errors in production", "baseline_error_ratio"),
        TableColumn("met by the run", smallest(by, "pte_slo_run_met", APPLICATION), "none", value_mappings.MET),
        TableColumn("evidence", largest(by, "pte_slo_run_evidence", APPLICATION), "none", value_mappings.EVIDENCE),
    ]
    keys = [application_key("pte-certification", "Certification of this application"), Key("slo", "SLO")]
    return table(spec, keys, columns, sort="met by the run", desc=False)


def _counted() -> Panel:
    spec = PanelSpec(
        "Events that the exporter counts",
        "How many events does the exporter count for each SLO that no Prometheus can count, and how many are bad?",
        "No data: a Prometheus counts the events of every configured SLO, or there is no SLO.",
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
    """A series at the end of the time range, to make each step of a graph choose the same SLOs."""
    return f"{aggregate} by ({ID}) ({selector(name, *CHOSEN)} @ end())"


def _remaining() -> Panel:
    spec = PanelSpec(
        "Smallest remaining budget",
        f"How did the budgets change over the last 30 days? The {LINES} SLOs with the smallest budget.",
        NO_SLO,
        "percentunit",
        (12, 10),
    )

    chosen = f"bottomk({LINES}, {_end('min', names.REMAINING)})"
    return timeseries(spec, Query(f"{budget.remaining(ID, *CHOSEN)} and {chosen}", "{{sloth_id}}"), span="30d")


def _burn() -> Panel:
    spec = PanelSpec(
        "Highest burn rate of one hour",
        "How many times too fast are budgets used up? At 1 a budget lasts exactly its period (limit). "
        f"The {LINES} SLOs with the highest rate.",
        "No evidence: no SLO is selected, or none had events.",
        "none",
        (12, 10),
    )

    chosen = f"topk({LINES}, {_end('max', f'{names.RATIO}1h')} / on ({ID}) {_end('max', names.BUDGET)})"
    rates = f"{budget.burn(ID, '1h', *CHOSEN)} and {chosen}"
    return timeseries(spec, Query(rates, "{{sloth_id}}"), Query("vector(1)", "limit"))


def _states() -> Panel:
    spec = PanelSpec(
        "SLOs whose data is not ok",
        "Which SLOs had unreliable numbers, since when, and why?",
        "Every selected SLO had data all the time, or none is selected.",
        "none",
        (24, 9),
    )

    return timeline(
        spec, Query(f"{budget.state(ID, *CHOSEN)} > 0", "{{sloth_id}}"), value_map=value_mappings.DATA_STATE
    )
