"""Baselines and comparisons for a terminal. A missing value is "no evidence"."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from exporter import humanize
from exporter.analysis.grade import grade
from exporter.commands.baseline.gate import order
from exporter.model.loadrun_judgement import Change, JudgedRun
from exporter.model.settings import LoadRunSettings
from exporter.publishing.baselines import Baseline
from exporter.report.table import columns

UNKNOWN = "no evidence"

_MOST = 40
"""Rows of a table of changes; JSON has all."""

_BASELINES = ("application", "name", "run", "commit", "ended", "grade", "requests", "P95", "success")
_CHANGES = ("", "metric", "against", "value", "reference", "change", "may be", "verdict", "severity", "effect")


def baselines(saved: Sequence[Baseline], settings: LoadRunSettings) -> str:
    """A table with one line per baseline."""
    rows = [_BASELINES, *(_baseline(baseline, settings) for baseline in saved)]
    return "\n".join(columns(rows, left_aligned=(0, 1, 2, 3, 4, 5))) + "\n"


def _baseline(baseline: Baseline, settings: LoadRunSettings) -> tuple[str, ...]:
    run = baseline.run
    total = run.total
    return (
        baseline.application,
        baseline.name,
        run.run,
        run.commit[:12] or "-",
        humanize.format_time(run.end),
        grade(total, settings) or UNKNOWN,
        str(total.requests),
        _text(total.latency.p95, humanize.seconds),
        _text(total.success_ratio, humanize.percent),
    )


def comparison(judged: JudgedRun, application: str) -> str:
    """All comparisons of the whole run, and the changes of single names, the worst first."""
    run = judged.run
    commit = f", commit {run.commit}" if run.commit else ""
    title = f"{application}: run {run.run} ({run.tool}{commit}), grade {judged.grade or UNKNOWN}"

    changes = [change for change in judged.changes if change.name == "" or change.verdict in ("worse", "better")]
    changes.sort(key=order)
    table = columns([_CHANGES, *map(_change, changes[:_MOST])], left_aligned=(0, 1, 2, 7, 8))

    lines = [title, "", *table, "", *_counts(judged, len(changes) - _MOST)]
    return "\n".join(lines) + "\n"


def _counts(judged: JudgedRun, hidden: int) -> Iterator[str]:
    """The number of comparisons by verdict, and of those that the table leaves out."""
    verdicts = Counter(change.verdict for change in judged.changes)
    parts = [f"{count} {verdict.replace('_', ' ')}" for verdict, count in sorted(verdicts.items())]
    comparisons = humanize.pluralize(len(judged.changes), "comparison")
    yield f"{comparisons}: {', '.join(parts) or 'none'}; --format json has all"

    if hidden > 0:
        yield f"{humanize.pluralize(hidden, 'more change')}"
    if judged.left_out:
        yield f"{humanize.pluralize(judged.left_out, 'name')} beyond analysis.load_runs.max_endpoints not compared"


def _change(change: Change) -> tuple[str, ...]:
    def quantity(value: float) -> str:
        return humanize.quantity(change.metric, value)

    interval = "-"
    if change.least is not None and change.most is not None:
        interval = f"{quantity(change.least)} .. {quantity(change.most)}"
    severity = "-"
    if change.verdict == "worse" and change.severity:
        severity = change.severity

    return (
        change.name or "all requests",
        humanize.label(change.metric),
        change.against,
        _text(change.value, quantity),
        _text(change.reference, quantity),
        _text(change.ratio, humanize.signed_percent, "-"),
        interval,
        change.verdict.replace("_", " "),
        severity,
        _text(change.effect, _effect, "-"),
    )


def _effect(effect: float) -> str:
    return humanize.number(effect, humanize.SENTENCE_DIGITS)


def _text(value: float | None, write: Callable[[float], str], unknown: str = UNKNOWN) -> str:
    if value is None:
        return unknown
    return write(value)
