"""Decoding of the controller's responses: absence, sentinels, resolutions, missing and invalid data."""

from __future__ import annotations

import json

import pytest

from exporter.errors import SourceError
from exporter.model.observation import Window
from exporter.sources.appdynamics.records import MetricQuery
from tests.bad_server import Behave, reply, reply_json
from tests.sources.appdynamics.controlling import CALLS, DAY, NOW, client_of, failed, metric_result

HOUR = Window(NOW - 3600.0, NOW)


def point(minute: float, value: object = 5, **more: object) -> dict[str, object]:
    """A minute of the day, counted from its beginning."""
    return {"startTimeInMillis": int((DAY.start + 60 * minute) * 1000), "value": value, **more}


def metric(*points: dict[str, object], **more: object) -> dict[str, object]:
    values = {"metricName": "Calls", "metricPath": CALLS, "frequency": "ONE_MIN", "metricValues": list(points)}
    return {name: value for name, value in {**values, **more}.items() if value is not ...}


def test_absence() -> None:
    """Three kinds of absence: unknown metric, no data in the window, only placeholders."""
    result = {"metricId": 1, "metricName": "METRIC DATA NOT FOUND", "metricPath": CALLS, "metricValues": []}
    assert metric_result(reply_json([])).absence == "no_metric"
    assert metric_result(reply_json([result])).absence == "no_data"
    assert metric_result(reply_json([metric()])).absence == "no_data"
    assert metric_result(reply_json([metric(metricValues=None)])).absence == "no_data"
    assert metric_result(reply_json([metric(point(0, 2147483647))])).absence == "no_data"
    assert metric_result(reply_json([metric(point(-1), point(1440))])).absence == "no_data"
    mixed = metric_result(reply_json([{**result, "metricPath": "other"}, metric(point(0))]), path="*|*")
    assert (mixed.absence, [metric.path for metric in mixed.metrics]) == (None, [tuple(CALLS.split("|"))])


@pytest.mark.parametrize(
    "value",
    [2147483647, -2147483647, 2147483648, -2147483648, 2.147483647e9, -2.147483648e9, 2**63 - 1, -(2**63), -1, None],
)
def test_sentinels(value: object) -> None:
    """A placeholder is dropped and counted, its neighbours stay."""
    body = json.dumps([metric(point(0, 4), point(1, "X"), point(2, 6))]).replace('"X"', json.dumps(value))
    [observation] = metric_result(reply(200, body.encode(), {"Content-Type": "application/json"})).metrics
    assert (observation.values.tolist(), observation.sentinels) == ([4.0, 6.0], 1)
    assert observation.times.tolist() == [DAY.start + 60, DAY.start + 180]


def test_no_measurement() -> None:
    """A value that rests on no measurement is none; a measured zero is one."""
    [observation] = metric_result(
        reply_json([metric(point(0, 0, count=0, sum=0), point(1, 0, count=2, sum=0))])
    ).metrics
    assert (observation.values.tolist(), observation.sentinels) == ([0.0], 1)


def test_numbers() -> None:
    """Numbers may have exponents; `value` counts and not `current`; an incomplete total is None."""
    body = json.dumps([metric(point(0, "X", current=9, sum=1, count=2), point(1, 7.25, current=9, sum=3))])
    [observation] = metric_result(reply(200, body.replace('"X"', "3.7E8").encode())).metrics
    assert observation.values.tolist() == [3.7e8, 7.25]
    assert observation.sums is not None
    assert observation.sums.tolist() == [1.0, 3.0]
    assert observation.counts is None
    [observation] = metric_result(reply_json([metric(point(0, 7, sum=-1, count=-1))])).metrics
    assert (observation.values.tolist(), observation.sums, observation.counts) == ([7.0], None, None)


def test_missing_fields() -> None:
    """Name, path and frequency may be missing without ambiguity, and unknown fields are ignored."""
    bare = metric(point(0), metricName=..., metricPath=..., frequency=..., novelty={"a": [1]})
    [observation] = metric_result(reply_json([bare])).metrics
    assert (observation.path, observation.name, observation.resolution) == (tuple(CALLS.split("|")), "", 60.0)
    error = failed(reply_json([bare]), path="*|Calls per Minute")
    assert (error.reason, "a metric without metricPath" in str(error)) == ("bad_data", True)


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
    """The resolution is the reported one, else the distance of values."""
    [observation] = metric_result(
        reply_json([metric(*(point(minute) for minute in minutes), frequency=frequency)])
    ).metrics
    assert observation.resolution == resolution
    assert observation.times.tolist() == [DAY.start + 60 * minute + resolution for minute in minutes]


def test_outside_of_the_window() -> None:
    """Data outside the window is cut, also steps that only begin inside; the order is by time."""
    points = [point(1439), point(3), point(-1), point(1440), point(0)]
    [observation] = metric_result(reply_json([metric(*points)])).metrics
    assert observation.times.tolist() == [DAY.start + 60, DAY.start + 240, DAY.end]
    coarse = [point(-5), point(5), point(1435)]
    [observation] = metric_result(reply_json([metric(*coarse, frequency="TEN_MIN")])).metrics
    assert observation.times.tolist() == [DAY.start + 900]
    hour = metric(point(0), frequency="SIXTY_MIN")
    assert metric_result(reply_json([hour]), Window(DAY.start, DAY.start + 600)).absence == "no_data"


@pytest.mark.parametrize(
    ("actual", "asks", "path"),
    [
        (r"a|b\|c|d", "a|*|d", ("a", "b|c", "d")),
        ("a|b\\\\|d", "a|*|d", ("a", "b\\", "d")),
        (r"a|b\c|d", "a|*|d", ("a", r"b\c", "d")),
        ("a|b|c|d", "a|*|d", ("a", "b|c", "d")),
        ("a|web|b|c|d", "a|*|*|d", ("a", "web", "b|c", "d")),
    ],
)
def test_names_with_bars_and_backslashes(actual: str, asks: str, path: tuple[str, ...]) -> None:
    """A bar that belongs to a name does not part it, whether the controller marks it or not."""
    [observation] = metric_result(reply_json([metric(point(0), metricPath=actual)]), path=asks).metrics
    assert observation.path == path


def test_a_rollup_is_one_value() -> None:
    """Several values instead of one would each count for the whole window."""
    with client_of(reply_json([metric(point(0), point(1))])) as (client, _), pytest.raises(SourceError) as caught:
        client.metrics([MetricQuery(7, CALLS, DAY, rollup=True)])
    assert (caught.value.reason, "2 values instead of one" in str(caught.value)) == ("bad_data", True)


def test_two_metrics_of_one_name() -> None:
    """A transaction that was deleted and detected again has two ids: both count, neither fails the poll."""
    old, new = metric(point(0), metricName="BTM|BTs|BT:1"), metric(point(0), metricName="BTM|BTs|BT:2")
    assert [metric.path for metric in metric_result(reply_json([old, new])).metrics] == [tuple(CALLS.split("|"))] * 2


@pytest.mark.parametrize(
    ("behave", "reason", "text"),
    [
        (
            reply(200, b"<html>Log in</html>", {"Content-Type": "text/html"}),
            "not_json",
            "returned an HTML page instead",
        ),
        (reply(200, b"\n<!DOCTYPE html><html>"), "not_json", "is there a login page"),
        (
            reply(200, b"<metric-datas/>", {"Content-Type": "application/xml"}),
            "not_json",
            "returned XML instead of JSON",
        ),
        (reply(200, b"OK"), "not_json", "returned no JSON"),
        (reply(200, b"\xff\xfe"), "not_json", "returned no JSON"),
        (reply(200, b""), "truncated", "cut its JSON off"),
        (reply(200, b'[{"metricPath": "a'), "truncated", "cut its JSON off"),
        (reply(200, b'[{"metricValues": [{"startTimeInMillis": 1, "value": NaN}]}]'), "bad_data", "invalid JSON"),
        (reply(200, b'[{"metricValues": [{"startTimeInMillis": 1, "value": 1e400}]}]'), "bad_data", "out of range"),
        (reply_json({"error": "no"}), "bad_data", "unexpected JSON"),
        (reply_json([metric(point(0, "12"))]), "bad_data", "unexpected JSON"),
        (reply_json([metric(point(0, True))]), "bad_data", "unexpected JSON"),
        (reply_json([metric(point(0, 1, sum="many"))]), "bad_data", "unexpected JSON"),
        (reply_json([metric({"value": 1})]), "bad_data", "startTimeInMillis"),
        (reply_json([metric(point(0), point(0))]), "bad_data", "two values with the same time"),
        (reply_json([metric(point(0)), metric(point(1))]), "bad_data", "a duplicate metric"),
        (reply_json([metric(point(0), point(1), frequency="TEN_MIN")]), "bad_data", "steps of 600 s that begin 60 s"),
        (reply_json([metric(point(0.5))]), "bad_data", "does not begin at a full minute"),
        (reply(503, b""), "server_error", "server error (503)"),
        (reply(429, b"", {"Retry-After": "7"}), "rate_limited", "wait 7 s"),
        (reply(401, b"<html>", {"Content-Type": "text/html"}), "auth", "with an HTML page"),
        (reply(302, b"", {"Location": "https://login.example/?x"}), "redirect", "to https://login.example (302)"),
        (reply(400, b"<html><b>Invalid application id 7</b> is specified</html>"), "bad_query", "id 7 is specified"),
        (
            lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n[]"),
            "truncated",
            "closed the connection before the response was complete",
        ),
    ],
)
def test_bad_answers(behave: Behave, reason: str, text: str) -> None:
    """Each invalid response has its own reason and a message of one line."""
    error = failed(behave)
    assert (error.reason, text in str(error)) == (reason, True), str(error)
    if reason in ("bad_data", "bad_query"):
        assert f"application 7, {CALLS}" in str(error)
