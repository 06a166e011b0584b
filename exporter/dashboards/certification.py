"""Board "certification": did the test prove production's load?"""

from __future__ import annotations

from collections.abc import Mapping

from exporter.dashboards import words
from exporter.dashboards.board import Board, applications, data_source, moments
from exporter.dashboards.panels import About, Column, Key, Panel, heading, stat, table, timeline, timeseries
from exporter.dashboards.query import (
    APPLICATION,
    VERDICT,
    Query,
    any_of,
    largest,
    limit,
    or_no_evidence,
    per_application,
    scalar,
)
from exporter.dashboards.readable import NAMES, matching, scaled
from exporter.dashboards.reasons import reasons
from exporter.dashboards.shared import (
    NO_RUN,
    NOT_SCRAPED,
    NOT_SEEN,
    UNSCRAPED,
    UNTESTED,
    alerts,
    application_key,
    data_age,
    data_state,
    to_board,
)

_BY_SIGNAL = "application, signal"
_RATINGS = ("poor", "fair", "good", "excellent")


def board(sides: Mapping[str, str]) -> Board:
    return Board(
        "pte-certification",
        "Did the performance test prove production's load, and does its certification still hold?",
        (
            *_verdict(),
            heading("Why? Each check with its value and its limit"),
            reasons((15, 9)),
            _history(),
            heading("Load: did the test reach production's?"),
            *_load(sides),
            _run(),
            heading("Gaps: where does the PTE differ from production?"),
            *_gaps(sides),
            heading("Worth of the test, and what the next one must show"),
            *_worth(sides),
            *_next(sides["pte"]),
            heading("Alerts"),
            alerts("Alerts that fire", "Which alerts fire now for these applications?", (24, 6)),
        ),
        (data_source(), applications()),
        annotations=(moments("Test run ended", scalar("pte_test_run_end_timestamp_seconds"), "blue"),),
    )


def _verdict() -> tuple[Panel, ...]:
    again = to_board("pte-certification", "Only this application")
    holds = About("Does it hold?", "Does the certification of each application still hold?", UNSCRAPED, "none", (6, 6))
    against = About(
        "Reasons against it",
        "How many checks speak against the certification? The table below names them.",
        UNSCRAPED,
        "none",
        (3, 6),
    )
    load = About(
        "Peak load reached",
        "Which part of production's peak did the test's peak reach, and what is the least that counts (limit)?",
        UNTESTED,
        "percentunit",
        (4, 6),
    )
    age = About(
        "Age of the test run",
        "How long ago did the test run end, and from which age is it too old (limit)?",
        UNTESTED,
        "s",
        (4, 6),
    )
    judged = f"{scalar('pte_certification_evidence')} == 1"
    reasons_on = largest("application, reason", "pte_certification_reason", APPLICATION)
    count = or_no_evidence(f"sum by (application) ({reasons_on}) and ({judged})", "pte_certification_evidence")
    return (
        stat(holds, Query(VERDICT, "{{application}}"), words=words.VERDICT, links=again),
        stat(against, Query(count, "{{application}}"), words=words.COUNT_AGAINST, links=again),
        stat(
            load,
            Query(scalar("pte_load_coverage_peak_ratio"), "{{application}}"),
            Query(limit("load_coverage_ratio"), "limit"),
            decimals=1,
            links=again,
        ),
        stat(
            age,
            Query(scalar("pte_test_run_age_seconds"), "{{application}}"),
            Query(limit("certification_age_seconds"), "limit"),
            decimals=1,
            links=again,
        ),
        data_state(3),
        data_age(4),
    )


def _history() -> Panel:
    about = About("Verdict over time", "Since when does the certification hold, or not?", NOT_SCRAPED, "none", (9, 9))
    return timeline(about, Query(VERDICT, "{{application}}"), words=words.VERDICT)


def _load(sides: Mapping[str, str]) -> tuple[Panel, ...]:
    figures = About(
        "Load coverage in four figures",
        "How far into production's load did the test reach: at its peak, sustained, and for how long? "
        "Percentiles are the share of production's minutes that the test's rate reached.",
        f"{NO_RUN} Or production had no traffic.",
        "percentunit",
        (14, 8),
    )
    columns = [
        Column("peak / peak", scalar("pte_load_coverage_peak_ratio"), "percentunit", decimals=1),
        Column("at least", per_application("load_coverage_ratio"), "percentunit"),
        Column("percentile at peak", scalar("pte_load_coverage_peak_percentile_ratio"), "percentunit", decimals=1),
        Column(
            "percentile sustained", scalar("pte_load_coverage_sustained_percentile_ratio"), "percentunit", decimals=1
        ),
        Column("sustained rate", scalar("pte_load_coverage_sustained_requests_per_second"), "reqps", decimals=1),
        Column("above P95", scalar("pte_load_coverage_above_p95_seconds"), "s"),
        Column("evidence", scalar("pte_load_coverage_evidence"), "none", words.EVIDENCE),
    ]
    keys = [application_key("pte-traffic", "Traffic of this application")]
    return table(figures, keys, columns), _rates(sides)


def _run() -> Panel:
    about = About(
        "The test run",
        "Which test run does the certification rest on, and how long did it spend in each phase?",
        NO_RUN,
        "s",
        (24, 6),
    )

    def moment(edge: str) -> str:
        return f"{scalar(f'pte_test_run_{edge}_timestamp_seconds')} * 1000"

    phases = {"ramp-up": "ramp_up", "steady state": "steady_state", "spike": "spike"}
    columns = [
        Column("began", moment("start"), "dateTimeAsIso"),
        Column("ended", moment("end"), "dateTimeAsIso"),
        Column("lasted", scalar("pte_test_run_duration_seconds"), "s"),
        *(
            Column(title, scalar("pte_test_run_phase_seconds", f'phase="{phase}"'), "s")
            for title, phase in phases.items()
        ),
    ]
    return table(about, [application_key("pte-certification", "Only this application")], columns, sort="ended")


def _rates(sides: Mapping[str, str]) -> Panel:
    about = About(
        "Production's peak against the test",
        "Has production's 24-hour peak outgrown what the test reached at its peak and sustained?",
        f"{NO_RUN} Or production had no traffic.",
        "reqps",
        (10, 8),
    )

    def peak(role: str) -> str:
        return scalar("pte_requests_per_second", 'stat="peak"', f'side="{sides[role]}"')

    return timeseries(
        about,
        Query(peak("production"), "production's peak, {{application}}"),
        Query(peak("pte"), "the test's peak, {{application}}"),
        Query(scalar("pte_load_coverage_sustained_requests_per_second"), "sustained by the test, {{application}}"),
        links=to_board("pte-traffic", "Traffic of this application"),
    )


def _compared(side: str) -> str:
    return scaled("signal", lambda match: largest(_BY_SIGNAL, "pte_gap_input", APPLICATION, f'side="{side}"', match))


def _step(severity: str) -> str:
    """The gap from which a severity holds, repeated for each application."""
    steps = largest("signal", "pte_gap_limit_ratio", f'severity="{severity}"')
    return f"{largest(_BY_SIGNAL, 'pte_gap_evidence', APPLICATION)} * 0 + on (signal) group_left () {steps}"


def _own_limit(match: str) -> str:
    evidence = largest(_BY_SIGNAL, "pte_gap_evidence", APPLICATION, match)
    return f"({evidence} * 0 + on (signal) group_left () {largest('signal', 'pte_gap_value_limit')})"


def _comparison() -> str:
    """The verdict as a number (words.COMPARISON); where replicas disagree, the worst."""
    ranks = {"no_evidence": 0, "equal": 1, "better": 2, "worse": 3}
    parts = [f'pte_gap_verdict{{{APPLICATION}, verdict="{verdict}"}} * {rank}' for verdict, rank in ranks.items()]
    return f"max by ({_BY_SIGNAL}) ({any_of(parts)})"


def _gaps(sides: Mapping[str, str]) -> tuple[Panel, ...]:
    about = About(
        "Gaps, signal by signal",
        "Where does the PTE differ from production, by how much, and is that bad? Gauges compare peaks, latency the "
        "whole window; the gap is (PTE - production) / production.",
        NOT_SEEN,
        "locale",
        (15, 11),
    )
    columns = [
        Column("production", _compared(sides["production"]), decimals=2, empty="not seen"),
        Column("PTE", _compared(sides["pte"]), decimals=2, empty="not seen"),
        Column("gap", largest(_BY_SIGNAL, "pte_gap_ratio", APPLICATION), "percentunit", decimals=1),
        Column("severity", largest(_BY_SIGNAL, "pte_gap_severity", APPLICATION), "none", words.SEVERITY),
        Column("verdict", _comparison(), "none", words.COMPARISON),
        Column("low above", _step("low"), "percentunit", empty="no limit"),
        Column("critical above", _step("critical"), "percentunit", empty="no limit"),
        Column("PTE's own limit", scaled("signal", _own_limit), decimals=0, empty="no limit"),
    ]
    keys = [application_key("pte-certification", "Only this application"), Key("signal", "signal", NAMES)]
    course = About(
        "Gaps over time", "Do the gaps grow as production moves on, or shrink?", NOT_SEEN, "percentunit", (9, 11)
    )
    gap = largest(_BY_SIGNAL, "pte_gap_ratio", APPLICATION)
    return table(about, keys, columns, sort="severity"), timeseries(course, Query(gap, "{{application}} {{signal}}"))


def _rating() -> str:
    parts = [
        f'(pte_efficacy_rating{{{APPLICATION}, rating="{rating}"}} == 1) * {rank}'
        for rank, rating in enumerate(_RATINGS, start=1)
    ]
    return f"min by (application) ({any_of(parts)})"


def _cpu(side: str) -> str:
    return f"{scalar('pte_capacity_cpu_per_request', matching('side', side, '='))} * 1000"


def _worth(sides: Mapping[str, str]) -> tuple[Panel, ...]:
    score = About(
        "Efficacy and capacity",
        "How much does the test prove, against the least that counts, and what does a request cost each side's CPU?",
        NOT_SEEN,
        "percentunit",
        (15, 7),
    )
    columns = [
        Column("efficacy", scalar("pte_efficacy_ratio"), "percentunit", decimals=1),
        Column("at least", per_application("efficacy_ratio"), "percentunit"),
        Column("rating", _rating(), "none", words.RATING),
        Column("CPU per 1000 req/s, production", _cpu(sides["production"]), "percentunit", decimals=2),
        Column("CPU per 1000 req/s, PTE", _cpu(sides["pte"]), "percentunit", decimals=2),
        Column("PTE / production", scalar("pte_capacity_cpu_per_request_ratio"), decimals=2),
    ]
    parts = About(
        "Parts of the efficacy",
        "Which part makes the score high or low, and what does it weigh?",
        NOT_SEEN,
        "percentunit",
        (9, 7),
    )
    shares = [
        Column(
            "score", largest("application, part", "pte_efficacy_part_ratio", APPLICATION), "percentunit", decimals=1
        ),
        Column("weight", largest("application, part", "pte_efficacy_part_weight_ratio", APPLICATION), "percentunit"),
    ]
    key = application_key("pte-certification", "Only this application")
    return table(score, [key], columns), table(parts, [key, Key("part", "part")], shares, sort="weight")


def _next(pte: str) -> tuple[Panel, ...]:
    by = "application, metric"
    about = About(
        "Next certification",
        "What must the next certification show, and would the present run already do?",
        "No evidence: production was not observed, so there is nothing to derive objectives from.",
        "locale",
        (24, 9),
    )
    objective = scaled("metric", lambda match: largest(by, "pte_next_certification_objective", APPLICATION, match))
    met = largest(by, "pte_next_certification_met", APPLICATION)
    shown = _compared(pte)
    present = f'max by ({by}) (label_replace({shown}, "metric", "$1", "signal", "(.+)"))'
    factors = largest("metric", "pte_next_certification_factor_ratio")
    objectives = largest(by, "pte_next_certification_objective", APPLICATION)
    factor = f"{objectives} * 0 + on (metric) group_left () {factors}"
    columns = [
        Column("objective", objective, decimals=2, empty="see the report"),
        Column("present run", f"{present} and {objectives}", decimals=2, empty="not observed"),
        Column("verdict", met, "none", words.MET, empty="not observed"),
        Column("factor on production", factor, decimals=2, empty="none"),
    ]
    keys = [application_key("pte-certification", "Only this application"), Key("metric", "metric", NAMES)]
    return (table(about, keys, columns, sort="application", desc=False),)
