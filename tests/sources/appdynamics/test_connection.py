"""The way to the controller: credentials on the wire, calls at a time, a token revoked in mid-cycle."""

from __future__ import annotations

import ssl
import threading
import time
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import trustme

from deploy.stack.controller import Controller, faults, serve
from exporter.clients.http import HttpResponse
from exporter.clients.http.options import Proxy, TlsOptions
from exporter.errors import SourceError
from exporter.model.settings import Duration
from exporter.sources.appdynamics.connection import Connection
from exporter.sources.appdynamics.options import Calls
from tests.bad_server import bad_server, reply, reply_json, silent
from tests.proxy import proxy
from tests.running import SLACK, until
from tests.secret import SECRET
from tests.sources.appdynamics.controlling import oauth, options

LIST = "/controller/rest/applications"
JSON = {"output": "JSON"}

pytestmark = pytest.mark.usefixtures("no_secret_in_logs")


@pytest.fixture
def controller() -> Controller:
    return Controller(secret=SECRET, users={"someone": SECRET}, parallel=100)


def refusal(connection: Connection) -> SourceError:
    with pytest.raises(SourceError) as caught:
        connection.get(LIST, JSON)
    assert connection.address in str(caught.value)
    assert "\n" not in str(caught.value)
    assert SECRET not in str(caught.value)
    return caught.value


def test_oauth(controller: Controller, tmp_path: Path) -> None:
    """An API client's token is fetched once and sent with each call."""
    with serve(controller) as url:
        connection = Connection(options(url, **oauth(tmp_path)))
        assert [connection.get(LIST, JSON).status for _ in range(3)] == [200] * 3
        connection.close()
    assert (controller.token_requests, controller.rest_requests) == (1, 3)


@pytest.mark.parametrize("user", ["someone", "someone@demo"])
def test_basic(controller: Controller, user: str, tmp_path: Path) -> None:
    """A user without @account gets it, one with it keeps it."""
    (tmp_path / "password").write_text(SECRET)
    with serve(controller) as url:
        connection = Connection(options(url, username=user, password_file=tmp_path / "password"))
        assert connection.get(LIST, JSON).status == 200
        connection.close()
    expected = b64encode(f"someone@demo:{SECRET}".encode()).decode()
    assert controller.requests[-1].headers["authorization"] == f"Basic {expected}"
    assert controller.token_requests == 0


def test_bearer(tmp_path: Path) -> None:
    """A token made in the controller's UI is read from its file for each call."""
    (tmp_path / "token").write_text(SECRET)
    with bad_server(reply_json([])) as server:
        connection = Connection(options(server.url, bearer_token_file=tmp_path / "token"))
        connection.get(LIST, JSON)
        (tmp_path / "token").write_text("second")
        connection.get(LIST, JSON)
        connection.close()
        assert [server.headers(i)["authorization"] for i in (0, 1)] == [f"Bearer {SECRET}", "Bearer second"]


def ways(tmp_path: Path) -> list[dict[str, Any]]:
    (tmp_path / "wrong").write_text("wrong-secret")
    wrong = tmp_path / "wrong"
    return [
        {"client": "pte-exporter", "client_secret_file": wrong},
        {"username": "someone", "password_file": wrong},
        {"bearer_token_file": wrong},
    ]


@pytest.mark.parametrize("variant", [0, 1, 2])
def test_wrong_credentials(controller: Controller, variant: int, tmp_path: Path) -> None:
    """Whichever way, wrong credentials are `auth`, at once and without another attempt."""
    with serve(controller) as url:
        error = refusal(Connection(options(url, **ways(tmp_path)[variant])))
    assert error.reason == "auth"
    assert "wrong-secret" not in str(error)
    assert len(controller.requests) == 1


@pytest.mark.parametrize("end", ["", "/", "/controller", "/controller/"])
def test_address(controller: Controller, end: str, tmp_path: Path) -> None:
    """The address works with /controller and without."""
    with serve(controller) as url:
        connection = Connection(options(url + end, **oauth(tmp_path)))
        assert connection.get(LIST, JSON).status == 200
        connection.close()


def together(connection: Connection, count: int) -> list[HttpResponse | SourceError]:
    def call() -> HttpResponse | SourceError:
        try:
            return connection.get(LIST, JSON)
        except SourceError as error:
            return error

    with ThreadPoolExecutor(count) as threads:
        return [future.result(60) for future in [threads.submit(call) for _ in range(count)]]


def test_revoked_in_mid_cycle(controller: Controller, tmp_path: Path) -> None:
    """Twenty parallel calls whose token is revoked are each sent once more, after one request for a new token."""
    with serve(controller) as url:
        connection = Connection(options(url, calls=Calls(parallel=20), **oauth(tmp_path)))
        connection.get(LIST, JSON)
        controller.access.revoke()
        controller.faults.add(faults.slow(1.0))
        result = together(connection, 20)
        connection.close()
    assert [item.status for item in result if isinstance(item, HttpResponse)] == [200] * 20
    assert controller.token_requests == 2
    assert controller.rest_requests == 1 + 40


def test_revoked_for_good(controller: Controller, tmp_path: Path) -> None:
    """A new token that is refused as well is `auth`, after one other attempt."""
    page = faults.login_page(401)
    with serve(controller) as url:
        controller.faults.add(page)
        error = refusal(Connection(options(url, **oauth(tmp_path))))
    assert error.reason == "auth"
    assert "(401 with an HTML page): check account and credentials" in str(error)
    assert "login page" in str(error)
    assert (controller.token_requests, controller.rest_requests) == (2, 2)


def test_forbidden(controller: Controller, tmp_path: Path) -> None:
    """403 is about rights, not about the token: none is fetched again."""
    with serve(controller) as url:
        controller.faults.add(faults.forbidden("*/applications"))
        error = refusal(Connection(options(url, **oauth(tmp_path))))
    assert (error.reason, controller.token_requests, controller.rest_requests) == ("auth", 1, 1)
    assert str(error).endswith("(403): check whether the role of our client or user may view this")


def test_unreadable_secret_names_the_controller(tmp_path: Path) -> None:
    """An error that came before anything was sent says which controller it is about."""
    error = refusal(Connection(options("http://controller.invalid:8090", bearer_token_file=tmp_path / "missing")))
    assert (error.reason, "controller.invalid:8090" in str(error)) == ("unreadable", True)


@pytest.mark.parametrize("parallel", [1, 3])
def test_calls_at_a_time(controller: Controller, parallel: int, tmp_path: Path) -> None:
    """However many threads call, only so many calls are under way."""
    controller.faults.add(faults.slow(0.2))
    with serve(controller) as url:
        connection = Connection(options(url, calls=Calls(parallel=parallel), **oauth(tmp_path)))
        result = together(connection, 12)
        connection.close()
    assert not [item for item in result if isinstance(item, SourceError)]
    assert controller.most_at_once == parallel


def test_abort() -> None:
    """Calls under way end at once; the connection serves the next ones."""
    with bad_server(silent) as server:
        connection = Connection(options(server.url, bearer_token_env="HOME", timeout=Duration(60)))
        errors: list[SourceError] = []
        thread = threading.Thread(target=lambda: errors.append(refusal(connection)))
        thread.start()
        until(lambda: bool(server.requests), "the request")
        start = time.monotonic()
        connection.abort()
        thread.join(30)
        assert time.monotonic() - start < SLACK
        assert len(errors) == 1


@pytest.mark.parametrize(
    ("status", "headers", "reason", "wait"),
    [
        (429, {"Retry-After": "17"}, "rate_limited", 17.0),
        (429, {}, "rate_limited", None),
        (503, {}, "server_error", None),
        (503, {"Retry-After": "17"}, "server_error", 17.0),
        (302, {"Location": "https://login.example/saml?SAMLRequest=x"}, "redirect", None),
        (404, {}, "not_found", None),
        (418, {}, "http_error", None),
    ],
)
def test_status(status: int, headers: dict[str, str], reason: str, wait: float | None, tmp_path: Path) -> None:
    """Each status has its reason, the wait that the controller asks for, and words about a controller."""
    (tmp_path / "token").write_text(SECRET)
    with bad_server(reply(status, b"", headers)) as server:
        error = refusal(Connection(options(server.url, bearer_token_file=tmp_path / "token")))
        assert len(server.requests) == 1
    assert (error.reason, error.retry_after) == (reason, wait)
    assert "Prometheus" not in str(error)
    if status == 302:
        assert "redirect to https://login.example (302)" in str(error)
        assert "SAML" not in str(error)


def test_own_authority(controller: Controller, tmp_path: Path) -> None:
    """A controller with a certificate of one's own authority is reached with its ca_file, through a proxy too."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    (tmp_path / "password").write_text(SECRET)
    with serve(controller, context=context) as url, proxy("me", SECRET) as between:
        assert refusal(Connection(options(url, **oauth(tmp_path)))).reason == "tls"
        values = options(
            url,
            tls=TlsOptions(ca_file=tmp_path / "ca.pem"),
            proxy=Proxy(between.url, "me", tmp_path / "password"),
            **oauth(tmp_path),
        )
        connection = Connection(values)
        assert connection.get(LIST, JSON).status == 200
        connection.close()
        assert [head.split(" ")[0] for head in between.heads] == ["CONNECT", "CONNECT"]  # for the token, for the call
