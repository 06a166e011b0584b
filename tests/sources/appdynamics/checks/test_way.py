"""Check-ups of a controller: the address and the way there; one golden transcript for each failure."""

from __future__ import annotations

import socket
import ssl
import time
from pathlib import Path

import pytest
import trustme

from deploy.stack.controller import faults
from exporter.clients.http.options import Proxy, TlsOptions
from exporter.model.settings import Duration
from tests.proxy import proxy
from tests.running import SLACK
from tests.sources.appdynamics.checking import (
    PASSWORD,
    Stand,
    assert_transcript,
    causes,
    examined,
    standing,
    step_of,
    troubles,
)

ELSEWHERE = "https://acme.saas.appdynamics.com"


def context(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issued = authority.issue_cert(
        "127.0.0.1", common_name="controller", organization_name="Example", organization_unit_name="Web"
    )
    issued.configure_cert(context)
    return context


@pytest.mark.parametrize(
    ("url", "result", "remedy"),
    [
        (f"{ELSEWHERE}/controller/controller", "/controller is in it twice", f"url: {ELSEWHERE}"),
        (f"{ELSEWHERE}/controller/#/location=APPS_ALL_DASHBOARD", "continues after #", f"url: {ELSEWHERE}"),
        (f"{ELSEWHERE}/controller/?x=1", "continues after ?", f"url: {ELSEWHERE}"),
        (f"{ELSEWHERE}/controller/rest/applications", "/controller/rest/applications is not part", f"url: {ELSEWHERE}"),
        ("http://acme.saas.appdynamics.com", "http", f"url: {ELSEWHERE}"),
        ("https://saas.appdynamics.com", "not an account's controller", "https://ACCOUNT.saas.appdynamics.com"),
        (f"https://me:{PASSWORD}@acme.saas.appdynamics.com", "contains a user or password", f"url: {ELSEWHERE}"),
        ("ftp://acme.saas.appdynamics.com", "neither http nor https", f"url: {ELSEWHERE}"),
        ("https://acme.saas.appdynamics.com:x", "not an address", "url: https://ACCOUNT"),
    ],
)
def test_an_address_that_is_no_controllers(stand: Stand, url: str, result: str, remedy: str) -> None:
    """A wrong address is reported before any request, with the right one; no other step runs."""
    steps = stand.examined(url=url)
    first = steps[0]
    assert (first.check, first.verdict) == ("url", "failed")
    assert result in first.found
    assert remedy in causes(first)
    assert {step.verdict for step in steps[1:]} <= {"skipped", "ok"}
    assert {step.check for step in steps[1:] if step.verdict == "ok"} <= {"proxy", "credentials"}


def test_a_link_of_the_user_interface(stand: Stand) -> None:
    """The whole check-up of an address that was copied from the browser: dependent steps are skipped."""
    stand.assert_transcript("url", stand.examined(url=f"{stand.url}/controller/#/location=APPS_ALL_DASHBOARD"))


def test_the_hosts_account_is_another(stand: Stand) -> None:
    """On SaaS the host begins with the account: a difference is reported even if the host is unreachable."""
    steps = stand.examined(url="https://acme.saas.appdynamics.com:1", proxy=Proxy("http://127.0.0.1:1"))
    url = step_of(steps, "url")
    assert url.verdict == "warning"
    assert "account: acme" in causes(url)


@pytest.mark.parametrize(("scheme", "port", "right"), [("https", 8090, "http"), ("http", 8181, "https")])
def test_scheme_and_port_of_a_controller(stand: Stand, scheme: str, port: int, right: str) -> None:
    """Controllers on premises have a port for each scheme; the other one's is worth a warning."""
    url = stand.examined(url=f"{scheme}://127.0.0.1:{port}")[0]
    assert url.verdict == "warning"
    assert f"url: {right}://127.0.0.1:{port}" in causes(url)


def test_refused(stand: Stand) -> None:
    """Without a listening server, later steps are skipped."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    steps = examined(stand.options(url=f"http://127.0.0.1:{port}"))
    assert_transcript("refused", steps, stand.folder, {f"port {port}": "port <port>"})
    assert troubles(steps) == {"tcp": "failed"}
    assert "the server is not running" in causes(step_of(steps, "tcp"))


def test_the_proxy_wants_a_password(stand: Stand) -> None:
    """A proxy that requires credentials is reported by its own step."""
    with proxy("us", "word") as between:
        steps = stand.assert_transcript("proxy", stand.examined(proxy=Proxy(between.url)))
    assert troubles(steps) == {"answer": "failed"}
    assert "proxy.username" in causes(step_of(steps, "answer"))


def test_through_a_proxy_all_is_well(stand: Stand) -> None:
    """Every step goes the way that polls go."""
    with proxy() as between:
        assert not troubles(stand.examined(proxy=Proxy(between.url)))
    assert {head.split()[0] for head in between.heads} == {"GET", "POST"}


@pytest.mark.usefixtures("bare")
def test_an_authority_of_ones_own(authority: trustme.CA, tmp_path: Path) -> None:
    """A certificate of an unknown authority, and with its root all is well."""
    with standing(tmp_path, context(authority)) as stand:
        steps = stand.assert_transcript("tls", stand.examined())
        assert troubles(steps) == {"tls": "failed"}
        assert "tls.ca_file" in causes(step_of(steps, "tls"))
        authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
        assert not troubles(stand.examined(tls=TlsOptions(ca_file=tmp_path / "ca.pem")))
        trustme.CA().cert_pem.write_to_path(str(tmp_path / "other.pem"))
        steps = stand.assert_transcript("tls-other", stand.examined(tls=TlsOptions(ca_file=tmp_path / "other.pem")))
        assert "does not contain the root of" in causes(step_of(steps, "tls"))


@pytest.mark.usefixtures("bare")
def test_self_signed(tmp_path: Path) -> None:
    """A certificate that vouches for itself."""
    own = trustme.CA(organization_name="Example", organization_unit_name="Web")
    own.cert_pem.write_to_path(str(tmp_path / "chain.pem"))
    own.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "chain.pem", tmp_path / "key.pem")
    with standing(tmp_path, context) as stand:
        steps = stand.assert_transcript("self-signed", stand.examined())
    assert "self-signed" in causes(step_of(steps, "tls"))


def test_clocks_differ(stand: Stand) -> None:
    """A difference of minutes is a warning that says which clock is ahead; other steps run."""
    stand.controller.faults.add(faults.wrong_clock(-600.0))
    steps = stand.assert_transcript("clock", stand.examined())
    assert troubles(steps) == {"clock": "warning"}
    assert "behind ours" in step_of(steps, "clock").found


def test_a_redirect_before_anything(stand: Stand) -> None:
    """Redirects are not followed; the first response has the target."""
    stand.controller.faults.add(faults.redirect("https://login.example.com/saml?x=y"))
    steps = stand.assert_transcript("redirect", stand.examined())
    assert troubles(steps) == {"answer": "failed"}
    assert "https://login.example.com" in step_of(steps, "answer").found


def test_a_mute_controller_does_not_hold_us(stand: Stand) -> None:
    """Each request has its deadline, and steps that need a response are skipped."""
    stand.controller.faults.add(faults.slow(3.0))
    start = time.monotonic()
    steps = stand.examined(timeout=Duration(1))
    assert time.monotonic() - start < SLACK
    assert troubles(steps) == {"answer": "failed"}
    assert "narrow the selector" not in causes(step_of(steps, "answer")), "a remedy for other kinds"
