"""The client of the Prometheus API: good and bad responses, on real sockets."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import numpy as np
import promql_parser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.clients.http import Session
from exporter.clients.http.options import HttpOptions
from exporter.clients.prometheus import PrometheusClient, quote, series_name
from exporter.errors import SourceError
from tests.bad_server import BadServer, Behave, bad_server, reply, reply_json, success
from tests.servers import prometheus


@contextmanager
def client_of(behave: Behave, options: HttpOptions | None = None) -> Iterator[tuple[PrometheusClient, BadServer]]:
    with bad_server(behave) as server:
        session = Session(server.url, options or HttpOptions())
        yield PrometheusClient(session), server
        session.close()


def failure(behave: Behave) -> SourceError:
    with client_of(behave) as (client, server), pytest.raises(SourceError) as caught:
        client.query("up", 0)
    assert f"127.0.0.1:{server.port}" in str(caught.value)
    assert "\n" not in str(caught.value)
    return caught.value


def element(value: object, **labels: str) -> dict[str, object]:
    return {"metric": labels, "value": [1.5, value]}


@pytest.mark.parametrize(
    ("behave", "reason"),
    [
        (reply(200, b"<html>Log in</html>", {"Content-Type": "text/html"}), "not_json"),
        (reply(200, b"\xff\xfe"), "not_json"),
        (reply(200, b"OK"), "not_json"),
        (reply(200, b""), "truncated"),
        (reply(200, b'{"status":"success","data":{"resultType":"vec'), "truncated"),
        (reply(400, b"<html>Bad gateway</html>"), "http_error"),
        (reply_json([]), "bad_data"),
        (reply_json({"status": "success"}), "bad_data"),
        (success([], "matrix"), "bad_data"),
        (success([1.5, "1"], "scalar"), "bad_data"),
        (success({"a": 1}), "bad_data"),
        (success([element("many", job="a")]), "bad_data"),
        (success([element(1.0, job="a")]), "bad_data"),
        (reply_json({"status": "error", "errorType": "execution", "error": "no"}, 422), "bad_query"),
        (reply_json({"status": "error", "errorType": "bad_data", "error": "parse"}, 400), "bad_query"),
    ],
)
def test_bad_answers(behave: Behave, reason: str) -> None:
    """Each invalid response has its own reason."""
    assert failure(behave).reason == reason


def test_duplicate_series() -> None:
    """A series that comes twice is named, however strange its labels are."""
    twice = element("1", job='a"b\nc', town="Köln")
    error = failure(success([twice, twice]))
    assert error.reason == "bad_data"
    assert r'{job="a\"b\nc",town="Köln"}' in str(error)


def test_duplicate_series_of_a_range() -> None:
    """In a range too: its points would be joined to one series that was never measured."""
    series = {"metric": {"job": "a"}, "values": [[0, "1"], [60, "2"]]}
    with client_of(success([series, series], "matrix")) as (client, _), pytest.raises(SourceError) as caught:
        client.query_range("x", 0, 60, 60)
    assert caught.value.reason == "bad_data"
    assert 'returned a duplicate series: {job="a"}' in str(caught.value)


def test_bad_query_names_the_query() -> None:
    """The server's error and the query are in the message, secrets are not."""
    error = failure(reply_json({"status": "error", "errorType": "bad_data", "error": "unexpected\nend"}, 400))
    assert "bad_data: unexpected end; the query: up" in str(error)


def test_secret_in_answer(tmp_path: Path) -> None:
    """A server that echoes our token does not get it into errors or warnings."""
    token = tmp_path / "token"
    token.write_text("swordfish")
    options = HttpOptions(bearer_token_file=token)
    with client_of(success([], warnings=["used swordfish"]), options) as (client, _):
        client.query("up", 0)
        assert client.warnings == ["used <secret>"]
    error = reply_json({"status": "error", "errorType": "x", "error": "swordfish"}, 400)
    with client_of(error, options) as (client, _), pytest.raises(SourceError, match="x: <secret>"):
        client.query("up", 0)


def test_values_that_nobody_measured() -> None:
    """NaN and infinite values are left out, in vectors and in ranges."""
    values = [element("NaN", a="1"), element("+Inf", a="2"), element("-Inf", a="3"), element("7", a="4")]
    with client_of(success(values)) as (client, _):
        assert [(s.labels["a"], s.value) for s in client.query("x", 0)] == [("4", 7.0)]
    series = {"metric": {"a": "1"}, "values": [[0, "1"], [60, "NaN"], [120, "+Inf"], [180, "2"]]}
    nothing = {"metric": {"a": "2"}, "values": [[0, "NaN"]]}
    with client_of(success([series, nothing], "matrix")) as (client, _):
        [points] = client.query_range("x", 0, 180, 60)
        assert (points.times.tolist(), points.values.tolist()) == ([0, 180], [1, 2])


def test_warnings_and_infos() -> None:
    """What the server says beside its data is kept, once each, and queries are counted."""
    with client_of(success([], warnings=["partial"], infos=["not a counter"])) as (client, _):
        client.query("x", 0)
        client.query("x", 0)
        assert (client.warnings, client.queries) == (["partial", "not a counter"], 2)


def test_native_samples_are_told() -> None:
    """A native histogram instead of a number is left out with a warning."""
    histogram = {"metric": {"a": "1"}, "histogram": [1, {"count": "1", "sum": "1"}]}
    series = {"metric": {"a": "1"}, "histograms": [[1, {"count": "1", "sum": "1"}]]}
    with client_of(success([histogram, element("1", a="2")])) as (client, _):
        assert len(client.query("x", 0)) == 1
        assert "1 native histograms ignored" in client.warnings[0]
    with client_of(success([series], "matrix")) as (client, _):
        assert client.query_range("x", 0, 60, 60) == []
        assert "1 native histograms ignored" in client.warnings[0]


def test_form() -> None:
    """Queries travel in the body, never in the URL, and times keep their milliseconds."""
    with client_of(success([])) as (client, server):
        client.query('up{a="é&b"}', 1795176000.25)
        head, body = server.requests[0].split(b"\r\n\r\n")
    assert head.startswith(b"POST /api/v1/query HTTP/1.1")
    assert parse_qs(body.decode()) == {"query": ['up{a="é&b"}'], "time": ["1795176000.250"]}


def test_long_ranges_are_split(tmp_path: Path) -> None:
    """A range of more than 11,000 points is queried in parts that a real server accepts, and joined again."""
    with prometheus("2.42", tmp_path) as server:
        session = Session(server.url, HttpOptions())
        client = PrometheusClient(session)
        [series] = client.query_range("vector(time())", 0, 25_000 * 60, 60)
        session.close()
    assert client.queries == 3
    assert np.array_equal(series.times, np.arange(25_001) * 60.0)
    assert np.array_equal(series.values, series.times)


def test_real_bad_query(tmp_path: Path) -> None:
    """A real server's refusal is `bad_query` with the server's own words."""
    with prometheus("2.42", tmp_path) as server:
        session = Session(server.url, HttpOptions())
        with pytest.raises(SourceError, match="parse error") as caught:
            PrometheusClient(session).query("sum(", 0)
        session.close()
    assert caught.value.reason == "bad_query"


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_quote(value: str) -> None:
    """PromQL reads back exactly the value that was quoted."""
    parsed: Any = promql_parser.parse(f"label_replace(up, {quote('a')}, {quote(value)}, {quote('b')}, {quote('c')})")
    assert parsed.args[2].val == value


def test_series_name() -> None:
    """A label set is written as PromQL writes it."""
    assert series_name({"__name__": "up", "b": "2", "a": "1"}) == 'up{a="1",b="2"}'


def test_a_poll_of_many_queries_ends() -> None:
    """However quick each answer is, no query is sent when the time of the whole observation is over."""
    with client_of(success([])) as (quick, server):
        client = PrometheusClient(quick._session, 0.5)
        client.query("up", 0)
        time.sleep(0.5)
        with pytest.raises(SourceError, match=r"the queries of one poll took more than 0\.5 s") as caught:
            client.query("up", 0)
        assert caught.value.reason == "timeout"
        assert client.queries == len(server.requests) == 1
