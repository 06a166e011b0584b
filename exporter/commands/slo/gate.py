"""May a pipeline go on? Only where there is evidence of enough budget."""

from __future__ import annotations

import math
from collections.abc import Sequence

from exporter import humanize
from exporter.slo.status import Status

PASS, BELOW, UNKNOWN = 0, 1, 3
"""Exit codes. 2 is wrong usage, as with every command."""


def judge(statuses: Sequence[Status], least: float, coverage: float) -> tuple[int, str]:
    """The exit code and one line on why. Every budget of the objective has to pass; ratios 0..1.

    `coverage`: for how much of its period a budget must be known.
    """
    missing = {status.name: text for status in statuses if (text := _missing(status, coverage))}
    for name, text in missing.items():
        return UNKNOWN, f"{name}: no evidence: {text}{_of(len(missing), statuses, 'without evidence')}"
    worst = min(statuses, key=_remaining)
    below = sum(_remaining(status) < least for status in statuses)
    verdict, others = ("too little", _of(below, statuses, "below that")) if below else ("enough", _of(0, statuses, ""))
    text = f"{_percent(_remaining(worst))} of the budget left, {_percent(least)} wanted"
    return BELOW if below else PASS, f"{worst.name}: {verdict}: {text}{others}"


def _of(number: int, statuses: Sequence[Status], what: str) -> str:
    """How many of an objective's budgets, where it has several; the line names the worst of them."""
    if len(statuses) == 1:
        return ""
    return f"; {number} of {len(statuses)} budgets {what}" if number else f"; the least of {len(statuses)} budgets"


def _missing(status: Status, coverage: float) -> str:
    """Why a budget is no evidence; empty where it is."""
    if status.state is None:
        return "its data state is not recorded, so nothing tells whether its rules are evaluated"
    if status.state == "broken":
        return "its telemetry is gone (state broken)"
    if status.budget_remaining is None:
        return f"its budget is not recorded (state {status.state})"
    if status.coverage is None or status.coverage < coverage:
        known = "nothing" if status.coverage is None else _below(status.coverage, coverage)
        return f"{known} of its period is known, {_percent(coverage)} wanted (--min-coverage)"
    return ""


def _remaining(status: Status) -> float:
    assert status.budget_remaining is not None
    return status.budget_remaining


def _below(ratio: float, limit: float) -> str:
    """As `slo show` has it, unless that would look like the limit."""
    text = humanize.percent(ratio)
    return text if text != humanize.percent(limit) else _percent(ratio)


def _percent(ratio: float) -> str:
    """Rounded down, so that what is just below a limit does not look as if it were the limit."""
    percent = math.floor(round(ratio * 10_000, 6)) / 100
    return f"{humanize.trim_zeros(f'{percent:.2f}')} %"
