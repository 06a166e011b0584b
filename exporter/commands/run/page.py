"""Serves the page of a run on a thread: /metrics, a line at / and /-/healthy."""

from __future__ import annotations

import asyncio
import socket
import threading

import uvicorn

from exporter.commands.run.live import Live
from exporter.serve.web import Receive, Scope, Send, server
from exporter.serve.web.negotiation import wants_openmetrics

_PLAIN = "text/plain; charset=utf-8"
_TEXT = "text/plain; version=0.0.4; charset=utf-8"
_OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
_PATIENCE = 3.0
"""Seconds that responses under way get at the end."""


class Page:
    """Listens from now on; raises PteError where it cannot. `start` serves."""

    def __init__(self, address: str, live: Live) -> None:
        self._live = live
        self._listening: socket.socket = server.bind(address)
        host, port = self._listening.getsockname()[:2]
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{port}/"
        self._server = uvicorn.Server(server.config(self._answer))
        self._thread = threading.Thread(target=self._serve, name="page", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._server.should_exit = True
        self._thread.join(_PATIENCE)
        self._listening.close()

    def _serve(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._listening]))

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        status, kind, body = self._page(scope)
        headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode())]
        headers += [(b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _page(self, scope: Scope) -> tuple[int, str, bytes]:
        """(status, content type, body)."""
        if scope["method"] not in ("GET", "HEAD"):
            return 405, _PLAIN, b"wanted GET or HEAD\n"
        if scope["path"] == "/metrics":
            accept = dict(scope["headers"]).get(b"accept", b"").decode("latin-1")
            openmetrics = wants_openmetrics(accept)
            return 200, _OPENMETRICS if openmetrics else _TEXT, self._live.render(openmetrics=openmetrics)
        if scope["path"] == "/-/healthy":
            return 200, _PLAIN, b"healthy\n"
        if scope["path"] == "/":
            text = f"pte-exporter run, application {self._live.application}: the series are on /metrics\n"
            return 200, _PLAIN, text.encode()
        return 404, _PLAIN, b"no such page; there are /, /metrics, /-/healthy\n"
