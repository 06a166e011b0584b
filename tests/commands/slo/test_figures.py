"""The words for budgets at their limits: young ones, single events, several budgets of one objective."""

from __future__ import annotations

from dataclasses import replace

import pytest

from exporter.commands.slo import verdict
from exporter.commands.slo.text import full, table
from exporter.slo.status import BudgetStatus, WindowStatus

STATUS = BudgetStatus(
    id="shop-a",
    service="shop",
    slo="a",
    application="shop",
    side="production",
    labels={},
    state="ok",
    objective=0.999,
    period="month",
    alerting="page",
    error_ratio=0.0005,
    sli=0.9995,
    budget_remaining=0.5,
    budget_remaining_events=10.0,
    coverage=1.0,
    burn_rate_1h=0.5,
    burn_rate_6h=0.5,
    exhaustion_seconds=None,
    sla_objective=0.995,
    sla_credit=0.25,
    sla_credit_forecast=0.1,
    forecast_evidence=True,
    breach_timestamp=None,
    forecast_error_ratio=0.0005,
)


def budgets(*left: float) -> list[BudgetStatus]:
    return [replace(STATUS, labels={"region": f"r{n}"}, budget_remaining=one) for n, one in enumerate(left)]


@pytest.mark.parametrize(
    ("coverage", "credit", "listed", "shown"),
    [
        (1.0, 0.25, "25 %", "25 %"),
        (0.9, 0.0, "kept", "none"),
        (0.0019, 0.25, "25 % (young)", "25 % (young)"),
        (0.5, 0.0, "kept (young)", "none (young)"),
        (None, 0.25, "25 % (young)", "25 % (young)"),
        (0.0019, None, "no evidence", "no evidence"),
    ],
)
def test_a_credit_of_a_young_period_is_told_as_young(
    coverage: float | None, credit: float | None, listed: str, shown: str
) -> None:
    """What PteSlaCreditDue does not believe yet, below nine tenths of the period, is not told as if it were due."""
    status = replace(STATUS, coverage=coverage, sla_credit=credit)
    assert f"  {listed}  ok\n" in table([status])
    assert f"99.5 %; credit due now: {shown}; at the forecast: 10 %\n" in full(status)


@pytest.mark.parametrize(
    ("left", "text"),
    [
        (1234.9, "1234 more bad events allowed"),
        (1.2, "1 more bad event allowed"),
        (0.4418, "0 more bad events allowed"),
        (0.0, "0 more bad events allowed"),
        (-0.2, "1 bad event too many"),
        (-335.6, "336 bad events too many"),
    ],
)
def test_events_that_are_left_are_whole(left: float, text: str) -> None:
    """Half an event cannot happen: as many are allowed as surely fit, and as many too many as surely did not."""
    assert f" ({text})\n" in full(replace(STATUS, budget_remaining_events=left))


def test_counts_of_windows_are_whole_from_ten_on() -> None:
    """Extrapolated counts lose what says nothing, and keep a part of an event where that is all there is."""
    window = WindowStatus("1h", 0.0272, 27.2, 94.78, 3485.4)
    small = WindowStatus("6h", 0.0001, 0.1, 0.4418, 4418.0)
    text = full(replace(STATUS, windows=(window, small)))
    assert [line.split()[1:3] for line in text.splitlines()[-2:]] == [["95", "3485"], ["0.44", "4418"]]


@pytest.mark.parametrize(
    ("left", "least", "code", "text"),
    [
        ((0.5,), 0.1, verdict.PASS, "shop-a{region=r0}: enough: 50 % of the budget left, 10 % wanted"),
        (
            (0.5, 0.32),
            0.1,
            verdict.PASS,
            "shop-a{region=r1}: enough: 32 % of the budget left, 10 % wanted; the least of 2 budgets",
        ),
        (
            (-1.0, 0.05, 0.5),
            0.1,
            verdict.BELOW,
            "shop-a{region=r0}: too little: -100 % of the budget left, 10 % wanted; 2 of 3 budgets below that",
        ),
    ],
)
def test_the_gate_tells_how_many_budgets_it_judged(left: tuple[float, ...], least: float, code: int, text: str) -> None:
    """The worst is named, and how many others are as bad."""
    assert verdict.judge(budgets(*left), least, 0.9) == (code, text)


def test_the_gate_has_the_figures_of_show() -> None:
    """What is known of the period reads as `slo show` has it, unless that would look like what was wanted."""
    one, two = replace(STATUS, coverage=1 / 720), replace(STATUS, labels={"region": "b"}, coverage=0.89999)
    assert "  known          0.139 % of the period\n" in full(one)
    first = "shop-a: no evidence: 0.139 % of its period is known, 90 % wanted (--min-coverage)"
    assert verdict.judge([one], 0.1, 0.9) == (verdict.UNKNOWN, first)
    assert verdict.judge([one, two], 0.1, 0.9) == (verdict.UNKNOWN, f"{first}; 2 of 2 budgets without evidence")
    assert "89.99 % of its period is known, 90 % wanted" in verdict.judge([two], 0.1, 0.9)[1]


def test_a_test_environment_at_rest_is_no_trouble() -> None:
    """Without data, an objective that alerts comes first; one that never does comes after those that have a budget."""
    gone = replace(STATUS, state="broken", budget_remaining=None)
    live, pte = replace(gone, id="live"), replace(gone, id="pte", side="pte", alerting="none")
    assert [one.id for one in sorted([pte, STATUS, live], key=lambda one: one.trouble)] == ["live", "shop-a", "pte"]
