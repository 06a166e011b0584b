"""Objectives, budgets, burn limits and credits are exact decimals in every output."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

import pytest
import yaml

from exporter.model.slo import DAY, Credit, Period, Sla, Slo
from exporter.slo import rules as slo_rules
from exporter.slo.rules import names
from tests.slo.rules.counters import MIDNIGHT
from tests.slo.rules.evaluation import Evaluation, rules
from tests.slo.rules.firing.making import slo

OBJECTIVES = ("99.9", "99.95", "99.99", "99.999", "99.7", "99", "98.6", "95", "90", "87.3", "50", "0.1", "99.9990")
ROUNDED = re.compile(r"\d\.\d*?(0{6,}|9{6,})\d")
"""Digits that only a float has."""


def objective(percent: str) -> Slo:
    below = [str(Decimal(percent) * Decimal(part) / 10) for part in (9, 8, 7)]
    credits_ = tuple(Credit(Decimal(b), Decimal(p)) for b, p in zip(below, (10, 30, 100), strict=True))
    return slo(service=f"shop-{percent}", objective=Decimal(percent), sla=Sla(Decimal(below[0]), credits_))


def vectors(percent: str) -> Iterator[tuple[str, str]]:
    for rule in rules(objective(percent)):
        if match := re.fullmatch(r"vector\((.*)\)", rule.expr):
            yield rule.name, match[1]


@pytest.mark.parametrize("percent", OBJECTIVES)
def test_objective_and_budget_are_exact(percent: str) -> None:
    """The objective is its percentage over 100 to the last digit, and the budget is the difference to 1."""
    constants = dict(vectors(percent))
    assert Decimal(constants[names.OBJECTIVE]) == Decimal(percent) / 100
    assert Decimal(constants[names.BUDGET]) + Decimal(constants[names.OBJECTIVE]) == 1
    assert "E" not in constants[names.BUDGET]


@pytest.mark.parametrize("percent", OBJECTIVES)
def test_no_output_has_the_noise_of_floats(percent: str) -> None:
    """No 0.9990000000000001 anywhere in a file: each number has its shortest form."""
    (content,) = slo_rules.files([objective(percent)], "https://runbook", "https://grafana").values()
    assert ROUNDED.search("0.9990000000000001")
    assert ROUNDED.search(content.decode()) is None


@pytest.mark.parametrize("percent", OBJECTIVES)
def test_burn_limits_are_products_of_decimals(percent: str) -> None:
    """An alert compares with its factor times the budget, exactly."""
    shop = objective(percent)
    (content,) = slo_rules.files([shop], "https://runbook", "https://grafana").values()
    alerts = [rule for rule in yaml.safe_load(content)["groups"][0]["rules"] if rule.get("labels", {}).get(names.TIER)]
    compared = {
        rule["labels"][names.TIER]: set(re.findall(r"} > ([\d.]+)\)", rule["expr"]))
        for rule in alerts
        if "alert" in rule
    }
    assert compared == {tier.name: {f"{tier.factor * shop.budget:f}".rstrip("0").rstrip(".")} for tier in shop.tiers}


@pytest.mark.parametrize(
    ("seconds", "expected"), [(30 * DAY, "30"), (28800, "28800 / 86400"), (36 * 3600, "129600 / 86400")]
)
def test_days_of_a_period_are_not_rounded(seconds: int, expected: str) -> None:
    """Eight hours are a third of a day, which six digits cannot express."""
    (days,) = [rule.expr for rule in rules(slo(period=Period(seconds), tiers=())) if rule.name == names.DAYS]
    assert days == f"vector({expected})"


def test_a_server_gives_the_numbers_as_written(server: Evaluation) -> None:
    """Prometheus returns objective, budget and SLA as the double nearest to the decimal, which prints the same."""
    for percent in OBJECTIVES:
        got = server.at((rule for rule in rules(objective(percent)) if rule.expr.startswith("vector(")), MIDNIGHT)
        assert repr(got.value(names.OBJECTIVE)) == repr(float(Decimal(percent) / 100))
        assert got.value(names.BUDGET) == float(1 - Decimal(percent) / 100)


@pytest.mark.parametrize(
    ("ratio", "credit"),
    [(0.0, 0), (0.1, 0), (0.10001, 0.1), (0.2, 0.1), (0.2000001, 0.3), (0.3, 0.3), (0.9, 1), (1.0, 1)],
)
def test_a_credit_is_one_of_the_agreed_steps(server: Evaluation, ratio: float, credit: float) -> None:
    """10, 30 and 100 % are due below SLIs of 90, 80 and 70 %; the limit itself is met, and no credit is 0.300…04."""
    shop = slo(service=f"credit-{ratio}", objective=Decimal(100) - 5, sla=objective("100").sla, tiers=())
    labels = {"__name__": names.RATIO + "30d", "sloth_id": shop.id}
    server.write([(labels, [(MIDNIGHT, ratio)])])
    got = server.at((rule for rule in rules(shop) if rule.name == names.SLA_CREDIT), MIDNIGHT)
    assert got.value(names.SLA_CREDIT) == credit
