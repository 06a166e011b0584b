"""Check-ups of a controller: who we are to it; one golden transcript for each way of not being let in."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from deploy.stack.controller import Answer, faults
from deploy.stack.controller.messages import as_json
from tests.seed import END
from tests.sources.appdynamics.checking import DAY, PASSWORD, SECRET, Stand, causes, step_of, troubles

NO_CLIENT: dict[str, Any] = {"client": ..., "client_secret_file": ...}


def test_wrong_secret(stand: Stand) -> None:
    """A controller does not distinguish client, account and secret: all three are causes, in order."""
    (stand.folder / "secret").write_text("another-secret-of-mine")
    steps = stand.assert_transcript("secret", stand.examined())
    assert troubles(steps) == {"token": "failed"}
    texts = [cause.text for cause in step_of(steps, "token").causes]
    assert [text.split()[1] for text in texts] == ["secret", "client", "account"]
    assert "Administration > API Clients" in causes(step_of(steps, "token"))
    assert "another-secret" not in repr(steps)


def test_wrong_account(stand: Stand) -> None:
    """Another account than the controller's is refused like a wrong secret; the remedy has the usual account."""
    steps = stand.assert_transcript("account", stand.examined(account="customer1"))
    assert troubles(steps) == {"token": "failed"}
    assert "pte-exporter@customer1" in step_of(steps, "token").result
    assert "the account is not 'customer1'" in causes(step_of(steps, "token"))


@pytest.mark.parametrize(
    ("content", "odd"),
    [
        (f'"{SECRET}"', "quotes"),
        (f"client secret {SECRET}", "space"),
        (f"secret={SECRET}", "a name and ="),
    ],
)
def test_a_secret_that_was_pasted_with_more(stand: Stand, content: str, odd: str) -> None:
    """An unlikely secret is reported when it is read, and is the first cause when it is refused."""
    (stand.folder / "secret").write_text(content)
    steps = stand.examined()
    assert troubles(steps) == {"credentials": "warning", "token": "failed"}
    assert odd in step_of(steps, "credentials").result
    assert odd in step_of(steps, "token").causes[0].text


@pytest.mark.parametrize("content", ["", "\n", f"{SECRET}\nsecond", "größe", f"\ufeff{SECRET}"])
def test_a_secret_that_cannot_be_sent(stand: Stand, content: str) -> None:
    """A file that is empty or has several lines is reported without a request; trailing blanks are harmless."""
    (stand.folder / "secret").write_text(content, encoding="utf-8")
    steps = stand.examined()
    assert troubles(steps) == {"credentials": "failed"}
    assert step_of(steps, "token").verdict == "skipped"
    cause_texts = causes(step_of(steps, "credentials"))
    assert "the secret alone" in cause_texts or "as UTF-8 without" in cause_texts
    (stand.folder / "secret").write_text(f"{SECRET}  \n")
    assert not troubles(stand.examined())


def test_no_secret_file(stand: Stand) -> None:
    """A file that is not there is named."""
    steps = stand.assert_transcript("no-secret", stand.examined(client_secret_file=stand.folder / "none"))
    assert troubles(steps) == {"credentials": "failed"}


@pytest.mark.parametrize("status", [200, 401])
def test_a_login_page_for_a_token(stand: Stand, status: int) -> None:
    """Single sign-on before the API gives a page, with whatever status."""
    stand.controller.faults.add(faults.login_page(status, faults.TOKEN))
    steps = stand.examined()
    if status == 200:
        stand.assert_transcript("login-page", steps)
    assert troubles(steps) == {"token": "failed"}
    assert "login page" in step_of(steps, "token").result or "HTML page" in step_of(steps, "token").result
    assert "single sign-on" in step_of(steps, "token").causes[0].text


def test_a_redirect_of_the_token(stand: Stand) -> None:
    """If only the token's page is redirected, its step reports it."""
    stand.controller.faults.add(faults.redirect("https://login.example.com/", faults.TOKEN))
    steps = stand.assert_transcript("redirect-token", stand.examined())
    assert troubles(steps) == {"token": "failed"}
    assert "not the controller's final address" in causes(step_of(steps, "token"))


@pytest.mark.parametrize(
    ("status", "name", "cause"),
    [
        (400, "token-400", "is not written as the controller requires"),
        (403, "token-403", "an allow list of addresses"),
        (404, "token-404", "another server responds there"),
        (405, "token-405", "blocks POST"),
        (415, "token-415", "an old controller"),
        (500, "token-500", "lost its database"),
    ],
)
def test_a_token_that_is_refused(stand: Stand, status: int, name: str, cause: str) -> None:
    """Each status has its own causes."""
    stand.controller.faults.add(faults.token_fails(status))
    steps = stand.assert_transcript(name, stand.examined())
    assert troubles(steps) == {"token": "failed"}
    assert cause in causes(step_of(steps, "token"))
    assert str(status) in step_of(steps, "token").result


@pytest.mark.parametrize("answer", [Answer(200, b"[]"), as_json({"expires_in": 300}), Answer(200, b"no"), as_json({})])
def test_an_answer_without_a_token(stand: Stand, answer: Answer) -> None:
    """A server that responds 200 without a token is not a controller."""
    stand.controller.faults.add(faults.instead(answer, faults.TOKEN))
    steps = stand.examined()
    assert troubles(steps) == {"token": "failed"}
    assert "another server responds there" in causes(step_of(steps, "token"))


@pytest.mark.parametrize(
    ("life", "verdict", "result"),
    [
        (20, "warning", "valid for 20 s"),
        (0, "failed", "valid for 0 s"),
        (0.0001, "failed", "shorter than the request took"),
        (None, "warning", "a token without a lifetime"),
        (18000, None, "it is renewed after 14400 s"),
        (2592000, None, "(30 days)"),
        ("300", None, "valid for 300 s"),
    ],
)
def test_the_life_of_a_token(stand: Stand, life: object, verdict: str | None, result: str) -> None:
    """A life too short for renewal is reported with its setting; a long one is ok."""
    stand.controller.faults.add(faults.token_says(life))
    steps = stand.examined()
    if life in (20, None):
        stand.assert_transcript("short-token" if life else "endless-token", steps)
    assert troubles(steps).get("token") == verdict
    assert result in step_of(steps, "token").result
    assert verdict is None or "Administration > API Clients" in causes(step_of(steps, "token"))


def test_user_and_password(stand: Stand) -> None:
    """Basic authentication: the account is added, and errors have their own causes."""
    (stand.folder / "password").write_text(PASSWORD)
    basic = {**NO_CLIENT, "username": "reader", "password_file": stand.folder / "password"}
    assert not troubles(stand.examined(**basic))
    (stand.folder / "password").write_text("wrong-password")
    steps = stand.assert_transcript("basic", stand.examined(**basic))
    assert troubles(steps) == {"token": "failed"}
    assert "reader@demo" in causes(step_of(steps, "token"))
    assert "SAML or LDAP" in causes(step_of(steps, "token"))
    assert "wrong-password" not in repr(steps)


def jwt(end: float) -> str:
    """A token as controllers make them, of which only the end matters."""
    parts = ({"alg": "HS256"}, {"exp": end})
    return ".".join(
        [*(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts), "c2ln"]
    )


def test_a_token_made_by_hand(stand: Stand) -> None:
    """It is not renewed: the finding has its expiry, if the token contains it."""
    file = stand.folder / "token"
    values = {**NO_CLIENT, "bearer_token_file": file}
    file.write_text(stand.controller.access.issue(3600.0))
    steps = stand.examined(**values)
    assert troubles(steps) == {"token": "warning"}
    assert "does not contain its expiry" in step_of(steps, "token").result
    file.write_text(jwt(END - DAY))
    steps = stand.assert_transcript("old-token", stand.examined(**values))
    assert "the token has expired at 2026-11-19 12:00 UTC" in step_of(steps, "token").causes[0].text
    file.write_text(jwt(1e18))  # never
    assert "or was revoked" in step_of(stand.examined(**values), "token").causes[0].text


@pytest.mark.parametrize(
    ("status", "result"), [(200, "a login page (200)"), (401, "a login page (401)"), (404, "(404)")]
)
def test_without_an_api_client_pages_are_told_too(stand: Stand, status: int, result: str) -> None:
    """Whatever is sent, a login page is one, and a controller has a list of applications."""
    (stand.folder / "password").write_text(PASSWORD)
    page = faults.login_page(status) if status != 404 else faults.instead(Answer(404, b""), faults.REST)
    stand.controller.faults.add(page)
    steps = stand.examined(**NO_CLIENT, username="reader", password_file=stand.folder / "password")
    assert troubles(steps) == {"token": "failed"}
    assert result in step_of(steps, "token").result
