"""Board "slo-detail": where does the budget of one SLO go?"""

from __future__ import annotations

from exporter.dashboards import budget
from exporter.dashboards.budget import ID, NO_SLO_TILE
from exporter.dashboards.kit import value_mappings
from exporter.dashboards.kit.board import Board, applications, data_source, labels
from exporter.dashboards.kit.panels import Column, Key, Panel, PanelSpec, heading, stat, table, timeline, timeseries
from exporter.dashboards.kit.query import APPLICATION, Query, largest, selector, smallest
from exporter.slo.rules import names

ONE = f'{ID}="$slo"'
NO_EVENTS = "No evidence: the SLO had no events, or its data is broken. See the state of the data below."
NO_FORECAST = "No forecast: too few bad events or too little data in the last three days, or the period is short."

_HOURS = "[0-9]+[smh]"
_DAYS = "[0-9]+[dw]|week|month"
"""Which windows (label sloth_window) each graph of burn rates shows."""


def board() -> Board:
    return Board(
        "pte-slo-detail",
        "How much of this SLO's error budget is left, where does it go, and how long will it last?",
        (
            *_tiles(),
            heading("Budget"),
            _budget(),
            _figures(),
            heading("Burn rates and the alerts' limits"),
            _burn("hours", _HOURS, Query(largest(ID, names.CURRENT_BURN, ONE), "now")),
            _burn("days", _DAYS),
            heading("What goes in: events, errors, latency"),
            _events(),
            _errors(),
            _ratio(),
            _latency(),
            heading("What is to come: forecast and SLA"),
            _forecast(),
            _credits(),
            heading("Data, maintenance, alerts"),
            _states(),
            _maintenance(),
            budget.alerts((24, 6), ONE),
        ),
        (data_source(), applications(names.OBJECTIVE), _slos()),
    )


def _slos() -> dict[str, object]:
    query = f"label_values({selector(names.OBJECTIVE, APPLICATION)}, {ID})"
    return labels("slo", "SLO", "Which SLO to show.", query, single=True)


def _tiles() -> tuple[Panel, ...]:
    inside = PanelSpec("Inside its budget?", "Has this SLO error budget left?", "no evidence", "none", (3, 6))
    left = PanelSpec("Budget left", "Which part of the period's budget is left?", "no evidence", "percentunit", (4, 6))
    sli = PanelSpec(
        "SLI of the period",
        "Which part of the period's events was good, and what is the objective (limit)?",
        "no evidence",
        "percentunit",
        (4, 6),
    )
    gone = PanelSpec(
        "Gone in",
        "When is the budget used up if bad events go on as in the last hour?",
        "not in sight",
        "s",
        (4, 6),
    )
    state = PanelSpec("Is the data current?", "Can these numbers be believed?", NO_SLO_TILE, "none", (4, 6))

    return (
        stat(inside, Query(f"{budget.left(ID, ONE)} > bool 0"), value_map=value_mappings.INSIDE),
        stat(left, Query(budget.left(ID, ONE)), decimals=1),
        stat(
            sli,
            Query(budget.sli(ID, ONE), "SLI"),
            Query(largest(ID, names.OBJECTIVE, ONE), "limit"),
            decimals=3,
        ),
        stat(gone, Query(smallest(ID, names.EXHAUSTION, ONE)), decimals=1),
        stat(state, Query(budget.state(ID, ONE)), value_map=value_mappings.DATA_STATE),
        budget.age(5, ONE),
    )


def _budget() -> Panel:
    spec = PanelSpec(
        "Budget left over 30 days",
        "When was the budget spent, and when did it come back?",
        NO_EVENTS,
        "percentunit",
        (15, 10),
    )

    return timeseries(spec, Query(budget.left(ID, ONE), "left"), Query("vector(0)", "limit"), span="30d")


def _key() -> list[Key]:
    return [Key(ID, ID)]


def _figures() -> Panel:
    spec = PanelSpec(
        "The period in figures",
        "What do the percentages rest on: events, bad events, how much of the period has data or is over?",
        NO_EVENTS,
        "none",
        (9, 10),
    )

    columns = [
        Column("period", f"{largest(ID, names.DAYS, ONE)} * 86400", "s"),
        Column("over", largest(ID, names.ELAPSED, ONE), "percentunit", decimals=1, empty="rolls"),
        Column("with data", largest(ID, names.COVERAGE, ONE), "percentunit", decimals=1),
        Column("consumed", largest(ID, names.CONSUMED, ONE), "percentunit", decimals=1),
        Column("bad events left", smallest(ID, names.REMAINING_EVENTS, ONE), decimals=0),
        Column("alerts from bad events", largest(ID, names.LEAST_BAD, ONE), decimals=0),
    ]

    return table(spec, _key(), columns)


def _burn(what: str, windows: str, *more: Query) -> Panel:
    spec = PanelSpec(
        f"Burn rate over {what}",
        f"How many times too fast was the budget used up over each window of {what}, and from which rate on do the "
        "alerts with such a long window fire, if their short one burns too (limits)?",
        NO_EVENTS,
        "none",
        (12, 10),
    )

    limit = largest("sloth_tier, long, short", names.BURN_FACTOR, ONE, f'long=~"{windows}"')

    return timeseries(
        spec,
        Query(_by_window(windows), "{{sloth_window}}"),
        *more,
        Query(limit, "limit {{sloth_tier}}, {{long}}, {{short}}"),
    )


def _by_window(windows: str) -> str:
    """Burn rates of all recorded windows that match, also those which only this SLO has."""
    errors, events = (selector(names.count(kind), ONE, f'sloth_window=~"{windows}"') for kind in ("errors", "events"))
    ratio = f"max by (sloth_window) ({errors} / ({events} > 0))"
    return f"{ratio} / on () group_left () max({selector(names.BUDGET, ONE)})"


def _rate(kind: str) -> str:
    """Events a second. An SLO with a shorter base window has no rate of five minutes, but their count."""
    rate = f"sum by ({ID}) ({selector(names.rate(kind), ONE)})"
    count = selector(names.count(kind), ONE, 'sloth_window="5m"')
    return f"{rate} or sum by ({ID}) ({count}) / 300"


def _events() -> Panel:
    spec = PanelSpec("Events", "How many events does the SLO count?", NO_EVENTS, "eps", (6, 9))
    return timeseries(spec, Query(_rate("events"), "events"))


def _errors() -> Panel:
    spec = PanelSpec("Bad events", "How many of them are bad?", NO_EVENTS, "eps", (6, 9))
    return timeseries(spec, Query(_rate("errors"), "bad events"))


def _ratio() -> Panel:
    spec = PanelSpec(
        "Error ratio",
        "Which part of the events is bad, and which part may be (limit)?",
        NO_EVENTS,
        "percentunit",
        (6, 9),
    )

    windows = [Query(largest(ID, f"{names.RATIO}{window}", ONE), window) for window in ("5m", "1h")]
    return timeseries(spec, *windows, Query(largest(ID, names.BUDGET, ONE), "limit"))


def _latency() -> Panel:
    spec = PanelSpec(
        "Latency of the application",
        "How long do its requests take on both sides, as the exporter observed them?",
        "No evidence: the exporter observes no application of this name, or has no latency of it.",
        "s",
        (6, 9),
    )

    # Which application the SLO is of is only known to its rules: their label chooses among all latencies.
    latencies = selector("pte_latency_seconds", 'stat=~"p50|p95|p99"')
    latency = f"max by (side, stat) ({latencies} and on (application) {selector(names.OBJECTIVE, ONE)})"
    return timeseries(spec, Query(latency, "{{side}} {{stat}}"))


def _forecast() -> Panel:
    spec = PanelSpec(
        "Forecast",
        "Will the budget last the period if the last three days go on, and what is due under the SLA?",
        NO_FORECAST,
        "none",
        (16, 6),
    )

    gone = f"{smallest(ID, names.BREACH, ONE)} * 1000"
    columns = [
        Column("evidence", smallest(ID, names.FORECAST_EVIDENCE, ONE), "none", value_mappings.EVIDENCE),
        Column("errors at the end", largest(ID, names.FORECAST, ONE), "percentunit", decimals=3),
        Column("may be", largest(ID, names.BUDGET, ONE), "percentunit", decimals=3),
        Column("budget gone on", gone, "dateTimeAsIso", empty="not in sight"),
        Column("SLA promises", largest(ID, names.SLA_OBJECTIVE, ONE), "percentunit", decimals=3, empty="no SLA"),
        Column("credit now", largest(ID, names.SLA_CREDIT, ONE), "percentunit", decimals=1, empty="none"),
        Column(
            "credit at the end",
            largest(ID, names.SLA_CREDIT_FORECAST, ONE),
            "percentunit",
            decimals=1,
            empty="no forecast",
        ),
    ]

    return table(spec, _key(), columns)


def _credits() -> Panel:
    spec = PanelSpec(
        "Steps of the service credit",
        "Below which SLI is which part of the fee due?",
        "This SLO has no SLA, or one without credits.",
        "percentunit",
        (8, 6),
    )

    below = largest("credit", names.SLA_BELOW, ONE)
    return table(
        spec, [Key("credit", "credit")], [Column("SLI below", below, "percentunit", decimals=3)], sort="SLI below"
    )


def _states() -> Panel:
    spec = PanelSpec(
        "State of the data",
        "Since when is there data, and when was there none?",
        "Nothing here: no rules of this SLO are loaded.",
        "none",
        (12, 6),
    )

    return timeline(spec, Query(budget.state(ID, ONE), "data"), value_map=value_mappings.DATA_STATE)


def _maintenance() -> Panel:
    spec = PanelSpec(
        "Maintenance",
        "When did events count neither as good nor as bad?",
        "This SLO has no maintenance windows.",
        "none",
        (12, 6),
    )

    active = largest(ID, names.MAINTENANCE, ONE)
    return timeline(spec, Query(active, "maintenance"), value_map=value_mappings.MAINTENANCE)
