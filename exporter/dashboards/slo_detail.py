"""Board "slo-detail": what uses up the budget of one SLO?"""

from __future__ import annotations

from exporter.dashboards import budget
from exporter.dashboards.budget import ID, NO_SLO_TILE
from exporter.dashboards.kit import value_mappings
from exporter.dashboards.kit.board import Board, applications, data_source, labels
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
from exporter.dashboards.kit.query import APPLICATION, Query, largest, selector, smallest
from exporter.slo.rules import names

SELECTED = f'{ID}="$slo"'
NO_EVENTS = "No evidence: the SLO had no events, or its data is broken. See the state of the data below."
NO_FORECAST = "No forecast: too few bad events or too little data in the last three days, or the period is short."

_HOURS = "[0-9]+[smh]"
_DAYS = "[0-9]+[dw]|week|month"
"""Which windows (label sloth_window) each graph of burn rates shows."""


def board() -> Board:
    return Board(
        "pte-slo-detail",
        "How much of this SLO's error budget remains, what uses it up, and how long will it last?",
        (
            *_tiles(),
            heading("Budget"),
            _budget(),
            _figures(),
            heading("Burn rates and the alerts' limits"),
            _burn("hours", _HOURS, Query(largest(ID, names.CURRENT_BURN, SELECTED), "now")),
            _burn("days", _DAYS),
            heading("Inputs: events, errors, latency"),
            _events(),
            _errors(),
            _ratio(),
            _latency(),
            heading("Forecast and SLA"),
            _forecast(),
            _credits(),
            heading("Data, maintenance, alerts"),
            _states(),
            _maintenance(),
            budget.alerts((24, 6), SELECTED),
        ),
        (data_source(), applications(names.OBJECTIVE), _slos()),
    )


def _slos() -> dict[str, object]:
    query = f"label_values({selector(names.OBJECTIVE, APPLICATION)}, {ID})"
    return labels("slo", "SLO", "Which SLO to show.", query, single=True)


def _tiles() -> tuple[Panel, ...]:
    inside = PanelSpec("Inside its budget?", "Does this SLO have error budget left?", "no evidence", "none", (3, 6))
    remaining = PanelSpec(
        "Remaining budget", "What share of the period's budget remains?", "no evidence", "percentunit", (4, 6)
    )
    sli = PanelSpec(
        "SLI of the period",
        "What share of the period's events was good, and what is the objective (limit)?",
        "no evidence",
        "percentunit",
        (4, 6),
    )
    gone = PanelSpec(
        "Exhausted in",
        "When is the budget exhausted, at the rate of the last hour?",
        "not expected",
        "s",
        (4, 6),
    )
    state = PanelSpec("Is the data current?", "Can these numbers be trusted?", NO_SLO_TILE, "none", (4, 6))

    return (
        stat(inside, Query(f"{budget.remaining(ID, SELECTED)} > bool 0"), value_map=value_mappings.INSIDE),
        stat(remaining, Query(budget.remaining(ID, SELECTED)), decimals=1),
        stat(
            sli,
            Query(budget.sli(ID, SELECTED), "SLI"),
            Query(largest(ID, names.OBJECTIVE, SELECTED), "limit"),
            decimals=3,
        ),
        stat(gone, Query(smallest(ID, names.EXHAUSTION, SELECTED)), decimals=1),
        stat(state, Query(budget.state(ID, SELECTED)), value_map=value_mappings.DATA_STATE),
        budget.age(5, SELECTED),
    )


def _budget() -> Panel:
    spec = PanelSpec(
        "Remaining budget over 30 days",
        "When was the budget used up, and when did it recover?",
        NO_EVENTS,
        "percentunit",
        (15, 10),
    )

    return timeseries(spec, Query(budget.remaining(ID, SELECTED), "remaining"), Query("vector(0)", "limit"), span="30d")


def _key() -> list[Key]:
    return [Key(ID, ID)]


def _figures() -> Panel:
    spec = PanelSpec(
        "The period in figures",
        "How many bad events remain, and how much of the period has data or has elapsed?",
        NO_EVENTS,
        "none",
        (9, 10),
    )

    columns = [
        TableColumn("period", f"{largest(ID, names.DAYS, SELECTED)} * 86400", "s"),
        TableColumn("elapsed", largest(ID, names.ELAPSED, SELECTED), "percentunit", decimals=1, empty="rolling"),
        TableColumn("with data", largest(ID, names.COVERAGE, SELECTED), "percentunit", decimals=1),
        TableColumn("consumed", largest(ID, names.CONSUMED, SELECTED), "percentunit", decimals=1),
        TableColumn("remaining bad events", smallest(ID, names.REMAINING_EVENTS, SELECTED), decimals=0),
        TableColumn("minimum bad events to alert", largest(ID, names.LEAST_BAD, SELECTED), decimals=0),
    ]

    return table(spec, _key(), columns)


def _burn(unit: str, windows: str, *more: Query) -> Panel:
    spec = PanelSpec(
        f"Burn rate over {unit}",
        f"How many times too fast was the budget used up over each window of {unit}, and from which rate on do alerts "
        "fire, if their short window is over the limit too (limits)?",
        NO_EVENTS,
        "none",
        (12, 10),
    )

    limit = largest("sloth_tier, long, short", names.BURN_FACTOR, SELECTED, f'long=~"{windows}"')

    return timeseries(
        spec,
        Query(_by_window(windows), "{{sloth_window}}"),
        *more,
        Query(limit, "limit {{sloth_tier}}, {{long}}, {{short}}"),
    )


def _by_window(windows: str) -> str:
    """Burn rates of all recorded windows that match, also those which only this SLO has."""
    errors, events = (
        selector(names.count(kind), SELECTED, f'sloth_window=~"{windows}"') for kind in ("errors", "events")
    )
    ratio = f"max by (sloth_window) ({errors} / ({events} > 0))"
    return f"{ratio} / on () group_left () max({selector(names.BUDGET, SELECTED)})"


def _rate(kind: str) -> str:
    """Events a second. An SLO with a shorter base window has no rate of five minutes, but their count."""
    rate = f"sum by ({ID}) ({selector(names.rate(kind), SELECTED)})"
    count = selector(names.count(kind), SELECTED, 'sloth_window="5m"')
    return f"{rate} or sum by ({ID}) ({count}) / 300"


def _events() -> Panel:
    spec = PanelSpec("Events", "How many events does the SLO count?", NO_EVENTS, "eps", (6, 9))
    return timeseries(spec, Query(_rate("events"), "events"))


def _errors() -> Panel:
    spec = PanelSpec("Bad events", "How many events are bad?", NO_EVENTS, "eps", (6, 9))
    return timeseries(spec, Query(_rate("errors"), "bad events"))


def _ratio() -> Panel:
    spec = PanelSpec(
        "Error ratio",
        "What share of the events is bad, and what share is allowed (limit)?",
        NO_EVENTS,
        "percentunit",
        (6, 9),
    )

    windows = [Query(largest(ID, f"{names.RATIO}{window}", SELECTED), window) for window in ("5m", "1h")]
    return timeseries(spec, *windows, Query(largest(ID, names.BUDGET, SELECTED), "limit"))


def _latency() -> Panel:
    spec = PanelSpec(
        "Latency of the application",
        "How long do its requests take in production and the PTE, as observed by the exporter?",
        "No evidence: the exporter observes no application of this name, or no latency for it.",
        "s",
        (6, 9),
    )

    # Only the rules know the application of the SLO: their label selects among all latencies.
    latencies = selector("pte_latency_seconds", 'stat=~"p50|p95|p99"')
    latency = f"max by (side, stat) ({latencies} and on (application) {selector(names.OBJECTIVE, SELECTED)})"
    return timeseries(spec, Query(latency, "{{side}} {{stat}}"))


def _forecast() -> Panel:
    spec = PanelSpec(
        "Forecast",
        "Will the budget last the period at the rate of the last three days, and which credit is due under the SLA?",
        NO_FORECAST,
        "none",
        (16, 6),
    )

    gone = f"{smallest(ID, names.BREACH, SELECTED)} * 1000"
    columns = [
        TableColumn("evidence", smallest(ID, names.FORECAST_EVIDENCE, SELECTED), "none", value_mappings.EVIDENCE),
        TableColumn("errors at the end", largest(ID, names.FORECAST, SELECTED), "percentunit", decimals=3),
        TableColumn("allowed", largest(ID, names.BUDGET, SELECTED), "percentunit", decimals=3),
        TableColumn("budget exhausted on", gone, "dateTimeAsIso", empty="not expected"),
        TableColumn(
            "SLA promises", largest(ID, names.SLA_OBJECTIVE, SELECTED), "percentunit", decimals=3, empty="no SLA"
        ),
        TableColumn("credit now", largest(ID, names.SLA_CREDIT, SELECTED), "percentunit", decimals=1, empty="none"),
        TableColumn(
            "credit at the end",
            largest(ID, names.SLA_CREDIT_FORECAST, SELECTED),
            "percentunit",
            decimals=1,
            empty="no forecast",
        ),
    ]

    return table(spec, _key(), columns)


def _credits() -> Panel:
    spec = PanelSpec(
        "Steps of the service credit",
        "Below which SLI is which share of the fee due?",
        "This SLO has no SLA, or one without credits.",
        "percentunit",
        (8, 6),
    )

    below = largest("credit", names.SLA_BELOW, SELECTED)
    return table(
        spec, [Key("credit", "credit")], [TableColumn("SLI below", below, "percentunit", decimals=3)], sort="SLI below"
    )


def _states() -> Panel:
    spec = PanelSpec(
        "State of the data",
        "Since when does data exist, and when was it missing?",
        "No data: no rules of this SLO are loaded.",
        "none",
        (12, 6),
    )

    return timeline(spec, Query(budget.state(ID, SELECTED), "data"), value_map=value_mappings.DATA_STATE)


def _maintenance() -> Panel:
    spec = PanelSpec(
        "Maintenance",
        "When did events count neither as good nor as bad?",
        "This SLO has no maintenance windows.",
        "none",
        (12, 6),
    )

    active = largest(ID, names.MAINTENANCE, SELECTED)
    return timeline(spec, Query(active, "maintenance"), value_map=value_mappings.MAINTENANCE)
