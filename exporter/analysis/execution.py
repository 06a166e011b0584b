"""What the reports of test runners say together. docs/method.md, section "Test executions"."""

from __future__ import annotations

from collections.abc import Sequence

from exporter.model.execution import Executed, Report
from exporter.model.settings import ExecutionSettings


def executed(reports: Sequence[Report], settings: ExecutionSettings, at: float) -> Executed:
    """The reports within the look-back of `at` (Unix seconds)."""
    return Executed(tuple(report for report in reports if at - settings.lookback < report.at <= at))
