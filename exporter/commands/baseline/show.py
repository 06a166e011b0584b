"""Baselines and comparisons as text for people at a terminal, and as JSON. What nobody knows is said in words."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict

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


def baselines_as_json(found: Sequence[Baseline], settings: LoadRunSettings) -> str:
    """One list; null is what nobody knows."""
    rows = [
        {
            "application": one.application,
            "name": one.name,
            "run": one.run.run,
            "commit": one.run.commit,
            "tool": one.run.tool,
            "end": one.run.end,
            "grade": grade(one.run.total, settings),
            "requests": one.run.total.requests,
            "latency_p95": one.run.total.latency.p95,
            "success_ratio": one.run.total.success_ratio,
        }
        for one in found
    ]
    return _json(rows)


def baselines_as_table(found: Sequence[Baseline], settings: LoadRunSettings) -> str:
    """One line each."""
    rows = [("application", "name", "run", "commit", "ended", "grade", "requests", "P95", "success")]
    for one in found:
        total = one.run.total
        rows.append(
            (
                one.application,
                one.name,
                one.run.run,
                one.run.commit[:12] or "-",
                humanize.moment(one.run.end),
                grade(total, settings) or UNKNOWN,
                str(total.requests),
                _known(total.latency.p95, humanize.seconds),
                _known(total.success_ratio, humanize.percent),
            )
        )
    return "\n".join(columns(rows, left=(0, 1, 2, 3, 4, 5))) + "\n"


def comparison_as_json(judged: JudgedRun, code: int, reason: str, warnings: Sequence[str]) -> str:
    """Every comparison, the worst first; null is what nobody knows."""
    run = judged.run
    return _json(
        {
            "run": run.run,
            "commit": run.commit,
            "grade": judged.grade,
            "exit_code": code,
            "reason": reason,
            "left_out": judged.left_out,
            "warnings": list(warnings),
            "changes": [asdict(change) for change in sorted(judged.changes, key=order)],
            "trends": [asdict(trend) for trend in judged.trends],
        }
    )


def comparison_as_text(judged: JudgedRun, application: str) -> str:
    """All of the whole run; of single names what has changed, the worst first."""
    commit = f", commit {judged.run.commit}" if judged.run.commit else ""
    lines = [f"{application}: run {judged.run.run} ({judged.run.tool}{commit}), grade {judged.grade or UNKNOWN}", ""]
    shown = [one for one in judged.changes if one.name == "" or one.verdict in ("worse", "better")]
    shown.sort(key=order)
    head = ("", "metric", "against", "value", "reference", "change", "may be", "verdict", "severity", "effect")
    lines += columns([head, *map(_row, shown[:_MOST])], left=(0, 1, 2, 7, 8))
    lines += ["", *_counts(judged, len(shown) - _MOST)]
    return "\n".join(lines) + "\n"


def _counts(judged: JudgedRun, hidden: int) -> Iterator[str]:
    counts = Counter(change.verdict for change in judged.changes)
    parts = [f"{count} {name.replace('_', ' ')}" for name, count in sorted(counts.items())]
    yield f"{humanize.counted(len(judged.changes), 'comparison')}: {', '.join(parts) or 'none'}; --format json has all"
    if hidden > 0:
        yield f"{humanize.counted(hidden, 'more change')}"
    if judged.left_out:
        yield f"{humanize.counted(judged.left_out, 'name')} beyond analysis.load_runs.max_endpoints not compared"


def _row(change: Change) -> tuple[str, ...]:
    def shown(value: float) -> str:
        return humanize.quantity(change.metric, value)

    between = "-"
    if change.least is not None and change.most is not None:
        between = f"{shown(change.least)} .. {shown(change.most)}"
    return (
        change.name or "all requests",
        humanize.label(change.metric),
        change.against,
        _known(change.value, shown),
        _known(change.reference, shown),
        _known(change.ratio, humanize.signed_percent, "-"),
        between,
        change.verdict.replace("_", " "),
        change.severity if change.verdict == "worse" and change.severity else "-",
        _known(change.effect, lambda effect: humanize.number(effect, humanize.SAID), "-"),
    )


def _known(value: float | None, text: Callable[[float], str], unknown: str = UNKNOWN) -> str:
    return unknown if value is None else text(value)


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
