"""What was published, in a few lines for the log of a pipeline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from exporter import humanize
from exporter.analysis.grade import missing
from exporter.model.execution import Executed
from exporter.model.loadrun_judgement import Change, JudgedRun
from exporter.model.results import Snapshot
from exporter.model.verdict import SEVERITIES

_MOST = 20
"""Lines about what changed."""


def of_run(snapshot: Snapshot, application: str, warnings: Sequence[str]) -> str:
    """Grade, counts, percentiles, what changed for the worse first, warnings."""
    judged = snapshot.applications[application].load_run
    assert judged is not None
    lines = (*_figures(application, judged), *_changes(judged.changes))
    told = (f"  warning: {text}" for text in (*judged.run.warnings, *warnings))
    return "\n".join((*lines, *told))


def _figures(application: str, judged: JudgedRun) -> Iterator[str]:
    run, total = judged.run, judged.run.total
    commit = f", commit {run.commit}" if run.commit else ""
    grade = judged.grade or f"unknown: the result tells no {missing(total)}"
    yield f"{application}: run {run.run} ({run.tool}{commit}), grade {grade}"
    rate = "" if run.requests_per_second is None else f", {humanize.rate(run.requests_per_second)}"
    yield f"  {total.requests} requests in {humanize.duration(run.duration)}{rate}"
    if total.failures is not None and total.success_ratio is not None:
        share = humanize.percent(1 - total.success_ratio)
        yield f"  {total.failures} failed ({share})"
    seen = {"mean": total.latency.mean, "P50": total.latency.p50, "P95": total.latency.p95, "P99": total.latency.p99}
    shown = [f"{name} {humanize.seconds(value)}" for name, value in seen.items() if value is not None]
    if shown:
        yield f"  latency {', '.join(shown)}"
    if not run.complete:
        yield "  the run was ended early"
    for name, met in run.checks.items():
        if not met:
            yield f"  threshold not met: {name}"


def _changes(changes: Sequence[Change]) -> Iterator[str]:
    """The worst first; what is equal, or has no evidence, is left out."""
    moved = [one for one in changes if one.verdict in ("worse", "better")]
    moved.sort(
        key=lambda one: (one.verdict != "worse", -SEVERITIES.index(one.severity or "none"), one.name, one.metric)
    )
    for one in moved[:_MOST]:
        ratio = "" if one.ratio is None else f" {humanize.signed_percent(one.ratio)}"
        severity = f" ({one.severity})" if one.verdict == "worse" and one.severity else ""
        whose = f"{one.name or 'all requests'}: {humanize.label(one.metric)}"
        yield f"  {one.verdict}{severity}: {whose}{ratio} against the {one.against}"
    if len(moved) > _MOST:
        yield f"  and {len(moved) - _MOST} more changes"


def of_executions(found: Executed, application: str) -> str:
    """How many tests ended how, and by name those that failed."""
    total = found.total
    counts = {name: getattr(total, name) for name in ("passed", "failed", "error", "skipped")}
    shown = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    lines = [f"{application}: {humanize.counted(sum(counts.values()), 'test')}: {shown or 'none'}"]
    lines += (f"  failing: {case.suite}: {case.name}" for case in found.failing[:_MOST])
    return "\n".join(lines)
