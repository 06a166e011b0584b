"""Objectives for the tests of burn alerts."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from exporter.model.slo import DAY, Alerting, Period, Sli, Slo, Tier

HOUR = 3600

SLI = Sli(
    'sum(rate(requests_total{code=~"5.."}[{{.window}}]))',
    "sum(rate(requests_total[{{.window}}]))",
)


def tiers(factors: tuple[str, str, str, str] = ("14.4", "6", "3", "1")) -> tuple[Tier, ...]:
    """The four usual tiers with these factors."""
    quick, slow, late, latest = map(Decimal, factors)
    return (
        Tier("page_quick", "page", HOUR, 300, quick, 120, 300),
        Tier("page_slow", "page", 6 * HOUR, 1800, slow, 900, 900),
        Tier("ticket_quick", "ticket", DAY, 2 * HOUR, late, HOUR, 1800),
        Tier("ticket_slow", "ticket", 3 * DAY, 6 * HOUR, latest, 3 * HOUR, HOUR),
    )


def slo(**changes: Any) -> Slo:
    """99.9 % over thirty days, with the usual tiers."""
    usual: Mapping[str, Any] = {
        "service": "shop",
        "name": "availability",
        "objective": Decimal("99.9"),
        "sli": SLI,
        "period": Period(30 * DAY),
        "tiers": tiers(),
        "alerting": Alerting("ShopErrors"),
    }
    return Slo(**{**usual, **changes})
