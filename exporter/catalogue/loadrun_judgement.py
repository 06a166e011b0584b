"""Load runs judged: what changed since the baseline and the runs before, where it is going, and the limits of both.

The limits have the label `application`, as pages on a Pushgateway share one job.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from exporter.catalogue.loadrun import Values, level, series
from exporter.catalogue.series import Row, Series, per_application
from exporter.model.loadrun_judgement import Against, Change, JudgedRun, Trend
from exporter.model.results import ApplicationResult, Snapshot
from exporter.model.settings import LoadRunSettings
from exporter.model.verdict import SEVERITIES, VERDICTS

MOST_CHANGES = 50
"""Endpoints and metrics that changed and are shown by name, the worst first."""

CHANGE_ROLES = ("value", "least", "most", "reference")
GRADE_FIGURES = ("success_ratio", "latency_p95_seconds")
DIRECTIONS = ("improving", "degrading", "stable", "volatile", "no_evidence")


def limits(settings: LoadRunSettings) -> Mapping[str, float]:
    """What alerts compare a run with, by the value of the label `limit`."""
    return {
        "grade_level": float(level(settings.min_grade)),
        "success_ratio": settings.min_success_ratio,
        "change_severity": float(SEVERITIES.index(settings.alert_severity)),
    }


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


SERIES: tuple[Series, ...] = (
    per_application(
        "pte_load_run_change_evidence",
        "1 when some metric of the run, or of an endpoint, could be compared with the baseline or the runs before.",
        ("against",),
        lambda result: [((against,), _evidence(result, against)) for against in ("baseline", "history")],
    ),
    series(
        "change_input",
        "What is compared, in the metric's base unit: value is the run, surely between least and most; reference is "
        "what it was.",
        ("against", "metric", "role"),
        _change_inputs,
    ).as_input(),
    series(
        "change_ratio",
        "Signed change (value - reference) / reference of a metric of the whole run.",
        ("against", "metric"),
        _changes(lambda one: one.ratio),
    ),
    series(
        "change_verdict",
        "1 for the verdict that holds: the run is worse, equal or better than before, or no evidence.",
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
        "Effect size of the change, signed; docs/method.md says how it is computed.",
        ("against", "metric"),
        _changes(lambda one: one.effect),
    ),
    series(
        "change_samples",
        "Runs, or requests, that the verdict rests on.",
        ("against", "metric"),
        _changes(lambda one: float(one.samples)),
    ).as_input(),
    series(
        "endpoint_changes",
        "Endpoints that were judged, by verdict.",
        ("against", "metric", "verdict"),
        _counted,
    ),
    series(
        "endpoint_change_ratio",
        f"Signed change of an endpoint that is worse or better, at most {MOST_CHANGES}, the worst first.",
        ("against", "metric", "endpoint"),
        _moved(lambda one: one.ratio),
    ),
    series(
        "endpoint_change_severity",
        f"Severity of a change of an endpoint that is worse or better, at most {MOST_CHANGES}, the worst first.",
        ("against", "metric", "endpoint"),
        _moved(_severity),
    ),
    series(
        "endpoint_change_effect",
        f"Effect size of a change of an endpoint that is worse or better, at most {MOST_CHANGES}, the worst first.",
        ("against", "metric", "endpoint"),
        _moved(lambda one: one.effect),
    ),
    series(
        "trend",
        "1 for where a metric of the whole run has been going: improving, degrading, stable, volatile, or no evidence.",
        ("metric", "direction"),
        _directions,
    ),
    series(
        "trend_slope_ratio",
        "Change per run as a ratio of the median, signed.",
        ("metric",),
        _trends(lambda one: one.slope),
    ),
    series(
        "trend_variation_ratio",
        "How much runs scatter around the slope's line, as a ratio of the median.",
        ("metric",),
        _trends(lambda one: one.variation),
    ),
    series("trend_runs", "Runs that the trend rests on.", ("metric",), _trends(lambda one: float(one.runs))).as_input(),
    series(
        "endpoint_trends",
        "Endpoints by where a metric of theirs has been going.",
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
        "Change for the worse from which the severity holds: ratio of latency and request rate, difference of the "
        "error ratio. Configured.",
        ("application", "change", "severity"),
        _change_limits,
    ).as_input(),
    Series(
        "pte_load_run_grade_limit",
        "What a run must show for the grade: more success than this, and less latency. Configured.",
        ("application", "grade", "figure"),
        _grade_limits,
    ).as_input(),
)
