"""The connection to a server, step by step: one golden transcript for each problem."""

from __future__ import annotations

import datetime
import socket
import ssl
import time
from collections.abc import Mapping
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
import trustme

from exporter.checkup import checked
from exporter.clients.http.checks import CHECKS, connection_steps
from exporter.clients.http.options import HttpOptions, Proxy, TlsOptions
from exporter.model.checkup import CheckResult
from exporter.model.settings import Duration
from tests.bad_server import bad_server, mute_listener, reply
from tests.doctoring import assert_golden, transcript
from tests.proxy import proxy
from tests.running import SLACK
from tests.secret import SECRET

PATIENT = Duration(20)
SHORT_NAMES = {"http_proxy", "https_proxy", "no_proxy", "all_proxy"}


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of the machine's own surroundings, and always as if in a container."""
    for name in (*SHORT_NAMES, "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "NETRC"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA(organization_name="Example", organization_unit_name="Root")


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


def context(authority: trustme.CA, name: str = "127.0.0.1", days: tuple[int, int] = (-1, 365)) -> ssl.SSLContext:
    """A server's context with a certificate valid between so many days from now."""
    now = datetime.datetime.now(datetime.UTC)
    begin, end = (now + datetime.timedelta(days=offset) for offset in days)
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(
        name,
        common_name="web",
        organization_name="Example",
        organization_unit_name="Web",
        not_before=begin,
        not_after=end,
    ).configure_cert(server_context)
    return server_context


def examined(url: str, appended: tuple[str, ...] = (), **options: Any) -> tuple[CheckResult, ...]:
    steps = connection_steps(url, HttpOptions(**{"timeout": PATIENT, **options}), appended)
    done = tuple(checked(steps))
    assert SECRET not in repr(done)
    assert [step.check for step in done] == [name for name in CHECKS if name in {step.check for step in done}]
    return done


def assert_output(
    name: str, done: tuple[CheckResult, ...], tmp_path: Path, replaced: Mapping[str, str] | None = None
) -> None:
    """Compare with the golden transcript, in which each failure and warning has a cause and a remedy."""
    troubles = [step for step in done if step.verdict in ("failed", "warning")]
    assert troubles
    assert all(step.causes and all(cause.text and cause.remedy for cause in step.causes) for step in troubles)
    assert_golden(f"http-{name}", transcript(done, tmp_path, replaced))


def verdicts(done: tuple[CheckResult, ...]) -> dict[str, str]:
    return {step.check: step.verdict for step in done}


def test_well(authority: trustme.CA, ca_file: Path) -> None:
    """Over TLS with a known authority every step is well."""
    answer = reply(200, b"ok", {"Date": formatdate(time.time(), usegmt=True)})
    with bad_server(answer, context(authority)) as server:
        done = examined(server.url, tls=TlsOptions(ca_file=ca_file))
    assert set(verdicts(done).values()) == {"ok"}
    assert "signed by Example, Root" in next(step.result for step in done if step.check == "tls")


def test_refused(tmp_path: Path) -> None:
    """Where no server listens, the first cause is that it does not run, the last is another container's loopback."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert_output("refused", examined(f"http://127.0.0.1:{port}"), tmp_path, {f"port {port}": "port <port>"})


def test_no_such_name(tmp_path: Path) -> None:
    """An invalid name is reported before anything is sent; a short name may need a search domain."""
    assert_output("no-such-name", examined("http://nowhere..example"), tmp_path)
    [dns] = [step for step in examined("http://nowhere.invalid") if step.check == "dns"]
    assert dns.verdict == "failed"
    assert "a typo in the name" in {cause.text for cause in dns.causes}
    [dns] = [step for step in examined(f"http://{'x' * 64}") if step.check == "dns"]
    assert any("search domain" in cause.text for cause in dns.causes)


def test_self_signed(tmp_path: Path) -> None:
    """A self-signed certificate is distinguished from one of an unknown CA."""
    own = trustme.CA(organization_name="Example", organization_unit_name="Web")
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    own.cert_pem.write_to_path(str(chain))
    own.private_key_pem.write_to_path(str(key))
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_context.load_cert_chain(chain, key)
    with bad_server(reply(200), server_context) as server:
        assert_output("self-signed", examined(server.url), tmp_path)


def test_unknown_authority(authority: trustme.CA, tmp_path: Path) -> None:
    """An unknown CA is private, or a proxy's: both causes are named, with remedies."""
    with bad_server(reply(200), context(authority)) as server:
        assert_output("unknown-authority", examined(server.url), tmp_path)


def test_authority_of_the_machine(
    authority: trustme.CA, ca_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An authority that other programs on the machine know is found, and its file is the remedy."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(ca_file))
    with bad_server(reply(200), context(authority)) as server:
        assert_output("authority-of-the-machine", examined(server.url), tmp_path)


def test_other_authority(authority: trustme.CA, tmp_path: Path) -> None:
    """A ca_file with another authority is named as the cause."""
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    with bad_server(reply(200), context(authority)) as server:
        assert_output("other-authority", examined(server.url, tls=TlsOptions(ca_file=other)), tmp_path)


def test_inspected(tmp_path: Path) -> None:
    """The name of an inspecting proxy in the issuer is said first, and is a warning where its root is trusted."""
    vendor, root = trustme.CA(organization_name="Zscaler Inc.", organization_unit_name="Root"), tmp_path / "root.pem"
    vendor.cert_pem.write_to_path(str(root))
    with bad_server(reply(200, b"ok"), context(vendor)) as server:
        assert_output("inspected", examined(server.url), tmp_path)
        [tls] = [step for step in examined(server.url, tls=TlsOptions(ca_file=root)) if step.check == "tls"]
    assert (tls.verdict, "can read our credentials" in tls.causes[0].text) == ("warning", True)


def test_expired(authority: trustme.CA, ca_file: Path, tmp_path: Path) -> None:
    """An expired certificate is reported with its end."""
    with bad_server(reply(200), context(authority, days=(-9, -2))) as server:
        assert_output("expired", examined(server.url, tls=TlsOptions(ca_file=ca_file)), tmp_path)


def test_not_yet_valid(authority: trustme.CA, ca_file: Path) -> None:
    """If a certificate is not valid yet, our clock is probably wrong."""
    with bad_server(reply(200), context(authority, days=(2, 9))) as server:
        [tls] = [step for step in examined(server.url, tls=TlsOptions(ca_file=ca_file)) if step.check == "tls"]
    assert (tls.verdict, "clock" in tls.causes[0].text) == ("failed", True)


def test_ends_soon(authority: trustme.CA, ca_file: Path, tmp_path: Path) -> None:
    """A certificate that expires within two weeks is a warning, and the steps continue."""
    with bad_server(reply(200, b"ok"), context(authority, days=(-9, 5))) as server:
        done = examined(server.url, tls=TlsOptions(ca_file=ca_file))
    assert verdicts(done)["answer"] == "ok"
    assert_output("ends-soon", done, tmp_path)


def test_wrong_name(authority: trustme.CA, ca_file: Path, tmp_path: Path) -> None:
    """A certificate for another name is reported with its names."""
    with bad_server(reply(200), context(authority, "prometheus.example")) as server:
        assert_output("wrong-name", examined(server.url, tls=TlsOptions(ca_file=ca_file)), tmp_path)


def test_not_verified(authority: trustme.CA, tmp_path: Path) -> None:
    """With insecure_skip_verify a problem is a warning, with remedies."""
    with bad_server(reply(200, b"ok"), context(authority)) as server:
        done = examined(server.url, tls=TlsOptions(insecure_skip_verify=True))
    assert verdicts(done)["answer"] == "ok"
    assert_output("not-verified", done, tmp_path)


def test_needlessly_not_verified(authority: trustme.CA, ca_file: Path) -> None:
    """Where the certificate holds, insecure_skip_verify is to be taken away."""
    with bad_server(reply(200, b"ok"), context(authority)) as server:
        done = examined(server.url, tls=TlsOptions(ca_file=ca_file, insecure_skip_verify=True))
    [tls] = [step for step in done if step.check == "tls"]
    assert (tls.verdict, tls.causes[0].remedy) == ("warning", "remove tls.insecure_skip_verify")


def test_not_tls(tmp_path: Path) -> None:
    """Plain HTTP on a port that should speak TLS."""
    with bad_server(reply(200)) as server:
        server.scheme = "https"
        assert_output("not-tls", examined(server.url), tmp_path)


def test_needs_tls(authority: trustme.CA, tmp_path: Path) -> None:
    """Plain HTTP to a port that speaks TLS, whether it breaks off or says so."""
    with bad_server(reply(200), context(authority)) as server:
        server.scheme = "http"
        assert_output("needs-tls", examined(server.url), tmp_path)
    with bad_server(reply(400, b"Client sent an HTTP request to an HTTPS server.\n")) as server:
        [answer] = [step for step in examined(server.url) if step.check == "answer"]
        assert answer.causes[0].remedy == f"url: https://127.0.0.1:{server.port}"


def test_mute(tmp_path: Path) -> None:
    """A server that accepts and says nothing holds no step longer than the timeout."""
    with mute_listener() as server:
        start = time.monotonic()
        done = examined(server.url, timeout=Duration(0.5))
        assert time.monotonic() - start < SLACK
        assert_output("mute", done, tmp_path)


def test_client_certificate(authority: trustme.CA, ca_file: Path, tmp_path: Path) -> None:
    """A server that requires a client certificate says so only after the handshake, and is well with one."""
    server_context = context(authority)
    server_context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(server_context)
    pair = tmp_path / "pair.pem"
    authority.issue_cert("client").private_key_and_cert_chain_pem.write_to_path(str(pair))
    with bad_server(reply(200, b"ok"), server_context) as server:
        assert_output("client-certificate", examined(server.url, tls=TlsOptions(ca_file=ca_file)), tmp_path)
        done = examined(server.url, tls=TlsOptions(ca_file=ca_file, cert_file=pair, key_file=pair))
    assert set(verdicts(done).values()) == {"ok"}


def test_url(tmp_path: Path) -> None:
    """What was copied from a browser, credentials in clear text and a port of the other scheme are warnings."""
    secret = tmp_path / "token"
    secret.write_text(SECRET)
    done = examined("http://prometheus..example:443/prometheus/graph", ("/graph",), bearer_token_file=secret)
    assert verdicts(done)["url"] == "warning"
    assert_output("url", done, tmp_path)


def test_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What other programs take from the environment is named as not used, without what is in it."""
    netrc = tmp_path / ".netrc"
    netrc.write_text(f"machine nowhere..example login me password {SECRET}")
    netrc.chmod(0o600)
    monkeypatch.setenv("HTTPS_PROXY", f"http://me:{SECRET}@proxy.example:3128")
    monkeypatch.setenv("SSL_CERT_FILE", str(netrc))
    assert_output("environment", examined("https://nowhere..example"), tmp_path)
    monkeypatch.setenv("NO_PROXY", ".example")
    [proxy] = [step for step in examined("https://nowhere..example") if step.check == "proxy"]
    assert "HTTPS_PROXY" not in proxy.result


def test_broken_netrc(tmp_path: Path) -> None:
    """A .netrc that cannot be read is none."""
    (tmp_path / ".netrc").write_text("machine")
    assert verdicts(examined("http://nowhere..example"))["proxy"] == "ok"


@pytest.mark.parametrize(("status", "name"), [(407, "proxy-credentials"), (403, "proxy-forbids"), (502, "proxy-lost")])
def test_proxy_refuses(status: int, name: str, tmp_path: Path) -> None:
    """A proxy's refusal of a tunnel is reported with its status."""
    with bad_server(reply(status)) as server:
        assert_output(name, examined("https://server.example", proxy=Proxy(server.url)), tmp_path)


def test_through_a_proxy(authority: trustme.CA, ca_file: Path, tmp_path: Path) -> None:
    """Through a proxy that requires credentials every step is well, and the proxy resolves the server's name."""
    secret = tmp_path / "password"
    secret.write_text(SECRET)
    with bad_server(reply(200, b"ok"), context(authority)) as server, proxy("me", SECRET) as between:
        through = Proxy(between.url, "me", password_file=secret)
        done = examined(server.url, tls=TlsOptions(ca_file=ca_file), proxy=through)
    assert set(verdicts(done).values()) == {"ok"}
    assert "tunnel" in verdicts(done)


def test_no_proxy_there(tmp_path: Path) -> None:
    """What answers at the proxy's address need not be one."""
    with bad_server(lambda connection: connection.sendall(b"220 mail ESMTP\r\n")) as server:
        assert_output("no-proxy-there", examined("https://server.example", proxy=Proxy(server.url)), tmp_path)
        [answer] = [
            step for step in examined("http://server.example", proxy=Proxy(server.url)) if step.check == "answer"
        ]
    assert answer.verdict == "failed"
    assert answer.causes[0].text == "the server at proxy.url is not an HTTP proxy"
    assert not any("url: https" in cause.remedy for cause in answer.causes)


def test_redirect(tmp_path: Path) -> None:
    """A redirect says where the server is."""
    with bad_server(reply(302, headers={"Location": f"https://login.example/?x={SECRET}"})) as server:
        assert_output("redirect", examined(server.url), tmp_path)
    with bad_server(reply(301, headers={"Location": "https://127.0.0.1:8181/x"})) as server:
        [answer] = [step for step in examined(f"{server.url}/base/") if step.check == "answer"]
    assert [cause.remedy for cause in answer.causes] == ["url: https://127.0.0.1:8181/base"]


def test_clock(tmp_path: Path) -> None:
    """Clocks that differ by minutes are a warning; the status of the response does not matter here."""
    with bad_server(reply(404, b"", {"Date": formatdate(time.time() - 601, usegmt=True)})) as server:
        done = examined(server.url)
    assert verdicts(done)["clock"] == "warning"
    assert_output("clock", done, tmp_path)
