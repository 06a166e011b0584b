"""Load runs judged: changes since the baseline and earlier runs, trends, and the limits of both.

The limits have the label `application`, as pages on a Pushgateway share one job.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from exporter.catalogue.loadrun import level, series
from exporter.catalogue.series import Row, Series, Values, per_application
from exporter.model.loadrun_judgement import Against, Change, JudgedRun, Trend
from exporter.model.results import ApplicationResult, Snapshot
from exporter.model.settings import LoadRunSettings
from exporter.model.verdict import SEVERITIES, VERDICTS

MOST_CHANGES = 50
"""The number of changed endpoints and metrics that are published by name, the worst first."""

CHANGE_ROLES = ("value", "least", "most", "reference")
GRADE_FIGURES = ("success_ratio", "latency_p95_seconds")
DIRECTIONS = ("improving", "degrading", "stable", "volatile", "no_evidence")


def limits(settings: LoadRunSettings) -> Mapping[str, float]:
    """The limits that alerts compare a run with, by the value of the label `limit`."""
    return {
        "grade_level": float(level(settings.min_grade)),
        "success_ratio": settings.min_success_ratio,
        "change_severity": float(SEVERITIES.index(settings.alert_severity)),
    }


def _whole(judged: JudgedRun) -> Iterator[Change]:
    """Changes of the run as a whole, not of an endpoint."""
    return (change for change in judged.changes if not change.name)


def _changes(read: Callable[[Change], float | None]) -> Callable[[JudgedRun], Values]:
    return lambda judged: [((change.against, change.metric), read(change)) for change in _whole(judged)]


def _change_inputs(judged: JudgedRun) -> Values:
    for change in _whole(judged):
        for role in CHANGE_ROLES:
            yield (change.against, change.metric, role), getattr(change, role)


def _change_verdicts(judged: JudgedRun) -> Values:
    for change in _whole(judged):
        for verdict in VERDICTS:
            yield (change.against, change.metric, verdict), float(change.verdict == verdict)


def _severity(change: Change) -> float | None:
    if change.severity is None:
        return None
    return float(SEVERITIES.index(change.severity))


def _endpoint_verdicts(judged: JudgedRun) -> Values:
    """The number of judged endpoints with each verdict."""
    counts = Counter((change.against, change.metric, change.verdict) for change in judged.changes if change.name)
    compared = {(against, metric) for against, metric, _ in counts}
    for against, metric in compared:
        for verdict in VERDICTS:
            yield (against, metric, verdict), float(counts[against, metric, verdict])


def _endpoint_changes(read: Callable[[Change], float | None]) -> Callable[[JudgedRun], Values]:
    """Of endpoints that are worse or better, the worst first."""

    def rank(change: Change) -> tuple[object, ...]:
        return -(_severity(change) or 0.0), -abs(change.ratio or 0.0), change.name, change.metric

    def values(judged: JudgedRun) -> Values:
        changed = [change for change in judged.changes if change.name and change.verdict in ("worse", "better")]
        changed.sort(key=rank)
        for change in changed[:MOST_CHANGES]:
            yield (change.against, change.metric, change.name), read(change)

    return values


def _trends(read: Callable[[Trend], float | None]) -> Callable[[JudgedRun], Values]:
    return lambda judged: [((trend.metric,), read(trend)) for trend in judged.trends if not trend.name]


def _directions(judged: JudgedRun) -> Values:
    for trend in judged.trends:
        if not trend.name:
            for direction in DIRECTIONS:
                yield (trend.metric, direction), float((trend.direction or "no_evidence") == direction)


def _endpoint_directions(judged: JudgedRun) -> Values:
    counts = Counter[tuple[str, str]]()
    for trend in judged.trends:
        if trend.name:
            counts[trend.metric, trend.direction or "no_evidence"] += 1

    for metric in {metric for metric, _ in counts}:
        for direction in DIRECTIONS:
            yield (metric, direction), float(counts[metric, direction])


def _endpoint_slopes(judged: JudgedRun) -> Values:
    moving = [trend for trend in judged.trends if trend.name and trend.direction in ("improving", "degrading")]
    moving.sort(key=lambda trend: (-abs(trend.slope or 0.0), trend.name, trend.metric))
    return [((trend.metric, trend.name), trend.slope) for trend in moving[:MOST_CHANGES]]


def _evidence(result: ApplicationResult, against: Against) -> float | None:
    if result.load_run is None:
        return None
    changes = [change for change in result.load_run.changes if change.against == against]
    return float(any(change.verdict != "no_evidence" for change in changes))


def _limits(snapshot: Snapshot) -> Iterator[Row]:
    for application, result in snapshot.applications.items():
        if result.load_run is not None:
            for name, value in limits(snapshot.settings.load_runs).items():
                yield (application, name), value


def _change_limits(snapshot: Snapshot) -> Iterator[Row]:
    for application, result in snapshot.applications.items():
        if result.load_run is not None:
            settings = snapshot.settings.load_runs
            for severity in SEVERITIES[1:]:
                yield (application, "ratio", severity), getattr(settings.steps, severity)
                yield (application, "error_ratio", severity), getattr(settings.error_steps, severity)


def _grade_limits(snapshot: Snapshot) -> Iterator[Row]:
    for application, result in snapshot.applications.items():
        if result.load_run is not None:
            for grade, limits_of_grade in snapshot.settings.load_runs.grades.items():
                yield (application, grade, "success_ratio"), limits_of_grade.success_ratio
                yield (application, grade, "latency_p95_seconds"), limits_of_grade.latency_p95


SERIES: tuple[Series, ...] = (
    per_application(
        "pte_load_run_change_evidence",
        "1 when some metric of the run, or of an endpoint, could be compared with the baseline or earlier runs.",
        ("against",),
        lambda result: [((against,), _evidence(result, against)) for against in ("baseline", "history")],
    ),
    series(
        "change_input",
        "The compared values in the metric's base unit: value is the run, with the bounds least and most; reference "
        "is the baseline or earlier runs.",
        ("against", "metric", "role"),
        _change_inputs,
    ).as_input(),
    series(
        "change_ratio",
        "Signed change (value - reference) / reference of a metric of the whole run.",
        ("against", "metric"),
        _changes(lambda change: change.ratio),
    ),
    series(
        "change_verdict",
        "1 for the current verdict: the run is worse than, equal to or better than before, or no evidence.",
        ("against", "metric", "verdict"),
        _change_verdicts,
    ),
    series(
        "change_severity",
        "Severity of a change for the worse: 0 none, 1 low, 2 medium, 3 high, 4 critical.",
        ("against", "metric"),
        _changes(_severity),
    ),
    series(
        "change_effect",
        "Effect size of the change, signed; docs/explanation/method.md says how it is computed.",
        ("against", "metric"),
        _changes(lambda change: change.effect),
    ),
    series(
        "change_samples",
        "Runs or requests behind the verdict.",
        ("against", "metric"),
        _changes(lambda change: float(change.samples)),
    ).as_input(),
    series(
        "endpoint_changes",
        "Judged endpoints by verdict.",
        ("against", "metric", "verdict"),
        _endpoint_verdicts,
    ),
    series(
        "endpoint_change_ratio",
        f"Signed change of an endpoint that is worse or better, at most {MOST_CHANGES}, the worst first.",
        ("against", "metric", "endpoint"),
        _endpoint_changes(lambda change: change.ratio),
    ),
    series(
        "endpoint_change_severity",
        f"Severity of a change of an endpoint that is worse or better, at most {MOST_CHANGES}, the worst first.",
        ("against", "metric", "endpoint"),
        _endpoint_changes(_severity),
    ),
    series(
        "endpoint_change_effect",
        f"Effect size of a change of an endpoint that is worse or better, at most {MOST_CHANGES}, the worst first.",
        ("against", "metric", "endpoint"),
        _endpoint_changes(lambda change: change.effect),
    ),
    series(
        "trend",
        "1 for the trend of a metric of the whole run: improving, degrading, stable, volatile, or no evidence.",
        ("metric", "direction"),
        _directions,
    ),
    series(
        "trend_slope_ratio",
        "Change per run as a ratio of the median, signed.",
        ("metric",),
        _trends(lambda trend: trend.slope),
    ),
    series(
        "trend_variation_ratio",
        "Scatter of the runs around the trend line, as a ratio of the median.",
        ("metric",),
        _trends(lambda trend: trend.variation),
    ),
    series("trend_runs", "Runs behind the trend.", ("metric",), _trends(lambda trend: float(trend.runs))).as_input(),
    series(
        "endpoint_trends",
        "Endpoints by the trend of their metric.",
        ("metric", "direction"),
        _endpoint_directions,
    ),
    series(
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
    ).as_input(),
    Series(
        "pte_load_run_change_limit",
        "Change for the worse from which the severity applies: a ratio for latency and request rate, a difference for "
        "the error ratio. Configured.",
        ("application", "change", "severity"),
        _change_limits,
    ).as_input(),
    Series(
        "pte_load_run_grade_limit",
        "Requirements of the grade: more success than this, and less latency. Configured.",
        ("application", "grade", "figure"),
        _grade_limits,
    ).as_input(),
)
