"""Baselines and comparisons for programs; null means no evidence."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from exporter.analysis.grade import grade
from exporter.commands.baseline.gate import order
from exporter.model.loadrun_judgement import JudgedRun
from exporter.model.settings import LoadRunSettings
from exporter.publishing.baselines import Baseline


def baselines(saved: Sequence[Baseline], settings: LoadRunSettings) -> str:
    """One list."""
    return _render([_baseline(baseline, settings) for baseline in saved])


def _baseline(baseline: Baseline, settings: LoadRunSettings) -> dict[str, object]:
    run = baseline.run
    total = run.total
    return {
        "application": baseline.application,
        "name": baseline.name,
        "run": run.run,
        "commit": run.commit,
        "tool": run.tool,
        "end": run.end,
        "grade": grade(total, settings),
        "requests": total.requests,
        "latency_p95": total.latency.p95,
        "success_ratio": total.success_ratio,
    }


def comparison(judged: JudgedRun, code: int, reason: str, warnings: Sequence[str]) -> str:
    """Every comparison, the worst first."""
    run = judged.run
    changes = sorted(judged.changes, key=order)

    return _render(
        {
            "run": run.run,
            "commit": run.commit,
            "grade": judged.grade,
            "exit_code": code,
            "reason": reason,
            "left_out": judged.left_out,
            "warnings": list(warnings),
            "changes": [asdict(change) for change in changes],
            "trends": [asdict(trend) for trend in judged.trends],
        }
    )


def _render(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
