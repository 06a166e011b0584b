"""Panels on the data behind the results: evidence per result, values per signal, samples per verdict."""

from __future__ import annotations

from exporter.dashboards.kit import value_mappings
from exporter.dashboards.kit.panels import Key, Panel, PanelSpec, TableColumn, table
from exporter.dashboards.kit.query import APPLICATION, SIDE, any_of, largest, limit, scalar
from exporter.dashboards.kit.units import NAMES_WITHOUT_UNITS
from exporter.dashboards.shared import NOT_OBSERVED, NOT_SCRAPED, application_key

_KEY = application_key("pte-certification", "Certification of this application")
_RESULTS = {
    "certification": "pte_certification_evidence",
    "test run": "pte_test_run_evidence",
    "load": "pte_load_coverage_evidence",
    "coverage": "pte_coverage_evidence",
    "mix": "pte_mix_evidence",
    "pattern": "pte_pattern_evidence",
    "growth": "pte_growth_evidence",
    "capacity": "pte_capacity_evidence",
    "efficacy": "pte_efficacy_evidence",
}


def evidence() -> Panel:
    spec = PanelSpec(
        "Evidence for each result",
        "Which results have enough data, and for which applications is it expected?",
        NOT_SCRAPED,
        "none",
        (24, 7),
    )

    columns = [TableColumn(title, scalar(name), "none", value_mappings.EVIDENCE) for title, name in _RESULTS.items()]
    columns.append(TableColumn("expected", scalar("pte_certification_expected"), "none", value_mappings.EXPECTED))
    return table(spec, [_KEY], columns)


def verdicts() -> Panel:
    by = "application, side, signal"
    spec = PanelSpec(
        "Independent samples behind verdicts",
        "How many independent samples support each verdict, and how many are required (limit)?",
        NOT_OBSERVED,
        "locale",
        (12, 9),
    )

    counts = largest(by, "pte_gap_effective_samples", APPLICATION, SIDE)
    needed = limit("verdict_effective_samples")
    columns = [
        TableColumn("samples", counts, decimals=1),
        TableColumn("at least", f"{counts} * 0 + on () group_left () {needed}", decimals=0, empty="none"),
        TableColumn("enough", f"{counts} >= bool on () group_left () {needed}", "none", value_mappings.ENOUGH),
    ]

    return table(
        spec,
        [_KEY, Key("side", "side"), Key("signal", "signal", NAMES_WITHOUT_UNITS)],
        columns,
        sort="samples",
        desc=False,
    )


def samples() -> Panel:
    by = "application, side, signal"
    spec = PanelSpec(
        "Observed signals",
        "Which signals does each environment report, with how many values (for latency: requests), and how much time "
        "does each value cover? Values over more than a minute hide peaks, which are then not compared.",
        NOT_SCRAPED,
        "locale",
        (12, 9),
    )

    # Incidents are not a signal, but listed with them: whether a side reports them is evidence of the same kind.
    incidents = largest("application, side", "pte_incident_evidence", APPLICATION, SIDE)
    evidence = [
        largest(by, "pte_observation_evidence", APPLICATION, SIDE),
        f'label_replace({incidents}, "signal", "incidents", "", "")',
    ]
    resolution = largest(by, "pte_observed_resolution_seconds", APPLICATION, SIDE)
    columns = [
        TableColumn("observed", any_of(evidence), "none", value_mappings.EVIDENCE),
        TableColumn("values", largest(by, "pte_observed_samples", APPLICATION, SIDE), decimals=0, empty="none"),
        TableColumn("each covers", resolution, "s", value_mappings.RESOLUTION, empty="–"),
    ]

    return table(
        spec,
        [_KEY, Key("side", "side"), Key("signal", "signal", NAMES_WITHOUT_UNITS)],
        columns,
        sort="observed",
        desc=False,
    )
