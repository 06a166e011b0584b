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

from exporter import decoding
from exporter.clients.http import HttpResponse
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
from exporter.sources.appdynamics.records import (
    Answer,
    Event,
    ListedApplication,
    MetricQuery,
    Snapshot,
    Tier,
    Transaction,
    Violation,
)

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

    def applications(self) -> list[ListedApplication]:
        """Those that our role may view; none is an answer too. Raises SourceError."""
        wires = self._list(_REST, {}, WireApplication, "the list of applications")
        applications = [ListedApplication(wire.id, wire.name) for wire in wires if wire.name is not None]
        self._names = {application.id: application.name for application in applications}
        return applications

    def transactions(self, application: int) -> list[Transaction]:
        """The registered business transactions."""
        what = f"business transactions of {self._name(application)}"
        wires = self._list(f"{_REST}/{application}/business-transactions", {}, WireTransaction, what)
        return [Transaction(wire.id, wire.name, wire.tierName, wire.internalName or wire.name) for wire in wires]

    def tiers(self, application: int) -> list[Tier]:
        """The application's tiers."""
        wires = self._list(f"{_REST}/{application}/tiers", {}, WireTier, f"tiers of {self._name(application)}")
        return [Tier(wire.id, wire.name, wire.numberOfNodes) for wire in wires]

    def metrics(self, queries: Sequence[MetricQuery]) -> list[Answer]:
        """Answers in the order of the queries, which are sent in parallel. Raises the first SourceError.

        Where the budget does not suffice, the first queries are sent, and the others' absence is "budget".
        """
        affordable = max(0, min(len(queries), self.left))
        unsent = [Answer(query, (), "budget") for query in queries[affordable:]]
        return self.together([partial(self._metric, query) for query in queries[:affordable]]) + unsent

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
        wires = self._windowed(path, {}, window, WireViolation, f"violations of {self._name(application)}")
        by_id = {wire.id: wire for wire in wires}  # what lasts from one half of the window to the other came twice
        return [violation(wire) for wire in by_id.values()]

    def events(self, application: int, window: Window, types: Sequence[str]) -> list[Event]:
        """Events of these types in the window. One type that the controller does not know fails the call."""
        if not types:
            return []

        query = {"event-types": ",".join(types), "severities": "INFO,WARN,ERROR"}
        what = f"events of {self._name(application)} ({', '.join(types)})"
        wires = self._windowed(f"{_REST}/{application}/events", query, window, WireEvent, what)
        by_id = {wire.id: wire for wire in wires}
        return [event(wire) for wire in by_id.values()]

    def snapshots(self, application: int, window: Window) -> list[Snapshot]:
        """At most ten request snapshots: whether we may read them is what it is for."""
        query = {**_between(window), "maximum-results": "10"}
        what = f"snapshots of {self._name(application)}"
        wires = self._list(f"{_REST}/{application}/request-snapshots", query, WireSnapshot, what)
        return [Snapshot(wire.serverStartTime / 1000.0, wire.businessTransactionId) for wire in wires]

    def _metric(self, query: MetricQuery) -> Answer:
        rollup = "true" if query.rollup else "false"
        parameters = {"metric-path": query.path, **_between(query.window), "rollup": rollup}
        what = f"{self._name(query.application)}, {query.path}"
        wires = self._list(f"{_REST}/{query.application}/metric-data", parameters, WireMetric, what)

        try:
            return answer(query, wires)
        except ValueError as error:
            text = self._connection.redact(str(error))
            raise self._error("bad_data", f"gave {text} ({what})") from None

    def _windowed(
        self, path: str, query: Mapping[str, str], window: Window, type_: Callable[..., T], what: str
    ) -> list[T]:
        """Everything in a window, of which the controller gives only so many at once: halved until it is less."""
        wires = self._list(path, {**query, **_between(window)}, type_, what)
        if len(wires) < MOST:
            return wires

        if window.duration <= 60.0 or self.left < 2 or all(_spans_whole(wire, window) for wire in wires):
            self.warnings.append(f"{self._connection.place} gave {len(wires)} {what} at once: there may be more")
            return wires

        middle = window.start + window.duration // 120.0 * 60.0
        older = self._windowed(path, query, Window(window.start, middle), type_, what)
        newer = self._windowed(path, query, Window(middle, window.end), type_, what)
        return older + newer

    def _list(self, path: str, query: Mapping[str, str], type_: Callable[..., T], what: str) -> list[T]:
        """The decoded answer to one call; every answer of this API is a list."""
        response = self._get(path, {**query, "output": "JSON"})
        redact = self._connection.redact

        if response.status == 400:
            text = redact(plain(response.body[:5000].decode(errors="replace"))) or "nothing"
            raise self._error("bad_query", f"refused to give {what} (400), it said: {text}", status=400)
        return self._decoded(response, type_, what)

    def _decoded(self, response: HttpResponse, type_: Callable[..., T], what: str) -> list[T]:
        redact = self._connection.redact
        body = response.body.lstrip()

        if response.html or body[:1] == b"<":
            kind = "an HTML page" if response.html or b"<html" in body[:1000].lower() else "XML"
            text = f"gave {kind} instead of JSON: is url the controller's address?"
            raise self._error("not_json", f"{text} is there a login page (single sign-on, a proxy) before it?")

        try:
            return decoding.decode(body, list[type_])  # type: ignore[valid-type]
        except msgspec.ValidationError as error:
            raise self._error("bad_data", f"gave unexpected JSON for {what}: {redact(str(error))}") from None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            if body[:1] in (b"[", b"") and is_cut_off(body):
                text = f"cut its JSON off: look at its log and at proxies between ({what})"
                raise self._error("truncated", text) from None

            if body[:1] == b"[":
                raise self._error("bad_data", f"gave broken JSON for {what}: {redact(str(error))}") from None
            raise self._error("not_json", f"gave no JSON for {what}: is url the controller's address?") from None

    def _get(self, path: str, query: Mapping[str, str]) -> HttpResponse:
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


def _spans_whole(wire: object, window: Window) -> bool:
    """Whether it is a violation of the whole window, and so one of each half of it: halving would be in vain."""
    if not isinstance(wire, WireViolation):
        return False

    record = violation(wire)
    return record.start <= window.start and (record.end is None or record.end >= window.end)


def _between(window: Window) -> dict[str, str]:
    """From the start, inclusive, to the end, exclusive: steps bear the time of their beginning."""
    times = {"start-time": f"{window.start * 1000:.0f}", "end-time": f"{window.end * 1000:.0f}"}
    return {"time-range-type": "BETWEEN_TIMES", **times}
