"""Load runs: what the newest result file of a load test tells, and its grade. `publish` has these too.

Names of the result file are the label `endpoint`, since several may stand for one route; `method` and `route` say for
which one, or "unmapped" and the name. What changed since earlier runs is in catalogue/loadrun_judgement.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping

from exporter.analysis.loadrun import UNMAPPED
from exporter.catalogue.series import ApplicationReader, Row, Series, per_application
from exporter.model.loadrun import LATENCY_FIGURES, OTHER, Endpoint, Figures, Latencies, LoadRun, Usage
from exporter.model.loadrun_judgement import GRADES, JudgedRun
from exporter.model.results import ApplicationResult, Snapshot

MOST_KINDS = 20
"""Kinds of errors and checks of a run that are shown."""

_ENDPOINT_FIGURES = ("mean", "p50", "p95", "p99", "max")

Values = Iterable[tuple[tuple[str, ...], float | None]]


def level(grade: str) -> int:
    """5 for A+, 0 for F."""
    return len(GRADES) - 1 - GRADES.index(grade)


def _judged(read: Callable[[JudgedRun], Values]) -> ApplicationReader:
    """Nothing where no result file tells of a run."""
    return lambda result: () if result.load_run is None else read(result.load_run)


def _run(read: Callable[[LoadRun], float | None]) -> ApplicationReader:
    return _judged(lambda judged: [((), read(judged.run))])


def series(name: str, help: str, labels: tuple[str, ...], read: Callable[[JudgedRun], Values]) -> Series:
    """A series of judged runs, with the label `application` first."""
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


def _usage(read: Callable[[Usage], Mapping[str, float | None]]) -> Callable[[JudgedRun], Values]:
    return lambda judged: [
        ((process, stat), value) for process, used in judged.run.usage.items() for stat, value in read(used).items()
    ]


_ENDPOINT = ("application", "endpoint", "method", "route")

SERIES: tuple[Series, ...] = (
    per_application(
        "pte_load_run_evidence",
        "1 when a result file tells of a load test's run. Read from files.",
        (),
        lambda result: [((), float(result.load_run is not None))],
    ),
    series(
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
    series(
        "errors",
        f"Failed requests by kind of error, as the tool names it; beyond {MOST_KINDS} kinds: other. Read from files.",
        ("kind",),
        _errors,
    ),
    _scalar("success_ratio", "(requests - failures) / requests. Read from files.", lambda r: r.total.success_ratio),
    series(
        "latency_seconds",
        "Latency of all requests of the run, failed ones with them; percentiles are nearest-rank, a summary has its"
        " own. Read from files.",
        ("stat",),
        lambda judged: [((stat,), value) for stat, value in _latencies(judged.run.total.latency, LATENCY_FIGURES)],
    ),
    _scalar("requests_per_second", "Requests / duration. Read from files.", lambda run: run.requests_per_second),
    _scalar("received_bytes", "Bytes of all responses. Read from files.", lambda run: run.total.received),
    _scalar("sent_bytes", "Bytes of all requests. Read from files.", lambda run: run.total.sent),
    _scalar("users", "Most concurrent users. Read from files.", lambda run: run.users),
    series(
        "grade",
        "1 for the grade that the run has; none without evidence. Computed from success and P95.",
        ("grade",),
        lambda judged: [] if judged.grade is None else [((g,), float(g == judged.grade)) for g in GRADES],
    ),
    series(
        "grade_level",
        "The grade as a number: 5 A+, 4 A, 3 B, 2 C, 1 D, 0 F. Computed from success and P95.",
        (),
        lambda judged: [((), None if judged.grade is None else float(level(judged.grade)))],
    ),
    series(
        "grade_evidence",
        "1 when success and P95 are known.",
        (),
        lambda judged: [((), float(judged.grade is not None))],
    ),
    series(
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
    series(
        "usage_cpu_cores",
        "CPU that a process and its children used while the run went on, from samples every 100 ms, in cores.",
        ("process", "stat"),
        _usage(lambda used: {"mean": used.cpu_mean, "max": used.cpu_max}),
    ),
    series(
        "usage_memory_bytes",
        "Resident memory of a process and its children while the run went on, from samples every 100 ms.",
        ("process", "stat"),
        _usage(lambda used: {"max": used.memory_max}),
    ),
    series(
        "usage_sockets",
        "Open sockets of a process and its children while the run went on.",
        ("process", "stat"),
        _usage(lambda used: {"max": used.sockets_max}),
    ),
    series(
        "usage_samples",
        "Samples behind what a process used.",
        ("process",),
        lambda judged: [((process,), float(used.samples)) for process, used in judged.run.usage.items()],
    ).as_input(),
)
