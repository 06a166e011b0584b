"""--web.config.file: TLS, basic authentication and headers, on real sockets, and the values that are rejected."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import trustme

from exporter.errors import ConfigError
from exporter.serve.web import config as web_config
from exporter.serve.web.access import Access
from tests.bad_server import bad_server, reply
from tests.running import PATIENCE, Running, exporter, until

HASHED = "$2b$04$oUGKJgmDCdQkYHuXgeeT6Oh9DwsntJydTQmyQCMb2zU/oryWlJxSa"
"""Of "right"; always the same, because it is part of the names of tests."""


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def certificates(authority: trustme.CA, directory: Path) -> None:
    certificate = authority.issue_cert("127.0.0.1")
    certificate.private_key_pem.write_to_path(directory / "server.key")
    certificate.cert_chain_pems[0].write_to_path(directory / "server.crt")
    authority.cert_pem.write_to_path(directory / "ca.crt")


def written(directory: Path, text: str) -> Path:
    path = directory / "web.yml"
    path.write_text(text, encoding="utf-8")
    return path


TLS = "tls_server_config: {cert_file: server.crt, key_file: server.key%s}\n"


@pytest.fixture(scope="module")
def guarded(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """TLS, a user, and a header."""
    directory = tmp_path_factory.mktemp("guarded")
    certificates(authority, directory)
    text = TLS % ""
    text += f"basic_auth_users: {{alice: '{HASHED}'}}\n"
    text += "http_server_config: {headers: {Strict-Transport-Security: max-age=60, X-Frame-Options: SAMEORIGIN}}\n"
    with exporter(directory, "--web.config.file", str(written(directory, text)), scheme="https", wait=False) as running:
        yield running


def get(running: Running, path: str = "/metrics", user: tuple[str, str] | None = ("alice", "right")) -> int:
    ca = str(running.log.parent / "ca.crt")
    return requests.get(running.url + path, auth=user, verify=ca, timeout=PATIENCE).status_code


@pytest.mark.parametrize(
    ("user", "status"),
    [
        (("alice", "right"), 200),
        (("alice", "wrong"), 401),
        (("alice", ""), 401),
        (("bob", "right"), 401),
        (("", ""), 401),
        (("alice", "right" + "x" * 100), 401),
        (None, 401),
    ],
)
@pytest.mark.parametrize("path", ["/", "/metrics", "/-/healthy", "/nowhere"])
def test_only_the_right_password_opens(guarded: Running, path: str, user: tuple[str, str] | None, status: int) -> None:
    """Every path asks for a user and a password, also those that do not exist."""
    assert get(guarded, path, user) == (404 if status == 200 and path == "/nowhere" else status)


@pytest.mark.parametrize("header", ["Basic", "Basic !!!", "Basic YWxpY2U=", "Bearer YWxpY2U6cmlnaHQ=", "x" * 5000])
def test_a_broken_authorization_header_is_401(guarded: Running, header: str) -> None:
    """A header that is not basic authentication is rejected with a new challenge."""
    ca = str(guarded.log.parent / "ca.crt")
    answer = requests.get(guarded.url + "/", headers={"Authorization": header}, verify=ca, timeout=PATIENCE)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic realm=")


def test_configured_headers_win(guarded: Running) -> None:
    """A header of the file is in every response and replaces our own."""
    ca = str(guarded.log.parent / "ca.crt")
    headers = requests.get(guarded.url + "/", verify=ca, timeout=PATIENCE).headers
    assert headers["Strict-Transport-Security"] == "max-age=60"
    assert headers["X-Frame-Options"] == "SAMEORIGIN"


def test_reload_is_allowed_with_a_password(guarded: Running) -> None:
    """With users configured POST /-/reload works for them, and not from a page of another site."""
    ca = str(guarded.log.parent / "ca.crt")
    ask = {"auth": ("alice", "right"), "verify": ca, "timeout": PATIENCE}
    foreign = {"Sec-Fetch-Site": "cross-site"}
    assert requests.post(guarded.url + "/-/reload", **ask).status_code == 200  # type: ignore[arg-type]
    assert requests.post(guarded.url + "/-/reload", headers=foreign, **ask).status_code == 403  # type: ignore[arg-type]


def test_silent_tls_clients_do_not_stop_scrapes(guarded: Running) -> None:
    """A client that connects and never says hello, or stops half-way, delays no other client."""
    silent = [socket.create_connection(("127.0.0.1", guarded.port), timeout=20) for _ in range(20)]
    silent[0].sendall(b"\x16\x03\x01\x02\x00")
    try:
        assert get(guarded) == 200
    finally:
        for held in silent:
            held.close()


def test_old_tls_is_refused(guarded: Running) -> None:
    """A client that offers at most TLS 1.1 does not get in."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with socket.create_connection(("127.0.0.1", guarded.port), timeout=20) as raw, pytest.raises(ssl.SSLError):
        context.wrap_socket(raw)


def test_no_password_stands_in_the_log(guarded: Running) -> None:
    """Neither passwords nor hashes are logged."""
    text = guarded.log.read_text(encoding="utf-8")
    assert "right" not in text
    assert HASHED not in text


def test_client_certificates_are_demanded(authority: trustme.CA, tmp_path: Path) -> None:
    """With RequireAndVerifyClientCert only clients with a certificate of the CA have access."""
    certificates(authority, tmp_path)
    text = TLS % ", client_auth_type: RequireAndVerifyClientCert, client_ca_file: ca.crt, min_version: TLS13"
    client = authority.issue_cert("client.example")
    client.private_key_and_cert_chain_pem.write_to_path(tmp_path / "client.pem")
    path, ca = written(tmp_path, text), str(tmp_path / "ca.crt")
    with exporter(tmp_path, "--web.config.file", str(path), scheme="https", wait=False) as running:
        url, client_certificate = running.url + "/-/healthy", str(tmp_path / "client.pem")
        assert requests.get(url, verify=ca, cert=client_certificate, timeout=PATIENCE).status_code == 200
        with pytest.raises(requests.ConnectionError):
            requests.get(url, verify=ca, timeout=PATIENCE)


def test_certificates_and_users_are_taken_anew_at_a_reload(authority: trustme.CA, tmp_path: Path) -> None:
    """After a rotation and a reload new connections see the new certificate and the new users."""
    certificates(authority, tmp_path)
    path = written(tmp_path, TLS % "" + f"basic_auth_users: {{alice: '{HASHED}'}}\n")
    with exporter(tmp_path, "--web.config.file", str(path), scheme="https", wait=False) as running:
        assert get(running) == 200
        certificates(trustme.CA(), tmp_path)
        written(tmp_path, TLS % "" + f"basic_auth_users: {{carol: '{HASHED}'}}\n")
        running.process.send_signal(1)
        until(lambda: running.lines("reloaded"), "the reload")
        assert get(running, user=("alice", "right")) == 401
        assert get(running, user=("carol", "right")) == 200


@pytest.mark.parametrize(
    "text", [TLS % ", client_auth_type: RequireAndVerifyClientCert, client_ca_file: ca.crt", TLS % "", TLS % ", %s"]
)
def test_trusted_clients_are_not_changed_by_a_reload(authority: trustme.CA, tmp_path: Path, text: str) -> None:
    """Other authorities, or another client_auth_type, are rejected: a reload could not lock the old clients out."""
    extra = "client_auth_type: VerifyClientCertIfGiven, client_ca_file: ca.crt"
    certificates(authority, tmp_path)
    access = Access(written(tmp_path, TLS % f", {extra}"))
    access.reload()
    if "%s" in text:
        trustme.CA().cert_pem.write_to_path(tmp_path / "ca.crt")
        text %= extra
    written(tmp_path, text)
    with pytest.raises(ConfigError, match=r"tls_server_config\.client_ca_file: .* restart instead"):
        access.reload()


@pytest.mark.parametrize(
    ("options", "version"),
    [("", "TLSv1.3"), (", max_version: TLS12", "TLSv1.2"), (", max_version: TLS12, min_version: TLS12", "TLSv1.2")],
)
def test_the_highest_version_is_the_one_configured(
    authority: trustme.CA, tmp_path: Path, options: str, version: str
) -> None:
    """A client that can speak every version gets the highest that max_version allows."""
    certificates(authority, tmp_path)
    client = ssl.create_default_context(cafile=tmp_path / "ca.crt")
    with (
        bad_server(reply(200), Access(written(tmp_path, TLS % options)).tls) as server,
        socket.create_connection(("127.0.0.1", server.port), timeout=20) as raw,
        client.wrap_socket(raw, server_hostname="127.0.0.1") as connection,
    ):
        assert connection.version() == version


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("tls_server_config: {cert_file: x}", "tls_server_config.key_file: missing, expected a file name"),
        ("tls_server_config: {cert_file: no.crt, key_file: no.key}", "tls_server_config.cert_file: "),
        (
            TLS % ", client_auth_type: RequireAnyClientCert",
            "tls_server_config.client_auth_type: expected one of: NoClientCert",
        ),
        (TLS % ", client_auth_type: RequireAndVerifyClientCert", "tls_server_config.client_ca_file: missing"),
        (TLS % ", client_ca_file: no.crt", "tls_server_config.client_ca_file: "),
        (TLS % ", min_version: TLS13, max_version: TLS12", "tls_server_config.max_version: must be at least"),
        (TLS % ", cipher_suites: []", 'tls_server_config.cipher_suites: unknown key "cipher_suites"'),
        ("rate_limit: {interval: 1s}", 'rate_limit: unknown key "rate_limit"'),
        ("basic_auth_users: {alice: right}", "basic_auth_users.alice: is not a bcrypt hash"),
        ("basic_auth_users: {alice: 8675309}", "basic_auth_users.alice: expected a string, got a number"),
        (f"basic_auth_users: {{'a:b': '{HASHED}'}}", "basic_auth_users.a:b: must be a user name without a colon"),
        ('http_server_config: {headers: {X-Frame-Options: "a\\r\\nb: c"}}', "http_server_config.headers.X-Frame-O"),
    ],
)
def test_a_fault_in_the_file_is_told(authority: trustme.CA, tmp_path: Path, text: str, problem: str) -> None:
    """Each fault has its line with file and path, and no password in it."""
    certificates(authority, tmp_path)
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        web_config.read(path)
    (line,) = map(str, caught.value.problems)
    assert line.startswith(f"{path}: {problem}")
    assert "right" not in line
    assert "8675309" not in line


def test_a_certificate_without_its_key_is_told(authority: trustme.CA, tmp_path: Path) -> None:
    """A key that does not fit is named before anything listens."""
    certificates(authority, tmp_path)
    trustme.CA().issue_cert("x.example").private_key_pem.write_to_path(tmp_path / "server.key")
    with pytest.raises(ConfigError, match=r"cert_file: .* cannot be used: key values mismatch"):
        web_config.read(written(tmp_path, TLS % ""))


def test_tls_is_not_turned_off_by_a_reload(authority: trustme.CA, tmp_path: Path) -> None:
    """A reload that would change what is listened to is refused and changes nothing."""
    certificates(authority, tmp_path)
    access = Access(written(tmp_path, TLS % "" + f"basic_auth_users: {{alice: '{HASHED}'}}\n"))
    written(tmp_path, "{basic_auth_users: {}}")
    with pytest.raises(ConfigError, match="restart instead"):
        access.reload()
    assert access.users
