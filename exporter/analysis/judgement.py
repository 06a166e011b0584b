"""What is thought of an application's newest load test. docs/method.md, section "Judgement of a run"."""

from __future__ import annotations

from collections.abc import Sequence

from exporter.analysis.grade import grade
from exporter.model.judgement import JudgedRun
from exporter.model.loadrun import LoadRun
from exporter.model.settings import LoadRunSettings


def judge(runs: Sequence[LoadRun], baseline: LoadRun | None, settings: LoadRunSettings) -> JudgedRun | None:
    """The newest of the runs (the last) against the baseline and the runs before; None without a run."""
    if not runs:
        return None
    return JudgedRun(runs[-1], grade(runs[-1].total, settings))
