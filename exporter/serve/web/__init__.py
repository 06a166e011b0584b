"""HTTP: /metrics, health, readiness, reload and the landing page, as a bare ASGI application."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from exporter.serve.service import Service
from exporter.serve.web import landing
from exporter.serve.web.access import Access
from exporter.serve.web.negotiation import wants_gzip, wants_openmetrics
from exporter.serve.web.threads import in_thread

logger = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_TEXT = "text/plain; version=0.0.4; charset=utf-8"
_OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
_PLAIN = "text/plain; charset=utf-8"

_HEADERS = {
    "Content-Security-Policy": landing.POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}

_NO_RELOAD = (
    "reload over HTTP is off: set basic_auth_users in the file of --web.config.file, "
    "or start with --web.enable-lifecycle; SIGHUP reloads always"
)


@dataclass(frozen=True, slots=True)
class Response:
    """What goes back; the body in pieces, so that megabytes are not copied to append a few lines."""

    status: int
    body: Sequence[bytes]
    content_type: str = _PLAIN
    headers: dict[str, str] = field(default_factory=dict)


class Handler(Protocol):
    """Answers one path."""

    def __call__(self, headers: dict[bytes, bytes], /) -> Awaitable[Response]: ...


def text(status: int, line: str, **headers: str) -> Response:
    return Response(status, [f"{line}\n".encode()], headers={key.replace("_", "-"): headers[key] for key in headers})


class App:
    """The ASGI application of one service. Nothing here waits for a source: pages are made of what was polled."""

    def __init__(self, service: Service, access: Access, *, lifecycle: bool = False) -> None:
        self._service, self._access, self._lifecycle = service, access, lifecycle
        reading = ("GET", "HEAD")
        self._routes: dict[str, tuple[tuple[str, ...], Handler]] = {
            "/": (reading, self.landing),
            "/metrics": (reading, self.metrics),
            "/-/healthy": (reading, self.healthy),
            "/-/ready": (reading, self.readiness),
            "/-/reload": (("POST",), self.reload),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            response = await self._respond(scope)
        except Exception:
            logger.exception("a fault of the exporter")
            response = text(500, "a fault of the exporter, see its log")
        headers = {
            **_HEADERS,
            **self._access.headers,
            **response.headers,
            "Content-Type": response.content_type,
            "Content-Length": str(sum(map(len, response.body))),
        }
        encoded = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": response.status, "headers": encoded})
        for piece in response.body:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def _respond(self, scope: Scope) -> Response:
        headers = dict(scope["headers"])
        users = self._access.users
        if users and not await users.admits(headers.get(b"authorization")):
            return text(401, "user and password wanted", WWW_Authenticate='Basic realm="pte-exporter", charset="UTF-8"')
        methods, handler = self._routes.get(scope["path"], ((), None))
        if handler is None:
            return text(404, "no such page; there are " + ", ".join(self._routes))
        if scope["method"] not in methods:
            return text(405, f"wanted {' or '.join(methods)}", Allow=", ".join(methods))
        return await handler(headers)

    async def landing(self, headers: dict[bytes, bytes]) -> Response:
        page = landing.render(self._service.published.snapshot, self._service.statuses, self._service.clock())
        return Response(200, [page], "text/html; charset=utf-8")

    async def metrics(self, headers: dict[bytes, bytes]) -> Response:
        openmetrics = wants_openmetrics(headers.get(b"accept", b"").decode("latin-1"))
        gzip = wants_gzip(headers.get(b"accept-encoding", b"").decode("latin-1"))
        tail = self._service.own.render(openmetrics=openmetrics)
        page = self._service.published.page
        vary = {"Vary": "Accept, Accept-Encoding"}
        content_type = _OPENMETRICS if openmetrics else _TEXT
        if gzip:
            return Response(200, [page.gzipped(tail)], content_type, {**vary, "Content-Encoding": "gzip"})
        return Response(200, [*page.pieces, tail], content_type, vary)

    async def healthy(self, headers: dict[bytes, bytes]) -> Response:
        return text(200, "healthy")

    async def readiness(self, headers: dict[bytes, bytes]) -> Response:
        if self._service.ready:
            return text(200, "ready")
        waiting = [status.environment.name for status in self._service.statuses if status.up is None]
        return text(503, f"not ready: no answer or failure yet from {', '.join(waiting)}")

    async def reload(self, headers: dict[bytes, bytes]) -> Response:
        if not self._access.users and not self._lifecycle:
            return text(403, _NO_RELOAD)
        if headers.get(b"sec-fetch-site", b"none") not in (b"none", b"same-origin"):
            return text(403, "a page of another site may not reload the configuration")
        error = await in_thread(self._service.reload)
        if error is not None:
            return text(500, f"configuration refused, the old one goes on:\n{error}")
        return text(200, "configuration reloaded")
