"""The check-up of servers that deny access, are not a Prometheus, or report less than a Prometheus."""

from __future__ import annotations

import html
import json
import socket
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from exporter.checkup import checked
from exporter.model.checkup import CheckContext, CheckResult
from exporter.model.observation import Window
from exporter.model.settings import Duration
from exporter.sources.prometheus.source import Options, checks
from tests.bad_server import BadServer, Behave, bad_server, reply, reply_json, silent, success
from tests.doctoring import assert_golden, transcript
from tests.secret import SECRET

END = 1795176000.0
DAY = 86400.0
ECHO = reply(401, f"Bearer {SECRET}".encode())


@contextmanager
def api(pages: Mapping[str, Behave], other: Behave) -> Iterator[BadServer]:
    """Answers requests by the end of their path."""

    def behave(connection: socket.socket) -> None:
        path = server.requests[-1].split(b" ")[1].decode().split("?")[0]
        next((page for end, page in pages.items() if path.endswith(end)), other)(connection)

    with bad_server(behave) as server:
        yield server


def responses(**data: object) -> Behave:
    return reply_json({"status": "success", "data": data})


def examined(server: BadServer, role: str = "production", path: str = "", **options: Any) -> tuple[CheckResult, ...]:
    window = Window(END - 35 * DAY, END) if role == "pte" else Window(END - DAY, END)
    pattern = Window(END - 7 * DAY, END) if role == "production" else None
    source_options = Options(**{"url": server.url + path, "preset": "prometheus", "timeout": Duration(20), **options})
    done = tuple(checked(checks(source_options, CheckContext(role, role, END + 20, window, pattern, 60.0, 1.0))))
    assert SECRET not in repr(done)
    assert all(step.causes for step in done if step.verdict in ("failed", "warning"))
    return done


def of(done: tuple[CheckResult, ...], check: str, subject: str = "") -> CheckResult:
    [match] = [step for step in done if (step.check, step.subject) == (check, subject)]
    return match


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    file = tmp_path / "secret"
    file.write_text(SECRET)
    return file


@pytest.mark.parametrize("credentials_kind", ["nothing", "token", "password"])
def test_not_let_in(credentials_kind: str, secret: Path) -> None:
    """A refusal is explained by the credentials: none, a token, a password; later steps are skipped."""
    options: dict[str, dict[str, Any]] = {
        "token": {"bearer_token_file": secret},
        "password": {"username": "me", "password_file": secret},
    }
    with bad_server(ECHO) as server:
        done = examined(server, **options.get(credentials_kind, {}))
    assert (of(done, "answer").verdict, of(done, "credentials").verdict) == ("ok", "failed")
    assert {step.verdict for step in done[done.index(of(done, "credentials")) + 1 :] if not step.subject} == {"skipped"}
    assert_golden(f"prometheus-let-in-with-{credentials_kind}", transcript([of(done, "credentials")]))


OTHERS: dict[str, tuple[Behave, dict[str, Any]]] = {
    "login-page": (reply(200, b"<!doctype html><title>Log in</title>", {"Content-Type": "text/html"}), {}),
    "not-found": (reply(404), {}),
    "something-else": (reply_json({"hello": "world"}), {}),
    "silent": (silent, {"timeout": Duration(0.5)}),
}


@pytest.mark.parametrize("name", OTHERS)
def test_something_else(name: str) -> None:
    """A server without the Prometheus API is recognised by its response to a query; a silent one by its time."""
    behave, options = OTHERS[name]
    start = time.monotonic()
    with api({"/buildinfo": reply(200)}, behave) as server:
        done = examined(server, **options)
    assert time.monotonic() - start < 10
    assert [step.check for step in done if step.verdict == "failed"] == ["credentials"]
    assert_golden(f"prometheus-{name}", transcript([of(done, "credentials")]))


def test_path_that_is_appended() -> None:
    """A URL that ends in /api/v1 is reported first, and then the cause of the failed query."""
    with api({"/api/v1/api/v1/query": reply(404)}, reply(200)) as server:
        done = examined(server, path="/api/v1")
    assert of(done, "url").causes[0].remedy == f"url: {server.url}"
    assert of(done, "credentials").verdict == "failed"


NOTHING: dict[str, Behave] = {"/query": success([]), "/query_range": success([], "matrix")}


def test_index_not_told() -> None:
    """Without an index, all causes are listed."""
    with api(NOTHING, reply(400, b"unsupported path")) as server:
        done = examined(server, signals={"throughput": None})
    assert of(done, "signal", "request_rate").result.startswith("no result, and the server does not report")
    assert_golden("prometheus-index-not-told", transcript([of(done, "signal", "request_rate")]))


def test_old() -> None:
    """A Prometheus older than the tested versions is a warning; other servers have other version numbers."""
    text = {}
    for version in (
        {"version": "2.30.1", "goVersion": "go1.16.7"},
        {"version": "2.24.0"},  # of any VictoriaMetrics
        {"version": "0.35.0", "revision": "bbfd2d9"},
        {"version": "2.10.0", "application": "Grafana Mimir"},
    ):
        with api({**NOTHING, "/buildinfo": responses(**version)}, reply(404)) as server:
            text[version["version"]] = of(examined(server), "build")
    assert {version: step.verdict for version, step in text.items()} == {
        "2.30.1": "warning",
        "2.24.0": "ok",
        "0.35.0": "ok",
        "2.10.0": "ok",
    }
    assert text["2.10.0"].result == "Grafana Mimir 2.10.0"


FLAGS = {"storage.tsdb.retention.time": "0s", "storage.tsdb.retention": "0s", "storage.tsdb.retention.size": "0B"}


@pytest.mark.parametrize(
    ("flags", "runtime", "verdict", "text"),
    [
        (FLAGS, None, "warning", "the server keeps data for 15d, polls need 35d: older test runs cannot be found"),
        ({**FLAGS, "storage.tsdb.retention": "60d"}, None, "ok", "the server keeps data for 60d, polls need 35d"),
        (
            {**FLAGS, "storage.tsdb.retention.time": "1w"},
            None,
            "warning",
            "the server keeps data for 7d, polls need 35d: older test runs cannot be found",
        ),
        ({**FLAGS, "storage.tsdb.retention.size": "9GB"}, None, "ok", "the server keeps data for 9GB, polls need 35d"),
        (
            FLAGS,
            "30d or 512MiB",
            "warning",
            "the server keeps data for 30d or 512MiB, polls need 35d: older test runs cannot be found",
        ),
        (None, "90d", "ok", "the server keeps data for 90d, polls need 35d"),
        (None, None, "warning", "retention not reported"),
    ],
)
def test_retention(flags: dict[str, str] | None, runtime: str | None, verdict: str, text: str) -> None:
    """The retention comes from the server's flags and runtime information, in the server's own order."""
    pages = dict(NOTHING)
    if flags is not None:
        pages["/flags"] = responses(**flags)
    if runtime is not None:
        pages["/runtimeinfo"] = responses(storageRetention=runtime)
    with api(pages, reply(404)) as server:
        step = of(examined(server, "pte"), "flags", "retention")
    assert (step.verdict, step.result) == (verdict, text)


def test_before_the_runs() -> None:
    """In production the default retention keeps the week, and not the week before a run of a month ago."""
    with api({**NOTHING, "/runtimeinfo": responses(storageRetention="15d")}, reply(404)) as server:
        step = of(examined(server), "flags", "retention")
    expected = "the server keeps data for 15d, polls need 7d; for runs older than 8d, production before them is missing"
    assert step.result == expected


def test_gateway() -> None:
    """A gateway that redirects everything but the API is not a problem: polls only use the API."""
    away = reply(302, b"", {"Location": "/login"})
    with api({"/api/v1/status/buildinfo": reply(404), "/api/v1/query": success([])}, away) as server:
        done = examined(server)
    assert {step.check: step.verdict for step in done if step.check in ("answer", "credentials")} == {
        "answer": "ok",
        "credentials": "ok",
    }


ODD = 'p&a"s<s>w%2B/o=\\x+1'


@pytest.mark.parametrize("option", ["token", "password"])
def test_a_server_that_repeats_the_secret(option: str, tmp_path: Path) -> None:
    """However a server echoes a request, its message is shown without the secret."""
    (tmp_path / "secret").write_text(ODD)
    key = "bearer_token_file" if option == "token" else "password_file"
    sent: dict[str, Any] = {key: tmp_path / "secret", **({"username": "me"} if option == "password" else {})}
    forms = {ODD, quote(ODD), quote(ODD, safe=""), quote_plus(ODD), html.escape(ODD), json.dumps(ODD)[1:-1]}
    forms |= {b64encode(f"me:{ODD}".encode()).decode()} if option == "password" else set()
    for form in forms:
        error = {"status": "error", "errorType": "bad_data", "error": f"what is {form} for?"}
        with bad_server(reply_json(error, 400)) as server:
            done = of(examined(server, **sent), "credentials")
        assert "what is <secret> for?" in done.result
