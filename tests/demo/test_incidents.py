"""What watches the made-up production would report: it follows the traffic, and the window it was asked for."""

from __future__ import annotations

import numpy as np
import pytest

from exporter.demo.incidents import incidents
from exporter.demo.shop import APPLICATIONS
from exporter.demo.traffic import traffic
from exporter.model.incident import INCIDENT_SEVERITIES, Incident
from exporter.model.observation import Window
from tests.seed import END, SEED

DAY = 86400.0
MIDNIGHT = END - END % DAY
"""A whole day has an outage; one from noon to noon need not."""

SHOP = APPLICATIONS[0]


def shop(start: float, end: float) -> tuple[Incident, ...]:
    return incidents(SEED, "production", SHOP, Window(start, end))


def the(name: str, found: tuple[Incident, ...]) -> Incident:
    return next(one for one in found if one.name == name)


def test_the_outage_is_when_errors_rise() -> None:
    """In the minutes of the violation production fails more than twice as often as in the day's other minutes."""
    outage = the("Error rate is too high", shop(MIDNIGHT - DAY, MIDNIGHT))
    assert outage.end is not None
    seen = traffic(SEED, "production", SHOP, np.arange(int((MIDNIGHT - DAY) // 60) + 1, int(MIDNIGHT // 60) + 1))
    inside = (seen.times > outage.start) & (seen.times <= outage.end)
    ratio = seen.errors / seen.requests
    assert inside.sum() == 20
    assert ratio[inside].mean() > 2 * ratio[~inside].mean()


def test_an_outage_is_open_while_it_lasts() -> None:
    """Seen at its first moment there is none yet, within it it is open, and from its last moment on it is over."""
    name = "Error rate is too high"
    outage = the(name, shop(MIDNIGHT - DAY, MIDNIGHT))
    assert outage.end is not None
    assert name not in {one.name for one in shop(outage.start - 3600, outage.start)}
    assert the(name, shop(outage.start - 3600, outage.start + 1)).end is None
    assert the(name, shop(outage.start - 3600, outage.end)) == outage
    assert name not in {one.name for one in shop(outage.end, outage.end + 3600)}


def test_a_restart_belongs_to_one_of_two_neighbouring_windows() -> None:
    """An event is a moment, and no window counts it twice or leaves it out."""
    moment = the("APP_SERVER_RESTART", shop(MIDNIGHT - DAY, MIDNIGHT)).start
    assert "APP_SERVER_RESTART" in {one.name for one in shop(moment - 60, moment)}
    assert "APP_SERVER_RESTART" not in {one.name for one in shop(moment, moment + 60)}


def test_a_disk_fills_on_four_days_of_each_week() -> None:
    """Asked every hour of a whole week, it is open in four days' hours, and once in the week it begins."""
    start = END - END % (7 * DAY)
    seen = [one for hour in range(168) for one in shop(start + 3600 * hour, start + 3600 * (hour + 1))]
    disks = [one for one in seen if one.name == "Disk space is low"]
    assert len({one.start for one in disks}) == 1
    assert 96 <= len(disks) <= 97


@pytest.mark.parametrize("application", APPLICATIONS, ids=lambda one: one.name)
def test_they_are_in_order_and_inside_the_window(application: object) -> None:
    """By their start, each reaching into the window, with an end not before its start and a known severity."""
    window = Window(END - 3 * DAY, END)
    one = next(each for each in APPLICATIONS if each is application)
    found = incidents(SEED, "production", one, window)
    assert bool(found) == (one.name != "archive")
    assert [each.start for each in found] == sorted(each.start for each in found)
    for each in found:
        assert each.severity in INCIDENT_SEVERITIES
        assert each.start < window.end
        assert each.end is None or max(each.start, window.start) <= each.end <= window.end
    assert incidents(SEED, "pte", one, window) == ()
