"""May a pipeline continue? Not if the run is worse, nor if the data cannot rule that out.

docs/explanation/method.md, "Judgement of a run".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from exporter import humanize
from exporter.analysis.grade import missing
from exporter.analysis.regression import is_bad, matters, moved
from exporter.analysis.regression import severity as severity_of
from exporter.model.loadrun_judgement import GRADES, Change, JudgedRun
from exporter.model.settings import LoadRunSettings
from exporter.model.verdict import SEVERITIES

PASS = 0
WORSE = 1
UNKNOWN = 3
"""Exit codes. 2 is wrong usage, as with every command."""

_LATENCIES = ("latency_p95", "latency_p99", "latency_mean", "latency_p50")
"""The first of them that both runs have must have a verdict."""


def judge(judged: JudgedRun, settings: LoadRunSettings, least: str, min_grade: str | None) -> tuple[int, str]:
    """The exit code and one line on why: changes of the severity `least` or more, a grade below `min_grade`."""
    worse = [change for change in judged.changes if change.verdict == "worse" and _is_at_least(change.severity, least)]
    if worse:
        return WORSE, f"worse: {_worst_of(worse)}"
    if _is_graded_below(judged, min_grade):
        return WORSE, f"worse: the grade is {judged.grade}, expected {min_grade} or better"

    unknown = [*_ungraded(judged, min_grade), *_uncompared(judged), *_uncertain(judged, settings, least)]
    if unknown:
        return UNKNOWN, f"no evidence: {'; '.join(unknown)}"
    return PASS, f"pass: no change for the worse of severity {least} or more"


def order(change: Change) -> tuple[int, int, float, bool, str, str]:
    """Sorts changes, the worst first."""
    verdicts = {"worse": 0, "no_evidence": 1, "better": 2, "equal": 3}
    size = -abs(change.ratio or 0.0)
    return verdicts[change.verdict], -_rank(change.severity), size, change.name != "", change.name, change.metric


def title(change: Change) -> str:
    """The metric and by how much it changed: P95 latency of all requests +22.1 % against the baseline."""
    requests = change.name or "all requests"
    by = "" if change.ratio is None else f" {humanize.signed_percent(change.ratio)}"
    return f"{humanize.label(change.metric)} of {requests}{by} against the {change.against}"


def _rank(severity: str | None) -> int:
    return SEVERITIES.index(severity or "none")


def _is_at_least(severity: str | None, least: str) -> bool:
    return _rank(severity) >= _rank(least)


def _worst_of(worse: Sequence[Change]) -> str:
    worst = min(worse, key=order)
    others = ""
    if len(worse) > 1:
        others = f", and {humanize.pluralize(len(worse) - 1, 'other')}"
    return f"{title(worst)}, {worst.severity}{others}"


def _is_graded_below(judged: JudgedRun, min_grade: str | None) -> bool:
    if min_grade is None or judged.grade is None:
        return False
    return GRADES.index(judged.grade) > GRADES.index(min_grade)


def _ungraded(judged: JudgedRun, min_grade: str | None) -> Iterator[str]:
    """Why a required grade is unknown."""
    if min_grade is not None and judged.grade is None:
        yield f"the grade is unknown, because the result has no {missing(judged.run.total)}"


def _uncompared(judged: JudgedRun) -> Iterator[str]:
    """Data that both runs need for any comparison and that is missing."""
    of_names = [change for change in judged.changes if change.name and change.against == "baseline"]
    if of_names and all(change.reference is None for change in of_names):
        yield "no name is in both results: are they of the same test?"
    if _compared_latency(_of_all_requests(judged)) is None:
        yield "no latency statistic is in both results"


def _uncertain(judged: JudgedRun, settings: LoadRunSettings, least: str) -> Iterator[str]:
    """Metrics of all requests that both runs have and that may still be worse by that severity."""
    changes = _of_all_requests(judged)
    metrics: tuple[str, ...] = ("error_ratio", "request_rate")
    latency = _compared_latency(changes)
    if latency is not None:
        metrics = (latency, *metrics)

    for metric in metrics:
        change = changes.get(metric)
        if change is None or change.reference is None or change.verdict != "no_evidence":
            continue
        text = _possible(change, change.reference, settings, least)
        if text:
            yield text


def _of_all_requests(judged: JudgedRun) -> Mapping[str, Change]:
    """The comparisons of the whole run with the baseline, by metric."""
    return {change.metric: change for change in judged.changes if not change.name and change.against == "baseline"}


def _compared_latency(changes: Mapping[str, Change]) -> str | None:
    for metric in _LATENCIES:
        if metric in changes and changes[metric].reference is not None:
            return metric
    return None


def _possible(change: Change, reference: float, settings: LoadRunSettings, least: str) -> str:
    """How bad the change may be; empty if the interval rules out a change for the worse of that severity."""
    metric = change.metric
    if change.most is None or change.least is None:
        return f"too few requests to compare the {humanize.label(metric)}"

    # The worst case: for a metric that is bad when it falls, the lower end of the interval.
    worst = change.least if is_bad(-1.0, metric) else change.most
    ratio = moved(reference, worst, metric)
    if not is_bad(ratio, metric) or not matters(reference, worst, metric, settings):
        return ""
    if not _is_at_least(severity_of(ratio, metric, settings), least):
        return ""

    before = humanize.quantity(metric, reference)
    return f"{title(change)}: may be as bad as {humanize.quantity(metric, worst)} (was {before})"
