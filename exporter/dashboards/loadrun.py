"""Board "loadrun": is this load test's run OK?"""

from __future__ import annotations

from exporter.dashboards import live, loadrun_judgement
from exporter.dashboards.kit import value_mappings
from exporter.dashboards.kit.board import Board, applications, data_source, moments
from exporter.dashboards.kit.panels import Key, Panel, PanelSpec, TableColumn, heading, stat, table
from exporter.dashboards.kit.query import APPLICATION, Query, largest, or_no_evidence, scalar, smallest
from exporter.dashboards.shared import UNSCRAPED, alerts, application_key, data_age, data_state, to_board

NO_RESULT = (
    "No evidence: no result file of a load test was read or published. "
    "See docs/reference/formats.md and docs/how-to/publish-results.md."
)
NO_FIGURE = "The result file of the newest run does not contain this, or there is none."
_AGAIN = to_board("pte-loadrun", "Only this application")
_NAMED = "{{application}}"
_ENDPOINT = "application, endpoint, method, route"
INFO = largest("application, tool, run, commit", "pte_load_run_info", APPLICATION)
"""The newest run; its value is 1, for multiplication."""


def board() -> Board:
    return Board(
        "pte-loadrun",
        "Is the newest load test OK: grade, latencies, failures, users and resources, also against its baseline?",
        (
            *_tiles(),
            heading("The newest run"),
            _run(),
            _latency(),
            _failures(),
            _grades(),
            _checks(),
            heading("Compared with the baseline and earlier runs"),
            loadrun_judgement.whole_run(),
            heading("Endpoints: which are slow, which fail?"),
            _endpoints(),
            heading("Resources: was the load generator too slow?"),
            _usage(),
            heading("Live, while pte-exporter run is active"),
            *live.panels(),
            heading("Alerts"),
            alerts("Firing alerts", "Which alerts are firing for these applications?", (24, 6)),
        ),
        (data_source(), applications("pte_load_run_evidence")),
        annotations=(moments("Load test ended", scalar("pte_load_run_end_timestamp_seconds"), "blue"),),
    )


def limit(name: str) -> str:
    """A limit of runs: each application has its own, because each may come from another page."""
    return largest("application", "pte_load_run_limit", APPLICATION, f'limit="{name}"')


def met() -> str:
    """1 if all thresholds of the tool were met and the run did not end early, 0 if not; -1 without a run."""
    checks = smallest("application", "pte_load_run_check_met", APPLICATION)
    complete = smallest("application", "pte_load_run_complete", APPLICATION)
    return or_no_evidence(f"{checks} * on (application) {complete} or {complete}", "pte_load_run_evidence")


def _tiles() -> tuple[Panel, ...]:
    graded = PanelSpec(
        "Grade", "Which grade does the newest run have, by success ratio and P95?", UNSCRAPED, "none", (4, 6)
    )
    thresholds = PanelSpec(
        "Thresholds met?",
        "Did the newest run complete, and did it meet all its own thresholds?",
        UNSCRAPED,
        "none",
        (4, 6),
    )
    success = PanelSpec(
        "Success",
        "What share of the newest run's requests succeeded, and what is the minimum (limit)?",
        "no run found",
        "percentunit",
        (4, 6),
    )

    # A run may have no grade, and an application no run: neither is a bad grade.
    of_run = or_no_evidence(scalar("pte_load_run_grade_level"), "pte_load_run_grade_evidence")
    grade = or_no_evidence(of_run, "pte_load_run_evidence")

    return (
        stat(graded, Query(grade, _NAMED), value_map=value_mappings.GRADE, links=_AGAIN),
        stat(thresholds, Query(met(), _NAMED), value_map=value_mappings.THRESHOLDS, links=_AGAIN),
        loadrun_judgement.worse((5, 6)),
        stat(
            success,
            Query(scalar("pte_load_run_success_ratio"), _NAMED),
            Query(limit("success_ratio"), "limit, {{application}}"),
            decimals=2,
            links=_AGAIN,
        ),
        data_state(4),
        data_age(3),
    )


def _of_run(value: str) -> str:
    """A value of an application with the labels of its run."""
    return f"{INFO} * on (application) group_left () ({value})"


def run_keys(uid: str = "pte-bench", title: str = "Bench of this application") -> list[Key]:
    return [application_key(uid, title), Key("run", "run"), Key("commit", "commit"), Key("tool", "tool")]


def _run() -> Panel:
    spec = PanelSpec(
        "The newest run of each application",
        "Which run is it, of which commit, how long did it take and how many requests did it send?",
        NO_RESULT,
        "locale",
        (24, 6),
    )

    def column(title: str, name: str, unit: str = "locale", decimals: int | None = None) -> TableColumn:
        scale = " * 1000" if unit == "dateTimeAsIso" else ""
        return TableColumn(
            title, _of_run(scalar(f"pte_load_run_{name}") + scale), unit, decimals=decimals, empty="not reported"
        )

    columns = [
        column("began", "start_timestamp_seconds", "dateTimeAsIso"),
        column("ended", "end_timestamp_seconds", "dateTimeAsIso"),
        column("lasted", "duration_seconds", "s"),
        column("requests", "requests", decimals=0),
        column("failed", "failures", decimals=0),
        column("rate", "requests_per_second", "reqps", 1),
        column("maximum users", "users", decimals=0),
        column("received", "received_bytes", "decbytes"),
        column("sent", "sent_bytes", "decbytes"),
        TableColumn("complete", _of_run(scalar("pte_load_run_complete")), "none", value_mappings.COMPLETE),
    ]

    return table(spec, run_keys(), columns, sort="ended")


def _latency() -> Panel:
    spec = PanelSpec(
        "Latency of the run",
        "How long did requests take, including failed ones?",
        NO_FIGURE,
        "s",
        (14, 7),
    )

    names = {"p50": "P50", "p90": "P90", "p95": "P95", "p99": "P99", "p995": "P99.5", "p999": "P99.9"}
    stats = {"min": "min", "mean": "mean", **names, "max": "max"}
    columns = [
        TableColumn(
            title, scalar("pte_load_run_latency_seconds", f'stat="{stat}"'), "s", decimals=3, empty="not reported"
        )
        for stat, title in stats.items()
    ]

    return table(spec, [application_key("pte-loadrun", "Only this application")], columns, sort="P95")


def _failures() -> Panel:
    spec = PanelSpec(
        "Failures by kind",
        "Why did requests fail, and how many?",
        "No request failed, or the result file contains no kinds.",
        "locale",
        (10, 7),
    )

    count = largest("application, kind", "pte_load_run_errors", APPLICATION)
    keys = [application_key("pte-loadrun", "Only this application"), Key("kind", "kind")]
    return table(spec, keys, [TableColumn("failed", count, decimals=0)], sort="failed")


def _grades() -> Panel:
    by = "application, grade"
    spec = PanelSpec(
        "Requirements of each grade",
        "Which grade did the run get, and what does each require? Both limits must be met, strictly.",
        NO_RESULT,
        "locale",
        (12, 8),
    )

    def figure(name: str) -> str:
        return largest(by, "pte_load_run_grade_limit", APPLICATION, f'figure="{name}"')

    columns = [
        TableColumn("this run", largest(by, "pte_load_run_grade", APPLICATION), "none", value_mappings.CURRENT),
        TableColumn("success above", figure("success_ratio"), "percentunit", empty="any"),
        TableColumn("P95 below", figure("latency_p95_seconds"), "s", empty="any"),
    ]
    keys = [application_key("pte-loadrun", "Only this application"), Key("grade", "grade")]
    return table(spec, keys, columns, sort="grade", desc=False)


def _checks() -> Panel:
    spec = PanelSpec(
        "Thresholds of the tool",
        "Which thresholds does the test define, and were they met?",
        "The test has no thresholds, or its result file does not contain them.",
        "none",
        (12, 8),
    )

    checks = smallest("application, check", "pte_load_run_check_met", APPLICATION)
    keys = [application_key("pte-loadrun", "Only this application"), Key("check", "threshold")]
    return table(spec, keys, [TableColumn("met", checks, "none", value_mappings.MET)], sort="met", desc=False)


def _endpoints() -> Panel:
    spec = PanelSpec(
        "Endpoints of the run",
        "Which names in the result file are slow or fail, and which route does each map to (unmapped: none)?",
        "No evidence: no result file was read or published, or it has only totals.",
        "locale",
        (24, 10),
    )

    def latency(stat: str) -> str:
        return largest(_ENDPOINT, "pte_load_run_endpoint_latency_seconds", APPLICATION, f'stat="{stat}"')

    columns = [
        TableColumn("requests", largest(_ENDPOINT, "pte_load_run_endpoint_requests", APPLICATION), decimals=0),
        TableColumn("failed", largest(_ENDPOINT, "pte_load_run_endpoint_failures", APPLICATION), decimals=0),
        *(
            TableColumn(stat, latency(stat), "s", decimals=3, empty="not reported")
            for stat in ("mean", "p50", "p95", "p99", "max")
        ),
    ]
    keys = [
        application_key("pte-coverage", "Coverage of this application"),
        Key("endpoint", "name"),
        Key("method", "method"),
        Key("route", "route"),
    ]

    return table(spec, keys, columns, sort="p95")


def _usage() -> Panel:
    by = "application, process"
    spec = PanelSpec(
        "Resources that processes used during the run",
        "Did the generator, or a process under test, run out of CPU, memory or sockets?",
        "No evidence: only runs started by pte-exporter run report the resources of processes.",
        "locale",
        (24, 6),
    )

    def used(name: str, stat: str) -> str:
        return largest(by, f"pte_load_run_usage_{name}", APPLICATION, f'stat="{stat}"')

    columns = [
        TableColumn("CPU mean, cores", used("cpu_cores", "mean"), decimals=2),
        TableColumn("CPU max, cores", used("cpu_cores", "max"), decimals=2),
        TableColumn("memory max", used("memory_bytes", "max"), "bytes"),
        TableColumn("sockets max", used("sockets", "max"), decimals=0, empty="not observed"),
        TableColumn("samples", largest(by, "pte_load_run_usage_samples", APPLICATION), decimals=0),
    ]
    keys = [application_key("pte-loadrun", "Only this application"), Key("process", "process")]
    return table(spec, keys, columns, sort="CPU max, cores")
