"""The controller: who asks is looked at, then what is asked; everything is counted, and faults come last."""

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

from deploy.stack.controller import estate, troubles
from deploy.stack.controller.answers import HTML, Answer, Asked, Refusal, as_json, as_xml, refusal
from deploy.stack.controller.days import Days
from deploy.stack.controller.faults import LOGIN, TOKEN, Faults
from deploy.stack.controller.metric_data import Kept, metric_data
from deploy.stack.controller.metrics import children, tree
from deploy.stack.controller.tokens import Door

ACCOUNT, CLIENT = "demo", "pte-exporter"
APPLICATIONS = "/controller/rest/applications"
REMEMBERED = 20_000

TROUBLES = {
    "/problems/healthrule-violations": troubles.violations,
    "/events": troubles.events,
    "/request-snapshots": troubles.snapshots,
}

_BELOW = re.compile(rf"{APPLICATIONS}/([^/]+)(/.*)?")


class Controller:
    """One controller of one account; any number of threads may ask it."""

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
        """Most REST requests at a time; one more is answered with 429."""
        self.retention = retention
        self.settling = settling
        self.door = Door(account, client, secret or secrets.token_urlsafe(18), users or {}, clock)
        self.faults = Faults()
        self.hidden: set[str] = set()
        """Applications that the client may not see."""
        self.counts: Counter[str] = Counter()
        """Requests by method and path, with {application} in the place of its name or id."""
        self.requests: deque[Asked] = deque(maxlen=REMEMBERED)
        self.most_at_once = 0
        """REST requests in flight, at their most."""
        self._seed = seed
        self._applications = estate.estate(seed)
        self._trees = {name: tree(one) for name, one in self._applications.items()}
        self._days = Days(seed, exact=exact)
        self._flying = 0
        self._lock = threading.Lock()

    @property
    def secret(self) -> str:
        """The API client's."""
        return self.door.secret

    @property
    def token_requests(self) -> int:
        return self.counts[f"POST {TOKEN}"]

    @property
    def rest_requests(self) -> int:
        """All but those for tokens."""
        return sum(count for shape, count in self.counts.items() if " /controller/rest/" in shape)

    def forget(self) -> None:
        """Count from nothing again."""
        with self._lock:
            self.counts.clear()
            self.requests.clear()
            self.most_at_once = 0

    def answer(self, asked: Asked) -> Answer:
        """What is sent for a request, faults and all."""
        rest = asked.path.startswith("/controller/rest/")
        with self._counted(asked, rest=rest) as flying:
            if rest and flying > self.parallel:
                answer = replace(refusal(429, "Too many requests"), headers={"Retry-After": "1"})
            else:
                answer = self._ruled(asked)
            dated = {"Date": formatdate(self.clock(), usegmt=True), **answer.headers}
            return self.faults.apply(asked, replace(answer, headers=dated))

    @contextmanager
    def _counted(self, asked: Asked, *, rest: bool) -> Iterator[int]:
        with self._lock:
            self.counts[f"{asked.method} {shape(asked.path)}"] += 1
            self.requests.append(asked)
            self._flying += rest
            flying = self._flying
            self.most_at_once = max(self.most_at_once, flying)
        try:
            yield flying
        finally:
            with self._lock:
                self._flying -= rest

    def _ruled(self, asked: Asked) -> Answer:
        if asked.path == TOKEN:
            return self.door.ask(asked)
        if asked.path in ("/", "/controller", "/controller/"):
            return Answer(200, LOGIN, HTML)
        if not asked.path.startswith("/controller/rest/"):
            return refusal(404, "The requested resource is not available.")
        if not self.door.admits(asked.headers.get("authorization", "")):
            denied = refusal(401, "This request requires HTTP authentication.")
            return replace(denied, headers={"WWW-Authenticate": 'Basic realm="controller_realm"'})
        if asked.method != "GET":
            return refusal(405, "The specified HTTP method is not allowed for the requested resource.")
        try:
            return self._rest(asked)
        except Refusal as refused:
            return refused.answer

    def _rest(self, asked: Asked) -> Answer:
        if asked.path == APPLICATIONS:
            return _rows(asked, "applications", estate.applications(self._applications, self.hidden))
        below = _BELOW.fullmatch(asked.path)
        if below is None:
            raise Refusal(404, "The requested resource is not available.")
        one, kind = self._named(below[1]), below[2]
        if kind in TROUBLES:
            return TROUBLES[kind](asked, one, self._seed, self.clock())
        match kind:
            case "/business-transactions":
                return _rows(asked, "business-transactions", estate.business_transactions(one))
            case "/tiers":
                return _rows(asked, "tiers", estate.tiers(one))
            case "/nodes":
                return _rows(asked, "nodes", estate.nodes(one))
            case "/metrics":
                return _rows(asked, "metric-items", children(self._trees[one.name], asked.query.get("metric-path", "")))
            case "/metric-data":
                kept = Kept(one, self._trees[one.name], self._days, self.retention, self.settling, self.exact)
                return metric_data(asked, kept, self.clock())
        raise Refusal(404, "The requested resource is not available.")

    def _named(self, text: str) -> estate.Application:
        for one in self._applications.values():
            if text in (one.name, str(one.id)) and one.name not in self.hidden:
                return one
        raise Refusal(400, f"Invalid application id {text} is specified")


def shape(path: str) -> str:
    """A path with {application} in the place of its name or id."""
    return _BELOW.sub(lambda found: f"{APPLICATIONS}/{{application}}{found[2] or ''}", path)


def _rows(asked: Asked, name: str, rows: list[dict[str, object]]) -> Answer:
    return as_json(rows) if asked.json else as_xml(name, rows)
