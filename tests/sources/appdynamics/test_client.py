"""The client of the controller's API with good and bad responses, on real sockets."""

from __future__ import annotations

import socket
import threading
import time
from email.utils import formatdate
from pathlib import Path

import pytest

from deploy.stack.controller import Controller, faults, serve
from exporter.errors import SourceError
from exporter.model.observation import Window
from exporter.model.settings import Duration
from exporter.sources.appdynamics.client import ControllerClient
from exporter.sources.appdynamics.connection import Connection
from exporter.sources.appdynamics.options import Calls
from exporter.sources.appdynamics.records import ControllerTier, ListedApplication, MetricQuery, Transaction
from tests.bad_server import Behave, drip, reply, reply_json, response
from tests.running import SLACK
from tests.secret import SECRET
from tests.sources.appdynamics.controlling import CALLS, DAY, NOW, asking, client_of, failed, oauth, options, shop

HOUR = Window(NOW - 3600.0, NOW)
EVENTS = ("APPLICATION_DEPLOYMENT", "DEADLOCK")


def test_lists(client: ControllerClient, controller: Controller) -> None:
    """Applications, their transactions and tiers are listed, one call each."""
    application = shop(client)
    transactions, tiers = client.transactions(application), client.tiers(application)
    assert "checkout" in [application.name for application in client.applications()]
    assert "GET /products/{id}" in [transaction.name for transaction in transactions]
    assert {transaction.tier for transaction in transactions} <= {tier.name for tier in tiers} == {"web", "app"}
    assert (client.calls, controller.rest_requests, client.remaining_calls) == (4, 4, 296)


def test_names_that_are_missing(controller: Controller, client: ControllerClient) -> None:
    """Applications without a name are ignored; other missing fields are unknown, not an error."""
    with client_of(reply_json([{"id": 1, "name": None}, {"id": 2}, {"id": 3, "name": "shop"}])) as (item, _):
        assert item.applications() == [ListedApplication(3, "shop")]
    with client_of(reply_json([{"id": 1, "name": "Pay"}])) as (item, _):
        assert item.transactions(7) == [Transaction(1, "Pay", "", "Pay")]
        assert item.tiers(7) == [ControllerTier(1, "Pay", None)]
    controller.hidden |= {application.name for application in client.applications()}
    assert client.applications() == []


def test_a_day_of_minutes(client: ControllerClient) -> None:
    """1,440 minutes come minute by minute, each at its end, with sum and count."""
    [answer] = client.metrics([MetricQuery(shop(client), CALLS, DAY)])
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
def test_resolution_by_window(client: ControllerClient, minutes: int, resolution: float, steps: int) -> None:
    """Longer windows have the coarser resolution of the controller."""
    [answer] = client.metrics([MetricQuery(shop(client), CALLS, Window(NOW - minutes * 60.0, NOW))])
    [metric] = answer.metrics
    assert metric.resolution == resolution
    assert steps - 2 <= metric.times.size <= steps
    assert (metric.times - resolution >= NOW - minutes * 60.0).all()
    assert (metric.times <= NOW).all()


def test_rollup(client: ControllerClient) -> None:
    """A rollup is one value at the window's end, whose sum is that of the minutes."""
    application = shop(client)
    steps, whole = client.metrics(
        [MetricQuery(application, CALLS, HOUR), MetricQuery(application, CALLS, HOUR, rollup=True)]
    )
    [metric] = whole.metrics
    assert (metric.resolution, metric.times.tolist()) == (3600.0, [NOW])
    assert steps.metrics[0].sums is not None
    assert metric.sums is not None
    assert metric.sums[0] == steps.metrics[0].sums.sum()


def test_wildcards(client: ControllerClient, controller: Controller) -> None:
    """One call brings all transactions, however many there are."""
    path = "Business Transaction Performance|Business Transactions|*|*|Calls per Minute"
    application = shop(client)
    names = {(transaction.tier, transaction.name) for transaction in client.transactions(application)}
    calls = client.calls
    [answer] = client.metrics([MetricQuery(application, path, HOUR)])
    assert {(metric.path[2], metric.path[3]) for metric in answer.metrics} <= names
    assert len(answer.metrics) > 3
    assert client.calls == controller.rest_requests == calls + 1


def test_request() -> None:
    """A call names the application by id, encodes the path once and says rollup and output."""
    path = "Application Infrastructure Performance|*|Hardware Resources|CPU|%Busy"
    with client_of(reply_json([])) as (client, server):
        client.metrics([MetricQuery(7, path, HOUR)])
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


def test_sentinels_of_the_controller(client: ControllerClient, controller: Controller) -> None:
    """Every other minute of a faulty controller is a placeholder."""
    controller.faults.add(faults.sentinels(every=2))
    [answer] = client.metrics([MetricQuery(shop(client), CALLS, HOUR)])
    assert (answer.metrics[0].values.size, answer.metrics[0].sentinels) == (30, 30)
    assert answer.metrics[0].values.max() < 1e6


def test_missing_fields_of_the_controller(client: ControllerClient, controller: Controller) -> None:
    """A response without optional fields is read anyway."""
    rare = ("metricId", "metricName", "frequency", "current", "min", "max", "occurrences", "useRange", "sum", "count")
    controller.faults.add(faults.without(*rare, "internalName", "numberOfNodes", "description", "accountGuid"))
    application = shop(client)
    assert client.transactions(application)
    assert client.tiers(application)[0].nodes is None
    [answer] = client.metrics([MetricQuery(application, CALLS, HOUR)])
    assert (answer.metrics[0].values.size, answer.metrics[0].resolution, answer.metrics[0].sums) == (60, 60.0, None)


def test_names_in_messages() -> None:
    """A message names the application by its name once it is known."""
    with client_of(reply_json([{"id": 7, "name": "Web\nShop", "metricValues": 1}])) as (client, _):
        client.applications()
        with pytest.raises(SourceError, match=rf"for Web Shop, {CALLS[:8]}"):
            client.metrics([MetricQuery(7, CALLS, DAY)])


def test_secret_in_answers(tmp_path: Path) -> None:
    """A controller that echoes our token does not get it into a message."""
    (tmp_path / "token").write_text(SECRET)
    error = failed(reply(400, f"bad token {SECRET}".encode()), bearer_token_file=tmp_path / "token")
    assert "(400): bad token <secret>" in str(error)


def test_secret_in_a_long_answer(tmp_path: Path) -> None:
    """A long answer is cut after the secrets have been taken out of it, also those that another session sent."""
    refused = reply(400, b"x" * 140 + b" " + SECRET.encode() + b" " + b"y" * 400)

    def answer(connection: socket.socket) -> None:
        token = server.requests[-1].startswith(b"POST")
        (reply_json({"access_token": "token"}) if token else refused)(connection)

    with client_of(answer, **oauth(tmp_path)) as (client, server), pytest.raises(SourceError) as caught:
        client.metrics([MetricQuery(7, CALLS, DAY)])
    assert "<secret" in str(caught.value)
    assert SECRET[:5] not in str(caught.value)


@pytest.mark.parametrize("behave", [drip(response(200, b"x" * 1000), at_once=80)])
def test_deadline(behave: Behave) -> None:
    """A controller that drips bytes holds us no longer than the deadline."""
    start = time.monotonic()
    assert failed(behave, timeout=Duration(1)).reason == "timeout"
    assert time.monotonic() - start < SLACK


@pytest.mark.parametrize("offset", [600.0, -600.0])
def test_clock_skew(offset: float) -> None:
    """The Date of the first response gives the clock skew."""
    date = formatdate(time.time() + offset, usegmt=True)
    with client_of(reply_json([], headers={"Date": date})) as (client, _):
        client.applications()
        assert client.clock_skew == pytest.approx(offset, abs=3)


def test_budget(client: ControllerClient, controller: Controller) -> None:
    """As many queries as the budget allows are sent, in order; the others are marked, and lists raise an error."""
    application = shop(client)
    small = ControllerClient(client._connection, 3)
    queries = [MetricQuery(application, CALLS, Window(NOW - hour * 3600.0, NOW)) for hour in range(1, 6)]
    controller.forget()
    result = small.metrics(queries)
    assert [answer.absence for answer in result] == [None, None, None, "budget", "budget"]
    assert [answer.query for answer in result] == queries
    assert (small.calls, small.remaining_calls, controller.rest_requests) == (3, 0, 3)
    assert [answer.absence for answer in small.metrics(queries)] == ["budget"] * 5
    with pytest.raises(SourceError, match=r"the 3 calls of one poll are used up: raise calls\.per_poll") as caught:
        small.tiers(application)
    assert caught.value.reason == "rate_limited"
    assert controller.rest_requests == 3


def test_parallel(controller: Controller, tmp_path: Path) -> None:
    """Queries are sent in parallel, within the bound, and answered in their order."""
    controller.faults.add(faults.slow(0.1, faults.METRIC_DATA))
    with serve(controller) as url:
        connection = Connection(options(url, calls=Calls(parallel=5), **oauth(tmp_path)))
        client = ControllerClient(connection, 300)
        application = shop(client)
        queries = [MetricQuery(application, CALLS, Window(NOW - minutes * 60.0, NOW)) for minutes in range(1, 21)]
        metrics = client.metrics(queries)
        connection.close()
    assert [answer.metrics[0].values.size for answer in metrics] == list(range(1, 21))
    assert controller.most_at_once == 5
    assert controller.token_requests == 1


def test_too_many_at_a_time(controller: Controller, tmp_path: Path) -> None:
    """A controller with a lower limit of parallel calls than ours responds 429."""
    controller.parallel = 1
    controller.faults.add(faults.slow(1.0, faults.METRIC_DATA))
    with serve(controller) as url:
        connection = Connection(options(url, calls=Calls(parallel=4), **oauth(tmp_path)))
        client = ControllerClient(connection, 300)
        application = shop(client)
        with pytest.raises(SourceError) as caught:
            client.metrics([MetricQuery(application, CALLS, HOUR)] * 4)
        connection.close()
    assert (caught.value.reason, caught.value.retry_after) == ("rate_limited", 1.0)


def test_one_failure_ends_it() -> None:
    """The first failing call ends all: none begins after it, and those under way are not waited for."""
    lock, observation = threading.Lock(), list[int]()

    def behave(connection: socket.socket) -> None:
        with lock:
            observation.append(1)
            number = len(observation)
        if number == 2:
            reply(503)(connection)
        else:
            connection.recv(1)  # until we go

    with client_of(behave, calls=Calls(parallel=3), timeout=Duration(60)) as (client, server):
        start = time.monotonic()
        with pytest.raises(SourceError) as caught:
            client.metrics([MetricQuery(7, CALLS, DAY)] * 20)
        assert time.monotonic() - start < SLACK
        assert (caught.value.reason, client.calls <= 4) == ("server_error", True)
        with pytest.raises(SourceError, match="the observation has ended"):
            client.applications()
        assert len(server.requests) <= 4


def test_a_poll_of_many_calls_ends() -> None:
    """However quick each answer is, no call is sent when the time of the whole observation is over."""
    with client_of(reply_json([])) as (quick, server):
        client = ControllerClient(quick._connection, 300, seconds=0.5)
        client.applications()
        time.sleep(0.5)
        with pytest.raises(SourceError, match=r"the calls of one poll took more than 0\.5 s") as caught:
            client.metrics([MetricQuery(7, CALLS, DAY)])
        assert caught.value.reason == "timeout"
        assert client.calls == len(server.requests) == 1
