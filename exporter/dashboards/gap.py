"""Panels on gaps: where does the PTE differ from production, and is that bad?"""

from __future__ import annotations

from collections.abc import Mapping

from exporter.dashboards.kit import value_mappings
from exporter.dashboards.kit.panels import Column, Key, Panel, PanelSpec, table, timeseries
from exporter.dashboards.kit.query import APPLICATION, Query, any_of, largest
from exporter.dashboards.kit.units import NAMES, in_display_units
from exporter.dashboards.shared import NOT_SEEN, application_key

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
        "Where does the PTE differ from production, by how much, and is that bad? Gauges compare peaks, latency the "
        "whole window; the gap is (PTE - production) / production.",
        NOT_SEEN,
        "locale",
        (15, 11),
    )

    columns = [
        Column("production", compared(sides["production"]), decimals=2, empty="not seen"),
        Column("PTE", compared(sides["pte"]), decimals=2, empty="not seen"),
        Column("gap", largest(_BY_SIGNAL, "pte_gap_ratio", APPLICATION), "percentunit", decimals=1),
        Column("severity", largest(_BY_SIGNAL, "pte_gap_severity", APPLICATION), "none", value_mappings.SEVERITY),
        Column("verdict", _comparison(), "none", value_mappings.COMPARISON),
        Column("low above", _step("low"), "percentunit", empty="no limit"),
        Column("critical above", _step("critical"), "percentunit", empty="no limit"),
        Column("PTE's own limit", in_display_units("signal", _own_limit), decimals=0, empty="no limit"),
    ]
    keys = [application_key("pte-certification", "Only this application"), Key("signal", "signal", NAMES)]
    course = PanelSpec(
        "Gaps over time", "Do the gaps grow as production moves on, or shrink?", NOT_SEEN, "percentunit", (9, 11)
    )

    gap = largest(_BY_SIGNAL, "pte_gap_ratio", APPLICATION)
    return table(spec, keys, columns, sort="severity"), timeseries(course, Query(gap, "{{application}} {{signal}}"))
