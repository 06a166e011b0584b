"""HTTP out through a proxy, on real sockets."""

from __future__ import annotations

import socket
import ssl
import time
from pathlib import Path
from typing import Any

import pytest
import trustme

from exporter.clients.http import Session
from exporter.clients.http.options import HttpOptions, Proxy, TlsOptions
from exporter.clients.http.validation import problems
from exporter.errors import SourceError
from exporter.model.settings import Duration
from tests.bad_server import bad_server, drip, reply, response
from tests.proxy import proxy
from tests.running import SLACK
from tests.secret import SECRET

QUICK, PATIENT = Duration(1.5), Duration(20)


@pytest.fixture
def password(tmp_path: Path) -> Path:
    file = tmp_path / "password"
    file.write_text(f"{SECRET}\n")
    return file


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def secure(authority: trustme.CA, tmp_path: Path) -> tuple[ssl.SSLContext, TlsOptions]:
    """A server's certificate, and how to trust it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return context, TlsOptions(ca_file=tmp_path / "ca.pem")


def fetch(url: str, through: Proxy, **options: Any) -> bytes:
    session = Session(url, HttpOptions(**{"timeout": PATIENT, "proxy": through, **options}))
    try:
        return session.get("/api", {"query": "up"}).body
    finally:
        session.close()


def failure(url: str, through: Proxy, **options: Any) -> SourceError:
    with pytest.raises(SourceError) as caught:
        fetch(url, through, **options)
    assert "\n" not in str(caught.value)
    assert SECRET not in str(caught.value)
    return caught.value


def test_plain(password: Path) -> None:
    """A plain request goes to the proxy with the whole URL, its credentials go no further."""
    with bad_server(reply(200, b"ok")) as server, proxy("me", SECRET) as between:
        assert fetch(server.url, Proxy(between.url, "me", password)) == b"ok"
        assert between.heads[0].startswith(f"GET {server.url}/api?query=up HTTP/1.1")
        assert "proxy-authorization" not in server.headers()


def test_tunnel(password: Path, secure: tuple[ssl.SSLContext, TlsOptions]) -> None:
    """TLS goes through CONNECT, with the proxy's credentials for the proxy and ours for the server alone."""
    token = password.with_name("token")
    token.write_text("for-the-server")
    with bad_server(reply(200, b"ok"), secure[0]) as server, proxy("me", SECRET) as between:
        through = Proxy(between.url, "me", password)
        assert fetch(server.url, through, tls=secure[1], bearer_token_file=token) == b"ok"
        [head] = between.heads
        assert head.startswith(f"CONNECT 127.0.0.1:{server.port} HTTP/1.")
        assert "for-the-server" not in head
        assert server.headers()["authorization"] == "Bearer for-the-server"
        assert "proxy-authorization" not in server.headers()


@pytest.mark.parametrize("encrypted", [False, True])
@pytest.mark.parametrize("credentials", [False, True])
def test_credentials_refused(
    encrypted: bool, credentials: bool, password: Path, secure: tuple[ssl.SSLContext, TlsOptions]
) -> None:
    """A proxy that requires (other) credentials is `auth` and named, whether it tunnels or forwards."""
    with bad_server(reply(200, b"ok"), secure[0] if encrypted else None) as server, proxy("me", "another") as between:
        through = Proxy(between.url, "me", password) if credentials else Proxy(between.url)
        error = failure(server.url, through, tls=secure[1])
        assert error.reason == "auth"
        assert f"the proxy 127.0.0.1:{between.port} on the way to 127.0.0.1:{server.port} requires other" in str(error)
        assert server.requests == []


def test_password_rotates(password: Path, secure: tuple[ssl.SSLContext, TlsOptions]) -> None:
    """The proxy's password is read again for each request."""
    with bad_server(reply(200, b"ok"), secure[0]) as server, proxy("me", "second") as between:
        options = HttpOptions(timeout=PATIENT, tls=secure[1], proxy=Proxy(between.url, "me", password))
        session = Session(server.url, options)
        with pytest.raises(SourceError, match="407"):
            session.get("/")
        password.write_text("second")
        assert session.get("/").body == b"ok"
        session.close()


@pytest.mark.parametrize("encrypted", [False, True])
def test_no_proxy_there(encrypted: bool, secure: tuple[ssl.SSLContext, TlsOptions]) -> None:
    """A proxy that does not run is `refused`, and the message names the proxy."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with bad_server(reply(200, b"ok"), secure[0] if encrypted else None) as server:
        error = failure(server.url, Proxy(f"http://127.0.0.1:{port}"), tls=secure[1])
        assert (error.reason, server.requests) == ("refused", [])
        assert f"cannot connect to the proxy 127.0.0.1:{port} on the way to" in str(error)


def test_unknown_proxy() -> None:
    """So is one whose host name has no address."""
    error = failure("http://127.0.0.1:9", Proxy("http://proxy.invalid:3128"))
    assert error.reason == "refused"
    assert "the host name of the proxy proxy.invalid:3128" in str(error)
    assert "check proxy.url" in str(error)


@pytest.mark.parametrize("status", [403, 502])
def test_proxy_that_does_not_connect(status: int) -> None:
    """A proxy that refuses the tunnel, or cannot build it, is `refused` with its status."""
    with proxy(refuses=status) as between:
        error = failure("https://127.0.0.1:9", Proxy(between.url))
        assert error.reason == "refused"
        assert f"the proxy 127.0.0.1:{between.port} does not connect to 127.0.0.1:9 ({status})" in str(error)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_hanging_proxy(scheme: str) -> None:
    """A proxy that takes the request and says nothing holds us no longer than the deadline."""
    with proxy(refuses=0) as between:
        start = time.monotonic()
        error = failure(f"{scheme}://127.0.0.1:9", Proxy(between.url), timeout=QUICK)
        assert time.monotonic() - start < QUICK + SLACK
        assert error.reason == "timeout"
        assert f"through the proxy 127.0.0.1:{between.port}" in str(error)


@pytest.mark.parametrize("encrypted", [False, True])
def test_deadline_through_a_proxy(encrypted: bool, secure: tuple[ssl.SSLContext, TlsOptions]) -> None:
    """A server that drips bytes holds us no longer through a proxy."""
    behave = drip(response(200, b"x" * 1000), at_once=80)
    with bad_server(behave, secure[0] if encrypted else None) as server, proxy() as between:
        start = time.monotonic()
        assert failure(server.url, Proxy(between.url), tls=secure[1], timeout=QUICK).reason == "timeout"
        assert time.monotonic() - start < QUICK + SLACK


def test_certificate_through_a_proxy(secure: tuple[ssl.SSLContext, TlsOptions]) -> None:
    """The server's certificate is checked behind the proxy, and the message names the server."""
    with bad_server(reply(200, b"ok"), secure[0]) as server, proxy() as between:
        error = failure(server.url, Proxy(between.url))
        assert error.reason == "tls"
        assert f"certificate of 127.0.0.1:{server.port} not accepted" in str(error)


@pytest.mark.parametrize(
    ("proxy_options", "path"),
    [
        (Proxy("proxy:3128"), "proxy.url"),
        (Proxy(f"http://me:{SECRET}@proxy:3128"), "proxy.url"),
        (Proxy("http://proxy:3128/path"), "proxy.url"),
        (Proxy("https://proxy:3128"), "proxy.url"),
        (Proxy("http://proxy:3128", "me"), "proxy.username"),
        (Proxy("http://proxy:3128", None, Path("missing")), "proxy.username"),
        (Proxy("http://proxy:3128", "me", Path("missing")), "proxy.password_file"),
        (Proxy("http://proxy:3128", "me", Path("missing"), "HOME"), "proxy.password_env"),
    ],
)
def test_problems(proxy_options: Proxy, path: str) -> None:
    """Invalid options of a proxy are reported with their path and without the secret."""
    invalid = problems("http://host", HttpOptions(proxy=proxy_options))
    assert path in [where for where, _ in invalid]
    assert SECRET not in repr(invalid)
