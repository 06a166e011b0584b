"""Authentication at the controller stub: tokens, their credentials and life, and users."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from tests.asking_controller import REST, TOKEN, Asking, asking


@pytest.fixture
def client() -> Iterator[Asking]:
    with asking(users={"reader": "word"}) as client:
        yield client


@pytest.mark.parametrize(
    ("instead", "status"),
    [
        ({}, 200),
        ({"client_secret": "wrong"}, 401),
        ({"client_id": "pte-exporter"}, 401),
        ({"client_id": "pte-exporter@other"}, 401),
        ({"grant_type": "password"}, 400),
    ],
)
def test_a_token_is_for_the_right_client_and_secret_only(client: Asking, instead: dict[str, str], status: int) -> None:
    """Name with account, secret and grant type must be right; a refusal is a page of HTML."""
    answer = client.token(**instead)
    assert answer.status_code == status
    assert (answer.headers["Content-Type"] == "text/html;charset=utf-8") == (status != 200)
    if status == 200:
        assert answer.json()["expires_in"] == 300


def test_a_token_is_asked_for_by_a_form(client: Asking) -> None:
    """JSON, a query string and GET get none."""
    url, form = client.url + TOKEN, client.form()
    assert client.session.post(url, json=form, timeout=30).status_code == 415
    assert client.session.post(url, params=form, timeout=30).status_code == 415
    assert client.session.post(url, params=form, data={"a": "b"}, timeout=30).status_code == 400
    assert client.session.get(url, params=form, timeout=30).status_code == 405
    assert client.controller.token_requests == 3


def test_a_token_ends_with_its_life(client: Asking) -> None:
    """For 300 s of the controller's clock it is good, then it is not."""
    client.clock.now += 299.0
    assert client.get().status_code == 200
    client.clock.now += 1.0
    assert client.get().status_code == 401


def test_a_revoked_token_is_no_good(client: Asking) -> None:
    """After it was revoked only a new one opens."""
    client.controller.access.revoke()
    assert client.get().status_code == 401
    client.enter()
    assert client.get().status_code == 200


@pytest.mark.parametrize(
    ("user", "password", "status"),
    [
        ("reader@demo", "word", 200),
        ("reader", "word", 401),
        ("reader@demo", "other", 401),
        ("nobody@demo", "word", 401),
    ],
)
def test_a_user_gives_the_account_too(client: Asking, user: str, password: str, status: int) -> None:
    """Basic authentication is for user@account with the right password."""
    answer = requests.get(f"{client.url}{REST}?output=JSON", auth=(user, password), timeout=30)
    assert answer.status_code == status


def test_without_credentials_there_is_nothing(client: Asking) -> None:
    """REST responds 401 without credentials; the start page is for people."""
    assert requests.get(f"{client.url}{REST}?output=JSON", timeout=30).status_code == 401
    assert requests.get(f"{client.url}/controller/", timeout=30).text.startswith("<!DOCTYPE html>")
    assert requests.get(f"{client.url}/rest/applications", timeout=30).status_code == 404
