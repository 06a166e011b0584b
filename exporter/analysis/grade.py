"""One letter for a run, from success and P95. docs/explanation/method.md, section "Grade"."""

from __future__ import annotations

from exporter.analysis.arithmetic import finite
from exporter.model.loadrun import Figures
from exporter.model.loadrun_judgement import GRADES
from exporter.model.settings import LoadRunSettings


def grade(figures: Figures, settings: LoadRunSettings) -> str | None:
    """The best grade whose both conditions the figures fulfil, each strictly; F if none; None without evidence."""
    success = finite(figures.success_ratio)
    p95 = finite(figures.latency.p95)
    if success is None or p95 is None:
        return None

    for name in GRADES:
        limits = settings.grades.get(name)
        if limits and success > limits.success_ratio and p95 < limits.latency_p95:
            return name
    return GRADES[-1]


def missing(figures: Figures) -> str:
    """The values that a run without a grade lacks."""
    if finite(figures.success_ratio) is None:
        return "number of failures"
    return "P95"
