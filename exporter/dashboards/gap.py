"""Panels on gaps: where does the PTE differ from production, and how severe is it?"""

from __future__ import annotations

from collections.abc import Mapping

from exporter.dashboards.kit import value_mappings
from exporter.dashboards.kit.panels import Key, Panel, PanelSpec, TableColumn, table, timeseries
from exporter.dashboards.kit.query import APPLICATION, Query, any_of, largest
from exporter.dashboards.kit.units import NAMES, in_display_units
from exporter.dashboards.shared import NOT_OBSERVED, application_key

_BY_SIGNAL = "application, signal"


def compared(side: str) -> str:
    return in_display_units(
        "signal", lambda match: largest(_BY_SIGNAL, "pte_gap_input", APPLICATION, f'side="{side}"', match)
    )


def _step(severity: str) -> str:
    """The gap from which a severity holds, repeated for each application."""
    steps = largest("signal", "pte_gap_limit_ratio", f'severity="{severity}"')
    return f"{largest(_BY_SIGNAL, 'pte_gap_evidence', APPLICATION)} * 0 + on (signal) group_left () {steps}"


def _own_limit(match: str) -> str:
    evidence = largest(_BY_SIGNAL, "pte_gap_evidence", APPLICATION, match)
    return f"({evidence} * 0 + on (signal) group_left () {largest('signal', 'pte_gap_value_limit')})"


def _comparison() -> str:
    """The verdict as a number (value_mappings.COMPARISON); where replicas disagree, the worst."""
    ranks = {"no_evidence": 0, "equal": 1, "better": 2, "worse": 3}
    parts = [f'pte_gap_verdict{{{APPLICATION}, verdict="{verdict}"}} * {rank}' for verdict, rank in ranks.items()]
    return f"max by ({_BY_SIGNAL}) ({any_of(parts)})"


def gaps(sides: Mapping[str, str]) -> tuple[Panel, ...]:
    spec = PanelSpec(
        "Gaps, signal by signal",
        "Where does the PTE differ from production, by how much, and how severe is it? Gauges compare peaks, latency "
        "the whole window; the gap is (PTE - production) / production.",
        NOT_OBSERVED,
        "locale",
        (15, 11),
    )

    columns = [
        TableColumn("production", compared(sides["production"]), decimals=2, empty="not observed"),
        TableColumn("PTE", compared(sides["pte"]), decimals=2, empty="not observed"),
        TableColumn("gap", largest(_BY_SIGNAL, "pte_gap_ratio", APPLICATION), "percentunit", decimals=1),
        TableColumn("severity", largest(_BY_SIGNAL, "pte_gap_severity", APPLICATION), "none", value_mappings.SEVERITY),
        TableColumn("verdict", _comparison(), "none", value_mappings.COMPARISON),
        TableColumn("low above", _step("low"), "percentunit", empty="no limit"),
        TableColumn("critical above", _step("critical"), "percentunit", empty="no limit"),
        TableColumn("PTE's own limit", in_display_units("signal", _own_limit), decimals=0, empty="no limit"),
    ]
    keys = [application_key("pte-certification", "Only this application"), Key("signal", "signal", NAMES)]
    course = PanelSpec("Gaps over time", "Do the gaps grow or shrink over time?", NOT_OBSERVED, "percentunit", (9, 11))

    gap = largest(_BY_SIGNAL, "pte_gap_ratio", APPLICATION)
    return table(spec, keys, columns, sort="severity"), timeseries(course, Query(gap, "{{application}} {{signal}}"))
