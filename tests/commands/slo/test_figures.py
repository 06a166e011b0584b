"""Texts for budgets at their limits: young ones, single events, several budgets of one objective."""

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


def budgets(*ratios: float) -> list[BudgetStatus]:
    return [replace(STATUS, labels={"region": f"r{n}"}, budget_remaining=ratio) for n, ratio in enumerate(ratios)]


@pytest.mark.parametrize(
    ("coverage", "credit", "in_list", "in_full"),
    [
        (1.0, 0.25, "25 %", "25 %"),
        (0.9, 0.0, "SLA met", "none"),
        (0.0019, 0.25, "25 % (provisional)", "25 % (provisional)"),
        (0.5, 0.0, "SLA met (provisional)", "none (provisional)"),
        (None, 0.25, "25 % (provisional)", "25 % (provisional)"),
        (0.0019, None, "no evidence", "no evidence"),
    ],
)
def test_a_credit_of_a_young_period_is_marked_as_young(
    coverage: float | None, credit: float | None, in_list: str, in_full: str
) -> None:
    """A credit with less than 90 % of the period covered, where PteSlaCreditDue is silent, is not shown as due."""
    status = replace(STATUS, coverage=coverage, sla_credit=credit)
    assert f"  {in_list}  ok\n" in table([status])
    assert f"99.5 %; credit due now: {in_full}; at the forecast: 10 %\n" in full(status)


@pytest.mark.parametrize(
    ("events", "text"),
    [
        (1234.9, "1234 more bad events allowed"),
        (1.2, "1 more bad event allowed"),
        (0.4418, "0 more bad events allowed"),
        (0.0, "0 more bad events allowed"),
        (-0.2, "1 bad event too many"),
        (-335.6, "336 bad events too many"),
    ],
)
def test_remaining_events_are_whole(events: float, text: str) -> None:
    """Half an event cannot happen: allowed events are rounded down, excess events up."""
    assert f" ({text})\n" in full(replace(STATUS, budget_remaining_events=events))


def test_counts_of_windows_are_whole_from_ten_on() -> None:
    """Extrapolated counts lose their fraction, unless the count is small."""
    window = WindowStatus("1h", 0.0272, 27.2, 94.78, 3485.4)
    small = WindowStatus("6h", 0.0001, 0.1, 0.4418, 4418.0)
    text = full(replace(STATUS, windows=(window, small)))
    assert [line.split()[1:3] for line in text.splitlines()[-2:]] == [["95", "3485"], ["0.44", "4418"]]


@pytest.mark.parametrize(
    ("ratios", "least", "code", "text"),
    [
        ((0.5,), 0.1, verdict.PASS, "shop-a{region=r0}: enough budget left: 50 %, at least 10 % required"),
        (
            (0.5, 0.32),
            0.1,
            verdict.PASS,
            "shop-a{region=r1}: enough budget left: 32 %, at least 10 % required; the lowest of 2 budgets",
        ),
        (
            (-1.0, 0.05, 0.5),
            0.1,
            verdict.BELOW,
            "shop-a{region=r0}: too little budget left: -100 %, at least 10 % required; 2 of 3 budgets below that",
        ),
    ],
)
def test_the_gate_reports_the_number_of_budgets(ratios: tuple[float, ...], least: float, code: int, text: str) -> None:
    """The line has the worst budget, and how many fail."""
    assert verdict.judge(budgets(*ratios), least, 0.9) == (code, text)


def test_the_gate_has_the_figures_of_show() -> None:
    """The coverage has the figure of `slo show`, unless that would look like the required one."""
    young = replace(STATUS, coverage=1 / 720)
    almost = replace(STATUS, labels={"region": "b"}, coverage=0.89999)
    assert "  coverage       0.139 % of the period\n" in full(young)
    text = "shop-a: not enough data: 0.139 % of its period has data, at least 90 % required (--min-coverage)"
    assert verdict.judge([young], 0.1, 0.9) == (verdict.UNKNOWN, text)
    both = f"{text}; 2 of 2 budgets lack data"
    assert verdict.judge([young, almost], 0.1, 0.9) == (verdict.UNKNOWN, both)
    assert "89.99 % of its period has data, at least 90 % required" in verdict.judge([almost], 0.1, 0.9)[1]


def test_an_idle_test_environment_is_not_trouble() -> None:
    """Without data, an objective with alerts comes first, and one without alerts after those that have a budget."""
    broken = replace(STATUS, state="broken", budget_remaining=None)
    production = replace(broken, id="production")
    pte = replace(broken, id="pte", side="pte", alerting="none")
    ordered = sorted([pte, STATUS, production], key=lambda status: status.trouble)
    assert [status.id for status in ordered] == ["production", "shop-a", "pte"]
