"""Incidents of the made-up shop, as monitoring would report them: violated health rules, and restarts.

Two rules follow the traffic itself (the daily outage, and the spikes of every third night); a third, on a disk that
fills, is open for four days of each week, so that at most times something somewhere is open. The PTE has no trouble.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from exporter.demo.noise import uniform
from exporter.demo.shop import ShopApplication
from exporter.demo.traffic import DAY, OUTAGE_MINUTES, SPIKE_DAYS, SURGE_MINUTES, Role, outage, surge
from exporter.model.incident import Incident
from exporter.model.observation import MINUTE, Window

WEEK = 7 * DAY
DISK_MINUTES = 4 * DAY
"""How long each week's full disk lasts; it begins within the week's first three days."""

_TIER = "APPLICATION_COMPONENT"
_NODE = "APPLICATION_COMPONENT_NODE"
_ERRORS = Incident("violation", "Error rate is too high", "", "APPLICATION", "critical", 0, 0, "Twice as many as usual")
_CALLS = Incident("violation", "Calls are above normal", "web", _TIER, "warning", 0, 0, "Twice as many as usual")
_DISK = Incident("violation", "Disk space is low", "app-2", _NODE, "warning", 0, 0, "Less than a tenth is free")
_RESTART = Incident("event", "APP_SERVER_RESTART", "app-1", _NODE, "warning", 0, 0, "The server was restarted")
"""The constant fields of an incident."""


def incidents(seed: int, role: Role, application: ShopApplication, window: Window) -> tuple[Incident, ...]:
    """What lay in (start, end] or reached into it, by its start; open is what had not ended by the window's end.

    An application without requests in production has no trouble either.
    """
    if role != "production" or not application.peak:
        return ()
    everything = _all(seed, application, window)
    inside = [_cut(incident, window) for incident in everything if _is_inside(incident, window)]
    return tuple(sorted(inside, key=lambda incident: (incident.start, incident.name)))


def _is_inside(incident: Incident, window: Window) -> bool:
    """An event in the window's last moment belongs to it; a violation that only begins there has not been seen yet."""
    assert incident.end is not None
    if incident.kind == "event":
        return window.start < incident.start <= window.end
    return incident.start < window.end and incident.end > window.start


def _cut(incident: Incident, window: Window) -> Incident:
    """The incident as of the window's end."""
    if incident.end is None or incident.end <= window.end:
        return incident
    return replace(incident, end=None)


def _all(seed: int, application: ShopApplication, window: Window) -> Iterator[Incident]:
    """Everything of the days and weeks that the window touches, each with its end."""
    name = application.name
    for day in _steps(window, DAY):
        start = _second(day * DAY + int(outage(seed, name, np.array([day]))[0]))
        yield _lasting(replace(_ERRORS, entity=name), start, OUTAGE_MINUTES)
        yield _lasting(_RESTART, start + OUTAGE_MINUTES * MINUTE, 0)
        if application.spikes and day % SPIKE_DAYS == 0:
            start = _second(day * DAY + int(surge(seed, name, np.array([day]))[0]))
            yield _lasting(_CALLS, start, SURGE_MINUTES)

    for week in _steps(window, WEEK):
        shift = 0.5 + 0.5 * uniform(seed, f"production {name} disk", np.array([week]))[0]
        start = _second(week * WEEK + int((WEEK - DISK_MINUTES) * shift))
        yield _lasting(_DISK, start, DISK_MINUTES)


def _lasting(incident: Incident, start: float, minutes: int) -> Incident:
    return replace(incident, start=start, end=start + minutes * MINUTE)


def _steps(window: Window, minutes: int) -> range:
    """Numbers of the days or weeks since the epoch that the window touches."""
    return range(int(window.start // (minutes * MINUTE)), int(window.end // (minutes * MINUTE)) + 1)


def _second(minute: int) -> float:
    """When a minute begins that is counted from the epoch."""
    return minute * MINUTE
