"""What a check-up asks of a controller, and keeps for later steps: few calls, each within a time, all within one."""

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
from exporter.sources.appdynamics.client import Client
from exporter.sources.appdynamics.connection import Connection
from exporter.sources.appdynamics.options import Options
from exporter.sources.appdynamics.records import Answer, ListedApplication, MetricQuery, Transaction

CALLS = 120
"""Most calls of one check-up, those for tokens not among them."""

SAMPLE = 4
"""Applications whose metrics are looked at one by one; of more the first ones stand for all."""

LISTED = 12
"""Applications whose business transactions and tiers are listed."""

HOUR = 60 * MINUTE

_SECONDS = 180.0
"""After this no further call of a check-up is sent."""

_PATIENCE = 30.0
"""Seconds for a call at most, whatever `timeout` says: somebody waits."""

_REST = "/controller/rest/applications"


class _Item(msgspec.Struct):
    name: str | None = None


@dataclass
class Probe:
    """One check-up's questions and answers."""

    options: Options
    context: CheckContext
    monotonic: Callable[[], float] = time.monotonic
    visible: Sequence[ListedApplication] = ()
    """The applications that our role may view."""
    applications: dict[str, ListedApplication] = field(default_factory=dict)
    """Those of them that are configured, by our name."""
    transactions: dict[str, list[Transaction]] = field(default_factory=dict)
    """By our name of the application, where they could be listed."""
    traffic: dict[str, Answer] = field(default_factory=dict)
    """Calls of each business transaction over the last hour, one value each, by our name of the application."""
    active: Sequence[str] = ()
    """Those with calls in the last hour, by our name."""
    untested: Sequence[str] = ()
    """Those of the PTE of which the controller knows no calls at all, by our name."""
    measured: bool = False
    """Whether the controller knows calls of any application."""
    coarse: bool = False
    """Whether data of the window came in steps, not in minutes."""
    call_seconds: list[float] = field(default_factory=list)
    """How long calls for metric data took, those sent together as one."""
    browses: int = 0
    """Looks into the tree of metrics."""

    def __post_init__(self) -> None:
        timeout = type(self.options.timeout)(min(_PATIENCE, self.options.timeout))
        self.patient = msgspec.structs.replace(self.options, timeout=timeout)
        self.connection = Connection(self.patient)
        self.client = Client(self.connection, CALLS, _SECONDS)

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
        """The applications whose metrics are asked for, by our name."""
        return dict(list(self.applications.items())[:SAMPLE])

    @property
    def example(self) -> str:
        """The one that stands for all, where one is enough; one with calls if there is any. Empty where none is."""
        return next(iter([*self.active, *self.sample]), "")

    @property
    def of_example(self) -> str:
        """For what a step tries."""
        return f" of {self.example}" if self.example else ""

    @property
    def calls(self) -> int:
        """How many requests were sent, but for tokens."""
        return self.client.calls + self.browses

    def query(self, queries: Sequence[MetricQuery]) -> list[Answer]:
        """Metric data, asked for in parallel; how long each took at most is kept. Raises SourceError."""
        start = self.monotonic()
        answers = self.client.metrics(queries)
        if queries:
            waves = math.ceil(len(queries) / self.options.parallel)
            self.call_seconds.append((self.monotonic() - start) / waves)
        return answers

    def query_calls(self, application: str, windows: Sequence[Window]) -> list[Answer]:
        """Calls of one of the applications, over each window. Raises SourceError."""
        number = self.applications[application].id
        return self.query([MetricQuery(number, self.options.paths["calls"], window) for window in windows])

    def children(self, application: str, parts: Sequence[str]) -> list[str]:
        """The names right below a place in the tree of metrics. Raises SourceError."""
        self.browses += 1
        query = {"metric-path": "|".join(escaped(part) for part in parts), "output": "JSON"}
        response = self.connection.get(f"{_REST}/{self.applications[application].id}/metrics", query)
        try:
            return [item.name for item in decoding.decode(response.body, list[_Item]) if item.name]
        except (msgspec.DecodeError, UnicodeDecodeError):
            text = f"{self.connection.place} gave no JSON for its tree of metrics"
            raise SourceError("not_json", text, location=self.connection.place) from None


def needs(check: str, *, well: bool) -> tuple[str, ...]:
    """What a step needs that uses what `check` finds: the token alone, once that went well."""
    return ("token",) if well else (check,)


def forbidden(error: SourceError) -> bool:
    """Whether we are known to the controller, and may not read this."""
    return error.reason == "auth" and error.status == 403


def escaped(part: str) -> str:
    """A name as a segment of a metric path."""
    return part.replace("\\", "\\\\").replace("|", "\\|")
