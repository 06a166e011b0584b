"""May a pipeline continue? Only with evidence of enough budget."""

from __future__ import annotations

import math
from collections.abc import Sequence

from exporter import humanize
from exporter.slo.status import BudgetStatus

PASS = 0
BELOW = 1
UNKNOWN = 3
"""Exit codes. 2 is wrong usage, as with every command."""


def judge(statuses: Sequence[BudgetStatus], least: float, coverage: float) -> tuple[int, str]:
    """The exit code and the reason in one line. Every budget of the objective has to pass; ratios 0..1.

    `coverage`: the required share of the period with data.
    """
    missing: dict[str, str] = {}
    for status in statuses:
        reason = _missing(status, coverage)
        if reason:
            missing[status.name] = reason
    if missing:
        name, reason = next(iter(missing.items()))
        others = _of(len(missing), statuses, "lack data")
        return UNKNOWN, f"{name}: not enough data: {reason}{others}"

    worst = min(statuses, key=_remaining)
    below = sum(_remaining(status) < least for status in statuses)
    text = f"{_percent(_remaining(worst))}, at least {_percent(least)} required"
    others = _of(below, statuses, "below that")
    if below:
        return BELOW, f"{worst.name}: too little budget left: {text}{others}"
    return PASS, f"{worst.name}: enough budget left: {text}{others}"


def _of(number: int, statuses: Sequence[BudgetStatus], what: str) -> str:
    """The number of an objective's budgets, where it has several; the line names the worst of them."""
    if len(statuses) == 1:
        return ""
    if number == 0:
        return f"; the lowest of {len(statuses)} budgets"
    return f"; {number} of {len(statuses)} budgets {what}"


def _missing(status: BudgetStatus, coverage: float) -> str:
    """Why a budget is no evidence; empty where it is."""
    if status.state is None:
        return "its data state is not recorded, so it is unknown whether its rules are evaluated"
    if status.state == "broken":
        return "its telemetry is missing (state broken)"
    if status.budget_remaining is None:
        return f"its budget is not recorded (state {status.state})"

    if status.coverage is None or status.coverage < coverage:
        share = "0 %" if status.coverage is None else _below(status.coverage, coverage)
        return f"{share} of its period has data, at least {_percent(coverage)} required (--min-coverage)"
    return ""


def _remaining(status: BudgetStatus) -> float:
    assert status.budget_remaining is not None
    return status.budget_remaining


def _below(ratio: float, limit: float) -> str:
    """The same figure as in `slo show`, unless that would look like the limit."""
    text = humanize.percent(ratio)
    if text == humanize.percent(limit):
        return _percent(ratio)
    return text


def _percent(ratio: float) -> str:
    """Rounded down, so a value just below a limit does not look like the limit."""
    percent = math.floor(round(ratio * 10_000, 6)) / 100
    return f"{humanize.trim_zeros(f'{percent:.2f}')} %"
