"""The pages of a service: /metrics, health, readiness, reload and the landing page."""

from __future__ import annotations

from collections.abc import Mapping

from exporter.serve.service import Service
from exporter.serve.web import landing
from exporter.serve.web.access import Access
from exporter.serve.web.asgi import WebApplication, WebRequest, WebResponse, WebRoute, text
from exporter.serve.web.negotiation import content_type, wants_gzip, wants_openmetrics
from exporter.serve.web.threads import in_thread

_HEADERS = {
    "Content-Security-Policy": landing.POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}

_NO_RELOAD = (
    "reload over HTTP is off: set basic_auth_users in the file of --web.config.file, "
    "or start with --web.enable-lifecycle; SIGHUP always works"
)


class App(WebApplication):
    """The ASGI application of one service. Nothing here waits for a source: pages show the last poll."""

    def __init__(self, service: Service, access: Access, *, lifecycle: bool = False) -> None:
        super().__init__(
            [
                WebRoute("/", self.landing),
                WebRoute("/metrics", self.metrics),
                WebRoute("/-/healthy", self.healthy),
                WebRoute("/-/ready", self.readiness),
                WebRoute("/-/reload", self.reload, methods=("POST",)),
            ]
        )
        self._service = service
        self._access = access
        self._lifecycle = lifecycle

    def headers(self, response: WebResponse) -> Mapping[str, str]:
        """The file of --web.config.file may replace ours, but not the headers that a response needs."""
        return {**_HEADERS, **self._access.headers, **response.headers, **response.content_headers}

    async def respond(self, request: WebRequest) -> WebResponse:
        # Before the routes: a client without access does not learn which pages exist.
        users = self._access.users
        if users and not await users.admits(request.headers.get(b"authorization")):
            return text(
                401, "user and password required", WWW_Authenticate='Basic realm="pte-exporter", charset="UTF-8"'
            )

        return await super().respond(request)

    async def landing(self, request: WebRequest) -> WebResponse:
        page = landing.render(self._service.published.snapshot, self._service.statuses, self._service.clock())
        return WebResponse(200, [page], "text/html; charset=utf-8")

    async def metrics(self, request: WebRequest) -> WebResponse:
        openmetrics = wants_openmetrics(request.header("accept"))
        kind = content_type(openmetrics=openmetrics)
        headers = {"Vary": "Accept, Accept-Encoding"}

        # The page was rendered and packed by the poll; only the exporter's own series are rendered for each scrape.
        page = self._service.published.page
        tail = self._service.self_metrics.render(openmetrics=openmetrics)
        if wants_gzip(request.header("accept-encoding")):
            return WebResponse(200, [page.gzipped(tail)], kind, {**headers, "Content-Encoding": "gzip"})
        return WebResponse(200, [*page.pieces, tail], kind, headers)

    async def healthy(self, request: WebRequest) -> WebResponse:
        return text(200, "healthy")

    async def readiness(self, request: WebRequest) -> WebResponse:
        if self._service.ready:
            return text(200, "ready")
        waiting = [status.environment.name for status in self._service.statuses if status.up is None]
        return text(503, f"not ready: first poll not finished: {', '.join(waiting)}")

    async def reload(self, request: WebRequest) -> WebResponse:
        if not self._access.users and not self._lifecycle:
            return text(403, _NO_RELOAD)

        # A browser keeps sending the password it once had: another site's page must not reload in its user's name.
        if request.headers.get(b"sec-fetch-site", b"none") not in (b"none", b"same-origin"):
            return text(403, "a page of another site must not reload the configuration")

        error = await in_thread(self._service.reload)
        if error is not None:
            return text(500, f"invalid configuration, the current one stays active:\n{error}")
        return text(200, "configuration reloaded")
