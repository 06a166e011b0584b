"""What a check-up asks of a controller, and keeps for later steps: few calls, each within a time, all within one."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

import msgspec

from exporter.errors import SourceError
from exporter.model.checkup import CheckContext
from exporter.model.observation import MINUTE, Window
from exporter.sources.appdynamics.client import Client
from exporter.sources.appdynamics.connection import Connection
from exporter.sources.appdynamics.options import Options
from exporter.sources.appdynamics.records import Answer, Ask, Listed, Transaction

CALLS = 120
"""Most calls of one check-up, those for tokens not among them."""

LOOKED_AT = 4
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
    wanted: CheckContext
    monotonic: Callable[[], float] = time.monotonic
    visible: Sequence[Listed] = ()
    """The applications that our role may view."""
    found: dict[str, Listed] = field(default_factory=dict)
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
    spent: list[float] = field(default_factory=list)
    """Seconds that calls for metric data took, those sent together as one."""
    browsed: int = 0
    """Looks into the tree of metrics."""

    def __post_init__(self) -> None:
        timeout = type(self.options.timeout)(min(_PATIENCE, self.options.timeout))
        self.patient = msgspec.structs.replace(self.options, timeout=timeout)
        self.connection = Connection(self.patient)
        self.client = Client(self.connection, CALLS, _SECONDS)

    @property
    def production(self) -> bool:
        return self.wanted.role == "production"

    @property
    def end(self) -> float:
        """The end of the last full minute."""
        return self.wanted.window.end

    @property
    def recent(self) -> Window:
        """The last hour."""
        return Window(self.end - HOUR, self.end)

    @property
    def looked_at(self) -> dict[str, Listed]:
        """The applications whose metrics are asked for, by our name."""
        return dict(list(self.found.items())[:LOOKED_AT])

    @property
    def calls(self) -> int:
        """How many requests were sent, but for tokens."""
        return self.client.calls + self.browsed

    def ask(self, application: str, path: str, window: Window, *, rollup: bool = False) -> Answer:
        """Metric data of one of the applications found. Raises SourceError."""
        return self.asked_all([Ask(self.found[application].id, path, window, rollup)])[0]

    def asked_all(self, asks: Sequence[Ask]) -> list[Answer]:
        """Metric data, asked for in parallel; how long each took at most is kept. Raises SourceError."""
        start = self.monotonic()
        answers = self.client.metrics(asks)
        if len(asks):
            waves = math.ceil(len(asks) / self.options.parallel)
            self.spent.append((self.monotonic() - start) / waves)
        return answers

    def children(self, application: str, parts: Sequence[str]) -> list[str]:
        """The names right below a place in the tree of metrics. Raises SourceError."""
        self.browsed += 1
        query = {"metric-path": "|".join(escaped(part) for part in parts), "output": "JSON"}
        response = self.connection.get(f"{_REST}/{self.found[application].id}/metrics", query)
        try:
            return [one.name for one in msgspec.json.decode(response.body, type=list[_Item]) if one.name]
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise SourceError("not_json", f"{self.connection.place} gave no JSON for its tree of metrics") from None


def forbidden(error: SourceError) -> bool:
    """Whether we are known to the controller, and may not read this."""
    return error.reason == "auth" and "(403" in str(error)


def escaped(part: str) -> str:
    """A name as a segment of a metric path."""
    return part.replace("\\", "\\\\").replace("|", "\\|")


def near(name: str, names: Iterable[str], most: int = 3) -> list[str]:
    """The names that it may have been meant to be, the likeliest first; case does not matter."""
    wanted, plain = name.casefold(), {one.casefold(): one for one in names}
    if wanted in plain:
        return [plain[wanted]]
    close = get_close_matches(wanted, plain, most, 0.75)
    inside = [key for key in plain if wanted in key or (len(key) > 2 and key in wanted)]
    return [plain[key] for key in close or inside][:most]


def either(names: Sequence[str]) -> str:
    """Quoted names as a choice: 'a' or 'b'."""
    return " or ".join(repr(each) for each in names)


def some(names: Sequence[str], most: int = 5) -> str:
    """Names in one line; of more than so many their number."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(" ".join(name.split()) for name in names[:most]) + more
