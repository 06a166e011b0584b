"""The response layer of all our pages: which handler answers a request, and how a response is sent.

`serve` and `run` share it. `run` promises little memory beside a load generator, so nothing here knows the service.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any

logger = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

READING = ("GET", "HEAD")
"""Handlers answer HEAD as they answer GET: uvicorn leaves the body out."""

_PLAIN = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class WebRequest:
    """A client's request. None of our pages reads a body."""

    method: str
    path: str
    headers: Mapping[bytes, bytes]
    """By their names in lower case."""

    def header(self, name: str) -> str:
        """A header's value, empty where the client did not send it."""
        return self.headers.get(name.encode(), b"").decode("latin-1")


@dataclass(frozen=True, slots=True)
class WebResponse:
    """A response; its body is in pieces, which avoids copying megabytes to append a few lines."""

    status: int
    body: Sequence[bytes]
    content_type: str = _PLAIN
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def content_headers(self) -> Mapping[str, str]:
        """The headers that follow from the body."""
        return {"Content-Type": self.content_type, "Content-Length": str(sum(map(len, self.body)))}


def text(status: int, line: str, **headers: str) -> WebResponse:
    """A response of one line; underscores in a header's name become dashes."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return WebResponse(status, [f"{line}\n".encode()], headers=named)


Handler = Callable[[WebRequest], Awaitable[WebResponse]]


@dataclass(frozen=True, slots=True)
class WebRoute:
    """A path, its handler, and the allowed methods."""

    path: str
    handler: Handler
    methods: tuple[str, ...] = READING


class WebApplication(ABC):
    """The ASGI application that uvicorn calls for each request."""

    def __init__(self, routes: Sequence[WebRoute]) -> None:
        self._routes = {route.path: route for route in routes}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            response = await self.respond(WebRequest(scope["method"], scope["path"], dict(scope["headers"])))
        except Exception:
            logger.exception("internal error, please report it")
            response = text(500, "internal error, please report it with the exporter's log")

        await _send(send, response.status, self.headers(response), response.body)

    async def respond(self, request: WebRequest) -> WebResponse:
        """The response of the path's handler. A subclass with further conditions checks them before it calls this."""
        route = self._routes.get(request.path)
        if route is None:
            return text(404, "page not found, expected one of: " + ", ".join(self._routes))
        if request.method not in route.methods:
            return text(
                405, f"method not allowed, expected {' or '.join(route.methods)}", Allow=", ".join(route.methods)
            )

        return await route.handler(request)

    @abstractmethod
    def headers(self, response: WebResponse) -> Mapping[str, str]:
        """All headers of a response, in the order in which they are sent."""


async def _send(send: Send, status: int, headers: Mapping[str, str], body: Sequence[bytes]) -> None:
    encoded = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": encoded})

    # Each piece is awaited until the socket has taken it: a client that reads slowly never makes us hold a second copy.
    for piece in body:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
