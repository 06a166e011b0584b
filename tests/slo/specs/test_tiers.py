"""Burn rates follow from the share of the budget, exactly."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.model.slo import DAY, Period
from exporter.slo.rules.budget import decimal
from exporter.slo.specs.tiers import factor, hold, tiers


@pytest.mark.parametrize(
    ("days", "factors"),
    [
        (30, ["14.4", "6", "3", "1"]),
        (28, ["13.44", "5.6", "2.8", "0.933333333333333"]),
        (90, ["43.2", "18", "9", "3"]),
        (7, ["13.44", "3.5", "1.4", "0.98"]),
        (14, ["26.88", "7", "2.8", "1.96"]),
    ],
)
def test_factors_of_periods(days: int, factors: list[str]) -> None:
    """30 and 28 days have the SRE workbook's shares of the budget, weeks those of Sloth's example."""
    assert [decimal(tier.factor) for tier in tiers(Period(days * DAY))] == factors


def test_a_calendar_month_counts_as_30_days() -> None:
    """A month's alerts are those of 30 days, whatever month it is."""
    assert tiers(Period(30 * DAY, "month", "Europe/Berlin")) == tiers(Period(30 * DAY))


def test_short_periods_have_no_usual_tiers() -> None:
    """Below a week the usual windows are too long, which is an error."""
    with pytest.raises(ValueError, match="a period below 7d has no usual alert tiers"):
        tiers(Period(6 * DAY))


def test_how_long_alerts_wait_and_stay() -> None:
    """`for` and `keep_firing_for` grow with the long window."""
    assert [(tier.wait, tier.keep) for tier in tiers(Period(30 * DAY))] == [
        (120, 300),
        (900, 900),
        (3600, 1800),
        (10800, 3600),
    ]
    assert hold(1800) == (120, 300)


@given(
    percent=st.decimals(min_value="0.1", max_value=100, places=1),
    period=st.integers(1, 90),
    long=st.integers(1, 72),
)
def test_factor_is_exact(percent: Decimal, period: int, long: int) -> None:
    """Burning at the factor for the long window uses up just that share of the budget, to 15 digits."""
    burn = factor(percent, period * DAY, long * 3600)
    assert abs(burn * long * 3600 / (period * DAY) * 100 / percent - 1) < Decimal("1e-14")
