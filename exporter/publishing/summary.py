"""A publication in a few lines, for the log of a pipeline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from exporter import humanize
from exporter.analysis.grade import missing
from exporter.model.execution import Executed
from exporter.model.loadrun import Figures, LoadRun
from exporter.model.loadrun_judgement import Change, JudgedRun
from exporter.model.results import Snapshot
from exporter.model.verdict import SEVERITIES

_MOST = 20
"""Lines about changes."""


def of_run(snapshot: Snapshot, application: str, warnings: Sequence[str]) -> str:
    """Grade, counts, percentiles, changes (the worst first), warnings."""
    judged = snapshot.applications[application].load_run
    assert judged is not None

    lines = [_title(application, judged), *_figures(judged.run), *_changes(judged.changes)]
    lines += [f"  warning: {text}" for text in (*judged.run.warnings, *warnings)]
    return "\n".join(lines)


def _title(application: str, judged: JudgedRun) -> str:
    run = judged.run
    commit = f", commit {run.commit}" if run.commit else ""
    grade = judged.grade or f"unknown: the result has no {missing(run.total)}"
    return f"{application}: run {run.run} ({run.tool}{commit}), grade {grade}"


def _figures(run: LoadRun) -> Iterator[str]:
    total = run.total
    rate = ""
    if run.requests_per_second is not None:
        rate = f", {humanize.rate(run.requests_per_second)}"
    yield f"  {total.requests} requests in {humanize.duration(run.duration)}{rate}"

    if total.failures is not None and total.success_ratio is not None:
        share = humanize.percent(1 - total.success_ratio)
        yield f"  {total.failures} failed ({share})"

    latencies = _latencies(total)
    if latencies:
        yield f"  latency {', '.join(latencies)}"

    if not run.complete:
        yield "  the run was ended early"
    for name, met in run.checks.items():
        if not met:
            yield f"  threshold not met: {name}"


def _latencies(total: Figures) -> list[str]:
    """The latencies in the result: "P95 245.8 ms"."""
    latency = total.latency
    figures = {"mean": latency.mean, "P50": latency.p50, "P95": latency.p95, "P99": latency.p99}
    return [f"{name} {humanize.seconds(value)}" for name, value in figures.items() if value is not None]


def _changes(changes: Sequence[Change]) -> Iterator[str]:
    """Changes for the worse or better, the worst first."""
    differing = [change for change in changes if change.verdict in ("worse", "better")]
    differing.sort(key=_order)

    for change in differing[:_MOST]:
        ratio = "" if change.ratio is None else f" {humanize.signed_percent(change.ratio)}"
        severity = f" ({change.severity})" if change.verdict == "worse" and change.severity else ""
        subject = f"{change.name or 'all requests'}: {humanize.label(change.metric)}"
        yield f"  {change.verdict}{severity}: {subject}{ratio} against the {change.against}"

    if len(differing) > _MOST:
        yield f"  and {len(differing) - _MOST} more changes"


def _order(change: Change) -> tuple[bool, int, str, str]:
    severity = SEVERITIES.index(change.severity or "none")
    return change.verdict != "worse", -severity, change.name, change.metric


def of_executions(executions: Executed, application: str) -> str:
    """The number of tests by outcome, and the names of those that failed."""
    total = executions.total
    counts = {name: getattr(total, name) for name in ("passed", "failed", "error", "skipped")}
    outcomes = ", ".join(f"{count} {name}" for name, count in counts.items() if count)

    lines = [f"{application}: {humanize.pluralize(sum(counts.values()), 'test')}: {outcomes or 'none'}"]
    lines += [f"  failing: {case.suite}: {case.name}" for case in executions.failing[:_MOST]]
    return "\n".join(lines)
