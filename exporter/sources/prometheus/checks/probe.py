"""What a check-up asks of a Prometheus, and keeps for later steps: few queries, of single minutes and of the index."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from exporter.clients.http import Session
from exporter.clients.http.options import HttpOptions
from exporter.clients.prometheus import Client, Sample
from exporter.errors import SourceError
from exporter.model.checkup import CheckContext
from exporter.sources.prometheus.presets import Templates
from exporter.sources.prometheus.queries import Queries
from exporter.sources.prometheus.selectors import Selector, selectors

_SECONDS = 180.0
"""After this no further query of a check-up is sent."""

_RECENT = 3600.0
"""Seconds before the minute in question in which its series are looked for in the index."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the source's options say."""

    url: str
    http: HttpOptions
    preset: str
    templates: Templates
    rate_range: float
    recorded: bool
    """Whether recordings may be used."""
    explicit: frozenset[str]
    """Keys whose template is in the configuration itself."""


@dataclass(frozen=True, slots=True)
class Found:
    """The answer to an instant query, and what it took."""

    samples: tuple[Sample, ...]
    seconds: float
    read: int | None
    """Samples that the server read, where it tells."""
    not_finite: int

    @property
    def applications(self) -> tuple[str, ...]:
        names = {each.labels.get("application", "") for each in self.samples}
        return tuple(sorted(names - {""}))


class _Labels(msgspec.Struct):
    status: str
    data: list[str] = []


@dataclass
class Probe:
    """One check-up's questions and answers."""

    asked: Asked
    wanted: CheckContext
    session: Session
    found: dict[str, Found] = field(default_factory=dict)
    """By key."""
    active: tuple[str, ...] = ()
    """Applications with activity in the look-back, where test runs are searched."""
    idle: bool = False
    """Whether nothing was active in the look-back."""
    max_samples: int | None = None
    """The server's --query.max-samples, where it tells."""
    other_requests: int = 0

    def __post_init__(self) -> None:
        self.client = Client(self.session, _SECONDS, stats=True)
        self.queries = Queries(self.asked.templates, self.wanted.side, self.asked.rate_range)
        self.at = self.wanted.window.end
        """The end of the minute that is looked at."""
        self._lately: tuple[str, ...] | None = None
        self._there: dict[str, bool] = {}
        self._labels: dict[tuple[str, float], frozenset[str] | None] = {}

    @property
    def requests(self) -> int:
        """How many requests were sent."""
        return self.client.queries + self.other_requests

    @property
    def production(self) -> bool:
        return self.wanted.role == "production"

    def shown(self, key: str) -> str:
        """A key's query as a person would try it."""
        return self.asked.templates.fill(key, self.asked.rate_range) or ""

    def query(self, key: str) -> str:
        """The raw query of one minute; of a native histogram its count, which is a number."""
        query = self.queries.named(key, self.asked.rate_range) or ""
        return f"histogram_count({query})" if key == "latency_native" else query

    def ask(self, query: str) -> Found:
        """An instant query at the minute in question. Raises SourceError."""
        start = time.monotonic()
        samples = self.client.query(query, self.at)
        return Found(tuple(samples), time.monotonic() - start, self.client.samples_read, self.client.not_finite)

    def lately(self, seconds: float) -> tuple[str, ...]:
        """Applications with requests in so many seconds before the end of the minute; asked once."""
        if self._lately is None:
            self._lately = self.ask(self.queries.named("request_rate", seconds) or "").applications
        return self._lately

    def there(self, match: str) -> bool:
        """Whether series that match have samples in the minute in question, or shortly before; asked once."""
        if match not in self._there:
            self._there[match] = bool(self.ask(f"count({match})").samples)
        return self._there[match]

    def selectors(self, key: str) -> tuple[Selector, ...]:
        """The series that a key's query reads, those of its own metric first."""
        return selectors(self.queries.named(key, self.asked.rate_range) or "")

    def labels(self, match: str) -> frozenset[str] | None:
        """Names of the labels of series that match; none when there are no series, None when the server tells none.

        Asked of the index, so that it costs no samples. Over the whole look-back when nothing was active in it, and
        over the whole window of production where the last hour has none: it may have stood still for hours.
        """
        found = self._indexed(match, self.wanted.window.start if self.idle else self.at - _RECENT)
        if found is not None and not found and self.production:
            return self._indexed(match, self.wanted.window.start)
        return found

    def _indexed(self, match: str, start: float) -> frozenset[str] | None:
        if (match, start) not in self._labels:
            form = {"match[]": match, "start": f"{start:.0f}", "end": f"{self.at:.0f}"}
            self.other_requests += 1
            self._labels[match, start] = None
            try:
                answer = msgspec.json.decode(self.session.post("/api/v1/labels", form).body, type=_Labels)
                self._labels[match, start] = frozenset(answer.data)
            except (msgspec.DecodeError, UnicodeDecodeError):
                pass
            except SourceError as error:
                if error.reason in ("auth", "timeout", "refused", "tls"):
                    raise
        return self._labels[match, start]

    def status(self, name: str) -> Mapping[str, object] | None:
        """What /api/v1/status/NAME says; None when the server has no such page, or we may not see it."""
        self.other_requests += 1
        try:
            answer = msgspec.json.decode(self.session.get(f"/api/v1/status/{name}").body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None
        except SourceError as error:
            if error.reason in ("timeout", "refused", "tls"):
                raise
            return None
        data = answer.get("data") if isinstance(answer, dict) else None
        return data if isinstance(data, dict) else None
