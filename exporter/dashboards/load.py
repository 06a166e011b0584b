"""Panels on load: which test run, and did it reach production's load?"""

from __future__ import annotations

from collections.abc import Mapping

from exporter.dashboards.kit import value_mappings
from exporter.dashboards.kit.panels import Panel, PanelSpec, TableColumn, table, timeseries
from exporter.dashboards.kit.query import Query, per_application, scalar
from exporter.dashboards.shared import NO_RUN, application_key, to_board


def load(sides: Mapping[str, str]) -> tuple[Panel, ...]:
    figures = PanelSpec(
        "Load coverage in four figures",
        "How much of production's load did the test reach: at its peak, sustained, and for how long? "
        "Percentiles are the share of production's minutes that the test's rate reached.",
        f"{NO_RUN} Or production had no traffic.",
        "percentunit",
        (14, 8),
    )

    columns = [
        TableColumn("peak / peak", scalar("pte_load_coverage_peak_ratio"), "percentunit", decimals=1),
        TableColumn("at least", per_application("load_coverage_ratio"), "percentunit"),
        TableColumn("percentile at peak", scalar("pte_load_coverage_peak_percentile_ratio"), "percentunit", decimals=1),
        TableColumn(
            "percentile sustained", scalar("pte_load_coverage_sustained_percentile_ratio"), "percentunit", decimals=1
        ),
        TableColumn("sustained rate", scalar("pte_load_coverage_sustained_requests_per_second"), "reqps", decimals=1),
        TableColumn("above P95", scalar("pte_load_coverage_above_p95_seconds"), "s"),
        TableColumn("evidence", scalar("pte_load_coverage_evidence"), "none", value_mappings.EVIDENCE),
    ]
    keys = [application_key("pte-traffic", "Traffic of this application")]
    return table(figures, keys, columns), _rates(sides)


def run() -> Panel:
    spec = PanelSpec(
        "The test run",
        "Which test run is the certification based on, and how long was each phase?",
        NO_RUN,
        "s",
        (24, 6),
    )

    def moment(edge: str) -> str:
        return f"{scalar(f'pte_test_run_{edge}_timestamp_seconds')} * 1000"

    phases = {"ramp-up": "ramp_up", "steady state": "steady_state", "spike": "spike"}
    columns = [
        TableColumn("began", moment("start"), "dateTimeAsIso"),
        TableColumn("ended", moment("end"), "dateTimeAsIso"),
        TableColumn("lasted", scalar("pte_test_run_duration_seconds"), "s"),
        *(
            TableColumn(title, scalar("pte_test_run_phase_seconds", f'phase="{phase}"'), "s")
            for title, phase in phases.items()
        ),
    ]

    return table(spec, [application_key("pte-certification", "Only this application")], columns, sort="ended")


def _rates(sides: Mapping[str, str]) -> Panel:
    spec = PanelSpec(
        "Production's peak against the test",
        "Has production's 24-hour peak outgrown the test's peak and its sustained rate?",
        f"{NO_RUN} Or production had no traffic.",
        "reqps",
        (10, 8),
    )

    def peak(role: str) -> str:
        return scalar("pte_requests_per_second", 'stat="peak"', f'side="{sides[role]}"')

    return timeseries(
        spec,
        Query(peak("production"), "production's peak, {{application}}"),
        Query(peak("pte"), "the test's peak, {{application}}"),
        Query(scalar("pte_load_coverage_sustained_requests_per_second"), "sustained by the test, {{application}}"),
        links=to_board("pte-traffic", "Traffic of this application"),
    )
