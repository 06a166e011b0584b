"""The client of the controller's API: what it makes of good and bad answers, on real sockets."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from exporter.appdynamics.client import MOST, Client
from exporter.appdynamics.connection import Connection
from exporter.appdynamics.options import Calls
from exporter.appdynamics.records import Ask, Listed, Tier, Transaction
from exporter.demo.controller import Controller, faults, serve
from exporter.errors import SourceError
from exporter.model.observation import Window
from exporter.model.settings import Duration
from tests.appdynamics.controlling import CALLS, DAY, NOW, SECRET, asked, client_of, failed, oauth, options
from tests.bad_server import Behave, drip, reply, reply_json, response

HOUR = Window(NOW - 3600.0, NOW)
EVENTS = ("APPLICATION_DEPLOYMENT", "DEADLOCK")


@pytest.fixture
def controller() -> Controller:
    return Controller(clock=lambda: NOW, secret=SECRET)


@pytest.fixture
def client(controller: Controller, tmp_path: Path) -> Iterator[Client]:
    with serve(controller) as url:
        connection = Connection(options(url, **oauth(tmp_path)))
        yield Client(connection, 300)
        connection.close()


def shop(client: Client) -> int:
    return next(one.id for one in client.applications() if one.name == "shop")


def asking(line: bytes) -> dict[str, list[str]]:
    """The query of a request."""
    return parse_qs(urlsplit(line.split(b" ")[1].decode()).query)


def test_lists(client: Client, controller: Controller) -> None:
    """Applications, their transactions and tiers are listed, one call each."""
    application = shop(client)
    transactions, tiers = client.transactions(application), client.tiers(application)
    assert "checkout" in [one.name for one in client.applications()]
    assert "GET /products/{id}" in [one.name for one in transactions]
    assert {one.tier for one in transactions} <= {one.name for one in tiers} == {"web", "app"}
    assert (client.calls, controller.rest_requests, client.left) == (4, 4, 296)


def test_names_that_are_missing(controller: Controller, client: Client) -> None:
    """Applications without a name are left out; what else is missing is unknown, not an error."""
    with client_of(reply_json([{"id": 1, "name": None}, {"id": 2}, {"id": 3, "name": "shop"}])) as (one, _):
        assert one.applications() == [Listed(3, "shop")]
    with client_of(reply_json([{"id": 1, "name": "Pay"}])) as (one, _):
        assert one.transactions(7) == [Transaction(1, "Pay", "", "Pay")]
        assert one.tiers(7) == [Tier(1, "Pay", None)]
    controller.hidden |= {one.name for one in client.applications()}
    assert client.applications() == []


def test_a_day_of_minutes(client: Client) -> None:
    """1,440 minutes come minute by minute, each at its end, with what its value rests on."""
    [answer] = client.metrics([Ask(shop(client), CALLS, DAY)])
    [metric] = answer.metrics
    assert (answer.absence, metric.resolution, metric.sentinels) == (None, 60.0, 0)
    assert metric.path == ("Overall Application Performance", "Calls per Minute")
    assert metric.times.tolist() == [DAY.start + 60.0 * minute for minute in range(1, 1441)]
    assert metric.sums is not None
    assert metric.counts is not None
    assert metric.values.min() > 0
    assert (metric.values == metric.sums).all()


@pytest.mark.parametrize(
    ("minutes", "resolution", "steps"), [(1459, 60.0, 1459), (1460, 600.0, 146), (2940, 600.0, 294), (3000, 3600.0, 50)]
)
def test_resolution_by_window(client: Client, minutes: int, resolution: float, steps: int) -> None:
    """What the controller makes of longer windows is told as what it is."""
    [answer] = client.metrics([Ask(shop(client), CALLS, Window(NOW - minutes * 60.0, NOW))])
    [metric] = answer.metrics
    assert metric.resolution == resolution
    assert steps - 2 <= metric.times.size <= steps
    assert (metric.times - resolution >= NOW - minutes * 60.0).all()
    assert (metric.times <= NOW).all()


def test_rollup(client: Client) -> None:
    """A rollup is one value at the window's end, whose sum is that of the minutes."""
    application = shop(client)
    steps, whole = client.metrics([Ask(application, CALLS, HOUR), Ask(application, CALLS, HOUR, rollup=True)])
    [metric] = whole.metrics
    assert (metric.resolution, metric.times.tolist()) == (3600.0, [NOW])
    assert steps.metrics[0].sums is not None
    assert metric.sums is not None
    assert metric.sums[0] == steps.metrics[0].sums.sum()


def test_wildcards(client: Client, controller: Controller) -> None:
    """One call brings all transactions, however many there are."""
    path = "Business Transaction Performance|Business Transactions|*|*|Calls per Minute"
    application = shop(client)
    names = {(one.tier, one.name) for one in client.transactions(application)}
    calls = client.calls
    [answer] = client.metrics([Ask(application, path, HOUR)])
    assert {(metric.path[2], metric.path[3]) for metric in answer.metrics} <= names
    assert len(answer.metrics) > 3
    assert client.calls == controller.rest_requests == calls + 1


def test_request() -> None:
    """A call names the application by id, encodes the path once and says rollup and output."""
    path = "Application Infrastructure Performance|*|Hardware Resources|CPU|%Busy"
    with client_of(reply_json([])) as (client, server):
        client.metrics([Ask(7, path, HOUR)])
        line = server.requests[0].split(b"\r\n")[0]
    assert line.startswith(b"GET /controller/rest/applications/7/metric-data?metric-path=Application%20Infra")
    assert b"%7CCPU%7C%25Busy&" in line
    assert asking(line) == {
        "metric-path": [path],
        "time-range-type": ["BETWEEN_TIMES"],
        "start-time": [f"{HOUR.start * 1000:.0f}"],
        "end-time": [f"{HOUR.end * 1000:.0f}"],
        "rollup": ["false"],
        "output": ["JSON"],
    }


def point(minute: int, value: object = 5, **more: object) -> dict[str, object]:
    """A minute of the day, counted from its beginning."""
    return {"startTimeInMillis": int((DAY.start + 60 * minute) * 1000), "value": value, **more}


def metric(*points: dict[str, object], **more: object) -> dict[str, object]:
    given = {"metricName": "Calls", "metricPath": CALLS, "frequency": "ONE_MIN", "metricValues": list(points)}
    return {name: value for name, value in {**given, **more}.items() if value is not ...}


def test_absence() -> None:
    """Three ways to have nothing: no such metric, no data in the window, nothing but values that stand for none."""
    found = {"metricId": 1, "metricName": "METRIC DATA NOT FOUND", "metricPath": CALLS, "metricValues": []}
    assert asked(reply_json([])).absence == "no_metric"
    assert asked(reply_json([found])).absence == "no_data"
    assert asked(reply_json([metric()])).absence == "no_data"
    assert asked(reply_json([metric(metricValues=None)])).absence == "no_data"
    assert asked(reply_json([metric(point(0, 2147483647))])).absence == "no_data"
    assert asked(reply_json([metric(point(-1), point(1440))])).absence == "no_data"
    mixed = asked(reply_json([{**found, "metricPath": "other"}, metric(point(0))]), path="*")
    assert (mixed.absence, [one.path for one in mixed.metrics]) == (None, [tuple(CALLS.split("|"))])


@pytest.mark.parametrize(
    "value",
    [2147483647, -2147483647, 2147483648, -2147483648, 2.147483647e9, -2.147483648e9, 2**63 - 1, -(2**63), None],
)
def test_sentinels(value: object) -> None:
    """A value that stands for nothing is left out and counted, its neighbours stay."""
    body = json.dumps([metric(point(0, 4), point(1, "X"), point(2, 6))]).replace('"X"', json.dumps(value))
    [found] = asked(reply(200, body.encode(), {"Content-Type": "application/json"})).metrics
    assert (found.values.tolist(), found.sentinels) == ([4.0, 6.0], 1)
    assert found.times.tolist() == [DAY.start + 60, DAY.start + 180]


def test_sentinels_of_the_controller(client: Client, controller: Controller) -> None:
    """Every other minute of a misbehaving controller stands for nothing."""
    controller.faults.add(faults.sentinels(every=2))
    [answer] = client.metrics([Ask(shop(client), CALLS, HOUR)])
    assert (answer.metrics[0].values.size, answer.metrics[0].sentinels) == (30, 30)
    assert answer.metrics[0].values.max() < 1e6


def test_no_measurement() -> None:
    """A value that rests on no measurement is none; a measured zero is one."""
    [found] = asked(reply_json([metric(point(0, 0, count=0, sum=0), point(1, 0, count=2, sum=0))])).metrics
    assert (found.values.tolist(), found.sentinels) == ([0.0], 1)


def test_numbers() -> None:
    """Numbers may have exponents; `value` counts and not `current`; a total that is not always told is none."""
    body = json.dumps([metric(point(0, "X", current=9, sum=1, count=2), point(1, 7.25, current=9, sum=3))])
    [found] = asked(reply(200, body.replace('"X"', "3.7E8").encode())).metrics
    assert found.values.tolist() == [3.7e8, 7.25]
    assert found.sums is not None
    assert found.sums.tolist() == [1.0, 3.0]
    assert found.counts is None


def test_missing_fields() -> None:
    """Name, path and frequency may be missing where there is no doubt, and nobody minds what we do not know."""
    bare = metric(point(0), metricName=..., metricPath=..., frequency=..., novelty={"a": [1]})
    [found] = asked(reply_json([bare])).metrics
    assert (found.path, found.name, found.resolution) == (tuple(CALLS.split("|")), "", 60.0)
    error = failed(reply_json([bare]), path="*|Calls per Minute")
    assert (error.reason, "a metric without metricPath" in str(error)) == ("bad_data", True)


def test_missing_fields_of_the_controller(client: Client, controller: Controller) -> None:
    """A controller that leaves out all that is optional is read all the same."""
    rare = ("metricId", "metricName", "frequency", "current", "min", "max", "occurrences", "useRange", "sum", "count")
    controller.faults.add(faults.without(*rare, "internalName", "numberOfNodes", "description", "accountGuid"))
    application = shop(client)
    assert client.transactions(application)
    assert client.tiers(application)[0].nodes is None
    [answer] = client.metrics([Ask(application, CALLS, HOUR)])
    assert (answer.metrics[0].values.size, answer.metrics[0].resolution, answer.metrics[0].sums) == (60, 60.0, None)


@pytest.mark.parametrize(
    ("frequency", "minutes", "resolution"),
    [
        ("ONE_MIN", (0, 600), 60.0),
        ("TEN_MIN", (0, 10), 600.0),
        ("SIXTY_MIN", (0, 60), 3600.0),
        (None, (0, 1, 30), 60.0),
        (None, (0, 10, 20), 600.0),
        (None, (0, 60, 180), 3600.0),
        ("HALF_YEAR", (0, 10, 20), 600.0),
        (None, (0, 5), 60.0),
        (None, (0,), 60.0),
    ],
)
def test_resolution(frequency: str | None, minutes: tuple[int, ...], resolution: float) -> None:
    """The resolution is what the controller says, else how far its values are apart."""
    [found] = asked(reply_json([metric(*(point(minute) for minute in minutes), frequency=frequency)])).metrics
    assert found.resolution == resolution
    assert found.times.tolist() == [DAY.start + 60 * minute + resolution for minute in minutes]


def test_outside_of_the_window() -> None:
    """What was not asked for is cut, steps that only begin inside among it; order is that of time."""
    points = [point(1439), point(3), point(-1), point(1440), point(0)]
    [found] = asked(reply_json([metric(*points)])).metrics
    assert found.times.tolist() == [DAY.start + 60, DAY.start + 240, DAY.end]
    coarse = [point(-5), point(5), point(1435)]
    [found] = asked(reply_json([metric(*coarse, frequency="TEN_MIN")])).metrics
    assert found.times.tolist() == [DAY.start + 900]
    hour = metric(point(0), frequency="SIXTY_MIN")
    assert asked(reply_json([hour]), Window(DAY.start, DAY.start + 600)).absence == "no_data"


def test_escaped_bars() -> None:
    """A bar that belongs to a name does not part it."""
    [found] = asked(reply_json([metric(point(0), metricPath=r"a|b\|c|d")]), path="*").metrics
    assert found.path == ("a", "b|c", "d")


@pytest.mark.parametrize(
    ("behave", "reason", "text"),
    [
        (reply(200, b"<html>Log in</html>", {"Content-Type": "text/html"}), "not_json", "gave an HTML page instead"),
        (reply(200, b"\n<!DOCTYPE html><html>"), "not_json", "is there a login page"),
        (reply(200, b"<metric-datas/>", {"Content-Type": "application/xml"}), "not_json", "gave XML instead of JSON"),
        (reply(200, b"OK"), "not_json", "gave no JSON"),
        (reply(200, b"\xff\xfe"), "not_json", "gave no JSON"),
        (reply(200, b""), "truncated", "cut its JSON off"),
        (reply(200, b'[{"metricPath": "a'), "truncated", "cut its JSON off"),
        (reply(200, b'[{"metricValues": [{"startTimeInMillis": 1, "value": NaN}]}]'), "bad_data", "broken JSON"),
        (reply(200, b'[{"metricValues": [{"startTimeInMillis": 1, "value": 1e400}]}]'), "bad_data", "out of range"),
        (reply_json({"error": "no"}), "bad_data", "unexpected JSON"),
        (reply_json([metric(point(0, "12"))]), "bad_data", "unexpected JSON"),
        (reply_json([metric(point(0, True))]), "bad_data", "unexpected JSON"),
        (reply_json([metric(point(0, 1, sum="many"))]), "bad_data", "unexpected JSON"),
        (reply_json([metric({"value": 1})]), "bad_data", "startTimeInMillis"),
        (reply_json([metric(point(0), point(0))]), "bad_data", "two values of one time"),
        (reply_json([metric(point(0)), metric(point(1))]), "bad_data", "twice"),
        (reply(503, b""), "server_error", "failed (503)"),
        (reply(429, b"", {"Retry-After": "7"}), "rate_limited", "wait 7 s"),
        (reply(401, b"<html>", {"Content-Type": "text/html"}), "auth", "with an HTML page"),
        (reply(302, b"", {"Location": "https://login.example/?x"}), "redirect", "to https://login.example (302)"),
        (reply(400, b"<html><b>Invalid application id 7</b> is specified</html>"), "bad_query", "id 7 is specified"),
        (
            lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n[]"),
            "truncated",
            "broke",
        ),
    ],
)
def test_bad_answers(behave: Behave, reason: str, text: str) -> None:
    """Each answer that is not one has its own reason and says so on one line."""
    error = failed(behave)
    assert (error.reason, text in str(error)) == (reason, True), str(error)
    if reason in ("bad_data", "bad_query"):
        assert f"application 7, {CALLS}" in str(error)


def test_names_in_messages() -> None:
    """A message names the application by its name once it is known."""
    with client_of(reply_json([{"id": 7, "name": "Web\nShop", "metricValues": 1}])) as (client, _):
        client.applications()
        with pytest.raises(SourceError, match=rf"for Web Shop, {CALLS[:8]}"):
            client.metrics([Ask(7, CALLS, DAY)])


def test_secret_in_answers(tmp_path: Path) -> None:
    """A controller that echoes our token does not get it into a message."""
    (tmp_path / "token").write_text(SECRET)
    error = failed(reply(400, f"bad token {SECRET}".encode()), bearer_token_file=tmp_path / "token")
    assert "it said: bad token <secret>" in str(error)


@pytest.mark.parametrize("behave", [drip(response(200, b"x" * 1000), at_once=80)])
def test_deadline(behave: Behave) -> None:
    """A controller that drips bytes holds us no longer than the deadline."""
    start = time.monotonic()
    assert failed(behave, timeout=Duration(1)).reason == "timeout"
    assert time.monotonic() - start < 5


@pytest.mark.parametrize("offset", [600.0, -600.0])
def test_clock_skew(offset: float) -> None:
    """The Date of the first answer tells the controller's clock against ours."""
    date = formatdate(time.time() + offset, usegmt=True)
    with client_of(reply_json([], headers={"Date": date})) as (client, _):
        client.applications()
        assert client.clock_skew == pytest.approx(offset, abs=3)


def test_budget(client: Client, controller: Controller) -> None:
    """As many asks as the budget allows are sent, in their order; the rest is told as such, and lists are refused."""
    application = shop(client)
    small = Client(client._connection, 3)
    asks = [Ask(application, CALLS, Window(NOW - hour * 3600.0, NOW)) for hour in range(1, 6)]
    controller.forget()
    found = small.metrics(asks)
    assert [answer.absence for answer in found] == [None, None, None, "budget", "budget"]
    assert [answer.ask for answer in found] == asks
    assert (small.calls, small.left, controller.rest_requests) == (3, 0, 3)
    assert [answer.absence for answer in small.metrics(asks)] == ["budget"] * 5
    with pytest.raises(SourceError, match=r"the 3 calls of one poll are used up: raise calls\.per_poll") as caught:
        small.tiers(application)
    assert caught.value.reason == "rate_limited"
    assert controller.rest_requests == 3


def test_parallel(controller: Controller, tmp_path: Path) -> None:
    """Asks are sent in parallel, within the bound, and answered in their order."""
    controller.faults.add(faults.slow(0.1, faults.METRIC_DATA))
    with serve(controller) as url:
        connection = Connection(options(url, calls=Calls(parallel=5), **oauth(tmp_path)))
        client = Client(connection, 300)
        application = shop(client)
        asks = [Ask(application, CALLS, Window(NOW - minutes * 60.0, NOW)) for minutes in range(1, 21)]
        found = client.metrics(asks)
        connection.close()
    assert [answer.metrics[0].values.size for answer in found] == list(range(1, 21))
    assert controller.most_at_once == 5
    assert controller.token_requests == 1


def test_too_many_at_a_time(controller: Controller, tmp_path: Path) -> None:
    """A controller that bears fewer calls at a time than we are told to send limits us."""
    controller.parallel = 1
    controller.faults.add(faults.slow(0.2, faults.METRIC_DATA))
    with serve(controller) as url:
        connection = Connection(options(url, calls=Calls(parallel=4), **oauth(tmp_path)))
        client = Client(connection, 300)
        application = shop(client)
        with pytest.raises(SourceError) as caught:
            client.metrics([Ask(application, CALLS, HOUR)] * 4)
        connection.close()
    assert (caught.value.reason, caught.value.retry_after) == ("rate_limited", 1.0)


def test_one_failure_ends_it() -> None:
    """The first failing call ends all: none begins after it, and those under way are not waited for."""
    lock, seen = threading.Lock(), list[int]()

    def behave(connection: socket.socket) -> None:
        with lock:
            seen.append(1)
            number = len(seen)
        if number == 2:
            reply(503)(connection)
        else:
            connection.recv(1)  # until we go

    with client_of(behave, calls=Calls(parallel=3), timeout=Duration(60)) as (client, server):
        start = time.monotonic()
        with pytest.raises(SourceError) as caught:
            client.metrics([Ask(7, CALLS, DAY)] * 20)
        assert time.monotonic() - start < 10
        assert (caught.value.reason, client.calls <= 4) == ("server_error", True)
        with pytest.raises(SourceError, match="the observation has ended"):
            client.applications()
        assert len(server.requests) <= 4


def test_a_poll_of_many_calls_ends() -> None:
    """However quick each answer is, no call is sent when the time of the whole observation is over."""
    with client_of(reply_json([])) as (quick, server):
        client = Client(quick._connection, 300, seconds=0.1)
        client.applications()
        time.sleep(0.15)
        with pytest.raises(SourceError, match=r"the calls of one poll took more than 0\.1 s") as caught:
            client.metrics([Ask(7, CALLS, DAY)])
        assert caught.value.reason == "timeout"
        assert client.calls == len(server.requests) == 1


def violation(**changed: Any) -> dict[str, object]:
    entity = {"entityType": "APPLICATION_COMPONENT", "name": "web", "entityId": 3}
    given = {
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
    return {name: value for name, value in {**given, **changed}.items() if value is not ...}


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
    """Whether a violation is open is what its status says; an open one has no end."""
    with client_of(reply_json([violation(**changed)])) as (client, server):
        [found] = client.violations(7, HOUR)
        assert b"/controller/rest/applications/7/problems/healthrule-violations?time-range-type=" in server.requests[0]
    assert (found.status, found.start, found.end) == (status, NOW, end)
    assert (found.entity.type, found.entity.name) == ("APPLICATION_COMPONENT", "web")
    assert found.description == "Problem with web. Calls > 5"


def test_bare_violation() -> None:
    """A violation of which little is told is still one."""
    with client_of(reply_json([{"id": 1, "startTimeInMillis": NOW * 1000}])) as (client, _):
        [found] = client.violations(7, HOUR)
    assert (found.name, found.severity, found.status, found.entity.name) == ("", "", "OPEN", "")


def test_events() -> None:
    """Events are asked for by type and severity; without types nothing is asked."""
    entity = {"entityType": "APPLICATION", "name": "shop", "entityId": 7}
    given = {"id": 1, "type": "DEADLOCK", "eventTime": NOW * 1000, "affectedEntities": [entity, entity]}
    with client_of(reply_json([given, {**given, "id": 2, "affectedEntities": None, "summary": "x"}])) as (
        client,
        server,
    ):
        assert client.events(7, HOUR, ()) == []
        first, second = client.events(7, HOUR, EVENTS)
        query = asking(server.requests[0])
    assert (query["event-types"], query["severities"]) == (["APPLICATION_DEPLOYMENT,DEADLOCK"], ["INFO,WARN,ERROR"])
    assert (first.type, first.time, [one.name for one in first.entities]) == ("DEADLOCK", NOW, ["shop"])
    assert (second.entities, second.summary) == ((), "x")


def test_events_of_the_controller(client: Client, controller: Controller) -> None:
    """A type of event that the controller does not know fails the call and is named; so is a missing right."""
    application = shop(client)
    assert client.events(application, Window(NOW - 14 * 86400.0, NOW), ("APP_SERVER_RESTART",))
    with pytest.raises(SourceError, match=r"refused to give events of shop \(NOT_KNOWN\) \(400\)") as caught:
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


@pytest.mark.parametrize(("budget", "found", "warned"), [(300, 1800, False), (3, 600, True)])
def test_more_than_come_at_once(budget: int, found: int, warned: bool) -> None:
    """A window with more events than come at once is halved until all are there, within the budget."""
    with client_of(lambda connection: crowd(connection, server.requests[-1], 2.0), budget) as (client, server):
        events = client.events(7, HOUR, EVENTS)
        assert len({event.id for event in events}) == len(events)
        assert len(events) >= found
        assert client.calls <= budget
        assert bool(client.warnings) == warned
        assert all("there may be more" in text for text in client.warnings)
