"""Load runs: the newest result file of a load test, and its grade. `publish` has these series too.

Names of the result file are the label `endpoint`, because several may belong to one route; `method` and `route` are
that route, or "unmapped" and the name. Changes since earlier runs are in catalogue/loadrun_judgement.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from exporter.analysis.loadrun import UNMAPPED
from exporter.catalogue.series import ApplicationReader, Row, Series, Values, per_application
from exporter.model.loadrun import LATENCY_FIGURES, OTHER, Figures, Latencies, LoadRun, RunEndpoint, Usage
from exporter.model.loadrun_judgement import GRADES, JudgedRun
from exporter.model.results import Snapshot

MOST_KINDS = 20
"""The number of kinds of errors, and of checks, that are published."""

_ENDPOINT_FIGURES = ("mean", "p50", "p95", "p99", "max")


def level(grade: str) -> int:
    """5 for A+, 0 for F."""
    return len(GRADES) - 1 - GRADES.index(grade)


def _judged(read: Callable[[JudgedRun], Values]) -> ApplicationReader:
    """Nothing without a result file of a run."""
    return lambda result: () if result.load_run is None else read(result.load_run)


def _run(read: Callable[[LoadRun], float | None]) -> ApplicationReader:
    return _judged(lambda judged: [((), read(judged.run))])


def series(name: str, help: str, labels: tuple[str, ...], read: Callable[[JudgedRun], Values]) -> Series:
    """A series of judged runs, with the label `application` first."""
    return per_application(f"pte_load_run_{name}", help, labels, _judged(read))


def _scalar(name: str, help: str, read: Callable[[LoadRun], float | None]) -> Series:
    return per_application(f"pte_load_run_{name}", help, (), _run(read))


def _latencies(latencies: Latencies, figures: Sequence[str]) -> Values:
    return [((figure,), getattr(latencies, figure)) for figure in figures]


def _errors(judged: JudgedRun) -> Values:
    kinds = Counter(judged.run.total.errors)
    frequent = dict(kinds.most_common(MOST_KINDS))
    rest = kinds.total() - sum(frequent.values())
    if rest:
        frequent[OTHER] = frequent.get(OTHER, 0) + rest
    return [((kind,), float(count)) for kind, count in frequent.items()]


def _checks(judged: JudgedRun) -> Values:
    """Failed checks first, because the cap must not remove them."""
    ranked = sorted(judged.run.checks.items(), key=lambda check: (check[1], check[0]))
    return [((name,), float(met)) for name, met in ranked[:MOST_KINDS]]


def _endpoints(read: Callable[[Figures], Values]) -> Callable[[Snapshot], Iterator[Row]]:
    """`read` gives further labels and values of one endpoint; endpoints beyond the cap are summed as `other`."""

    def rows(snapshot: Snapshot) -> Iterator[Row]:
        for application, result in snapshot.applications.items():
            if result.load_run is None:
                continue
            for endpoint in _capped(result.load_run.run.endpoints, snapshot.settings.routes.max_endpoints):
                route = (endpoint.method, endpoint.route) if endpoint.route else (UNMAPPED, endpoint.name)
                for more, value in read(endpoint.figures):
                    if value is not None:
                        yield (application, endpoint.name, *route, *more), float(value)

    return rows


def _capped(endpoints: Sequence[RunEndpoint], most: int) -> list[RunEndpoint]:
    ranked = sorted(endpoints, key=lambda endpoint: (-endpoint.figures.requests, endpoint.name))
    largest = ranked[:most]
    rest = ranked[most:]
    if not rest:
        return largest

    # An endpoint of the test may have that name itself, and two series must not have the same labels.
    name = OTHER
    if any(endpoint.name == OTHER for endpoint in largest):
        name = f"{OTHER} (beyond the cap)"
    return [*largest, RunEndpoint(name, _summed(rest), OTHER, OTHER)]


def _summed(endpoints: Sequence[RunEndpoint]) -> Figures:
    """Their requests, and their failures if all of them have failures."""
    requests = sum(endpoint.figures.requests for endpoint in endpoints)
    failures = [endpoint.figures.failures for endpoint in endpoints if endpoint.figures.failures is not None]
    if len(failures) < len(endpoints):
        return Figures(requests, None)
    return Figures(requests, sum(failures))


def _usage(read: Callable[[Usage], Mapping[str, float | None]]) -> Callable[[JudgedRun], Values]:
    def values(judged: JudgedRun) -> Values:
        for process, usage in judged.run.usage.items():
            for stat, value in read(usage).items():
                yield (process, stat), value

    return values


def _grade(judged: JudgedRun) -> Values:
    if judged.grade is None:
        return []
    return [((grade,), float(grade == judged.grade)) for grade in GRADES]


def _grade_level(judged: JudgedRun) -> Values:
    if judged.grade is None:
        return []
    return [((), float(level(judged.grade)))]


_ENDPOINT = ("application", "endpoint", "method", "route")

SERIES: tuple[Series, ...] = (
    per_application(
        "pte_load_run_evidence",
        "1 when there is a result file of a load test's run. Read from files.",
        (),
        lambda result: [((), float(result.load_run is not None))],
    ),
    series(
        "info",
        "The newest run's tool, ID and commit; always 1. Read from files.",
        ("tool", "run", "commit"),
        lambda judged: [((judged.run.tool, judged.run.run, judged.run.commit), 1.0)],
    ),
    _scalar("start_timestamp_seconds", "Start of the run's first request. Read from files.", lambda run: run.start),
    _scalar("end_timestamp_seconds", "End of the run's last response. Read from files.", lambda run: run.end),
    _scalar(
        "duration_seconds", "Time from the first request to the last response. Read from files.", lambda r: r.duration
    ),
    _scalar(
        "complete",
        "1 when the run is complete, 0 when it ended early. Read from files.",
        lambda run: float(run.complete),
    ),
    _scalar("requests", "Requests of the run. Read from files.", lambda run: run.total.requests),
    _scalar("failures", "Requests of the run that failed. Read from files.", lambda run: run.total.failures),
    series(
        "errors",
        f"Failed requests by kind of error, as the tool names it; beyond {MOST_KINDS} kinds: other. Read from files.",
        ("kind",),
        _errors,
    ),
    _scalar("success_ratio", "(requests - failures) / requests. Read from files.", lambda r: r.total.success_ratio),
    series(
        "latency_seconds",
        "Latency of all requests of the run, including failed ones; percentiles are nearest-rank, or the summary's"
        " own. Read from files.",
        ("stat",),
        lambda judged: _latencies(judged.run.total.latency, LATENCY_FIGURES),
    ),
    _scalar("requests_per_second", "Requests / duration. Read from files.", lambda run: run.requests_per_second),
    _scalar("received_bytes", "Bytes of all responses. Read from files.", lambda run: run.total.received),
    _scalar("sent_bytes", "Bytes of all requests. Read from files.", lambda run: run.total.sent),
    _scalar("users", "Most concurrent users. Read from files.", lambda run: run.users),
    series(
        "grade",
        "1 for the run's grade, 0 for the others; absent without evidence. Computed from success and P95.",
        ("grade",),
        _grade,
    ),
    series(
        "grade_level",
        "The grade as a number: 5 A+, 4 A, 3 B, 2 C, 1 D, 0 F. Computed from success and P95.",
        (),
        _grade_level,
    ),
    series(
        "grade_evidence",
        "1 when success and P95 are known. Read from files.",
        (),
        lambda judged: [((), float(judged.grade is not None))],
    ),
    series(
        "check_met",
        f"1 when the tool's own threshold was met, 0 when not; at most {MOST_KINDS}, failed first. Read from files.",
        ("check",),
        _checks,
    ),
    Series(
        "pte_load_run_endpoint_requests",
        "Requests by name in the result file; beyond the cap: other. Read from files.",
        _ENDPOINT,
        _endpoints(lambda figures: [((), float(figures.requests))]),
    ),
    Series(
        "pte_load_run_endpoint_failures",
        "Failed requests by name in the result file; beyond the cap: other. Read from files.",
        _ENDPOINT,
        _endpoints(lambda figures: [((), figures.failures)]),
    ),
    Series(
        "pte_load_run_endpoint_latency_seconds",
        "Latency by name in the result file, including failed requests. Read from files.",
        (*_ENDPOINT, "stat"),
        _endpoints(lambda figures: _latencies(figures.latency, _ENDPOINT_FIGURES)),
    ),
    series(
        "usage_cpu_cores",
        "CPU of a process and its children during the run, in cores, from samples every 100 ms.",
        ("process", "stat"),
        _usage(lambda usage: {"mean": usage.cpu_mean, "max": usage.cpu_max}),
    ),
    series(
        "usage_memory_bytes",
        "Resident memory of a process and its children during the run, from samples every 100 ms.",
        ("process", "stat"),
        _usage(lambda usage: {"max": usage.memory_max}),
    ),
    series(
        "usage_sockets",
        "Open sockets of a process and its children during the run.",
        ("process", "stat"),
        _usage(lambda usage: {"max": usage.sockets_max}),
    ),
    series(
        "usage_samples",
        "Samples behind the usage of a process.",
        ("process",),
        lambda judged: [((process,), float(usage.samples)) for process, usage in judged.run.usage.items()],
    ).as_input(),
)
