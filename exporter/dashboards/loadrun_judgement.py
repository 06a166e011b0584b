"""Board "bench": is anything slower than before, and since which commit?"""

from __future__ import annotations

from exporter.dashboards.kit import value_mappings
from exporter.dashboards.kit.board import Board, applications, data_source, moments
from exporter.dashboards.kit.panels import Key, Panel, PanelSpec, TableColumn, heading, stat, table, timeseries
from exporter.dashboards.kit.query import APPLICATION, Query, any_of, largest, or_no_evidence, scalar
from exporter.dashboards.kit.units import NAMES, NAMES_WITHOUT_UNITS, in_display_units
from exporter.dashboards.shared import UNSCRAPED, alerts, application_key, data_age, data_state, to_board
from exporter.model.verdict import SEVERITIES

NOTHING_BEFORE = "No evidence: no run to compare with. Name a baseline, or keep the result files of earlier runs."
NO_CHANGE = "No endpoint is worse or better than before, or no run to compare with: see the verdicts."
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
            heading("Trends"),
            _trends(),
            _endpoint_trends(),
            _slopes(),
            heading("By commit: each run is a line, from its reading until the next run"),
            *_courses(),
            heading("Alerts"),
            alerts("Firing alerts", "Which alerts are firing for these applications?", (24, 6)),
        ),
        (data_source(), applications("pte_load_run_evidence")),
        span="now-30d",
        annotations=(moments("Load test ended", scalar("pte_load_run_end_timestamp_seconds"), "blue"),),
    )


def _key() -> Key:
    return application_key("pte-loadrun", "Newest run of this application")


def worse(size: tuple[int, int]) -> Panel:
    """A tile: the worst severity of a change; -1 without evidence."""
    spec = PanelSpec(
        "Worse than before?",
        "How severe is the worst change, for all requests or an endpoint, compared with baseline or history?",
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
        "Worse endpoints",
        "How many endpoints are worse in some metric, compared with baseline or history?",
        "no run to compare with",
        "none",
        (6, 6),
    )
    compared = PanelSpec(
        "Can it be compared?",
        "Is there a baseline, and are there enough earlier runs (history)?",
        "no run found",
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
        "How much does the run differ from its reference, is that more than usual between runs, and how many runs or "
        "requests support the verdict?",
        NOTHING_BEFORE,
        "locale",
        (24, 9),
    )

    def value(role: str) -> str:
        return in_display_units(
            "metric", lambda match: largest(_BY, "pte_load_run_change_input", APPLICATION, f'role="{role}"', match)
        )

    columns = [
        TableColumn("value", value("value"), decimals=2),
        TableColumn("at least", value("least"), decimals=2, empty="unknown"),
        TableColumn("at most", value("most"), decimals=2, empty="unknown"),
        TableColumn("reference", value("reference"), decimals=2),
        TableColumn("change", largest(_BY, "pte_load_run_change_ratio", APPLICATION), "percentunit", decimals=1),
        TableColumn("verdict", _verdict_number(), "none", value_mappings.COMPARED),
        TableColumn(
            "severity", largest(_BY, "pte_load_run_change_severity", APPLICATION), "none", value_mappings.SEVERITY
        ),
        TableColumn("effect size", largest(_BY, "pte_load_run_change_effect", APPLICATION), decimals=2),
        TableColumn("samples", largest(_BY, "pte_load_run_change_samples", APPLICATION), decimals=0),
    ]
    keys = [_key(), Key("against", "against"), Key("metric", "metric", NAMES)]
    return table(spec, keys, columns, sort="severity")


def _moved() -> Panel:
    spec = PanelSpec(
        "Endpoints that changed", "Which endpoints are worse or better, the worst first?", NO_CHANGE, "locale", (24, 10)
    )

    columns = [
        TableColumn(
            "change", largest(_MOVED, "pte_load_run_endpoint_change_ratio", APPLICATION), "percentunit", decimals=1
        ),
        TableColumn(
            "severity",
            largest(_MOVED, "pte_load_run_endpoint_change_severity", APPLICATION),
            "none",
            value_mappings.SEVERITY,
        ),
        TableColumn("effect size", largest(_MOVED, "pte_load_run_endpoint_change_effect", APPLICATION), decimals=2),
    ]
    keys = [_key(), Key("endpoint", "name"), Key("metric", "metric", NAMES_WITHOUT_UNITS), Key("against", "against")]
    return table(spec, keys, columns, sort="severity")


def _verdicts() -> Panel:
    spec = PanelSpec(
        "Verdicts on endpoints",
        "How many endpoints are worse, equal, better or without evidence, metric by metric?",
        NOTHING_BEFORE,
        "none",
        (13, 9),
    )

    columns = [
        TableColumn(title, largest(_BY, "pte_load_run_endpoint_changes", APPLICATION, _verdict(verdict)), decimals=0)
        for verdict, title in _VERDICTS.items()
    ]
    keys = [_key(), Key("against", "against"), Key("metric", "metric", NAMES_WITHOUT_UNITS)]
    return table(spec, keys, columns, sort="worse")


def _limits() -> Panel:
    by = "application, change"
    spec = PanelSpec(
        "Severity limits",
        "From which change on does each severity apply, and from which severity on do alerts fire?",
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
        *(TableColumn(severity, expr, "percentunit") for severity, expr in step.items()),
        TableColumn(
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
        "How does each metric develop from run to run, over how many runs?",
        NOTHING_BEFORE,
        "locale",
        (12, 9),
    )

    columns = [
        TableColumn("trend", _direction(by, "pte_load_run_trend"), "none", value_mappings.TREND),
        TableColumn("per run", largest(by, "pte_load_run_trend_slope_ratio", APPLICATION), "percentunit", decimals=2),
        TableColumn(
            "scatter", largest(by, "pte_load_run_trend_variation_ratio", APPLICATION), "percentunit", decimals=2
        ),
        TableColumn("runs", largest(by, "pte_load_run_trend_runs", APPLICATION), decimals=0),
    ]

    return table(spec, [_key(), Key("metric", "metric", NAMES_WITHOUT_UNITS)], columns, sort="trend")


def _endpoint_trends() -> Panel:
    by = "application, metric"
    spec = PanelSpec(
        "Trends of endpoints",
        "How many endpoints improve or degrade, metric by metric?",
        NOTHING_BEFORE,
        "none",
        (12, 9),
    )

    def count(direction: str) -> str:
        return largest(by, "pte_load_run_endpoint_trends", APPLICATION, f'direction="{direction}"')

    columns = [
        TableColumn(direction.replace("_", " "), count(direction), decimals=0) for direction in reversed(_DIRECTIONS)
    ]
    return table(spec, [_key(), Key("metric", "metric", NAMES_WITHOUT_UNITS)], columns, sort="degrading")


def _slopes() -> Panel:
    by = "application, metric, endpoint"
    spec = PanelSpec(
        "Endpoints with a trend",
        "Which endpoints are improving or degrading, and how fast?",
        "No endpoint has a trend, or there are too few runs: see the trends above.",
        "percentunit",
        (24, 8),
    )

    slope = largest(by, "pte_load_run_endpoint_trend_slope_ratio", APPLICATION)
    keys = [_key(), Key("endpoint", "name"), Key("metric", "metric", NAMES_WITHOUT_UNITS)]
    return table(spec, keys, [TableColumn("per run", slope, "percentunit", decimals=2)], sort="per run")


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
        course("P95 by commit", "Which commit changed the P95?", p95, "s"),
        course(
            "Rate by commit",
            "Which commit changed the request rate?",
            scalar("pte_load_run_requests_per_second"),
            "reqps",
        ),
        course(
            "Failures by commit",
            "Which commit changed the share of failed requests?",
            f"1 - {scalar('pte_load_run_success_ratio')}",
            "percentunit",
        ),
    )
