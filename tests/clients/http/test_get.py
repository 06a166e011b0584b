"""GET requests, credentials given for one request, and pages where data belongs; on real sockets."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.clients.http import Session, Words
from exporter.clients.http.options import HttpOptions
from exporter.clients.http.session import encoded
from exporter.errors import SourceError
from tests.bad_server import bad_server, reply
from tests.secret import SECRET


def test_query_is_encoded_once() -> None:
    """The query is encoded exactly once: no +, no doubly encoded percent sign."""
    query = {"metric-path": "A b|*|CPU|%Busy (ms)", "output": "JSON", "plus": "a+b&c=ü"}
    with bad_server(reply(200, b"ok")) as server:
        session = Session(f"{server.url}/base", HttpOptions())
        session.get("/rest", query)
        session.close()
        line = server.requests[0].split(b"\r\n")[0].decode()
    expected = "metric-path=A%20b%7C%2A%7CCPU%7C%25Busy%20%28ms%29&output=JSON&plus=a%2Bb%26c%3D%C3%BC"
    assert line == f"GET /base/rest?{expected} HTTP/1.1"


@given(st.dictionaries(st.text(min_size=1), st.text(st.characters(exclude_categories=["Cs"]), min_size=1)))
def test_query_reads_back(query: dict[str, str]) -> None:
    """Any query reads back as it was."""
    assert parse_qs(encoded(query), strict_parsing=bool(query)) == {name: [value] for name, value in query.items()}


def test_authorization_of_one_request(tmp_path: Path) -> None:
    """A request's own credentials replace the session's, and no message holds them."""
    (tmp_path / "token").write_text("the-usual-one")
    with bad_server(reply(200, f"<html>{SECRET}</html>".encode())) as server:
        session = Session(server.url, HttpOptions(bearer_token_file=tmp_path / "token"))
        body = session.get("/", authorization=f"Bearer {SECRET}").body
        assert session.redact(body.decode()) == "<html><secret></html>"
        session.get("/")
        session.close()
        assert server.headers(0)["authorization"] == f"Bearer {SECRET}"
        assert server.headers(1)["authorization"] == "Bearer the-usual-one"


def test_secrets_of_a_form() -> None:
    """A secret in a form is masked in the response, encoded or not."""
    with bad_server(reply(200, b"ok")) as server:
        session = Session(server.url, HttpOptions())
        session.post("/", {"secret": "a b/c&d"}, secrets=["a b/c&d"])
        session.close()
    assert session.redact("got a b/c&d, a%20b%2Fc%26d") == "got <secret>, <secret>"


@pytest.mark.parametrize("kind", ["text/html; charset=UTF-8", "TEXT/HTML"])
def test_pages(kind: str) -> None:
    """An HTML page is recognised: with 401 in the message, with 200 by the caller."""
    with bad_server(reply(401, b"<html>", {"Content-Type": kind})) as server, pytest.raises(SourceError) as caught:
        Session(server.url, HttpOptions()).get("/")
    assert caught.value.reason == "auth"
    assert "(401 with an HTML page)" in str(caught.value)
    assert "login page" in str(caught.value)
    with bad_server(reply(200, b"<html>", {"Content-Type": kind})) as server:
        assert Session(server.url, HttpOptions()).get("/").html


@pytest.mark.parametrize(
    ("status", "text"),
    [(404, "check url, it ends before /here"), (401, "check the key"), (418, "check that url is a Teapot")],
)
def test_words(status: int, text: str) -> None:
    """Messages name the kind of the server."""
    words = Words("a Teapot", "it ends before /here", "the key", "ask for less")
    with bad_server(reply(status)) as server, pytest.raises(SourceError, match=text):
        Session(server.url, HttpOptions(), words=words).get("/")
    with bad_server(reply(200, b"too much")) as server, pytest.raises(SourceError, match="max_bytes or ask for less"):
        Session(server.url, HttpOptions(max_bytes=1), words=words).get("/")
