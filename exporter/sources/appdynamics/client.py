"""The controller's REST API for one observation: typed answers, typed errors, parallel within bounds, nothing retried.

Paths hold the applications' ids, as their names may hold what no path should. What is asked and answered with is in
exporter/sources/appdynamics/records.py.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import partial
from typing import TypeVar

import msgspec

from exporter.clients.http import Response
from exporter.clients.truncation import is_cut_off
from exporter.errors import SourceError
from exporter.model.observation import Window
from exporter.sources.appdynamics.connection import Connection
from exporter.sources.appdynamics.decoding import (
    WireApplication,
    WireEvent,
    WireMetric,
    WireSnapshot,
    WireTier,
    WireTransaction,
    WireViolation,
    answer,
    event,
    plain,
    violation,
)
from exporter.sources.appdynamics.records import Answer, Ask, Event, Listed, Snapshot, Tier, Transaction, Violation

OBSERVATION_SECONDS = 600.0
"""After this no further call is sent, as with Prometheus."""

MOST = 600
"""Violations, events or snapshots that the controller gives at once; it does not say whether there are more."""

_REST = "/controller/rest/applications"

T = TypeVar("T")


class Client:
    """Calls of one observation: at most `budget` of them, sent within `seconds`; counted, as are warnings."""

    def __init__(self, connection: Connection, budget: int, seconds: float = OBSERVATION_SECONDS) -> None:
        connection.close()  # a connection left idle since the last observation may be half closed
        self._connection = connection
        self._budget = budget
        self._seconds = seconds
        self._end = connection.monotonic() + seconds
        self._lock = threading.Lock()
        self._names: dict[int, str] = {}
        self._stopped = False
        self.calls = 0
        """Requests so far, those for tokens not among them."""
        self.clock_skew: float | None = None
        """The controller's clock minus ours, in seconds, from the first answer."""
        self.warnings: list[str] = []

    @property
    def left(self) -> int:
        """Calls that the budget still allows."""
        return self._budget - self.calls

    def applications(self) -> list[Listed]:
        """Those that our role may view; none is an answer too. Raises SourceError."""
        found = self._list(_REST, {}, WireApplication, "the list of applications")
        listed = [Listed(one.id, one.name) for one in found if one.name is not None]
        self._names = {one.id: one.name for one in listed}
        return listed

    def transactions(self, application: int) -> list[Transaction]:
        """The registered business transactions."""
        what = f"business transactions of {self._name(application)}"
        found = self._list(f"{_REST}/{application}/business-transactions", {}, WireTransaction, what)
        return [Transaction(one.id, one.name, one.tierName, one.internalName or one.name) for one in found]

    def tiers(self, application: int) -> list[Tier]:
        """The application's tiers."""
        found = self._list(f"{_REST}/{application}/tiers", {}, WireTier, f"tiers of {self._name(application)}")
        return [Tier(one.id, one.name, one.numberOfNodes) for one in found]

    def metrics(self, asks: Sequence[Ask]) -> list[Answer]:
        """Answers in the order of the asks, which are sent in parallel. Raises the first SourceError.

        Where the budget does not suffice, the first asks are sent, and the others' absence is "budget".
        """
        sent = max(0, min(len(asks), self.left))
        unasked = [Answer(ask, (), "budget") for ask in asks[sent:]]
        return self.together([partial(self._metric, ask) for ask in asks[:sent]]) + unasked

    def together(self, calls: Sequence[Callable[[], T]]) -> list[T]:
        """What each call gives, in their order, made in parallel. The first that fails ends the others at once."""
        if len(calls) < 2:
            return [call() for call in calls]
        threads = ThreadPoolExecutor(min(len(calls), self._connection.options.parallel), "appdynamics")
        futures = [threads.submit(call) for call in calls]
        try:
            for future in as_completed(futures):
                future.result()
        except BaseException:  # an interrupt among them: nobody waits for what is under way
            self._stopped = True
            threads.shutdown(wait=False, cancel_futures=True)
            self._connection.abort()
            raise
        threads.shutdown()
        return [future.result() for future in futures]

    def violations(self, application: int, window: Window) -> list[Violation]:
        """Violations of health rules that touch the window, open ones among them."""
        path = f"{_REST}/{application}/problems/healthrule-violations"
        found = self._windowed(path, {}, window, WireViolation, f"violations of {self._name(application)}")
        return [violation(one) for one in {one.id: one for one in found}.values()]

    def events(self, application: int, window: Window, types: Sequence[str]) -> list[Event]:
        """Events of these types in the window. One type that the controller does not know fails the call."""
        if not types:
            return []
        query = {"event-types": ",".join(types), "severities": "INFO,WARN,ERROR"}
        what = f"events of {self._name(application)} ({', '.join(types)})"
        found = self._windowed(f"{_REST}/{application}/events", query, window, WireEvent, what)
        return [event(one) for one in {one.id: one for one in found}.values()]

    def snapshots(self, application: int, window: Window) -> list[Snapshot]:
        """At most ten request snapshots: whether we may read them is what it is for."""
        query = {**_between(window), "maximum-results": "10"}
        what = f"snapshots of {self._name(application)}"
        found = self._list(f"{_REST}/{application}/request-snapshots", query, WireSnapshot, what)
        return [Snapshot(one.serverStartTime / 1000.0, one.businessTransactionId) for one in found]

    def _metric(self, ask: Ask) -> Answer:
        query = {"metric-path": ask.path, **_between(ask.window), "rollup": "true" if ask.rollup else "false"}
        what = f"{self._name(ask.application)}, {ask.path}"
        found = self._list(f"{_REST}/{ask.application}/metric-data", query, WireMetric, what)
        try:
            return answer(ask, found)
        except ValueError as error:
            text = self._connection.redact(str(error))
            raise self._error("bad_data", f"gave {text} ({what})") from None

    def _windowed(
        self, path: str, query: Mapping[str, str], window: Window, type_: Callable[..., T], what: str
    ) -> list[T]:
        """Everything in a window, of which the controller gives only so many at once: halved until it is less."""
        found = self._list(path, {**query, **_between(window)}, type_, what)
        if len(found) < MOST:
            return found
        if window.duration <= 60.0 or self.left < 2 or all(_lasts(one, window) for one in found):
            self.warnings.append(f"{self._connection.place} gave {len(found)} {what} at once: there may be more")
            return found
        middle = window.start + window.duration // 120.0 * 60.0
        halves = (Window(window.start, middle), Window(middle, window.end))
        return [one for half in halves for one in self._windowed(path, query, half, type_, what)]

    def _list(self, path: str, query: Mapping[str, str], type_: Callable[..., T], what: str) -> list[T]:
        """The decoded answer to one call; every answer of this API is a list."""
        response = self._get(path, {**query, "output": "JSON"})
        redact = self._connection.redact
        if response.status == 400:
            text = redact(plain(response.body[:5000].decode(errors="replace"))) or "nothing"
            raise self._error("bad_query", f"refused to give {what} (400), it said: {text}", status=400)
        body = response.body.lstrip()
        if response.html or body[:1] == b"<":
            kind = "an HTML page" if response.html or b"<html" in body[:1000].lower() else "XML"
            text = f"gave {kind} instead of JSON: is url the controller's address?"
            raise self._error("not_json", f"{text} is there a login page (single sign-on, a proxy) before it?")
        try:
            return msgspec.json.decode(body, type=list[type_])  # type: ignore[valid-type]
        except msgspec.ValidationError as error:
            raise self._error("bad_data", f"gave unexpected JSON for {what}: {redact(str(error))}") from None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            if body[:1] in (b"[", b"") and is_cut_off(body):
                text = f"cut its JSON off: look at its log and at proxies between ({what})"
                raise self._error("truncated", text) from None
            if body[:1] == b"[":
                raise self._error("bad_data", f"gave broken JSON for {what}: {redact(str(error))}") from None
            raise self._error("not_json", f"gave no JSON for {what}: is url the controller's address?") from None

    def _get(self, path: str, query: Mapping[str, str]) -> Response:
        with self._lock:
            if self._stopped:
                raise SourceError("internal", "the observation has ended")
            if self._connection.monotonic() > self._end:
                text = f"the calls of one poll took more than {self._seconds:g} s: is it overloaded? ask for less"
                raise SourceError("timeout", text).at_server(self._connection.place)
            if self.left < 1:
                budget = f"the {self._budget} calls" if self._budget else "all calls"
                text = f"{budget} of one poll are used up: raise calls.per_poll or the interval"
                raise SourceError("rate_limited", text).at_server(self._connection.place)
            self.calls += 1
        response = self._connection.get(path, query, (200, 400))
        with self._lock:
            if self.clock_skew is None:
                self.clock_skew = response.clock_skew
        return response

    def _error(self, reason: str, text: str, status: int | None = None) -> SourceError:
        place = self._connection.place
        return SourceError(reason, f"{place} {text}", location=place, status=status)

    def _name(self, application: int) -> str:
        return self._connection.redact(self._names.get(application, f"application {application}"))


def _lasts(one: object, window: Window) -> bool:
    """Whether it is a violation of the whole window, and so one of each half of it."""
    if not isinstance(one, WireViolation):
        return False
    seen = violation(one)
    return seen.start <= window.start and (seen.end is None or seen.end >= window.end)


def _between(window: Window) -> dict[str, str]:
    """From the start, inclusive, to the end, exclusive: steps bear the time of their beginning."""
    times = {"start-time": f"{window.start * 1000:.0f}", "end-time": f"{window.end * 1000:.0f}"}
    return {"time-range-type": "BETWEEN_TIMES", **times}
