"""Bad days: each way a server can fail, on real sockets, ends in one line with its reason, in time."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.utils import formatdate
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from exporter.analysis import run
from exporter.errors import SourceError
from exporter.model.observation import Window
from exporter.model.settings import Duration, TestRunSettings
from exporter.sources.prometheus.source import Options, Source
from tests.bad_server import (
    BadServer,
    Behave,
    bad_server,
    drip,
    endless,
    mute_listener,
    reply,
    reply_json,
    response,
    silent,
    success,
)
from tests.running import SLACK

END = 1795176000.0
HOUR = Window(END - 3600, END)
SECRET = "swordfish-3141592653"
QUICK = Duration(0.5)
PATIENT = Duration(20)

choose = partial(run.choose, settings=TestRunSettings(), explicit={})


def element(value: str, **labels: str) -> dict[str, object]:
    return {"metric": labels, "value": [END, value]}


def minutes(*values: str, **labels: str) -> dict[str, object]:
    return {"metric": labels, "values": [[END - 60 * ago, value] for ago, value in reversed(list(enumerate(values)))]}


@contextmanager
def api(*series: object, headers: Mapping[str, str] | None = None, **beside: object) -> Iterator[BadServer]:
    """Answers every range query with these series, and every instant query with nothing."""

    def behave(connection: socket.socket) -> None:
        ranged = server.requests[-1].startswith(b"POST /api/v1/query_range ")
        kind, result = ("matrix", series) if ranged else ("vector", ())
        answer = {"status": "success", "data": {"resultType": kind, "result": result}, **beside}
        reply_json(answer, headers=headers)(connection)

    with bad_server(behave) as server:
        yield server


MEAN = element("5", application="shop", stat="mean")
SHOP = minutes("6", "5", "4", application="shop")
ERROR = {"status": "error", "errorType": "execution", "error": f"out of memory, {SECRET}"}
BODY = response(200, b'{"status": "success"' + b" " * 1000)

BAD_DAYS: dict[str, tuple[Behave, str]] = {
    "401": (reply(401, SECRET.encode()), "auth"),
    "403": (reply(403, SECRET.encode()), "auth"),
    "404": (reply(404), "not_found"),
    "429": (reply(429, headers={"Retry-After": "17"}), "rate_limited"),
    "500": (reply(500, SECRET.encode()), "server_error"),
    "503": (reply(503), "server_error"),
    "HTML": (reply(200, b"<!doctype html><title>Log in</title>", {"Content-Type": "text/html"}), "not_json"),
    "truncated JSON": (reply(200, b'{"status":"success","data":{"resultTy'), "truncated"),
    "broken off": (lambda connection: connection.sendall(BODY[:200]), "truncated"),
    "drips headers": (drip(BODY), "timeout"),
    "drips body": (drip(BODY, at_once=100), "timeout"),
    "silent": (silent, "timeout"),
    "endless": (endless, "too_large"),
    "redirect": (reply(302, headers={"Location": f"http://192.0.2.1/?{SECRET}"}), "redirect"),
    "refused query": (reply_json(ERROR, 422), "bad_query"),
    "duplicate": (success([MEAN, MEAN]), "bad_data"),
    "wrong type": (success([END, "1"], "scalar"), "bad_data"),
    "wrong number": (success([element("lots", application="shop", stat="mean")]), "bad_data"),
    "wrong shape": (reply_json({"status": "success", "data": 5}), "bad_data"),
}


@pytest.fixture
def token(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text(SECRET)
    return file


def source(server: BadServer, token: Path | None = None, **options: Any) -> Source:
    bearer = {"bearer_token_file": token} if token else {}
    defaults = {"url": server.url, "preset": "opentelemetry", "timeout": PATIENT, "max_bytes": 1 << 20}
    return Source(Options(**{**defaults, **bearer, **options}), "production")


def check(server: BadServer, token: Path, reason: str, caplog: pytest.LogCaptureFixture) -> None:
    """Both ways of observing fail with the reason, in time; the source is as good as new afterwards."""
    caplog.set_level(logging.DEBUG)
    timeout = QUICK if reason == "timeout" else PATIENT
    polled = source(server, token, timeout=timeout)
    for observe in (partial(polled.observe, HOUR, HOUR), partial(polled.observe_runs, HOUR, 1.0, choose)):
        start = time.monotonic()
        with pytest.raises(SourceError) as caught:
            observe()
        assert time.monotonic() - start < QUICK + SLACK
        text = str(caught.value)
        assert caught.value.reason == reason
        assert f"127.0.0.1:{server.port}" in text
        assert "\n" not in text
        assert SECRET not in text + repr(caught.value) + caplog.text
    polled.close()


@pytest.mark.parametrize("day", BAD_DAYS)
def test_bad_day(day: str, token: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever the server does, the poll ends with the right reason and says which server it was."""
    behave, reason = BAD_DAYS[day]
    with bad_server(behave) as server:
        check(server, token, reason, caplog)


def test_refused(token: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Nobody listening is `refused`."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    check(BadServer(port), token, "refused", caplog)


def test_silent_tls(token: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A server that never begins TLS is `timeout`."""
    with mute_listener() as server:
        check(server, token, "timeout", caplog)


def test_missing_secret(tmp_path: Path) -> None:
    """A secret that went missing is `unreadable`, names the file and the server, and nothing is sent."""
    with bad_server(success([])) as server:
        with pytest.raises(SourceError, match=rf"127\.0\.0\.1:{server.port}: cannot read .*/gone") as caught:
            source(server, tmp_path / "gone").observe(HOUR)
        assert server.requests == []
    assert caught.value.reason == "unreadable"


def test_retry_after(token: Path) -> None:
    """How long the server asks us to wait reaches the caller."""
    with bad_server(BAD_DAYS["429"][0]) as server, pytest.raises(SourceError) as caught:
        source(server, token).observe(HOUR)
    assert caught.value.retry_after == 17


def test_partial_result(token: Path) -> None:
    """A partial result is used, and its warnings come with it, without what we keep secret."""
    with api(SHOP, warnings=[f"store 2 is down, {SECRET}"], infos=["maybe no counter"]) as server:
        observation = source(server, token).observe(HOUR)
    assert observation.warnings == ("store 2 is down, <secret>", "maybe no counter")
    assert observation.applications["shop"].signals["request_rate"].mean == 5


def test_unmeasured_values() -> None:
    """NaN and infinite values are as if they were not there."""
    with api(minutes("NaN", "+Inf", application="a"), minutes("-Inf", "5", "NaN", application="shop")) as server:
        observation = source(server).observe(HOUR)
    assert list(observation.applications) == ["shop"]
    rate = observation.applications["shop"].signals["request_rate"]
    assert (rate.mean, rate.min, rate.samples) == (5, 5, 1)


def test_strange_labels() -> None:
    """Quotes, newlines and other alphabets in a label come through."""
    name = 'a "b"\nc\\ — ü'
    with api(minutes("5", application=name)) as server:
        assert list(source(server).observe(HOUR).applications) == [name]


def test_nameless_series() -> None:
    """A series without an application is left out."""
    with api(minutes("5"), minutes("5", application="", zone="b")) as server:
        assert source(server).observe(HOUR).applications == {}


def test_empty_result() -> None:
    """A server without our data is not an error: nothing was observed."""
    with api() as server:
        observation = source(server).observe(HOUR)
    assert (observation.applications, observation.warnings) == ({}, ())


@pytest.mark.parametrize(("offset", "words"), [(600, "ahead of ours"), (-600, "behind ours")])
def test_clock(offset: float, words: str) -> None:
    """A clock ten minutes off is a warning with the seconds; the data is still used."""
    with api(SHOP, headers={"Date": formatdate(time.time() + offset, usegmt=True)}) as server:
        observation = source(server).observe(HOUR)
    assert observation.clock_skew == pytest.approx(offset, abs=5)
    assert words in observation.warnings[0]
    assert "shop" in observation.applications


def test_tenant_header(token: Path) -> None:
    """The tenant header and the token go with every query of a poll."""
    with api(SHOP) as server:
        observation = source(server, token, headers={"X-Scope-OrgID": "shop"}).observe(HOUR)
        sent = [server.headers(index) for index in range(len(server.requests))]
    assert len(sent) == observation.queries
    assert {(headers["x-scope-orgid"], headers["authorization"]) for headers in sent} == {("shop", f"Bearer {SECRET}")}


def test_recovers(token: Path) -> None:
    """After a failure the same source observes again, with the token as it is then."""
    with api(SHOP) as server:
        polled = source(server, token)
        token.unlink()
        with pytest.raises(SourceError):
            polled.observe(HOUR)
        token.write_text("second")
        assert "shop" in polled.observe(HOUR).applications
        assert server.headers()["authorization"] == "Bearer second"
