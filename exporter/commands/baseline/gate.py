"""May a pipeline go on? Not where a run is worse, nor where nobody can tell. docs/method.md, "Judgement of a run"."""

from __future__ import annotations

from collections.abc import Iterator

from exporter import humanize
from exporter.analysis.grade import missing
from exporter.analysis.regression import is_bad, matters, moved, severity
from exporter.model.loadrun_judgement import GRADES, Change, JudgedRun
from exporter.model.settings import LoadRunSettings
from exporter.model.verdict import SEVERITIES

PASS, WORSE, UNKNOWN = 0, 1, 3
"""Exit codes. 2 is wrong usage, as with every command."""

_LATENCIES = ("latency_p95", "latency_p99", "latency_mean", "latency_p50")
"""The first of them that both runs tell has to be judged."""


def judge(judged: JudgedRun, settings: LoadRunSettings, least: str, min_grade: str | None) -> tuple[int, str]:
    """The exit code and one line on why: changes of the severity `least` or more, a grade below `min_grade`."""
    worse = [
        change for change in judged.changes if change.verdict == "worse" and _rank(change.severity) >= _rank(least)
    ]
    if worse:
        first = min(worse, key=order)
        others = f", and {humanize.counted(len(worse) - 1, 'other')}" if len(worse) > 1 else ""
        return WORSE, f"worse: {title(first)}, {first.severity}{others}"
    if min_grade is not None and judged.grade is not None and GRADES.index(judged.grade) > GRADES.index(min_grade):
        return WORSE, f"worse: the grade is {judged.grade}, wanted {min_grade} or better"
    unknown = list(_unknown(judged, settings, least, min_grade))
    if unknown:
        return UNKNOWN, f"no evidence: {'; '.join(unknown)}"
    return PASS, f"fine: nothing is worse by severity {least} or more"


def order(change: Change) -> tuple[int, int, float, bool, str, str]:
    """Sorts changes, the worst first."""
    verdicts = {"worse": 0, "no_evidence": 1, "better": 2, "equal": 3}
    size = -abs(change.ratio or 0.0)
    return verdicts[change.verdict], -_rank(change.severity), size, change.name != "", change.name, change.metric


def title(change: Change) -> str:
    """What changed, and by how much: latency P95 of all requests +22.1 % against the baseline."""
    whose = change.name or "all requests"
    by = "" if change.ratio is None else f" {humanize.signed_percent(change.ratio)}"
    return f"{humanize.label(change.metric)} of {whose}{by} against the {change.against}"


def _rank(severity_name: str | None) -> int:
    return SEVERITIES.index(severity_name or "none")


def _unknown(judged: JudgedRun, settings: LoadRunSettings, least: str, min_grade: str | None) -> Iterator[str]:
    """What has to be known of the whole run and is not."""
    if min_grade is not None and judged.grade is None:
        yield f"the grade is not known, as the result tells no {missing(judged.run.total)}"
    named = [change for change in judged.changes if change.name and change.against == "baseline"]
    if named and all(change.reference is None for change in named):
        yield "not one name is in both results: is it the same test?"
    known = {change.metric: change for change in judged.changes if change.name == "" and change.against == "baseline"}
    latencies = [name for name in _LATENCIES if name in known and known[name].reference is not None]
    if not latencies:
        yield "not one latency that both runs tell"
    for name in (*latencies[:1], "error_ratio", "request_rate"):
        change = known.get(name)
        if change is not None and change.reference is not None and change.verdict == "no_evidence":
            text = _possible(change, settings, least)
            if text:
                yield text


def _possible(change: Change, settings: LoadRunSettings, least: str) -> str:
    """Empty where the interval leaves out a change for the worse of that severity."""
    reference, most, lowest = change.reference, change.most, change.least
    assert reference is not None
    if most is None or lowest is None:
        return f"too few requests to compare the {humanize.label(change.metric)}"
    end = lowest if is_bad(-1.0, change.metric) else most
    change_at_most = moved(reference, end, change.metric)
    bad = is_bad(change_at_most, change.metric) and matters(reference, end, change.metric, settings)
    if not bad or _rank(severity(change_at_most, change.metric, settings)) < _rank(least):
        return ""
    at = humanize.quantity(change.metric, end)
    return f"{title(change)}: may be {at} where {humanize.quantity(change.metric, reference)} was"
