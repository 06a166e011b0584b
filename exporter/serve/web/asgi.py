"""The response layer of every page of ours: which handler answers a request, and how a response is sent.

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
class Request:
    """What a client asks for. No page of ours reads a body."""

    method: str
    path: str
    headers: Mapping[bytes, bytes]
    """By their names in lower case."""

    def header(self, name: str) -> str:
        """A header's value, empty where the client did not send it."""
        return self.headers.get(name.encode(), b"").decode("latin-1")


@dataclass(frozen=True, slots=True)
class Response:
    """What goes back; the body in pieces, so that megabytes are not copied to append a few lines."""

    status: int
    body: Sequence[bytes]
    content_type: str = _PLAIN
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def content_headers(self) -> Mapping[str, str]:
        """What its body says of the headers."""
        return {"Content-Type": self.content_type, "Content-Length": str(sum(map(len, self.body)))}


def text(status: int, line: str, **headers: str) -> Response:
    """A response of one line; underscores in a header's name stand for its dashes."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status, [f"{line}\n".encode()], headers=named)


Handler = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Route:
    """A path, who answers it, and to which methods."""

    path: str
    handler: Handler
    methods: tuple[str, ...] = READING


class Application(ABC):
    """What uvicorn calls for each request."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._routes = {route.path: route for route in routes}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            response = await self.respond(Request(scope["method"], scope["path"], dict(scope["headers"])))
        except Exception:
            logger.exception("a fault of the exporter")
            response = text(500, "a fault of the exporter, see its log")

        await _send(send, response.status, self.headers(response), response.body)

    async def respond(self, request: Request) -> Response:
        """The answer of the path's handler. A page that asks more of a request does so before it calls this."""
        route = self._routes.get(request.path)
        if route is None:
            return text(404, "no such page; there are " + ", ".join(self._routes))
        if request.method not in route.methods:
            return text(405, f"wanted {' or '.join(route.methods)}", Allow=", ".join(route.methods))

        return await route.handler(request)

    @abstractmethod
    def headers(self, response: Response) -> Mapping[str, str]:
        """All headers of a response, in the order in which they are sent."""


async def _send(send: Send, status: int, headers: Mapping[str, str], body: Sequence[bytes]) -> None:
    encoded = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": encoded})

    # Each piece is awaited until the socket has taken it: a client that reads slowly never makes us hold a second copy.
    for piece in body:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
