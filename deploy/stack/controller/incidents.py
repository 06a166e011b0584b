"""Health rule violations, events and request snapshots, from the incidents of the made-up shop's production."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from deploy.stack.controller.estate import Application
from deploy.stack.controller.messages import Answer, Refusal, Request, as_json, as_xml
from deploy.stack.controller.ranges import Range, time_range
from exporter.demo.incidents import incidents
from exporter.model.incident import Incident
from exporter.model.observation import Window

MOST = 600
"""Most events, violations and snapshots in one response; a second page does not exist."""

Row = dict[str, object]

SEVERITIES = ("INFO", "WARN", "ERROR")

_KINDS = """
    AGENT_CONFIGURATION_ERROR AGENT_EVENT APPLICATION_CONFIG_CHANGE APPLICATION_DEPLOYMENT APPLICATION_ERROR
    APP_SERVER_RESTART CUSTOM DEADLOCK DIAGNOSTIC_SESSION MEMORY MEMORY_LEAK_DIAGNOSTICS NETWORK NODE_CONFIGURATION
    POLICY_CANCELED_CRITICAL POLICY_CANCELED_WARNING POLICY_CLOSE_CRITICAL POLICY_CLOSE_WARNING
    POLICY_CONTINUES_CRITICAL POLICY_CONTINUES_WARNING POLICY_DOWNGRADED POLICY_OPEN_CRITICAL POLICY_OPEN_WARNING
    POLICY_UPGRADED RESOURCE_POOL_LIMIT SLOW STALL VERY_SLOW
"""
KINDS = frozenset(_KINDS.split())
"""Types of events; any other makes the controller refuse the whole request."""


def violations(request: Request, application: Application, seed: int, now: float) -> Answer:
    """All that touch the window, open or not by now."""
    incidents = _incidents(seed, application, time_range(request, now), now)
    rows = [_violation_row(application, incident) for incident in incidents if incident.kind != "event"]
    return _answer(request, "policy-violations", rows)


def events(request: Request, application: Application, seed: int, now: float) -> Answer:
    """Those inside the window, the newest first."""
    types = _list(request, "event-types", KINDS)
    severities = _list(request, "severities", frozenset(SEVERITIES))
    window = time_range(request, now)

    matches = [
        event
        for incident in _incidents(seed, application, window, now)
        for event in _events(incident)
        if event.kind in types and event.severity in severities and _is_inside(event.time, window, now)
    ]
    matches.sort(key=lambda event: -int(event.time * 1000))
    return _answer(request, "events", [_event_row(application, event) for event in matches])


def snapshots(request: Request, application: Application, seed: int, now: float) -> Answer:
    """Three failed requests of each outage."""
    window = time_range(request, now)
    outages = [incident for incident in _incidents(seed, application, window, now) if incident.severity == "critical"]
    times = [outage.start + after for outage in outages for after in (60, 360, 660)]

    end = min(window.end, now)
    rows = [_snapshot_row(application, time) for time in times if window.start <= time < end]
    return _answer(request, "request-snapshots", rows)


def _snapshot_row(application: Application, time: float) -> Row:
    failing = next(transaction for transaction in application.transactions if transaction.share.errors)
    number = zlib.crc32(f"{application.name} {time}".encode())

    return {
        "requestGUID": f"{number:08x}-0000-4000-8000-000000000000",
        "summary": "Error occurred",
        "userExperience": "ERROR",
        "errorOccured": True,  # the API's own spelling
        "timeTakenInMilliSecs": 1200,
        "serverStartTime": int(time * 1000),
        "businessTransactionId": failing.id,
    }


def _answer(request: Request, name: str, rows: list[Row]) -> Answer:
    if request.json:
        return as_json(rows[:MOST])
    return as_xml(name, [])  # rows are nested, XML here is flat; no client reads it


def _list(request: Request, name: str, allowed: frozenset[str]) -> set[str]:
    parts = {part.strip() for part in request.query.get(name, "").split(",")} - {""}
    if not parts:
        raise Refusal(400, f"Missing value for {name}")
    if parts - allowed:
        raise Refusal(400, f"Invalid value for {name}: {', '.join(sorted(parts - allowed))}")
    return parts


def _incidents(seed: int, application: Application, window: Range, now: float) -> list[Incident]:
    """As of now: an incident without an end by now is open, for any window."""
    if window.start >= now:
        return []
    so_far = incidents(seed, application.role, application.served, Window(window.start, now))
    return [incident for incident in so_far if incident.start < window.end]


def _is_inside(time: float, window: Range, now: float) -> bool:
    return window.start <= time < window.end and time <= now


@dataclass(frozen=True, slots=True)
class _Event:
    """One moment of an incident."""

    incident: Incident
    kind: str
    severity: str
    time: float


def _events(incident: Incident) -> Iterator[_Event]:
    """An event itself; for a violation, its begin and end."""
    if incident.kind == "event":
        yield _Event(incident, incident.name, "WARN", incident.start)
        return

    level = incident.severity.upper()
    severity = "ERROR" if incident.severity == "critical" else "WARN"
    yield _Event(incident, f"POLICY_OPEN_{level}", severity, incident.start)
    if incident.end is not None:
        yield _Event(incident, f"POLICY_CLOSE_{level}", "INFO", incident.end)


def _violation_row(application: Application, incident: Incident) -> Row:
    number = _id(application.name, incident.name, incident.start)
    end = 0 if incident.end is None else int(incident.end * 1000)
    status = "OPEN" if incident.end is None else "RESOLVED"

    return {
        "deepLinkUrl": f"#location=APP_INCIDENT_DETAIL_MODAL&incident={number}&application={application.id}",
        "severity": incident.severity.upper(),
        "triggeredEntityDefinition": {
            "entityType": "POLICY",
            "name": incident.name,
            "entityId": zlib.crc32(incident.name.encode()),
        },
        "startTimeInMillis": int(incident.start * 1000),
        "detectedTimeInMillis": 0,
        "endTimeInMillis": end,
        "name": incident.name,
        "description": f"AppDynamics has detected a problem with <b>{incident.entity}</b>.<br>{incident.text}",
        "id": number,
        "affectedEntityDefinition": _entity(application, incident.entity_type, incident.entity),
        "incidentStatus": status,
    }


def _event_row(application: Application, event: _Event) -> Row:
    incident = event.incident
    entities = [_entity(application, incident.entity_type, incident.entity)]
    if incident.entity_type != "APPLICATION":
        entities.append(_entity(application, "APPLICATION", application.name))
    number = _id(application.name, event.kind, event.time)

    return {
        "severity": event.severity,
        "summary": incident.text,
        "deepLinkUrl": f"#location=APP_EVENT_VIEWER_MODAL&eventSummary={number}&application={application.id}",
        "archived": False,
        "markedAsRead": False,
        "eventTime": int(event.time * 1000),
        "subType": "",
        "id": number,
        "type": event.kind,
        "affectedEntities": entities,
        "triggeredEntity": None,
        "markedAsResolved": False,
        "properties": [],
    }


def _entity(application: Application, kind: str, name: str) -> Row:
    number = application.id if kind == "APPLICATION" else _id(application.name, name)
    return {"entityType": kind, "name": name, "entityId": number}


def _id(*parts: object) -> int:
    """The same for the same parts, at any time."""
    return zlib.crc32(" ".join(map(str, parts)).encode()) >> 4
