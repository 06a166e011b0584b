"""Violations, events and snapshots: requests and decoding."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from deploy.stack.controller import Controller, faults
from exporter.errors import SourceError
from exporter.model.observation import Window
from exporter.sources.appdynamics.client import MOST, ControllerClient
from tests.bad_server import reply_json
from tests.sources.appdynamics.controlling import NOW, asking, client_of, shop

HOUR = Window(NOW - 3600.0, NOW)
EVENTS = ("APPLICATION_DEPLOYMENT", "DEADLOCK")


def test_events() -> None:
    """Events are asked for by type and severity; without types nothing is asked."""
    entity = {"entityType": "APPLICATION", "name": "shop", "entityId": 7}
    values = {"id": 1, "type": "DEADLOCK", "eventTime": NOW * 1000, "affectedEntities": [entity, entity]}
    with client_of(reply_json([values, {**values, "id": 2, "affectedEntities": None, "summary": "x"}])) as (
        client,
        server,
    ):
        assert client.events(7, HOUR, ()) == []
        first, second = client.events(7, HOUR, EVENTS)
        query = asking(server.requests[0])
    assert (query["event-types"], query["severities"]) == (["APPLICATION_DEPLOYMENT,DEADLOCK"], ["INFO,WARN,ERROR"])
    assert (first.type, first.time, [entity.name for entity in first.entities]) == ("DEADLOCK", NOW, ["shop"])
    assert (second.entities, second.summary) == ((), "x")


def test_events_of_the_controller(client: ControllerClient, controller: Controller) -> None:
    """A type of event that the controller does not know fails the call and is named; so is a missing right."""
    application = shop(client)
    assert client.events(application, Window(NOW - 14 * 86400.0, NOW), ("APP_SERVER_RESTART",))
    with pytest.raises(SourceError, match=r"rejected the request for events of shop \(NOT_KNOWN\) \(400\)") as caught:
        client.events(application, HOUR, ("NOT_KNOWN",))
    assert caught.value.reason == "bad_query"
    assert client.violations(application, Window(NOW - 14 * 86400.0, NOW))
    client.snapshots(application, HOUR)
    controller.faults.add(faults.forbidden("*/request-snapshots"))
    with pytest.raises(SourceError, match="403") as caught:
        client.snapshots(application, HOUR)
    assert caught.value.reason == "auth"


def crowd(connection: socket.socket, data: bytes, every: float) -> None:
    """An event each so many seconds, the newest MOST of the window."""
    query = asking(data)
    start, end = (int(query[name][0]) / 1000 for name in ("start-time", "end-time"))
    times = [NOW - every * back for back in range(10_000) if start <= NOW - every * back < end][:MOST]
    rows = [{"id": int(at * 1000), "type": "DEADLOCK", "eventTime": at * 1000} for at in times]
    reply_json(rows)(connection)


@pytest.mark.parametrize(("budget", "result", "warned"), [(300, 1800, False), (3, 600, True)])
def test_more_than_come_at_once(budget: int, result: int, warned: bool) -> None:
    """A window with more events than come at once is halved until all are there, within the budget."""
    with client_of(lambda connection: crowd(connection, server.requests[-1], 2.0), budget) as (client, server):
        events = client.events(7, HOUR, EVENTS)
        assert len({event.id for event in events}) == len(events)
        assert len(events) >= result
        assert client.calls <= budget
        assert bool(client.warnings) == warned
        assert all("there may be more" in text for text in client.warnings)


def test_more_open_violations_than_come_at_once() -> None:
    """A violation of the whole window is in each half: no calls are spent on halving."""
    times = {"startTimeInMillis": (NOW - 3 * 86400.0) * 1000, "endTimeInMillis": 0}
    rows = [{"id": number, **times, "incidentStatus": "OPEN"} for number in range(MOST)]

    def answer(connection: socket.socket) -> None:
        [end] = asking(server.requests[-1])["end-time"]
        reply_json(rows if int(end) > times["startTimeInMillis"] else [])(connection)

    with client_of(answer) as (client, server):
        assert len(client.violations(7, Window(NOW - 7 * 86400.0, NOW))) == MOST
        assert client.calls < 40
        assert "there may be more" in client.warnings[0]


def violation(**changed: Any) -> dict[str, object]:
    entity = {"entityType": "APPLICATION_COMPONENT", "name": "web", "entityId": 3}
    values = {
        "id": 1,
        "name": "Slow",
        "severity": "CRITICAL",
        "incidentStatus": "OPEN",
        "startTimeInMillis": NOW * 1000,
        "endTimeInMillis": 0,
        "detectedTimeInMillis": 0,
        "affectedEntityDefinition": entity,
        "description": "Problem with <b>web</b>.<br>Calls &gt; 5",
    }
    return {name: value for name, value in {**values, **changed}.items() if value is not ...}


@pytest.mark.parametrize(
    ("changed", "status", "end"),
    [
        ({}, "OPEN", None),
        ({"endTimeInMillis": -1}, "OPEN", None),
        ({"endTimeInMillis": (NOW + 60) * 1000}, "OPEN", None),
        ({"incidentStatus": "RESOLVED", "endTimeInMillis": (NOW + 60) * 1000}, "RESOLVED", NOW + 60),
        ({"incidentStatus": "CANCELLED", "endTimeInMillis": 0}, "CANCELLED", NOW),
        ({"incidentStatus": ..., "endTimeInMillis": ...}, "OPEN", None),
        ({"incidentStatus": ..., "endTimeInMillis": (NOW + 60) * 1000}, "RESOLVED", NOW + 60),
    ],
)
def test_violations(changed: dict[str, Any], status: str, end: float | None) -> None:
    """The status says whether a violation is open; an open one has no end."""
    with client_of(reply_json([violation(**changed)])) as (client, server):
        [result] = client.violations(7, HOUR)
        assert b"/controller/rest/applications/7/problems/healthrule-violations?time-range-type=" in server.requests[0]
    assert (result.status, result.start, result.end) == (status, NOW, end)
    assert (result.entity.type, result.entity.name) == ("APPLICATION_COMPONENT", "web")
    assert result.description == "Problem with web. Calls > 5"


def test_bare_violation() -> None:
    """A violation with few fields is still a violation."""
    with client_of(reply_json([{"id": 1, "startTimeInMillis": NOW * 1000}])) as (client, _):
        [result] = client.violations(7, HOUR)
    assert (result.name, result.severity, result.status, result.entity.name) == ("", "", "OPEN", "")
