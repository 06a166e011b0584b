"""Serves the page of a run on a thread: /metrics, a line at / and /-/healthy."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Mapping

import uvicorn

from exporter.commands.run.live import Live
from exporter.serve.web import server
from exporter.serve.web.asgi import READING, WebApplication, WebRequest, WebResponse, WebRoute, text
from exporter.serve.web.negotiation import content_type, wants_openmetrics

_PATIENCE = 3.0
"""Seconds for responses in progress at the end."""


class LivePage:
    """Listens from now on; raises PteError if it cannot. `start` serves."""

    def __init__(self, address: str, live: Live) -> None:
        self._listening: socket.socket = server.bind(address)
        host, port = self._listening.getsockname()[:2]
        url_host = f"[{host}]" if ":" in host else host
        self.url = f"http://{url_host}:{port}/"

        self._server = uvicorn.Server(server.config(_App(live)))
        self._thread = threading.Thread(target=self._serve, name="page", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._server.should_exit = True
        self._thread.join(_PATIENCE)
        self._listening.close()

    def _serve(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._listening]))


class _App(WebApplication):
    """The ASGI application of one run."""

    def __init__(self, live: Live) -> None:
        super().__init__(
            [
                WebRoute("/", self.front),
                WebRoute("/metrics", self.metrics),
                WebRoute("/-/healthy", self.healthy),
            ]
        )
        self._live = live

    def headers(self, response: WebResponse) -> Mapping[str, str]:
        return {**response.content_headers, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}

    async def respond(self, request: WebRequest) -> WebResponse:
        # The page is read-only, so any other method is wrong on any path.
        if request.method not in READING:
            return text(405, "method not allowed, expected GET or HEAD")

        return await super().respond(request)

    async def front(self, request: WebRequest) -> WebResponse:
        return text(200, f"pte-exporter run, application {self._live.application}: metrics are on /metrics")

    async def metrics(self, request: WebRequest) -> WebResponse:
        openmetrics = wants_openmetrics(request.header("accept"))
        body = self._live.render(openmetrics=openmetrics)
        return WebResponse(200, [body], content_type(openmetrics=openmetrics))

    async def healthy(self, request: WebRequest) -> WebResponse:
        return text(200, "healthy")
