"""May a pipeline go on? Only where there is evidence of enough budget."""

from __future__ import annotations

import math
from collections.abc import Sequence

from exporter.slo.status import Status

PASS, BELOW, UNKNOWN = 0, 1, 3
"""Exit codes. 2 is wrong usage, as with every command."""


def judge(statuses: Sequence[Status], least: float, coverage: float) -> tuple[int, str]:
    """The exit code and one line on why. Every budget of the objective has to pass; ratios 0..1.

    `coverage`: for how much of its period a budget must be known.
    """
    for status in statuses:
        missing = _missing(status, coverage)
        if missing:
            return UNKNOWN, f"{status.name}: no evidence: {missing}"
    worst = min(statuses, key=_remaining)
    code = PASS if _remaining(worst) >= least else BELOW
    verdict = "enough" if code == PASS else "too little"
    return code, f"{worst.name}: {verdict}: {_percent(_remaining(worst))} of the budget left, {_percent(least)} wanted"


def _missing(status: Status, coverage: float) -> str:
    """Why a budget is no evidence; empty where it is."""
    if status.state is None:
        return "its data state is not recorded, so nothing tells whether its rules are evaluated"
    if status.state == "broken":
        return "its telemetry is gone (state broken)"
    if status.budget_remaining is None:
        return f"its budget is not recorded (state {status.state})"
    if status.coverage is None or status.coverage < coverage:
        known = "nothing" if status.coverage is None else _percent(status.coverage)
        return f"{known} of its period is known, {_percent(coverage)} wanted (--min-coverage)"
    return ""


def _remaining(status: Status) -> float:
    assert status.budget_remaining is not None
    return status.budget_remaining


def _percent(ratio: float) -> str:
    """Rounded down, so that what is just below a limit does not look as if it were the limit."""
    text = f"{math.floor(round(ratio * 10_000, 6)) / 100:.2f}"
    return f"{text.rstrip('0').rstrip('.')} %"
