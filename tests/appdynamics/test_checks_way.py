"""Check-ups of a controller: the address, the way there, and who we are; one golden transcript for each failure."""

from __future__ import annotations

import base64
import json
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from exporter.demo.controller import Answer, faults
from exporter.demo.controller.answers import as_json
from exporter.http.options import Proxy, Tls
from exporter.model.settings import Duration
from tests.appdynamics.checking import (
    DAY,
    PASSWORD,
    SECRET,
    Stand,
    causes,
    examined,
    one,
    plain,
    shown,
    standing,
    troubles,
)
from tests.proxy import proxy
from tests.seed import END

ELSEWHERE = "https://acme.saas.appdynamics.com"
NO_CLIENT: dict[str, Any] = {"client": ..., "client_secret_file": ...}


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    plain(monkeypatch, tmp_path)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    with standing(tmp_path_factory.mktemp("stand")) as one:
        yield one


@pytest.fixture
def stand(running: Stand) -> Stand:
    running.clean()
    return running


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA(organization_name="Example", organization_unit_name="Root")


def context(authority: trustme.CA) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issued = authority.issue_cert(
        "127.0.0.1", common_name="controller", organization_name="Example", organization_unit_name="Web"
    )
    issued.configure_cert(made)
    return made


@pytest.mark.parametrize(
    ("url", "found", "remedy"),
    [
        (f"{ELSEWHERE}/controller/controller", "/controller is in it twice", f"url: {ELSEWHERE}"),
        (f"{ELSEWHERE}/controller/#/location=APPS_ALL_DASHBOARD", "goes on after #", f"url: {ELSEWHERE}"),
        (f"{ELSEWHERE}/controller/?x=1", "goes on after ?", f"url: {ELSEWHERE}"),
        (f"{ELSEWHERE}/controller/rest/applications", "/controller/rest/applications is no part", f"url: {ELSEWHERE}"),
        ("http://acme.saas.appdynamics.com", "http", f"url: {ELSEWHERE}"),
        ("https://saas.appdynamics.com", "nobody's controller", "https://ACCOUNT.saas.appdynamics.com"),
        (f"https://me:{PASSWORD}@acme.saas.appdynamics.com", "holds a user or password", f"url: {ELSEWHERE}"),
        ("ftp://acme.saas.appdynamics.com", "neither http nor https", f"url: {ELSEWHERE}"),
        ("https://acme.saas.appdynamics.com:x", "no address", "url: https://ACCOUNT"),
    ],
)
def test_an_address_that_is_no_controllers(stand: Stand, url: str, found: str, remedy: str) -> None:
    """What is wrong with an address is told before anything is sent, with the right one; nothing else is tried."""
    steps = stand.examined(url=url)
    first = steps[0]
    assert (first.check, first.verdict) == ("url", "failed")
    assert found in first.found
    assert remedy in causes(first)
    assert {each.verdict for each in steps[1:]} <= {"skipped", "ok"}
    assert {each.check for each in steps[1:] if each.verdict == "ok"} <= {"proxy", "credentials"}


def test_a_link_of_the_user_interface(stand: Stand) -> None:
    """The whole check-up of an address that was copied from the browser: what cannot be tried is skipped."""
    stand.shown("url", stand.examined(url=f"{stand.url}/controller/#/location=APPS_ALL_DASHBOARD"))


def test_the_hosts_account_is_another(stand: Stand) -> None:
    """On SaaS the host begins with the account: what differs is told at once, though the host cannot be reached."""
    steps = stand.examined(url="https://acme.saas.appdynamics.com:1", proxy=Proxy("http://127.0.0.1:1"))
    url = one(steps, "url")
    assert url.verdict == "warning"
    assert "account: acme" in causes(url)


@pytest.mark.parametrize(("scheme", "port", "right"), [("https", 8090, "http"), ("http", 8181, "https")])
def test_scheme_and_port_of_a_controller(stand: Stand, scheme: str, port: int, right: str) -> None:
    """Controllers on premises have a port for each scheme; the other one's is worth a warning."""
    url = stand.examined(url=f"{scheme}://127.0.0.1:{port}")[0]
    assert url.verdict == "warning"
    assert f"url: {right}://127.0.0.1:{port}" in causes(url)


def test_refused(stand: Stand) -> None:
    """Where nobody listens, that is the last thing that is tried."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    steps = examined(stand.options(url=f"http://127.0.0.1:{port}"))
    shown("refused", steps, stand.folder, {f"port {port}": "port <port>"})
    assert troubles(steps) == {"tcp": "failed"}
    assert "it is not running" in causes(one(steps, "tcp"))


def test_the_proxy_wants_a_password(stand: Stand) -> None:
    """A proxy that lets nobody through without credentials is told by its own step."""
    with proxy("us", "word") as between:
        steps = stand.shown("proxy", stand.examined(proxy=Proxy(between.url)))
    assert troubles(steps) == {"answer": "failed"}
    assert "proxy.username" in causes(one(steps, "answer"))


def test_through_a_proxy_all_is_well(stand: Stand) -> None:
    """Every step goes the way that polls go."""
    with proxy() as between:
        assert not troubles(stand.examined(proxy=Proxy(between.url)))
    assert {head.split()[0] for head in between.heads} == {"GET", "POST"}


def test_an_authority_of_ones_own(authority: trustme.CA, tmp_path: Path) -> None:
    """A certificate of an unknown authority, and with its root all is well."""
    with standing(tmp_path, context(authority)) as stand:
        steps = stand.shown("tls", stand.examined())
        assert troubles(steps) == {"tls": "failed"}
        assert "tls.ca_file" in causes(one(steps, "tls"))
        authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
        assert not troubles(stand.examined(tls=Tls(ca_file=tmp_path / "ca.pem")))
        trustme.CA().cert_pem.write_to_path(str(tmp_path / "other.pem"))
        steps = stand.shown("tls-other", stand.examined(tls=Tls(ca_file=tmp_path / "other.pem")))
        assert "does not hold the authority" in causes(one(steps, "tls"))


def test_self_signed(tmp_path: Path) -> None:
    """A certificate that vouches for itself."""
    own = trustme.CA(organization_name="Example", organization_unit_name="Web")
    own.cert_pem.write_to_path(str(tmp_path / "chain.pem"))
    own.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(tmp_path / "chain.pem", tmp_path / "key.pem")
    with standing(tmp_path, made) as stand:
        steps = stand.shown("self-signed", stand.examined())
    assert "signed by itself" in causes(one(steps, "tls"))


def test_clocks_differ(stand: Stand) -> None:
    """Minutes apart is a warning that says who is ahead; all else goes on."""
    stand.controller.faults.add(faults.wrong_clock(-600.0))
    steps = stand.shown("clock", stand.examined())
    assert troubles(steps) == {"clock": "warning"}
    assert "behind ours" in one(steps, "clock").found


def test_wrong_secret(stand: Stand) -> None:
    """A controller does not say what of client, account and secret is wrong: all three are named, in order."""
    (stand.folder / "secret").write_text("another-secret-of-mine")
    steps = stand.shown("secret", stand.examined())
    assert troubles(steps) == {"token": "failed"}
    texts = [cause.text for cause in one(steps, "token").causes]
    assert [text.split()[1] for text in texts] == ["secret", "is", "account"]
    assert "Administration > API Clients" in causes(one(steps, "token"))
    assert "another-secret" not in repr(steps)


def test_wrong_account(stand: Stand) -> None:
    """Another account than the controller's is refused as a wrong secret is; what it is on premises is said."""
    steps = stand.shown("account", stand.examined(account="customer1"))
    assert troubles(steps) == {"token": "failed"}
    assert "pte-exporter@customer1" in one(steps, "token").found
    assert "the account is not 'customer1'" in causes(one(steps, "token"))


@pytest.mark.parametrize(
    ("content", "odd"),
    [
        (f'"{SECRET}"', "quotes"),
        (f"client secret {SECRET}", "blank"),
        (f"secret={SECRET}", "a name and ="),
    ],
)
def test_a_secret_that_was_pasted_with_more(stand: Stand, content: str, odd: str) -> None:
    """What no secret looks like is told where it is read, and first of all where it is refused."""
    (stand.folder / "secret").write_text(content)
    steps = stand.examined()
    assert troubles(steps) == {"credentials": "warning", "token": "failed"}
    assert odd in one(steps, "credentials").found
    assert odd in one(steps, "token").causes[0].text


@pytest.mark.parametrize("content", ["", "\n", f"{SECRET}\nsecond", "größe"])
def test_a_secret_that_cannot_be_sent(stand: Stand, content: str) -> None:
    """An empty file or one with more than a line is told without a request; blanks at the end do no harm."""
    (stand.folder / "secret").write_text(content, encoding="utf-8")
    steps = stand.examined()
    assert troubles(steps) == {"credentials": "failed"}
    assert one(steps, "token").verdict == "skipped"
    assert "write the secret alone into it" in causes(one(steps, "credentials"))
    (stand.folder / "secret").write_text(f"{SECRET}  \n")
    assert not troubles(stand.examined())


def test_no_secret_file(stand: Stand) -> None:
    """A file that is not there is named."""
    steps = stand.shown("no-secret", stand.examined(client_secret_file=stand.folder / "none"))
    assert troubles(steps) == {"credentials": "failed"}


@pytest.mark.parametrize("status", [200, 401])
def test_a_login_page_for_a_token(stand: Stand, status: int) -> None:
    """Single sign-on before the API gives a page, with whatever status."""
    stand.controller.faults.add(faults.login_page(status, faults.TOKEN))
    steps = stand.examined()
    if status == 200:
        stand.shown("login-page", steps)
    assert troubles(steps) == {"token": "failed"}
    assert "login page" in one(steps, "token").found or "HTML page" in one(steps, "token").found
    assert "single sign-on" in one(steps, "token").causes[0].text


def test_a_redirect_before_anything(stand: Stand) -> None:
    """Redirects are not followed; the first answer already tells where to."""
    stand.controller.faults.add(faults.redirect("https://login.example.com/saml?x=y"))
    steps = stand.shown("redirect", stand.examined())
    assert troubles(steps) == {"answer": "failed"}
    assert "https://login.example.com" in one(steps, "answer").found


def test_a_redirect_of_the_token(stand: Stand) -> None:
    """Where only the token's page is redirected, that is told by its step."""
    stand.controller.faults.add(faults.redirect("https://login.example.com/", faults.TOKEN))
    steps = stand.shown("redirect-token", stand.examined())
    assert troubles(steps) == {"token": "failed"}
    assert "not the controller's final address" in causes(one(steps, "token"))


@pytest.mark.parametrize(
    ("status", "name", "cause"),
    [
        (400, "token-400", "is not written as the controller wants it"),
        (403, "token-403", "an allow list of addresses"),
        (404, "token-404", "another server answers there"),
        (405, "token-405", "lets no POST through"),
        (415, "token-415", "an old controller"),
        (500, "token-500", "down or starting"),
    ],
)
def test_a_token_that_is_refused(stand: Stand, status: int, name: str, cause: str) -> None:
    """Each status has causes of its own."""
    stand.controller.faults.add(faults.token_fails(status))
    steps = stand.shown(name, stand.examined())
    assert troubles(steps) == {"token": "failed"}
    assert cause in causes(one(steps, "token"))
    assert str(status) in one(steps, "token").found


@pytest.mark.parametrize("answer", [Answer(200, b"[]"), as_json({"expires_in": 300}), Answer(200, b"no"), as_json({})])
def test_an_answer_without_a_token(stand: Stand, answer: Answer) -> None:
    """Whoever answers 200 and gives no token is no controller."""
    stand.controller.faults.add(faults.instead(answer, faults.TOKEN))
    steps = stand.examined()
    assert troubles(steps) == {"token": "failed"}
    assert "another server answers there" in causes(one(steps, "token"))


@pytest.mark.parametrize(
    ("life", "verdict", "found"),
    [
        (20, "warning", "lives for 20 s"),
        (0, "failed", "lives for 0 s"),
        (0.0001, "failed", "sooner than one comes"),
        (None, "warning", "its life is not told"),
        (18000, None, "it is renewed after 14400 s"),
        (2592000, None, "(30 days)"),
        ("300", None, "lives for 300 s"),
    ],
)
def test_the_life_of_a_token(stand: Stand, life: object, verdict: str | None, found: str) -> None:
    """A life that is too short to be renewed in time is told, and where it is set; a long one is well."""
    stand.controller.faults.add(faults.token_says(life))
    steps = stand.examined()
    if life in (20, None):
        stand.shown("short-token" if life else "endless-token", steps)
    assert troubles(steps).get("token") == verdict
    assert found in one(steps, "token").found
    assert verdict is None or "Administration > API Clients" in causes(one(steps, "token"))


def test_user_and_password(stand: Stand) -> None:
    """Basic authentication: the account is added, and what is wrong has causes of its own."""
    (stand.folder / "password").write_text(PASSWORD)
    basic = {**NO_CLIENT, "username": "reader", "password_file": stand.folder / "password"}
    assert not troubles(stand.examined(**basic))
    (stand.folder / "password").write_text("wrong-password")
    steps = stand.shown("basic", stand.examined(**basic))
    assert troubles(steps) == {"token": "failed"}
    assert "reader@demo" in causes(one(steps, "token"))
    assert "SAML or LDAP" in causes(one(steps, "token"))
    assert "wrong-password" not in repr(steps)


def jwt(end: float) -> str:
    """A token as controllers make them, of which only the end matters."""
    parts = ({"alg": "HS256"}, {"exp": end})
    return ".".join(
        [*(base64.urlsafe_b64encode(json.dumps(each).encode()).decode().rstrip("=") for each in parts), "c2ln"]
    )


def test_a_token_made_by_hand(stand: Stand) -> None:
    """It is not renewed: how long it is still good is told where it says so, and that it has run out."""
    file = stand.folder / "token"
    given = {**NO_CLIENT, "bearer_token_file": file}
    file.write_text(stand.controller.door.issue(3600.0))
    steps = stand.examined(**given)
    assert troubles(steps) == {"token": "warning"}
    assert "does not say when it expires" in one(steps, "token").found
    file.write_text(jwt(END - DAY))
    steps = stand.shown("old-token", stand.examined(**given))
    assert "the token has expired, by itself at 2026-11-19 12:00 UTC" in one(steps, "token").causes[0].text


@pytest.mark.parametrize(
    ("status", "found"), [(200, "a login page (200)"), (401, "a login page (401)"), (404, "(404)")]
)
def test_without_an_api_client_pages_are_told_too(stand: Stand, status: int, found: str) -> None:
    """Whatever is sent, a login page is one, and a controller has a list of applications."""
    (stand.folder / "password").write_text(PASSWORD)
    page = faults.login_page(status) if status != 404 else faults.instead(Answer(404, b""), faults.REST)
    stand.controller.faults.add(page)
    steps = stand.examined(**NO_CLIENT, username="reader", password_file=stand.folder / "password")
    assert troubles(steps) == {"token": "failed"}
    assert found in one(steps, "token").found


def test_a_mute_controller_does_not_hold_us(stand: Stand) -> None:
    """Each request has its deadline, and what depends on an answer is skipped."""
    stand.controller.faults.add(faults.slow(1.0))
    start = time.monotonic()
    steps = stand.examined(timeout=Duration(0.3))
    assert time.monotonic() - start < 5.0
    assert troubles(steps) == {"answer": "failed"}
