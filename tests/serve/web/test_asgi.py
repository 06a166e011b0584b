"""The response layer that both pages share, spoken to as uvicorn does."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, MutableMapping
from typing import Any

import pytest

from exporter.serve.web.asgi import WebApplication, WebRequest, WebResponse, WebRoute, text


class Pages(WebApplication):
    """A page in two pieces, one that takes orders, and one with a bug."""

    def __init__(self) -> None:
        super().__init__(
            [
                WebRoute("/", self.front),
                WebRoute("/order", self.order, methods=("POST",)),
                WebRoute("/broken", self.broken),
            ]
        )

    def headers(self, response: WebResponse) -> Mapping[str, str]:
        return {"Server": "none", **response.headers, **response.content_headers}

    async def front(self, request: WebRequest) -> WebResponse:
        return WebResponse(200, [b"for ", request.headers[b"x-name"]], "text/x")

    async def order(self, request: WebRequest) -> WebResponse:
        return text(202, "ordered", Retry_After="5")

    async def broken(self, request: WebRequest) -> WebResponse:
        raise RuntimeError("nobody foresaw this")


def answer(method: str, path: str) -> tuple[int, dict[bytes, bytes], list[bytes]]:
    """Status, headers and pieces of the body."""
    messages: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        raise AssertionError("no page reads a body")

    async def send(message: MutableMapping[str, Any]) -> None:
        messages.append(message)

    scope = {"method": method, "path": path, "headers": [(b"x-name", b"alice")]}
    asyncio.run(Pages()(scope, receive, send))
    start, *pieces = messages
    assert [piece.get("more_body", False) for piece in pieces] == [True] * (len(pieces) - 1) + [False]
    return start["status"], dict(start["headers"]), [piece["body"] for piece in pieces]


def test_a_body_is_sent_piece_by_piece() -> None:
    """Nothing is joined, and its length is told before it."""
    status, headers, pieces = answer("GET", "/")
    assert (status, pieces) == (200, [b"for ", b"alice", b""])
    assert list(headers.items()) == [(b"server", b"none"), (b"content-type", b"text/x"), (b"content-length", b"9")]


@pytest.mark.parametrize(
    ("method", "path", "status", "line", "allowed"),
    [
        ("HEAD", "/", 200, b"for ", None),
        ("POST", "/order", 202, b"ordered\n", None),
        ("GET", "/order", 405, b"method not allowed, expected POST\n", b"POST"),
        ("DELETE", "/", 405, b"method not allowed, expected GET or HEAD\n", b"GET, HEAD"),
        ("GET", "/other", 404, b"page not found, expected one of: /, /order, /broken\n", None),
        ("GET", "/order/", 404, b"page not found, expected one of: /, /order, /broken\n", None),
    ],
)
def test_a_path_has_its_methods(method: str, path: str, status: int, line: bytes, allowed: bytes | None) -> None:
    """What is not there is 404, whatever the method; a wrong method is 405 with those that are allowed."""
    result, headers, pieces = answer(method, path)
    assert (result, pieces[0], headers.get(b"allow")) == (status, line, allowed)


def test_a_fault_is_an_answer(caplog: pytest.LogCaptureFixture) -> None:
    """A client learns that there is a bug and not which; the log has its traceback."""
    status, _, pieces = answer("GET", "/broken")
    assert (status, pieces[0]) == (500, b"internal error, please report it with the exporter's log\n")
    assert "nobody foresaw this" in caplog.text
