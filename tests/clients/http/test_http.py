"""HTTP out, on real sockets."""

from __future__ import annotations

import gzip
import os
import socket
import ssl
import time
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
import trustme

from exporter.clients.http import Session
from exporter.clients.http.deadline import Deadline
from exporter.clients.http.options import HttpOptions, TlsOptions
from exporter.clients.http.validation import problems
from exporter.errors import SourceError
from exporter.model.settings import Duration
from tests.bad_server import BadServer, Behave, bad_server, drip, endless, mute_listener, reply, response, silent
from tests.running import PATIENCE, SLACK, until
from tests.secret import SECRET

QUICK = Duration(1.5)
PATIENT = Duration(20)


@pytest.fixture
def token(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text(f"{SECRET}\n")
    return file


def fetch(server: BadServer, **options: Any) -> bytes:
    session = Session(server.url, HttpOptions(**{"timeout": PATIENT, **options}))
    try:
        return session.post("/api", {"query": "up"}).body
    finally:
        session.close()


def failure(server: BadServer, **options: Any) -> SourceError:
    with pytest.raises(SourceError) as caught:
        fetch(server, **options)
    assert f":{server.port}" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert SECRET not in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (401, "auth"),
        (403, "auth"),
        (404, "not_found"),
        (418, "http_error"),
        (429, "rate_limited"),
        (500, "server_error"),
        (503, "server_error"),
        (501, "http_error"),
    ],
)
def test_status(status: int, reason: str, token: Path) -> None:
    """Each status becomes its reason, and a server that echoes the token does not get it into the message."""
    with bad_server(reply(status, f"Bearer {SECRET}".encode())) as server:
        error = failure(server, bearer_token_file=token)
        assert (error.reason, error.status) == (reason, status)
        assert error.location == f"127.0.0.1:{server.port}"


def test_retry_after() -> None:
    """Retry-After is understood as seconds and as a date."""
    for header, seconds in (("17", 17.0), (formatdate(time.time() + 60, usegmt=True), 60.0)):
        with bad_server(reply(429, headers={"Retry-After": header})) as server:
            assert failure(server).retry_after == pytest.approx(seconds, abs=3)


def test_retry_after_nonsense() -> None:
    """A Retry-After that is neither a number nor a date is ignored."""
    with bad_server(reply(503, headers={"Retry-After": "soon"})) as server:
        assert failure(server).retry_after is None


def test_refused() -> None:
    """A port without a server is `refused`."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert failure(BadServer(port)).reason == "refused"


def test_unknown_host() -> None:
    """A host name without an address is `refused` and says so."""
    with pytest.raises(SourceError, match=r"cannot resolve the host name of nowhere\.invalid:80") as caught:
        Session("http://nowhere.invalid", HttpOptions()).post("/", {})
    assert caught.value.reason == "refused"


@pytest.mark.parametrize(
    "behave",
    [
        pytest.param(silent, id="silent"),
        pytest.param(drip(response(200, b"x" * 1000, {"X-Long": "y" * 1000})), id="headers"),
        pytest.param(drip(response(200, b"x" * 1000), at_once=80), id="body"),
        pytest.param(drip(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b"x" * 1000, at_once=60), id="no length"),
        pytest.param(
            drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 1000, 60), id="chunked"
        ),
    ],
)
def test_deadline(behave: Behave) -> None:
    """A server that drips bytes in headers or body holds us no longer than the deadline."""
    with bad_server(behave) as server:
        start = time.monotonic()
        assert failure(server, timeout=QUICK).reason == "timeout"
        assert time.monotonic() - start < QUICK + SLACK


def test_a_connection_made_too_late_is_shut_at_once() -> None:
    """A connection that becomes known after its time was up is not waited on."""
    deadline = Deadline()
    ours, theirs = socket.socketpair()
    with ours, theirs, deadline.within(0.01):
        until(lambda: deadline.passed, "the deadline")
        ours.settimeout(PATIENCE)
        deadline.watch(ours)
        assert ours.recv(1) == b""


def test_deadline_on_second_use() -> None:
    """The deadline also holds for a reused connection."""
    calls: list[int] = []

    def behave(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        connection.recv(65536)
        calls.append(1)
        drip(response(200, b"x" * 1000))(connection)

    with bad_server(behave) as server:
        session = Session(server.url, HttpOptions(timeout=QUICK))
        assert session.post("/", {}).body == b"ok"
        start = time.monotonic()
        with pytest.raises(SourceError) as caught:
            session.post("/", {})
        assert (caught.value.reason, calls) == ("timeout", [1])
        assert time.monotonic() - start < QUICK + SLACK


def test_silent_tls() -> None:
    """A server that accepts and never begins TLS holds us no longer than the deadline."""
    with mute_listener() as server:
        start = time.monotonic()
        assert failure(server, timeout=QUICK).reason == "timeout"
        assert time.monotonic() - start < QUICK + SLACK


def test_endless_body() -> None:
    """A body that never ends is cut at the byte cap."""
    with bad_server(endless) as server:
        assert failure(server, max_bytes=1 << 20).reason == "too_large"


def test_compressed_bomb() -> None:
    """The byte cap counts what comes out of compression."""
    body = gzip.compress(b" " * (8 << 20))
    with bad_server(reply(200, body, {"Content-Encoding": "gzip"})) as server:
        assert failure(server, max_bytes=1 << 20).reason == "too_large"


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nshort",
        b"",
    ],
)
def test_truncated(data: bytes) -> None:
    """A response that is cut off is `truncated`."""
    with bad_server(lambda connection: connection.sendall(data)) as server:
        assert failure(server).reason == "truncated"


def test_redirect(token: Path) -> None:
    """A redirect to another host is named and not followed: the token is not sent there."""
    with bad_server(reply(200, b"here")) as other:
        location = f"http://127.0.0.1:{other.port}/api?{SECRET}"
        with bad_server(reply(307, headers={"Location": location})) as server:
            error = failure(server, bearer_token_file=token)
        assert error.reason == "redirect"
        assert f"redirect to http://127.0.0.1:{other.port} (307)" in str(error)
        assert error.destination == f"http://127.0.0.1:{other.port}"
        assert other.requests == []


def test_bearer_token_rotates(token: Path) -> None:
    """The token is read again for each request."""
    with bad_server(reply(200, b"ok")) as server:
        session = Session(server.url, HttpOptions(bearer_token_file=token))
        session.post("/", {})
        token.write_text("second")
        session.post("/", {})
        session.close()
        assert [server.headers(i)["authorization"] for i in (0, 1)] == [f"Bearer {SECRET}", "Bearer second"]


def test_credentials(token: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Basic auth, a token from the environment, a tenant header and a secret header reach the server."""
    monkeypatch.setenv("PTE_TOKEN", SECRET)
    with bad_server(reply(200, b"ok")) as server:
        fetch(server, bearer_token_env="PTE_TOKEN", headers={"X-Scope-OrgID": "shop"}, headers_files={"X-Key": token})
        fetch(server, username="me", password_file=token)
        first, second = server.headers(0), server.headers(1)
    assert (first["authorization"], first["x-scope-orgid"], first["x-key"]) == (f"Bearer {SECRET}", "shop", SECRET)
    assert second["authorization"].startswith("Basic ")


def test_environment_is_not_used(token: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither a proxy nor a .netrc of the environment changes what is sent where."""
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine 127.0.0.1 login me password {SECRET}")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with bad_server(reply(200, b"ok")) as server:
        assert fetch(server) == b"ok"
        assert "authorization" not in server.headers()


@pytest.mark.parametrize("content", [None, "", "two\nlines", "ключ", b"\xff\xfe"])
def test_unreadable_secret(content: str | bytes | None, tmp_path: Path) -> None:
    """A secret that is missing or not a line of text is a problem for `check` and `unreadable` for a poll."""
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content.encode() if isinstance(content, str) else content)
    options = HttpOptions(bearer_token_file=file)
    [(path, problem)] = problems("http://localhost", options)
    assert path == "bearer_token_file"
    assert str(file) in str(problem)
    with pytest.raises(SourceError) as caught:
        Session("http://localhost", options).post("/", {})
    assert caught.value.reason == "unreadable"


def test_unset_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment variable that is not set is named."""
    monkeypatch.delenv("PTE_TOKEN", raising=False)
    [(path, problem)] = problems("http://localhost", HttpOptions(bearer_token_env="PTE_TOKEN"))
    assert path == "bearer_token_env"
    assert "PTE_TOKEN is not set" in str(problem)


@pytest.mark.parametrize(
    ("url", "options", "path"),
    [
        ("ftp://host", {}, "url"),
        ("http://", {}, "url"),
        ("http://host:99999", {}, "url"),
        (f"http://me:{SECRET}@host", {}, "url"),
        ("http://host?x=1", {}, "url"),
        ("http://host", {"timeout": Duration(0)}, "timeout"),
        ("http://host", {"max_bytes": 0}, "max_bytes"),
        ("http://host", {"username": "me"}, "username"),
        ("http://host", {"headers": {"Authorization": SECRET}}, "headers.Authorization"),
        ("http://host", {"headers": {"X": f"{SECRET}\r\n"}}, "headers.X"),
        ("http://host", {"headers": {"X Y": "1"}}, "headers.X Y"),
        ("http://host", {"headers_files": {"X Y": Path(os.devnull)}}, "headers_files.X Y"),
        ("http://host", {"tls": TlsOptions(cert_file=Path("only.pem"))}, "tls.cert_file"),
        ("http://host", {"tls": TlsOptions(ca_file=Path("missing.pem"))}, "tls"),
        ("http://host", {"tls": TlsOptions(ca_file=Path(__file__))}, "tls"),
    ],
)
def test_problems(url: str, options: dict[str, Any], path: str) -> None:
    """Invalid options are reported with their path and without the secret."""
    invalid = problems(url, HttpOptions(**options))
    assert path in [where for where, _ in invalid]
    assert SECRET not in repr(invalid)


def test_two_credentials(token: Path) -> None:
    """Two credentials are a problem because only one could be sent."""
    both = HttpOptions(bearer_token_file=token, username="me", password_file=token, password_env="PATH")
    twice = HttpOptions(bearer_token_file=token, bearer_token_env="HOME")
    assert [path for path, _ in problems("http://h", both)] == ["password_env", "username"]
    assert [path for path, _ in problems("http://h", twice)] == ["bearer_token_env"]


@pytest.mark.parametrize("offset", [600.0, -600.0])
def test_clock_skew(offset: float) -> None:
    """The Date header gives the difference between the server's clock and ours."""
    date = formatdate(time.time() + offset, usegmt=True)
    with bad_server(reply(200, b"ok", {"Date": date})) as server:
        session = Session(server.url, HttpOptions())
        assert session.post("/", {}).clock_skew == pytest.approx(offset, abs=3)
        session.close()


def test_no_date() -> None:
    """Without a readable Date header nothing is said about the clock."""
    with bad_server(reply(200, b"ok", {"Date": "yesterday"})) as server:
        assert Session(server.url, HttpOptions()).post("/", {}).clock_skew is None


def test_redact(token: Path) -> None:
    """A text from the server becomes one short line in which our secrets are masked."""
    with bad_server(reply(200, b"ok")) as server:
        session = Session(server.url, HttpOptions(bearer_token_file=token))
        session.post("/", {})
    assert session.redact(f"bad\n\x1b[31m token {SECRET}") == "bad [31m token <secret>"
    assert session.redact("a" * 1000 + "b" * 1000) == "a" * 150 + " ... " + "b" * 150


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def tls_context(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


def test_tls(authority: trustme.CA, tmp_path: Path) -> None:
    """A certificate of an unknown authority is refused, accepted with its ca_file, and with verification off."""
    ca_file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    with bad_server(reply(200, b"ok"), tls_context(authority)) as server:
        error = failure(server)
        assert error.reason == "tls"
        assert "certificate" in str(error)
        assert fetch(server, tls=TlsOptions(ca_file=ca_file)) == b"ok"
        assert fetch(server, tls=TlsOptions(insecure_skip_verify=True)) == b"ok"


def test_mutual_tls(authority: trustme.CA, tmp_path: Path) -> None:
    """A server that requires a client certificate gets it; without one the error is `tls`."""
    ca_file, pair = tmp_path / "ca.pem", tmp_path / "pair.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    authority.issue_cert("client").private_key_and_cert_chain_pem.write_to_path(str(pair))
    context = tls_context(authority)
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)
    with bad_server(reply(200, b"ok"), context) as server:
        assert fetch(server, tls=TlsOptions(ca_file=ca_file, cert_file=pair, key_file=pair)) == b"ok"
        assert failure(server, tls=TlsOptions(ca_file=ca_file)).reason in ("tls", "truncated")


def test_https_to_http() -> None:
    """TLS to a server that speaks plain HTTP is `tls`."""
    with bad_server(reply(200, b"ok")) as server:
        server.scheme = "https"
        error = failure(server)
        assert error.reason == "tls"
        assert "does it speak https? does it require a client certificate (tls.cert_file)" in str(error)


def test_repr(token: Path) -> None:
    """No representation holds a secret."""
    options = HttpOptions(bearer_token_file=token)
    assert SECRET not in repr(options) + repr(Session("http://h", options))
