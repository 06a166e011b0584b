"""Violations of health rules and events as incidents of an observation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from exporter import humanize
from exporter.errors import SourceError
from exporter.model.incident import Incident, IncidentSeverity
from exporter.model.observation import Window
from exporter.sources.appdynamics.poll import Poll
from exporter.sources.appdynamics.records import Entity, Event, Violation

BEFORE = 7 * 86400.0
"""Seconds before a window's end in which a violation may have begun that is still open."""

_NARROW = ("BUSINESS_TRANSACTION", "APPLICATION_COMPONENT_NODE", "APPLICATION_COMPONENT", "APPLICATION")
"""Of several entities of an event, the first of these is what it befell."""

Found = dict[str, tuple[Incident, ...]]


def ask(poll: Poll, windows: Mapping[str, Window]) -> Found:
    """Incidents of each application that touch its window; no key where they were not asked or must not be read."""
    found: Found = {}
    refused: dict[str, list[str]] = {}
    calls = 2 if poll.options.events else 1
    for name, each in poll.gather(windows, lambda name: _of(poll, name, windows[name]), calls, "incidents", _by_itself):
        if isinstance(each, SourceError):
            refused.setdefault(str(each), []).append(name)
        else:
            found[name] = each
    for text, names in refused.items():
        poll.warnings.append(f"incidents of {humanize.join_words(names)} are not known: {text}")
    return found


def _by_itself(error: SourceError) -> bool:
    """Whether only this cannot be read: a right that is missing (403), a type of event that is not known (400)."""
    return error.reason == "bad_query" or (error.reason == "auth" and "(403" in str(error))


def _of(poll: Poll, name: str, window: Window) -> tuple[Incident, ...]:
    number = poll.ids[name]
    since = Window(min(window.start, window.end - BEFORE), window.end)
    found = [*_violations(poll.client.violations(number, since), window)]
    if poll.options.events:
        found += [_event(one, name) for one in poll.client.events(number, window, poll.options.events)]
    return tuple(sorted(found, key=lambda one: (one.start, one.name, one.entity)))


def _violations(found: Iterable[Violation], window: Window) -> Iterable[Incident]:
    """Those that touch the window; what ended after it, or ends no more, is open in it."""
    for one in found:
        if one.start >= window.end or (one.end is not None and one.end <= window.start):
            continue
        severity: IncidentSeverity = "critical" if one.severity == "CRITICAL" else "warning"
        end = one.end if one.end is None or one.end <= window.end else None
        yield Incident(
            "violation", one.name, one.entity.name, one.entity.type, severity, one.start, end, one.description
        )


def _event(one: Event, application: str) -> Incident:
    """One that is told for information alone is in the configuration's list, and so worth a warning."""
    entity = min(one.entities, key=_narrowness, default=Entity("APPLICATION", application, None))
    severity: IncidentSeverity = "critical" if one.severity == "ERROR" else "warning"
    return Incident("event", one.type, entity.name, entity.type, severity, one.time, one.time, one.summary)


def _narrowness(entity: Entity) -> int:
    return _NARROW.index(entity.type) if entity.type in _NARROW else -1
