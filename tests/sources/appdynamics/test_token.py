"""The life of a token, by a clock that the test turns."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from deploy.stack.controller import Controller, faults, serve
from exporter.clients.http import Session
from exporter.clients.http.options import HttpOptions
from exporter.errors import SourceError
from exporter.sources.appdynamics.options import Application, Options
from exporter.sources.appdynamics.token import PATH, Token, renew_after
from tests.bad_server import Behave, bad_server, reply, reply_json
from tests.running import until
from tests.secret import SECRET


class Clock:
    """Stands still until it is turned."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


pytestmark = pytest.mark.usefixtures("no_secret_in_logs")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n")
    return file


def token_of(url: str, secret: Path, clock: Callable[[], float]) -> Token:
    options = Options(
        url=url,
        account="demo",
        client="pte-exporter",
        client_secret_file=secret,
        applications={"shop": Application()},
    )
    return Token(Session(url, HttpOptions()), options, clock)


@pytest.fixture
def controller(clock: Clock) -> Controller:
    return Controller(clock=clock, secret=SECRET)


@pytest.fixture
def token(controller: Controller, secret: Path, clock: Clock) -> Iterator[Token]:
    with serve(controller) as url:
        yield token_of(url, secret, clock)


@pytest.mark.parametrize(
    ("life", "after"),
    [(300, 240), (240, 180), (301, 240.8), (18_000, 14_400), (120, 60), (100, 50), (60, 30), (10, 5), (1, 0.5)],
)
def test_renewal(life: float, after: float) -> None:
    """80 % of the life or 60 s before its end, and never before half of a short one."""
    assert renew_after(life) == pytest.approx(after)


def test_requests_in_ten_minutes(token: Token, controller: Controller, clock: Clock) -> None:
    """A poll every five minutes needs a token each; asked every second for ten minutes, one every 240 s."""
    for _ in (0, 300):
        for _call in range(20):
            token.authorization()
        clock.now += 300
    assert controller.token_requests == token.requests == 2
    controller.forget()
    held = {token.authorization(): clock.now}
    for _ in range(600):
        clock.now += 1
        held.setdefault(token.authorization(), clock.now)
    assert controller.token_requests == 3  # at 0, 240 and 480 s
    starts = list(held.values())
    assert [at - starts[0] for at in starts] == [0, 240, 480]


@pytest.mark.parametrize(("told", "reused"), [(None, 239), ("300", 239), (300.0, 239), ("3e2", 239), (1e5, 79_999)])
def test_what_is_told_of_the_life(told: object, reused: float, clock: Clock, secret: Path) -> None:
    """A life that is missing, a string or a float is understood."""
    answer = {"access_token": "abc"} | ({} if told is None else {"expires_in": told})
    with bad_server(reply_json(answer)) as server:
        token = token_of(server.url, secret, clock)
        token.authorization()
        clock.now += reused
        token.authorization()
        assert len(server.requests) == 1
        clock.now += 2
        token.authorization()
        assert len(server.requests) == 2


def test_a_short_life_is_no_loop(clock: Clock, secret: Path) -> None:
    """A token that lives for a second is still given out, one request each, and reused within its half."""
    with bad_server(reply_json({"access_token": "abc", "expires_in": 1})) as server:
        token = token_of(server.url, secret, clock)
        for _ in range(5):
            assert token.authorization() == "Bearer abc"
        assert len(server.requests) == 1


def test_a_slow_answer(clock: Clock, secret: Path) -> None:
    """The life counts from when the token was asked for, as it is in the answer's past."""

    def slow(connection: object) -> None:
        clock.now += 100
        reply_json({"access_token": "abc", "expires_in": 300})(connection)  # type: ignore[arg-type]

    with bad_server(slow) as server:
        token = token_of(server.url, secret, clock)
        token.authorization()
        clock.now += 141
        token.authorization()
        assert len(server.requests) == 2


def test_form(clock: Clock, secret: Path) -> None:
    """The request is a form in the body, with name@account; nothing is in the URL or in other headers."""
    with bad_server(reply_json({"access_token": "abc"})) as server:
        token_of(server.url, secret, clock).authorization()
        head, body = server.requests[0].split(b"\r\n\r\n")
        assert head.startswith(f"POST {PATH} HTTP/1.1\r\n".encode())
        assert server.headers()["content-type"] == "application/x-www-form-urlencoded"
        assert "authorization" not in server.headers()
    assert parse_qs(body.decode()) == {
        "grant_type": ["client_credentials"],
        "client_id": ["pte-exporter@demo"],
        "client_secret": [SECRET],
    }


def test_secret_rotates(token: Token, controller: Controller, secret: Path, clock: Clock) -> None:
    """The secret is read again for each token."""
    secret.write_text("wrong")
    with pytest.raises(SourceError):
        token.authorization()
    secret.write_text(SECRET)
    assert token.authorization().startswith("Bearer ")
    secret.unlink()
    token.authorization()
    clock.now += 300
    with pytest.raises(SourceError) as caught:
        token.authorization()
    assert (caught.value.reason, controller.token_requests) == ("unreadable", 2)


def test_wrong_secret(token: Token, secret: Path) -> None:
    """A wrong secret is `auth`, and names client, account and where the secret stands."""
    secret.write_text("another-secret")
    with pytest.raises(SourceError) as caught:
        token.authorization()
    assert caught.value.reason == "auth"
    wanted = "gives no token to pte-exporter@demo (401): check client, account and client_secret_file"
    assert wanted in str(caught.value)
    assert "another-secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("behave", "reason", "text"),
    [
        (reply(401, b"<form>" + SECRET.encode(), {"Content-Type": "text/html"}), "auth", "login page"),
        (reply(400, b""), "auth", "(400)"),
        (reply(403, b""), "auth", "(403)"),
        (reply(404, b""), "not_found", "it ends before"),
        (reply(503, b"", {"Retry-After": "9"}), "server_error", "server error (503)"),
        (reply(429, b"", {"Retry-After": "9"}), "rate_limited", "wait 9 s"),
        (reply(302, b"", {"Location": "https://login.example/saml?x=1"}), "redirect", "to https://login.example (302)"),
        (
            reply(200, b"<html>Log in</html>", {"Content-Type": "text/html"}),
            "not_json",
            "an HTML page instead of a tok",
        ),
        (reply(200, b"<html>Log in</html>"), "not_json", "an HTML page instead of a token"),
        (reply(200, b""), "not_json", "no JSON instead of a token"),
        (reply_json({}), "bad_data", "without a token"),
        (reply_json([]), "bad_data", "without a token"),
        (reply_json({"access_token": 1}), "bad_data", "without a token"),
        (reply_json({"access_token": ""}), "bad_data", "no header can hold"),
        (reply_json({"access_token": "a\r\nb"}), "bad_data", "no header can hold"),
        (reply_json({"access_token": "ключ"}), "bad_data", "no header can hold"),
        (reply_json({"access_token": "a", "expires_in": 0}), "bad_data", "expires_in"),
        (reply_json({"access_token": "a", "expires_in": -1}), "bad_data", "expires_in"),
        (reply_json({"access_token": "a", "expires_in": "soon"}), "bad_data", "expires_in"),
        (reply_json({"access_token": "a", "expires_in": "nan"}), "bad_data", "expires_in"),
        (reply_json({"access_token": "a", "expires_in": "inf"}), "bad_data", "expires_in"),
    ],
)
def test_bad_answers(behave: Behave, reason: str, text: str, clock: Clock, secret: Path) -> None:
    """Each answer that is no token has its reason, on one line that names host:port and never the secret."""
    with bad_server(behave) as server, pytest.raises(SourceError) as caught:
        token_of(server.url, secret, clock).authorization()
    told = str(caught.value)
    assert (caught.value.reason, text in told) == (reason, True), told
    assert f"127.0.0.1:{server.port}" in told
    assert "\n" not in told
    assert SECRET not in told
    assert caught.value.retry_after == (9.0 if reason in ("server_error", "rate_limited") else None)


def together(count: int, call: Callable[[], str]) -> list[str | SourceError]:
    """What as many threads get that begin at the same moment."""
    gate = threading.Barrier(count)

    def run() -> str | SourceError:
        gate.wait(30)
        try:
            return call()
        except SourceError as error:
            return error

    with ThreadPoolExecutor(count) as threads:
        return [future.result(60) for future in [threads.submit(run) for _ in range(count)]]


def test_one_request_of_many_threads(token: Token, controller: Controller) -> None:
    """Twenty threads that need a token at once share one request for it."""
    controller.faults.add(faults.slow(0.3, faults.TOKEN))
    found = together(20, token.authorization)
    assert len(set(found)) == 1
    assert controller.token_requests == 1


def test_one_refetch_of_many_refused(token: Token, controller: Controller) -> None:
    """Twenty calls whose token was revoked in mid-cycle fetch one new one, however late they are told."""
    old = token.authorization()
    controller.access.revoke()
    controller.faults.add(faults.slow(0.1, faults.TOKEN))
    found = together(20, lambda: token.authorization(refused=old))
    assert len(set(found)) == 1
    assert old not in found
    assert token.authorization(refused=old) == found[0]
    assert controller.token_requests == 2


def test_failure_is_shared(token: Token, controller: Controller) -> None:
    """Those who wait share the failure too; each has an error of its own; the next one tries again."""
    controller.faults.add(faults.token_fails(500), faults.slow(1.0, faults.TOKEN))
    found = together(20, token.authorization)
    errors = [one for one in found if isinstance(one, SourceError)]
    assert len({id(error) for error in errors}) == 20
    assert {error.reason for error in errors} == {"server_error"}
    assert controller.token_requests == 1
    controller.faults.clear()
    assert token.authorization().startswith("Bearer ")


def test_failure_after_a_refusal_is_shared(token: Token, controller: Controller, secret: Path) -> None:
    """After a revocation together with a wrong secret one request is made for all who held the old token."""
    old = token.authorization()
    controller.access.revoke()
    secret.write_text("another-secret")
    found = [one for _ in range(5) for one in together(4, lambda: token.authorization(refused=old))]
    reasons = [one.reason for one in found if isinstance(one, SourceError)]
    assert reasons == ["auth"] * 20
    assert controller.token_requests == 2
    secret.write_text(SECRET)
    assert token.authorization() != old
    assert controller.token_requests == 3


def test_waiting_does_not_block_those_with_a_token(token: Token, controller: Controller, clock: Clock) -> None:
    """A token that is still good is given out without a request, also while another thread was refused it."""
    old = token.authorization()
    controller.faults.add(faults.slow(0.5, faults.TOKEN))
    thread = threading.Thread(target=token.authorization, args=(old,))
    thread.start()
    until(lambda: controller.token_requests == 2, "the second request")
    assert token.authorization() == old
    assert thread.is_alive()
    thread.join(30)
    assert clock.now == 1000.0


def test_a_page_that_refuses_is_no_login_page(clock: Clock, secret: Path) -> None:
    """Servlet containers say 401 with a page: who reads the error is not sent to look for single sign-on."""
    page = reply(401, b"<html><h1>HTTP Status 401</h1></html>", {"Content-Type": "text/html"})
    with bad_server(page) as server, pytest.raises(SourceError) as caught:
        token_of(server.url, secret, clock).authorization()
    assert str(caught.value).endswith("(401): check client, account and client_secret_file")
