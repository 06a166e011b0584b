"""Board "bench": is anything slower than it was, and since which commit?"""

from __future__ import annotations

from exporter.dashboards.kit import value_mappings
from exporter.dashboards.kit.board import Board, applications, data_source, moments
from exporter.dashboards.kit.panels import Column, Key, Panel, PanelSpec, heading, stat, table, timeseries
from exporter.dashboards.kit.query import APPLICATION, Query, any_of, largest, or_no_evidence, scalar
from exporter.dashboards.kit.units import NAMES, NAMES_WITHOUT_UNITS, in_display_units
from exporter.dashboards.shared import UNSCRAPED, alerts, application_key, data_age, data_state, to_board
from exporter.model.verdict import SEVERITIES

NOTHING_BEFORE = (
    "No evidence: there is no run to compare with. Name a baseline, or keep the result files of the runs before."
)
NOT_MOVED = "No endpoint is worse or better than before, or there is nothing to compare with: see the verdicts."
_BY = "application, against, metric"
_MOVED = f"{_BY}, endpoint"
_AGAIN = to_board("pte-bench", "Only this application")
_VERDICTS = {"worse": "worse", "equal": "equal", "better": "better", "no_evidence": "no evidence"}
_DIRECTIONS = {"no_evidence": 0, "stable": 1, "improving": 2, "volatile": 3, "degrading": 4}


def board() -> Board:
    return Board(
        "pte-bench",
        "Is anything slower or failing more than before, and since which commit?",
        (
            *_tiles(),
            heading("What changed"),
            whole_run(),
            _moved(),
            _verdicts(),
            _limits(),
            heading("Where it has been going"),
            _trends(),
            _endpoint_trends(),
            _slopes(),
            heading("By commit: each run is a line of its own, from when it was read until the next one"),
            *_courses(),
            heading("Alerts"),
            alerts("Alerts that fire", "Which alerts fire now for these applications?", (24, 6)),
        ),
        (data_source(), applications("pte_load_run_evidence")),
        span="now-30d",
        annotations=(moments("Load test ended", scalar("pte_load_run_end_timestamp_seconds"), "blue"),),
    )


def _key() -> Key:
    return application_key("pte-loadrun", "Newest run of this application")


def worse(size: tuple[int, int]) -> Panel:
    """A tile: the largest severity of a change for the worse; -1 without evidence."""
    spec = PanelSpec(
        "Worse than before?",
        "How severe is the worst change for the worse, of all requests or of an endpoint, against baseline or history?",
        UNSCRAPED,
        "none",
        size,
    )

    whole = largest("application, against, metric", "pte_load_run_change_severity", APPLICATION)
    single = largest(_MOVED, "pte_load_run_endpoint_change_severity", APPLICATION)
    worst = or_no_evidence(f"max by (application) ({whole} or {single})", "pte_load_run_evidence")
    return stat(spec, Query(worst, "{{application}}"), value_map=value_mappings.WORSE_THAN_BEFORE, links=_AGAIN)


def _tiles() -> tuple[Panel, ...]:
    count = PanelSpec(
        "Endpoints that are worse",
        "How many endpoints are worse in some metric, by what they are compared with?",
        "no run to compare with",
        "none",
        (6, 6),
    )
    compared = PanelSpec(
        "Can it be compared?",
        "Is there a baseline, and are there enough runs before (history)?",
        "no run known",
        "none",
        (6, 6),
    )

    against = "application, against"
    named = "{{application}}, {{against}}"
    endpoints = f"max by ({against}) ({largest(_BY, 'pte_load_run_endpoint_changes', APPLICATION, _verdict('worse'))})"
    evidence = largest(against, "pte_load_run_change_evidence", APPLICATION)

    return (
        worse((5, 6)),
        stat(count, Query(endpoints, named), value_map=value_mappings.COUNT_AGAINST, links=_AGAIN),
        stat(compared, Query(evidence, named), value_map=value_mappings.EVIDENCE, links=_AGAIN),
        data_state(4),
        data_age(3),
    )


def _verdict(name: str) -> str:
    return f'verdict="{name}"'


def _verdict_number() -> str:
    """value_mappings.COMPARED; where replicas disagree, the worst."""
    ranks = {"no_evidence": 0, "equal": 1, "better": 2, "worse": 3}
    parts = [
        f"pte_load_run_change_verdict{{{APPLICATION}, {_verdict(verdict)}}} * {rank}" for verdict, rank in ranks.items()
    ]
    return f"max by ({_BY}) ({any_of(parts)})"


def whole_run() -> Panel:
    spec = PanelSpec(
        "All requests, metric by metric",
        "What is the run compared with, by how much does it differ, is that more than runs differ anyway, and on how "
        "many runs or requests does that rest?",
        NOTHING_BEFORE,
        "locale",
        (24, 9),
    )

    def value(role: str) -> str:
        return in_display_units(
            "metric", lambda match: largest(_BY, "pte_load_run_change_input", APPLICATION, f'role="{role}"', match)
        )

    columns = [
        Column("value", value("value"), decimals=2),
        Column("at least", value("least"), decimals=2, empty="not known"),
        Column("at most", value("most"), decimals=2, empty="not known"),
        Column("was", value("reference"), decimals=2),
        Column("change", largest(_BY, "pte_load_run_change_ratio", APPLICATION), "percentunit", decimals=1),
        Column("verdict", _verdict_number(), "none", value_mappings.COMPARED),
        Column("severity", largest(_BY, "pte_load_run_change_severity", APPLICATION), "none", value_mappings.SEVERITY),
        Column("effect size", largest(_BY, "pte_load_run_change_effect", APPLICATION), decimals=2),
        Column("rests on", largest(_BY, "pte_load_run_change_samples", APPLICATION), decimals=0),
    ]
    keys = [_key(), Key("against", "against"), Key("metric", "metric", NAMES)]
    return table(spec, keys, columns, sort="severity")


def _moved() -> Panel:
    spec = PanelSpec(
        "Endpoints that changed", "Which endpoints are worse or better, the worst first?", NOT_MOVED, "locale", (24, 10)
    )

    columns = [
        Column("change", largest(_MOVED, "pte_load_run_endpoint_change_ratio", APPLICATION), "percentunit", decimals=1),
        Column(
            "severity",
            largest(_MOVED, "pte_load_run_endpoint_change_severity", APPLICATION),
            "none",
            value_mappings.SEVERITY,
        ),
        Column("effect size", largest(_MOVED, "pte_load_run_endpoint_change_effect", APPLICATION), decimals=2),
    ]
    keys = [_key(), Key("endpoint", "name"), Key("metric", "metric", NAMES_WITHOUT_UNITS), Key("against", "against")]
    return table(spec, keys, columns, sort="severity")


def _verdicts() -> Panel:
    spec = PanelSpec(
        "Verdicts on endpoints",
        "Of how many endpoints is it known whether they changed, metric by metric?",
        NOTHING_BEFORE,
        "none",
        (13, 9),
    )

    columns = [
        Column(title, largest(_BY, "pte_load_run_endpoint_changes", APPLICATION, _verdict(verdict)), decimals=0)
        for verdict, title in _VERDICTS.items()
    ]
    keys = [_key(), Key("against", "against"), Key("metric", "metric", NAMES_WITHOUT_UNITS)]
    return table(spec, keys, columns, sort="worse")


def _limits() -> Panel:
    by = "application, change"
    spec = PanelSpec(
        "From which change on it is severe",
        "Which change for the worse has which severity, and from which severity on do alerts fire?",
        NOTHING_BEFORE,
        "percentunit",
        (11, 9),
    )

    step = {
        severity: largest(by, "pte_load_run_change_limit", APPLICATION, f'severity="{severity}"')
        for severity in SEVERITIES[1:]
    }
    alerting = largest("application", "pte_load_run_limit", APPLICATION, 'limit="change_severity"')
    columns = [
        *(Column(severity, expr, "percentunit") for severity, expr in step.items()),
        Column(
            "alerts from",
            f"{step['low']} * 0 + on (application) group_left () {alerting}",
            "none",
            value_mappings.SEVERITY,
        ),
    ]
    keys = [
        _key(),
        Key("change", "change of", value_mappings.plain({"ratio": "latency, rate", "error_ratio": "error ratio"})),
    ]

    return table(spec, keys, columns, sort="application", desc=False)


def _direction(by: str, name: str) -> str:
    parts = [f'{name}{{{APPLICATION}, direction="{direction}"}} * {rank}' for direction, rank in _DIRECTIONS.items()]
    return f"max by ({by}) ({any_of(parts)})"


def _trends() -> Panel:
    by = "application, metric"
    spec = PanelSpec(
        "Trend of all requests",
        "Where has each metric been going from run to run, and on how many runs does that rest?",
        NOTHING_BEFORE,
        "locale",
        (12, 9),
    )

    columns = [
        Column("trend", _direction(by, "pte_load_run_trend"), "none", value_mappings.TREND),
        Column("per run", largest(by, "pte_load_run_trend_slope_ratio", APPLICATION), "percentunit", decimals=2),
        Column("scatter", largest(by, "pte_load_run_trend_variation_ratio", APPLICATION), "percentunit", decimals=2),
        Column("runs", largest(by, "pte_load_run_trend_runs", APPLICATION), decimals=0),
    ]

    return table(spec, [_key(), Key("metric", "metric", NAMES_WITHOUT_UNITS)], columns, sort="trend")


def _endpoint_trends() -> Panel:
    by = "application, metric"
    spec = PanelSpec(
        "Trends of endpoints",
        "How many endpoints are going which way, metric by metric?",
        NOTHING_BEFORE,
        "none",
        (12, 9),
    )

    def count(direction: str) -> str:
        return largest(by, "pte_load_run_endpoint_trends", APPLICATION, f'direction="{direction}"')

    columns = [Column(direction.replace("_", " "), count(direction), decimals=0) for direction in reversed(_DIRECTIONS)]
    return table(spec, [_key(), Key("metric", "metric", NAMES_WITHOUT_UNITS)], columns, sort="degrading")


def _slopes() -> Panel:
    by = "application, metric, endpoint"
    spec = PanelSpec(
        "Endpoints that are on the way",
        "Which endpoints are improving or degrading, and how fast?",
        "No endpoint has a trend, or there are too few runs: see the trends above.",
        "percentunit",
        (24, 8),
    )

    slope = largest(by, "pte_load_run_endpoint_trend_slope_ratio", APPLICATION)
    keys = [_key(), Key("endpoint", "name"), Key("metric", "metric", NAMES_WITHOUT_UNITS)]
    return table(spec, keys, [Column("per run", slope, "percentunit", decimals=2)], sort="per run")


def _courses() -> tuple[Panel, ...]:
    info = largest("application, run, commit", "pte_load_run_info", APPLICATION)
    none = "No evidence: no result file of a load test was read or published in this time."
    named = "{{application}} {{commit}} {{run}}"

    def course(title: str, question: str, value: str, unit: str) -> Panel:
        query = Query(f"{info} * on (application) group_left () ({value})", named)
        return timeseries(
            PanelSpec(title, question, none, unit, (8, 9)), query, links=to_board("pte-loadrun", "This run")
        )

    p95 = scalar("pte_load_run_latency_seconds", 'stat="p95"')

    return (
        course("P95 by commit", "Since which commit is the P95 what it is?", p95, "s"),
        course(
            "Rate by commit",
            "Since which commit is the request rate what it is?",
            scalar("pte_load_run_requests_per_second"),
            "reqps",
        ),
        course(
            "Failures by commit",
            "Since which commit do as many requests fail?",
            f"1 - {scalar('pte_load_run_success_ratio')}",
            "percentunit",
        ),
    )
