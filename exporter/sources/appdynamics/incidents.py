"""Violations of health rules and events as incidents of an observation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from exporter import humanize
from exporter.errors import SourceError
from exporter.model.incident import Incident, IncidentSeverity
from exporter.model.observation import Window
from exporter.sources.appdynamics.poll import ControllerPoll
from exporter.sources.appdynamics.records import Entity, Event, Violation
from exporter.sources.appdynamics.shortfall import INCIDENTS

BEFORE = 7 * 86400.0
"""How long before a window's end an open violation may have begun, in seconds."""

_NARROW = ("BUSINESS_TRANSACTION", "APPLICATION_COMPONENT_NODE", "APPLICATION_COMPONENT", "APPLICATION")
"""Of several entities of an event, the first in this list is the affected one."""


def fetch(poll: ControllerPoll, windows: Mapping[str, Window]) -> dict[str, tuple[Incident, ...]]:
    """Incidents of each application in its window; no key without a request or without the right to read them."""
    calls = 2 if poll.options.events else 1
    results = poll.gather(windows, lambda name: _fetch_one(poll, name, windows[name]), calls, INCIDENTS, _is_bearable)

    incidents: dict[str, tuple[Incident, ...]] = {}
    refusals: dict[str, list[str]] = {}
    for name, result in results:
        if isinstance(result, SourceError):
            refusals.setdefault(str(result), []).append(name)
        else:
            incidents[name] = result

    for text, names in refusals.items():
        poll.warnings.append(f"incidents of {humanize.join_words(names)} are unknown: {text}")
    return incidents


def _is_bearable(error: SourceError) -> bool:
    """Whether only incidents cannot be read: a missing right (403), an unknown type of event (400)."""
    return error.reason == "bad_query" or (error.reason == "auth" and error.status == 403)


def _fetch_one(poll: ControllerPoll, name: str, window: Window) -> tuple[Incident, ...]:
    number = poll.ids[name]
    since = Window(min(window.start, window.end - BEFORE), window.end)
    incidents = list(_from_violations(poll.client.violations(number, since), window))
    if poll.options.events:
        events = poll.client.events(number, window, poll.options.events)
        incidents += [_from_event(event, name) for event in events]

    incidents.sort(key=lambda incident: (incident.start, incident.name, incident.entity))
    return tuple(incidents)


def _from_violations(violations: Iterable[Violation], window: Window) -> Iterator[Incident]:
    """Those that touch the window."""
    for violation in violations:
        if violation.start >= window.end:
            continue
        if violation.end is not None and violation.end <= window.start:
            continue
        yield _from_violation(violation, window)


def _from_violation(violation: Violation, window: Window) -> Incident:
    """A violation that ends after the window, or not at all, is open in it."""
    severity: IncidentSeverity = "critical" if violation.severity == "CRITICAL" else "warning"
    end = violation.end
    if end is not None and end > window.end:
        end = None

    return Incident(
        kind="violation",
        name=violation.name,
        entity=violation.entity.name,
        entity_type=violation.entity.type,
        severity=severity,
        start=violation.start,
        end=end,
        text=violation.description,
    )


def _from_event(event: Event, application: str) -> Incident:
    """An INFO event is a warning, because the configuration lists its type."""
    entity = min(event.entities, key=_narrowness, default=Entity("APPLICATION", application, None))
    severity: IncidentSeverity = "critical" if event.severity == "ERROR" else "warning"

    return Incident(
        kind="event",
        name=event.type,
        entity=entity.name,
        entity_type=entity.type,
        severity=severity,
        start=event.time,
        end=event.time,
        text=event.summary,
    )


def _narrowness(entity: Entity) -> int:
    return _NARROW.index(entity.type) if entity.type in _NARROW else -1
