"""Load runs: what the newest result file of a load test tells, how it is graded and judged. `publish` has these too.

Names of the result file are the label `endpoint`, since several may stand for one route; `method` and `route` say for
which one, or "unmapped" and the name. The limits have the label `application`, as pages on a Pushgateway share one job.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping

from exporter.analysis.loadrun import UNMAPPED
from exporter.catalogue.series import ApplicationReader, Row, Series, per_application
from exporter.model.judgement import GRADES, Against, Change, JudgedRun, Trend
from exporter.model.loadrun import LATENCY_FIGURES, OTHER, Endpoint, Figures, Latencies, LoadRun, Usage
from exporter.model.results import ApplicationResult, Snapshot
from exporter.model.settings import SEVERITIES, LoadRunSettings

MOST_KINDS = 20
"""Kinds of errors and checks of a run that are shown."""

MOST_CHANGES = 50
"""Endpoints and metrics that changed and are shown by name, the worst first."""

CHANGE_ROLES = ("value", "least", "most", "reference")
GRADE_FIGURES = ("success_ratio", "latency_p95_seconds")
VERDICTS = ("worse", "equal", "better", "no_evidence")
DIRECTIONS = ("improving", "degrading", "stable", "volatile", "no_evidence")
_ENDPOINT_FIGURES = ("mean", "p50", "p95", "p99", "max")

Values = Iterable[tuple[tuple[str, ...], float | None]]


def level(grade: str) -> int:
    """5 for A+, 0 for F."""
    return len(GRADES) - 1 - GRADES.index(grade)


def limits(settings: LoadRunSettings) -> Mapping[str, float]:
    """What alerts compare a run with, by the value of the label `limit`."""
    return {
        "grade_level": float(level(settings.min_grade)),
        "success_ratio": settings.min_success_ratio,
        "change_severity": float(SEVERITIES.index(settings.alert_severity)),
    }


def _judged(read: Callable[[JudgedRun], Values]) -> ApplicationReader:
    """Nothing where no result file tells of a run."""
    return lambda result: () if result.load_run is None else read(result.load_run)


def _run(read: Callable[[LoadRun], float | None]) -> ApplicationReader:
    return _judged(lambda judged: [((), read(judged.run))])


def _series(name: str, help: str, labels: tuple[str, ...], read: Callable[[JudgedRun], Values]) -> Series:
    return per_application(f"pte_load_run_{name}", help, labels, _judged(read))


def _scalar(name: str, help: str, read: Callable[[LoadRun], float | None]) -> Series:
    return per_application(f"pte_load_run_{name}", help, (), _run(read))


def _latencies(seen: Latencies, figures: tuple[str, ...]) -> Iterator[tuple[str, float | None]]:
    return ((figure, getattr(seen, figure)) for figure in figures)


def _errors(judged: JudgedRun) -> Values:
    kinds = Counter(judged.run.total.errors)
    shown = dict(kinds.most_common(MOST_KINDS))
    rest = kinds.total() - sum(shown.values())
    if rest:
        shown[OTHER] = shown.get(OTHER, 0) + rest
    return [((kind,), float(count)) for kind, count in shown.items()]


def _checks(judged: JudgedRun) -> Values:
    """Those not met first, as they must not fall to the cap."""
    ranked = sorted(judged.run.checks.items(), key=lambda one: (one[1], one[0]))
    return [((name,), float(met)) for name, met in ranked[:MOST_KINDS]]


def _endpoints(read: Callable[[Figures], Values]) -> Callable[[Snapshot], Iterator[Row]]:
    """`read` gives further labels and values of one endpoint; those of most requests, the rest is told as `other`."""

    def rows(snapshot: Snapshot) -> Iterator[Row]:
        for application, result in snapshot.applications.items():
            for one in _shown(result, snapshot.settings.routes.max_endpoints):
                method, route = (one.method, one.route) if one.route else (UNMAPPED, one.name)
                for more, value in read(one.figures):
                    if value is not None:
                        yield (application, one.name, method, route, *more), float(value)

    return rows


def _shown(result: ApplicationResult, most: int) -> list[Endpoint]:
    ranked = list(result.load_run.run.endpoints) if result.load_run is not None else []
    ranked.sort(key=lambda one: (-one.figures.requests, one.name))
    shown, rest = ranked[:most], ranked[most:]
    if not rest:
        return shown
    failures = [one.figures.failures for one in rest]
    known = [count for count in failures if count is not None]
    summed = sum(known) if len(known) == len(failures) else None
    name = f"{OTHER} (beyond the cap)" if any(one.name == OTHER for one in shown) else OTHER
    return [*shown, Endpoint(name, Figures(sum(one.figures.requests for one in rest), summed), OTHER, OTHER)]


def _whole(judged: JudgedRun) -> Iterator[Change]:
    return (one for one in judged.changes if not one.name)


def _changes(read: Callable[[Change], float | None]) -> Callable[[JudgedRun], Values]:
    return lambda judged: [((one.against, one.metric), read(one)) for one in _whole(judged)]


def _change_inputs(judged: JudgedRun) -> Values:
    return [((one.against, one.metric, role), getattr(one, role)) for one in _whole(judged) for role in CHANGE_ROLES]


def _change_verdicts(judged: JudgedRun) -> Values:
    return [((c.against, c.metric, v), float(c.verdict == v)) for c in _whole(judged) for v in VERDICTS]


def _severity(one: Change) -> float | None:
    return None if one.severity is None else float(SEVERITIES.index(one.severity))


def _counted(judged: JudgedRun) -> Values:
    """How many endpoints have each verdict, of those that were judged."""
    found = Counter[tuple[str, str, str]]((c.against, c.metric, c.verdict) for c in judged.changes if c.name)
    pairs = {(against, metric) for against, metric, _ in found}
    return [((*pair, verdict), float(found[*pair, verdict])) for pair in pairs for verdict in VERDICTS]


def _moved(read: Callable[[Change], float | None]) -> Callable[[JudgedRun], Values]:
    def values(judged: JudgedRun) -> Values:
        found = [one for one in judged.changes if one.name and one.verdict in ("worse", "better")]
        found.sort(key=lambda one: (-(_severity(one) or 0.0), -abs(one.ratio or 0.0), one.name, one.metric))
        return [((one.against, one.metric, one.name), read(one)) for one in found[:MOST_CHANGES]]

    return values


def _trends(read: Callable[[Trend], float | None]) -> Callable[[JudgedRun], Values]:
    return lambda judged: [((one.metric,), read(one)) for one in judged.trends if not one.name]


def _directions(judged: JudgedRun) -> Values:
    whole = [one for one in judged.trends if not one.name]
    return [((t.metric, d), float((t.direction or "no_evidence") == d)) for t in whole for d in DIRECTIONS]


def _endpoint_directions(judged: JudgedRun) -> Values:
    found = Counter[tuple[str, str]]((t.metric, t.direction or "no_evidence") for t in judged.trends if t.name)
    return [((metric, d), float(found[metric, d])) for metric in {key[0] for key in found} for d in DIRECTIONS]


def _endpoint_slopes(judged: JudgedRun) -> Values:
    found = [one for one in judged.trends if one.name and one.direction in ("improving", "degrading")]
    found.sort(key=lambda one: (-abs(one.slope or 0.0), one.name, one.metric))
    return [((one.metric, one.name), one.slope) for one in found[:MOST_CHANGES]]


def _usage(read: Callable[[Usage], Mapping[str, float | None]]) -> Callable[[JudgedRun], Values]:
    return lambda judged: [
        ((process, stat), value) for process, used in judged.run.usage.items() for stat, value in read(used).items()
    ]


def _evidence(result: ApplicationResult, against: Against) -> float | None:
    if result.load_run is None:
        return None
    return float(any(one.verdict != "no_evidence" for one in result.load_run.changes if one.against == against))


def _limits(snapshot: Snapshot) -> Iterator[Row]:
    for application, result in snapshot.applications.items():
        if result.load_run is not None:
            for name, value in limits(snapshot.settings.load_runs).items():
                yield (application, name), value


def _change_limits(snapshot: Snapshot) -> Iterator[Row]:
    for application, result in snapshot.applications.items():
        if result.load_run is not None:
            judged_by = snapshot.settings.load_runs
            for severity in SEVERITIES[1:]:
                yield (application, "ratio", severity), getattr(judged_by.steps, severity)
                yield (application, "error_ratio", severity), getattr(judged_by.error_steps, severity)


def _grade_limits(snapshot: Snapshot) -> Iterator[Row]:
    for application, result in snapshot.applications.items():
        if result.load_run is not None:
            for grade, wanted in snapshot.settings.load_runs.grades.items():
                yield (application, grade, "success_ratio"), wanted.success_ratio
                yield (application, grade, "latency_p95_seconds"), wanted.latency_p95


_ENDPOINT = ("application", "endpoint", "method", "route")

SERIES: tuple[Series, ...] = (
    per_application(
        "pte_load_run_evidence",
        "1 when a result file tells of a load test's run. Read from files.",
        (),
        lambda result: [((), float(result.load_run is not None))],
    ),
    _series(
        "info",
        "Always 1; which run the newest is: tool, ID and commit. Read from files.",
        ("tool", "run", "commit"),
        lambda judged: [((judged.run.tool, judged.run.run, judged.run.commit), 1.0)],
    ),
    _scalar("start_timestamp_seconds", "When the run's first request began. Read from files.", lambda run: run.start),
    _scalar("end_timestamp_seconds", "When the run's last response came. Read from files.", lambda run: run.end),
    _scalar("duration_seconds", "From the first request to the last response. Read from files.", lambda r: r.duration),
    _scalar("complete", "0 when the run was ended early. Read from files.", lambda run: float(run.complete)),
    _scalar("requests", "Requests of the run. Read from files.", lambda run: run.total.requests),
    _scalar("failures", "Requests of the run that failed. Read from files.", lambda run: run.total.failures),
    _series(
        "errors",
        f"Failed requests by kind of error, as the tool names it; beyond {MOST_KINDS} kinds: other. Read from files.",
        ("kind",),
        _errors,
    ),
    _scalar("success_ratio", "(requests - failures) / requests. Read from files.", lambda r: r.total.success_ratio),
    _series(
        "latency_seconds",
        "Latency of all requests of the run, failed ones with them. Read from files.",
        ("stat",),
        lambda judged: [((stat,), value) for stat, value in _latencies(judged.run.total.latency, LATENCY_FIGURES)],
    ),
    _scalar("requests_per_second", "Requests / duration. Read from files.", lambda run: run.requests_per_second),
    _scalar("received_bytes", "Bytes of all responses. Read from files.", lambda run: run.total.received),
    _scalar("sent_bytes", "Bytes of all requests. Read from files.", lambda run: run.total.sent),
    _scalar("users", "Most concurrent users. Read from files.", lambda run: run.users),
    _series(
        "grade",
        "1 for the grade that the run has; none without evidence. Computed from success and P95.",
        ("grade",),
        lambda judged: [] if judged.grade is None else [((g,), float(g == judged.grade)) for g in GRADES],
    ),
    _series(
        "grade_level",
        "The grade as a number: 5 A+, 4 A, 3 B, 2 C, 1 D, 0 F. Computed from success and P95.",
        (),
        lambda judged: [((), None if judged.grade is None else float(level(judged.grade)))],
    ),
    _series(
        "grade_evidence",
        "1 when success and P95 are known.",
        (),
        lambda judged: [((), float(judged.grade is not None))],
    ),
    _series(
        "check_met",
        f"1 when the tool's own threshold was met, at most {MOST_KINDS} of them, those not met first. Read from files.",
        ("check",),
        _checks,
    ),
    Series(
        "pte_load_run_endpoint_requests",
        "Requests by name in the result file; beyond the cap: other. Read from files.",
        _ENDPOINT,
        _endpoints(lambda seen: [((), float(seen.requests))]),
    ),
    Series(
        "pte_load_run_endpoint_failures",
        "Failed requests by name in the result file; beyond the cap: other. Read from files.",
        _ENDPOINT,
        _endpoints(lambda seen: [((), seen.failures)]),
    ),
    Series(
        "pte_load_run_endpoint_latency_seconds",
        "Latency by name in the result file, failed requests with them. Read from files.",
        (*_ENDPOINT, "stat"),
        _endpoints(lambda seen: [((stat,), value) for stat, value in _latencies(seen.latency, _ENDPOINT_FIGURES)]),
    ),
    _series(
        "usage_cpu_cores",
        "CPU that a process and its children used while the run went on, from samples every 100 ms, in cores.",
        ("process", "stat"),
        _usage(lambda used: {"mean": used.cpu_mean, "max": used.cpu_max}),
    ),
    _series(
        "usage_memory_bytes",
        "Resident memory of a process and its children while the run went on, from samples every 100 ms.",
        ("process", "stat"),
        _usage(lambda used: {"max": used.memory_max}),
    ),
    _series(
        "usage_sockets",
        "Open sockets of a process and its children while the run went on.",
        ("process", "stat"),
        _usage(lambda used: {"max": used.sockets_max}),
    ),
    _series(
        "usage_samples",
        "Samples behind what a process used.",
        ("process",),
        lambda judged: [((process,), float(used.samples)) for process, used in judged.run.usage.items()],
    ),
    per_application(
        "pte_load_run_change_evidence",
        "1 when some metric of the run, or of an endpoint, could be compared with the baseline or the runs before.",
        ("against",),
        lambda result: [((against,), _evidence(result, against)) for against in ("baseline", "history")],
    ),
    _series(
        "change_input",
        "What is compared, in the metric's base unit: value is the run, surely between least and most; reference is "
        "what it was.",
        ("against", "metric", "role"),
        _change_inputs,
    ),
    _series(
        "change_ratio",
        "Signed change (value - reference) / reference of a metric of the whole run.",
        ("against", "metric"),
        _changes(lambda one: one.ratio),
    ),
    _series(
        "change_verdict",
        "1 for the verdict that holds: the run is worse, equal or better than before, or no evidence.",
        ("against", "metric", "verdict"),
        _change_verdicts,
    ),
    _series(
        "change_severity",
        "Severity of a change for the worse: 0 none, 1 low, 2 medium, 3 high, 4 critical.",
        ("against", "metric"),
        _changes(_severity),
    ),
    _series(
        "change_effect",
        "Effect size of the change, signed; docs/method.md says how it is computed.",
        ("against", "metric"),
        _changes(lambda one: one.effect),
    ),
    _series(
        "change_samples",
        "Runs, or requests, that the verdict rests on.",
        ("against", "metric"),
        _changes(lambda one: float(one.samples)),
    ),
    _series(
        "endpoint_changes",
        "Endpoints that were judged, by verdict.",
        ("against", "metric", "verdict"),
        _counted,
    ),
    _series(
        "endpoint_change_ratio",
        f"Signed change of an endpoint that is worse or better, at most {MOST_CHANGES}, the worst first.",
        ("against", "metric", "endpoint"),
        _moved(lambda one: one.ratio),
    ),
    _series(
        "endpoint_change_severity",
        f"Severity of a change of an endpoint that is worse or better, at most {MOST_CHANGES}, the worst first.",
        ("against", "metric", "endpoint"),
        _moved(_severity),
    ),
    _series(
        "endpoint_change_effect",
        f"Effect size of a change of an endpoint that is worse or better, at most {MOST_CHANGES}, the worst first.",
        ("against", "metric", "endpoint"),
        _moved(lambda one: one.effect),
    ),
    _series(
        "trend",
        "1 for where a metric of the whole run has been going: improving, degrading, stable, volatile, or no evidence.",
        ("metric", "direction"),
        _directions,
    ),
    _series(
        "trend_slope_ratio",
        "Change per run as a ratio of the median, signed.",
        ("metric",),
        _trends(lambda one: one.slope),
    ),
    _series(
        "trend_variation_ratio",
        "How much runs scatter around the slope's line, as a ratio of the median.",
        ("metric",),
        _trends(lambda one: one.variation),
    ),
    _series("trend_runs", "Runs that the trend rests on.", ("metric",), _trends(lambda one: float(one.runs))),
    _series(
        "endpoint_trends",
        "Endpoints by where a metric of theirs has been going.",
        ("metric", "direction"),
        _endpoint_directions,
    ),
    _series(
        "endpoint_trend_slope_ratio",
        f"Change per run of an endpoint that is improving or degrading, at most {MOST_CHANGES}, the steepest first.",
        ("metric", "endpoint"),
        _endpoint_slopes,
    ),
    Series(
        "pte_load_run_limit",
        "Limit of a run's grade level, success ratio or severity of changes. Configured.",
        ("application", "limit"),
        _limits,
    ),
    Series(
        "pte_load_run_change_limit",
        "Change for the worse from which the severity holds: ratio of latency and request rate, difference of the "
        "error ratio. Configured.",
        ("application", "change", "severity"),
        _change_limits,
    ),
    Series(
        "pte_load_run_grade_limit",
        "What a run must show for the grade: more success than this, and less latency. Configured.",
        ("application", "grade", "figure"),
        _grade_limits,
    ),
)
