"""The controller: checks credentials, then the request; counts everything, and applies faults last."""

from __future__ import annotations

import re
import secrets
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from email.utils import formatdate

from deploy.stack.controller import estate, incidents
from deploy.stack.controller.access import Access
from deploy.stack.controller.days import Days
from deploy.stack.controller.faults import LOGIN, TOKEN, Faults
from deploy.stack.controller.messages import HTML, Answer, Refusal, Request, as_rows, refusal
from deploy.stack.controller.metric_data import Data, metric_data
from deploy.stack.controller.metrics import children, tree

ACCOUNT = "demo"
CLIENT = "pte-exporter"
APPLICATIONS = "/controller/rest/applications"
REMEMBERED = 20_000

INCIDENTS = {
    "/problems/healthrule-violations": incidents.violations,
    "/events": incidents.events,
    "/request-snapshots": incidents.snapshots,
}

_BELOW = re.compile(rf"{APPLICATIONS}/([^/]+)(/.*)?")


class Controller:
    """One controller of one account; thread-safe."""

    def __init__(
        self,
        seed: int = 1,
        clock: Callable[[], float] = time.time,
        *,
        account: str = ACCOUNT,
        client: str = CLIENT,
        secret: str | None = None,
        users: Mapping[str, str] | None = None,
        exact: bool = False,
        parallel: int = 10,
        retention: tuple[float, float] | None = None,
        settling: float = 0.0,
    ) -> None:
        """`users`: names without @account to passwords. `retention`: for how many seconds back there are steps of one
        minute and of ten; None: for ever. `settling`: for how many seconds only half of the agents have reported.
        """
        self.clock = clock
        self.exact = exact
        self.parallel = parallel
        """Most REST requests at a time; one more gets 429."""
        self.retention = retention
        self.settling = settling

        self.access = Access(account, client, secret or secrets.token_urlsafe(18), users or {}, clock)
        self.faults = Faults()
        self.hidden: set[str] = set()
        """Applications that the client may not see."""
        self.counts: Counter[str] = Counter()
        """Requests by method and path, with {application} in the place of its name or id."""
        self.requests: deque[Request] = deque(maxlen=REMEMBERED)
        self.most_at_once = 0
        """REST requests in flight, at their most."""

        self._seed = seed
        self._applications = estate.estate(seed)
        self._trees = {name: tree(application) for name, application in self._applications.items()}
        self._days = Days(seed, exact=exact)
        self._in_flight = 0
        self._lock = threading.Lock()

    @property
    def secret(self) -> str:
        """The API client's."""
        return self.access.secret

    @property
    def token_requests(self) -> int:
        return self.counts[f"POST {TOKEN}"]

    @property
    def rest_requests(self) -> int:
        """All but those for tokens."""
        return sum(count for shape, count in self.counts.items() if " /controller/rest/" in shape)

    def forget(self) -> None:
        """Reset all counts."""
        with self._lock:
            self.counts.clear()
            self.requests.clear()
            self.most_at_once = 0

    def answer(self, request: Request) -> Answer:
        """The response to a request, with faults."""
        rest = request.path.startswith("/controller/rest/")
        with self._counted(request, rest=rest) as in_flight:
            if rest and in_flight > self.parallel:  # a controller has so many threads for its API, and no queue
                answer = replace(refusal(429, "Too many requests"), headers={"Retry-After": "1"})
            else:
                answer = self._regular(request)

            dated = {"Date": formatdate(self.clock(), usegmt=True), **answer.headers}
            return self.faults.apply(request, replace(answer, headers=dated))

    @contextmanager
    def _counted(self, request: Request, *, rest: bool) -> Iterator[int]:
        with self._lock:
            self.counts[f"{request.method} {shape(request.path)}"] += 1
            self.requests.append(request)
            self._in_flight += rest
            in_flight = self._in_flight
            self.most_at_once = max(self.most_at_once, in_flight)

        try:
            yield in_flight
        finally:
            with self._lock:
                self._in_flight -= rest

    def _regular(self, request: Request) -> Answer:
        """The response before any fault."""
        if request.path == TOKEN:
            return self.access.grant(request)
        if request.path in ("/", "/controller", "/controller/"):
            return Answer(200, LOGIN, HTML)
        if not request.path.startswith("/controller/rest/"):
            return refusal(404, "The requested resource is not available.")

        if not self.access.admits(request.headers.get("authorization", "")):
            denied = refusal(401, "This request requires HTTP authentication.")
            return replace(denied, headers={"WWW-Authenticate": 'Basic realm="controller_realm"'})
        if request.method != "GET":
            return refusal(405, "The specified HTTP method is not allowed for the requested resource.")

        try:
            return self._rest(request)
        except Refusal as refused:
            return refused.answer

    def _rest(self, request: Request) -> Answer:
        if request.path == APPLICATIONS:
            return as_rows(request, "applications", estate.applications(self._applications, self.hidden))

        below = _BELOW.fullmatch(request.path)
        if below is None:
            raise Refusal(404, "The requested resource is not available.")
        return self._page(request, self._application(below[1]), below[2])

    def _page(self, request: Request, application: estate.Application, page: str) -> Answer:
        """A page below an application."""
        if page in INCIDENTS:
            return INCIDENTS[page](request, application, self._seed, self.clock())

        tree = self._trees[application.name]
        match page:
            case "/business-transactions":
                return as_rows(request, "business-transactions", estate.business_transactions(application))
            case "/tiers":
                return as_rows(request, "tiers", estate.tiers(application))
            case "/nodes":
                return as_rows(request, "nodes", estate.nodes(application))
            case "/metrics":
                return as_rows(request, "metric-items", children(tree, request.query.get("metric-path", "")))
            case "/metric-data":
                data = Data(application, tree, self._days, self.retention, self.settling, self.exact)
                return metric_data(request, data, self.clock())
        raise Refusal(404, "The requested resource is not available.")

    def _application(self, text: str) -> estate.Application:
        """By its name or id."""
        for application in self._applications.values():
            if text in (application.name, str(application.id)) and application.name not in self.hidden:
                return application
        raise Refusal(400, f"Invalid application id {text} is specified")


def shape(path: str) -> str:
    """A path with {application} in the place of its name or id."""
    return _BELOW.sub(lambda below: f"{APPLICATIONS}/{{application}}{below[2] or ''}", path)
