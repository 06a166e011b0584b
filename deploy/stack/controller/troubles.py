"""Health rule violations, events and request snapshots, from what the made-up shop's production would report."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from deploy.stack.controller.answers import Answer, Asked, Refusal, as_json, as_xml
from deploy.stack.controller.estate import Application
from deploy.stack.controller.ranges import Range, time_range
from exporter.demo.incidents import incidents
from exporter.model.incident import Incident
from exporter.model.observation import Window

MOST = 600
"""Events, violations and snapshots in one answer; there is no second page."""

SEVERITIES = ("INFO", "WARN", "ERROR")

_KINDS = """
    AGENT_CONFIGURATION_ERROR AGENT_EVENT APPLICATION_CONFIG_CHANGE APPLICATION_DEPLOYMENT APPLICATION_ERROR
    APP_SERVER_RESTART CUSTOM DEADLOCK DIAGNOSTIC_SESSION MEMORY MEMORY_LEAK_DIAGNOSTICS NETWORK NODE_CONFIGURATION
    POLICY_CANCELED_CRITICAL POLICY_CANCELED_WARNING POLICY_CLOSE_CRITICAL POLICY_CLOSE_WARNING
    POLICY_CONTINUES_CRITICAL POLICY_CONTINUES_WARNING POLICY_DOWNGRADED POLICY_OPEN_CRITICAL POLICY_OPEN_WARNING
    POLICY_UPGRADED RESOURCE_POOL_LIMIT SLOW STALL VERY_SLOW
"""
KINDS = frozenset(_KINDS.split())
"""Types of events; one that is not here is refused, and the whole request with it."""


def violations(asked: Asked, one: Application, seed: int, now: float) -> Answer:
    """All that touch the window, open or not by now."""
    found = [_violation(one, each) for each in _seen(seed, one, time_range(asked, now), now) if each.kind != "event"]
    return as_json(found[:MOST]) if asked.json else as_xml("policy-violations", [])


def events(asked: Asked, one: Application, seed: int, now: float) -> Answer:
    """Those inside the window, the newest first."""
    types = _list(asked, "event-types", KINDS)
    severities = _list(asked, "severities", frozenset(SEVERITIES))
    wanted = time_range(asked, now)
    found = [
        _event(one, *each)
        for each in _moments(_seen(seed, one, wanted, now))
        if each[0] in types and each[1] in severities and wanted.start <= each[2] < wanted.end and each[2] <= now
    ]
    found.sort(key=lambda row: -int(str(row["eventTime"])))
    return as_json(found[:MOST]) if asked.json else as_xml("events", [])


def snapshots(asked: Asked, one: Application, seed: int, now: float) -> Answer:
    """Of each outage, three failed requests."""
    wanted = time_range(asked, now)
    failing = [each for each in one.transactions if each.share.errors]
    found = [
        {
            "requestGUID": f"{zlib.crc32(f'{one.name} {time}'.encode()):08x}-0000-4000-8000-000000000000",
            "summary": "Error occurred",
            "userExperience": "ERROR",
            "errorOccured": True,
            "timeTakenInMilliSecs": 1200,
            "serverStartTime": int(time * 1000),
            "businessTransactionId": failing[0].id,
        }
        for each in _seen(seed, one, wanted, now)
        if each.severity == "critical"
        for time in (each.start + 60, each.start + 360, each.start + 660)
        if wanted.start <= time < min(wanted.end, now)
    ]
    return as_json(found[:MOST]) if asked.json else as_xml("request-snapshots", [])


def _list(asked: Asked, name: str, known: frozenset[str]) -> set[str]:
    given = {part.strip() for part in asked.query.get(name, "").split(",")} - {""}
    if not given:
        raise Refusal(400, f"Missing value for {name}")
    if given - known:
        raise Refusal(400, f"Invalid value for {name}: {', '.join(sorted(given - known))}")
    return given


def _seen(seed: int, one: Application, wanted: Range, now: float) -> list[Incident]:
    """As of now: what is open is what has not ended by now, whatever the window."""
    found = incidents(seed, one.role, one.served, Window(wanted.start, now)) if wanted.start < now else ()
    return [each for each in found if each.start < wanted.end]


def _violation(one: Application, each: Incident) -> dict[str, object]:
    number = zlib.crc32(f"{one.name} {each.name} {each.start}".encode()) >> 4
    return {
        "deepLinkUrl": f"#location=APP_INCIDENT_DETAIL_MODAL&incident={number}&application={one.id}",
        "severity": each.severity.upper(),
        "triggeredEntityDefinition": {
            "entityType": "POLICY",
            "name": each.name,
            "entityId": zlib.crc32(each.name.encode()),
        },
        "startTimeInMillis": int(each.start * 1000),
        "detectedTimeInMillis": 0,
        "endTimeInMillis": int(each.end * 1000) if each.end is not None else 0,
        "name": each.name,
        "description": f"AppDynamics has detected a problem with <b>{each.entity}</b>.<br>{each.text}",
        "id": number,
        "affectedEntityDefinition": _entity(one, each.entity_type, each.entity),
        "incidentStatus": "OPEN" if each.end is None else "RESOLVED",
    }


def _moments(found: list[Incident]) -> Iterator[tuple[str, str, float, Incident]]:
    """Type, severity and time of each event: those of their own, and a violation's begin and end."""
    for each in found:
        if each.kind == "event":
            yield each.name, "WARN", each.start, each
            continue
        level, severity = each.severity.upper(), "ERROR" if each.severity == "critical" else "WARN"
        yield f"POLICY_OPEN_{level}", severity, each.start, each
        if each.end is not None:
            yield f"POLICY_CLOSE_{level}", "INFO", each.end, each


def _event(one: Application, kind: str, severity: str, time: float, each: Incident) -> dict[str, object]:
    place = [_entity(one, each.entity_type, each.entity)]
    if each.entity_type != "APPLICATION":
        place.append(_entity(one, "APPLICATION", one.name))
    number = zlib.crc32(f"{one.name} {kind} {time}".encode()) >> 4
    return {
        "severity": severity,
        "summary": each.text,
        "deepLinkUrl": f"#location=APP_EVENT_VIEWER_MODAL&eventSummary={number}&application={one.id}",
        "archived": False,
        "markedAsRead": False,
        "eventTime": int(time * 1000),
        "subType": "",
        "id": number,
        "type": kind,
        "affectedEntities": place,
        "triggeredEntity": None,
        "markedAsResolved": False,
        "properties": [],
    }


def _entity(one: Application, kind: str, name: str) -> dict[str, object]:
    number = one.id if kind == "APPLICATION" else zlib.crc32(f"{one.name} {name}".encode()) >> 4
    return {"entityType": kind, "name": name, "entityId": number}
