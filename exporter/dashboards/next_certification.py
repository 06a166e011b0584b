"""The panel on the next certification: what it has to show, and how the present run fares."""

from __future__ import annotations

from exporter.dashboards.gap import compared
from exporter.dashboards.kit import value_mappings
from exporter.dashboards.kit.panels import Column, Key, Panel, PanelSpec, table
from exporter.dashboards.kit.query import APPLICATION, largest
from exporter.dashboards.kit.units import NAMES, in_display_units
from exporter.dashboards.shared import application_key


def next_certification(pte: str) -> Panel:
    by = "application, metric"
    spec = PanelSpec(
        "Next certification",
        "What must the next certification show, and would the present run already do?",
        "No evidence: production was not observed, so there is nothing to derive objectives from.",
        "locale",
        (24, 9),
    )

    objective = in_display_units(
        "metric", lambda match: largest(by, "pte_next_certification_objective", APPLICATION, match)
    )
    met = largest(by, "pte_next_certification_met", APPLICATION)
    # What the gaps compare has the label `signal`, whose values are those of `metric` here.
    present = f'max by ({by}) (label_replace({compared(pte)}, "metric", "$1", "signal", "(.+)"))'
    factors = largest("metric", "pte_next_certification_factor_ratio")
    objectives = largest(by, "pte_next_certification_objective", APPLICATION)
    factor = f"{objectives} * 0 + on (metric) group_left () {factors}"
    columns = [
        Column("objective", objective, decimals=2, empty="see the report"),
        Column("present run", f"{present} and {objectives}", decimals=2, empty="not observed"),
        Column("verdict", met, "none", value_mappings.MET, empty="not observed"),
        Column("factor on production", factor, decimals=2, empty="none"),
    ]
    keys = [application_key("pte-certification", "Only this application"), Key("metric", "metric", NAMES)]
    return table(spec, keys, columns, sort="application", desc=False)
