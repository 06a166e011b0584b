"""The requests of a check-up and their results: few calls, with a time limit for each and for all."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import msgspec

from exporter import decoding
from exporter.errors import SourceError
from exporter.model.checkup import CheckContext
from exporter.model.observation import MINUTE, Window
from exporter.sources.appdynamics.client import ControllerClient
from exporter.sources.appdynamics.connection import Connection
from exporter.sources.appdynamics.options import Options
from exporter.sources.appdynamics.records import ListedApplication, MetricQuery, MetricResult, Transaction

CALLS = 120
"""Most calls of one check-up, without those for tokens."""

SAMPLE = 4
"""Applications with checked metrics; of more, the first ones are the sample."""

LISTED = 12
"""Applications whose business transactions and tiers are listed."""

HOUR = 60 * MINUTE

_SECONDS = 180.0
"""After so many seconds a check-up sends no further call."""

_PATIENCE = 30.0
"""Most seconds for a call, whatever `timeout` says: a person waits."""

_REST = "/controller/rest/applications"


class _Item(msgspec.Struct):
    name: str | None = None


@dataclass
class ControllerProbe:
    """The client of one check-up, and the results that its steps share."""

    options: Options
    context: CheckContext
    monotonic: Callable[[], float] = time.monotonic
    visible: Sequence[ListedApplication] = ()
    """The applications that our role may view."""
    applications: dict[str, ListedApplication] = field(default_factory=dict)
    """The configured ones among them, by our name."""
    transactions: dict[str, list[Transaction]] = field(default_factory=dict)
    """By our name of the application; listed ones only."""
    traffic: dict[str, MetricResult] = field(default_factory=dict)
    """Calls of each business transaction over the last hour, one value each, by our name of the application."""
    active: Sequence[str] = ()
    """Applications with calls in the last hour, by our name."""
    untested: Sequence[str] = ()
    """Applications of the PTE without the metric `calls`, by our name."""
    measured: bool = False
    """Whether the controller knows calls of any application."""
    coarse: bool = False
    """Whether data of the window came in steps, not in minutes."""
    call_seconds: list[float] = field(default_factory=list)
    """Duration of calls for metric data; parallel ones count as one."""
    browses: int = 0
    """Requests for the tree of metrics."""

    def __post_init__(self) -> None:
        timeout = type(self.options.timeout)(min(_PATIENCE, self.options.timeout))
        self.patient = msgspec.structs.replace(self.options, timeout=timeout)
        self.connection = Connection(self.patient)
        self.client = ControllerClient(self.connection, CALLS, _SECONDS)

    @property
    def production(self) -> bool:
        return self.context.role == "production"

    @property
    def end(self) -> float:
        """The end of the last full minute."""
        return self.context.window.end

    @property
    def recent(self) -> Window:
        """The last hour."""
        return Window(self.end - HOUR, self.end)

    @property
    def sample(self) -> dict[str, ListedApplication]:
        """The applications with checked metrics, by our name."""
        return dict(list(self.applications.items())[:SAMPLE])

    @property
    def example(self) -> str:
        """One application as an example, if possible one with calls; empty without applications."""
        return next(iter([*self.active, *self.sample]), "")

    @property
    def of_example(self) -> str:
        """For what a step tries."""
        return f" of {self.example}" if self.example else ""

    @property
    def calls(self) -> int:
        """Number of requests, without those for tokens."""
        return self.client.calls + self.browses

    def query(self, queries: Sequence[MetricQuery]) -> list[MetricResult]:
        """Metric data, requested in parallel; notes how long a call took. Raises SourceError."""
        start = self.monotonic()
        results = self.client.metrics(queries)
        if queries:
            waves = math.ceil(len(queries) / self.options.parallel)
            self.call_seconds.append((self.monotonic() - start) / waves)
        return results

    def query_calls(self, application: str, windows: Sequence[Window]) -> list[MetricResult]:
        """Calls of one of the applications, over each window. Raises SourceError."""
        number = self.applications[application].id
        return self.query([MetricQuery(number, self.options.paths["calls"], window) for window in windows])

    def children(self, application: str, parts: Sequence[str]) -> list[str]:
        """The child names of a node in the tree of metrics. Raises SourceError."""
        self.browses += 1
        query = {"metric-path": "|".join(escaped(part) for part in parts), "output": "JSON"}
        response = self.connection.get(f"{_REST}/{self.applications[application].id}/metrics", query)
        try:
            return [item.name for item in decoding.decode(response.body, list[_Item]) if item.name]
        except (msgspec.DecodeError, UnicodeDecodeError):
            text = f"{self.connection.address} returned a tree of metrics that is not valid JSON"
            raise SourceError("not_json", text, location=self.connection.address) from None


def needs(check: str, *, well: bool) -> tuple[str, ...]:
    """The requirement of a step that uses results of `check`: the token alone, once that check was ok."""
    return ("token",) if well else (check,)


def forbidden(error: SourceError) -> bool:
    """Whether the controller accepted the credentials, but denies access."""
    return error.reason == "auth" and error.status == 403


def escaped(part: str) -> str:
    """A name as a segment of a metric path."""
    return part.replace("\\", "\\\\").replace("|", "\\|")
