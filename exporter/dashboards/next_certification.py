"""The panel on the next certification: its objectives, and which of them the present run meets."""

from __future__ import annotations

from exporter.dashboards.gap import compared
from exporter.dashboards.kit import value_mappings
from exporter.dashboards.kit.panels import Key, Panel, PanelSpec, TableColumn, table
from exporter.dashboards.kit.query import APPLICATION, largest
from exporter.dashboards.kit.units import NAMES, in_display_units
from exporter.dashboards.shared import application_key


def next_certification(pte: str) -> Panel:
    by = "application, metric"
    spec = PanelSpec(
        "Next certification",
        "What must the next certification show, and does the present run already meet it?",
        "No evidence: production was not observed, and objectives are derived from it.",
        "locale",
        (24, 9),
    )

    objective = in_display_units(
        "metric", lambda match: largest(by, "pte_next_certification_objective", APPLICATION, match)
    )
    met = largest(by, "pte_next_certification_met", APPLICATION)
    # The inputs of the gaps have the label `signal`; its values are those of `metric` here.
    present = f'max by ({by}) (label_replace({compared(pte)}, "metric", "$1", "signal", "(.+)"))'
    factors = largest("metric", "pte_next_certification_factor_ratio")
    objectives = largest(by, "pte_next_certification_objective", APPLICATION)
    factor = f"{objectives} * 0 + on (metric) group_left () {factors}"
    columns = [
        TableColumn("objective", objective, decimals=2, empty="see the report"),
        TableColumn("present run", f"{present} and {objectives}", decimals=2, empty="not observed"),
        TableColumn("verdict", met, "none", value_mappings.MET, empty="not observed"),
        TableColumn("factor on production", factor, decimals=2, empty="none"),
    ]
    keys = [application_key("pte-certification", "Only this application"), Key("metric", "metric", NAMES)]
    return table(spec, keys, columns, sort="application", desc=False)
