"""Panels on what the results rest on: evidence per result, values per signal, independent samples per verdict."""

from __future__ import annotations

from exporter.dashboards import words
from exporter.dashboards.panels import About, Column, Key, Panel, table
from exporter.dashboards.query import APPLICATION, SIDE, any_of, largest, limit, scalar
from exporter.dashboards.readable import BARE
from exporter.dashboards.shared import NOT_SCRAPED, NOT_SEEN, application_key

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
    about = About(
        "Evidence for each result",
        "Which results rest on evidence, and for which applications is it expected?",
        NOT_SCRAPED,
        "none",
        (24, 7),
    )
    columns = [Column(title, scalar(name), "none", words.EVIDENCE) for title, name in _RESULTS.items()]
    columns.append(Column("expected", scalar("pte_certification_expected"), "none", words.EXPECTED))
    return table(about, [_KEY], columns)


def verdicts() -> Panel:
    by = "application, side, signal"
    about = About(
        "Independent samples behind verdicts",
        "How many independent samples stand behind each verdict, and how many does it take (limit)?",
        NOT_SEEN,
        "locale",
        (12, 9),
    )
    counted = largest(by, "pte_gap_effective_samples", APPLICATION, SIDE)
    needed = limit("verdict_effective_samples")
    columns = [
        Column("samples", counted, decimals=1),
        Column("at least", f"{counted} * 0 + on () group_left () {needed}", decimals=0, empty="none"),
        Column("enough", f"{counted} >= bool on () group_left () {needed}", "none", words.ENOUGH),
    ]
    return table(about, [_KEY, Key("side", "side"), Key("signal", "signal", BARE)], columns, sort="samples", desc=False)


def samples() -> Panel:
    by = "application, side, signal"
    about = About(
        "What was observed",
        "Which signals did each side give, how many values (for latency: requests) stand behind them, and how much "
        "time does each value cover? More than a minute hides peaks, which are then not compared.",
        NOT_SCRAPED,
        "locale",
        (12, 9),
    )
    told = largest("application, side", "pte_incident_evidence", APPLICATION, SIDE)
    seen = [
        largest(by, "pte_observation_evidence", APPLICATION, SIDE),
        f'label_replace({told}, "signal", "incidents", "", "")',
    ]
    resolution = largest(by, "pte_observed_resolution_seconds", APPLICATION, SIDE)
    columns = [
        Column("seen", any_of(seen), "none", words.EVIDENCE),
        Column("values", largest(by, "pte_observed_samples", APPLICATION, SIDE), decimals=0, empty="none"),
        Column("each covers", resolution, "s", words.RESOLUTION, empty="–"),
    ]
    return table(about, [_KEY, Key("side", "side"), Key("signal", "signal", BARE)], columns, sort="seen", desc=False)
