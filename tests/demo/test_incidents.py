"""Incidents of the made-up production follow the traffic and the requested window."""

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


def the(name: str, result: tuple[Incident, ...]) -> Incident:
    return next(item for item in result if item.name == name)


def test_the_outage_is_when_errors_rise() -> None:
    """In the minutes of the violation production fails more than twice as often as in the day's other minutes."""
    outage = the("Error rate is too high", shop(MIDNIGHT - DAY, MIDNIGHT))
    assert outage.end is not None
    observation = traffic(SEED, "production", SHOP, np.arange(int((MIDNIGHT - DAY) // 60) + 1, int(MIDNIGHT // 60) + 1))
    inside = (observation.times > outage.start) & (observation.times <= outage.end)
    ratio = observation.errors / observation.requests
    assert inside.sum() == 20
    assert ratio[inside].mean() > 2 * ratio[~inside].mean()


def test_an_outage_is_open_while_it_lasts() -> None:
    """It is absent at its start, open during it, and over from its end."""
    name = "Error rate is too high"
    outage = the(name, shop(MIDNIGHT - DAY, MIDNIGHT))
    assert outage.end is not None
    assert name not in {incident.name for incident in shop(outage.start - 3600, outage.start)}
    assert the(name, shop(outage.start - 3600, outage.start + 1)).end is None
    assert the(name, shop(outage.start - 3600, outage.end)) == outage
    assert name not in {incident.name for incident in shop(outage.end, outage.end + 3600)}


def test_a_restart_belongs_to_one_of_two_neighbouring_windows() -> None:
    """An event is a moment, and no window counts it twice or leaves it out."""
    moment = the("APP_SERVER_RESTART", shop(MIDNIGHT - DAY, MIDNIGHT)).start
    assert "APP_SERVER_RESTART" in {incident.name for incident in shop(moment - 60, moment)}
    assert "APP_SERVER_RESTART" not in {incident.name for incident in shop(moment, moment + 60)}


def test_a_disk_fills_on_four_days_of_each_week() -> None:
    """Asked every hour of a whole week, it is open in four days' hours, and once in the week it begins."""
    start = END - END % (7 * DAY)
    observation = [incident for hour in range(168) for incident in shop(start + 3600 * hour, start + 3600 * (hour + 1))]
    disks = [item for item in observation if item.name == "Disk space is low"]
    assert len({item.start for item in disks}) == 1
    assert 96 <= len(disks) <= 97


@pytest.mark.parametrize("application", APPLICATIONS, ids=lambda item: item.name)
def test_they_are_in_order_and_inside_the_window(application: object) -> None:
    """By their start, each reaching into the window, with an end not before its start and a known severity."""
    window = Window(END - 3 * DAY, END)
    entry = next(item for item in APPLICATIONS if item is application)
    result = incidents(SEED, "production", entry, window)
    assert bool(result) == (entry.name != "archive")
    assert [item.start for item in result] == sorted(item.start for item in result)
    for element in result:
        assert element.severity in INCIDENT_SEVERITIES
        assert element.start < window.end
        assert element.end is None or max(element.start, window.start) <= element.end <= window.end
    assert incidents(SEED, "pte", entry, window) == ()
