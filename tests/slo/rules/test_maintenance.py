"""Maintenance counts neither as good nor as bad, is published, and follows the clock of its time zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from exporter.model.observation import Window
from exporter.model.slo import DAY, Maintenance, Period, Weekly
from exporter.slo.rules import names
from tests.slo.rules.counters import MIDNIGHT, SECOND, counter, evaluate, record
from tests.slo.rules.evaluation import Evaluation, rules
from tests.slo.rules.firing.making import slo
from tests.slo.rules.test_uneven import labels, objective

HOUR = 3600
LOOK_BACK = timedelta(minutes=5)
"""How far a rate reaches back."""


@pytest.mark.parametrize(
    "window",
    [
        Window(MIDNIGHT - 12 * HOUR, MIDNIGHT - 10 * HOUR),
        Weekly(3 * DAY + 14 * HOUR, 2 * HOUR, "Europe/Berlin"),  # Thursday 14:00, which is 12:00 UTC in summer
    ],
    ids=["once", "weekly"],
)
def test_events_in_maintenance_are_not_counted(server: Evaluation, window: Maintenance) -> None:
    """Two hours with only errors do not change the budget, although the day has two hours less of events."""
    shop = objective(f"maintained-{type(window).__name__}", maintenance=(window,), min_bad_events=0)
    good = counter(labels(shop.service, "200"), [(725, 600), (120, 0), (600, 600)])
    bad = counter(labels(shop.service, "500"), [(725, 0), (120, 600), (600, 0)])
    server.write([good, bad])
    active = rules(shop)[0]
    assert active.name == names.MAINTENANCE
    server.over([active], MIDNIGHT - DAY + SECOND, MIDNIGHT + SECOND - 60)
    record(server, shop, 1440)
    got = evaluate(server, shop)
    assert got.value(names.count("errors"), sloth_window="1d") == 0
    assert got.value(names.REMAINING) == 1
    assert got.value(names.count("events"), sloth_window="1d") == pytest.approx(600 * (1440 - 120), rel=0.005)
    assert got.value(names.COVERAGE) == 1
    assert got.value(names.STATE, state="ok") == 1
    during = server.query(f'{names.MAINTENANCE}{{sloth_id="{shop.id}"}}', MIDNIGHT - 11 * HOUR)
    assert [value for _, value in during] == [1]


@pytest.mark.parametrize("start", ["2025-10-20", "2026-03-23"])
def test_a_weekly_window_follows_the_local_clock(server: Evaluation, start: str) -> None:
    """Sunday 01:00 for four hours in Berlin is one to five on its clocks also when they are put back or forward."""
    zone = ZoneInfo("Europe/Berlin")
    window = Weekly(6 * DAY + HOUR, 4 * HOUR, "Europe/Berlin")
    active = rules(slo(maintenance=(window,), period=Period(DAY)))[0]
    first = datetime.fromisoformat(start).replace(tzinfo=UTC)
    for minutes in range(0, 14 * 1440, 235):
        at = first + timedelta(minutes=minutes)
        ((_, value),) = server.query(active.expr, at.timestamp())
        local = at.astimezone(zone).replace(tzinfo=None)
        into = timedelta(days=local.weekday(), hours=local.hour, minutes=local.minute)
        expected = timedelta(days=6, hours=1) <= into < timedelta(days=6, hours=5) + LOOK_BACK
        assert value == expected, at
