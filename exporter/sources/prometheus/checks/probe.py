"""What a check-up asks of a Prometheus, and keeps for later steps: few queries, of single minutes and of the index."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from exporter.clients.http import Session
from exporter.clients.prometheus import PrometheusClient, Sample
from exporter.errors import SourceError
from exporter.model.checkup import CheckContext
from exporter.sources.prometheus.options import Options
from exporter.sources.prometheus.queries import Queries
from exporter.sources.prometheus.selectors import Selector, selectors

_SECONDS = 180.0
"""After this no further query of a check-up is sent."""

_RECENT = 3600.0
"""Seconds before the minute in question in which its series are looked for in the index."""

_UNREACHED = ("timeout", "refused", "tls")
"""Reasons for which every other request would fail too."""


@dataclass(frozen=True, slots=True)
class QueryResult:
    """The answer to an instant query, and what it took."""

    samples: tuple[Sample, ...]
    seconds: float
    samples_read: int | None
    """Samples that the server read, where it says so."""
    not_finite: int

    @property
    def is_empty(self) -> bool:
        """Whether nothing came back, not even a value that is no number."""
        return not self.samples and not self.not_finite

    @property
    def applications(self) -> tuple[str, ...]:
        return tuple(sorted(self.by_application))

    @property
    def by_application(self) -> dict[str, float]:
        """Application to its value, of those samples that say whose they are."""
        values = {}
        for sample in self.samples:
            application = sample.labels.get("application")
            if application:
                values[application] = sample.value
        return values


@dataclass
class PrometheusProbe:
    """One check-up's questions and answers."""

    options: Options
    context: CheckContext
    session: Session
    answers: dict[str, QueryResult] = field(default_factory=dict)
    """By key, of those that gave what was expected of them."""
    active: tuple[str, ...] = ()
    """Applications with activity in the look-back, where test runs are searched."""
    idle: bool = False
    """Whether nothing was active in the look-back."""
    max_samples: int | None = None
    """The server's --query.max-samples, where it says so."""

    def __post_init__(self) -> None:
        self.templates = self.options.templates
        self.client = PrometheusClient(self.session, _SECONDS, stats=True)
        self.queries = Queries(self.templates, self.context.side, self.options.rate_range)
        self.at = self.context.window.end
        """The end of the minute that is looked at."""

        self._recently_active: tuple[str, ...] | None = None
        self._present: dict[str, bool] = {}
        self._labels: dict[tuple[str, float], frozenset[str] | None] = {}

    @property
    def requests(self) -> int:
        """How many requests were sent."""
        return self.client.queries + self.client.lookups

    @property
    def production(self) -> bool:
        return self.context.role == "production"

    def observes(self, key: str) -> bool:
        """Whether there is a template for it."""
        return key in self.templates.queries

    def is_own(self, key: str) -> bool:
        """Whether its template is in the configuration itself, and not the preset's."""
        return key in self.options.signals

    def display_query(self, key: str) -> str:
        """A key's query as a person would try it."""
        return self.templates.fill(key, self.options.rate_range) or ""

    def query(self, key: str) -> str:
        """The raw query of one minute; of a native histogram its count, which is a number."""
        query = self.queries.named(key, self.options.rate_range) or ""
        if key == "latency_native":
            return f"histogram_count({query})"
        return query

    def ask(self, query: str) -> QueryResult:
        """An instant query at the minute in question. Raises SourceError."""
        start = time.monotonic()
        samples = self.client.query(query, self.at)
        took = time.monotonic() - start
        return QueryResult(tuple(samples), took, self.client.samples_read, self.client.not_finite)

    def recently_active(self, seconds: float) -> tuple[str, ...]:
        """Applications with requests in so many seconds before the end of the minute; asked once."""
        if self._recently_active is None:
            query = self.queries.named("request_rate", seconds) or ""
            self._recently_active = self.ask(query).applications
        return self._recently_active

    def is_present(self, match: str) -> bool:
        """Whether series that match have samples in the minute in question, or shortly before; asked once."""
        if match not in self._present:
            self._present[match] = bool(self.ask(f"count({match})").samples)
        return self._present[match]

    def selectors(self, key: str) -> tuple[Selector, ...]:
        """The series that a key's query reads, those of its own metric first."""
        return selectors(self.queries.named(key, self.options.rate_range) or "")

    def labels(self, match: str) -> frozenset[str] | None:
        """Names of the labels of series that match; empty: there are no series; None: the server does not say.

        Asked of the index, so that it costs no samples. Over the whole look-back when nothing was active in it, and
        over the whole window of production where the last hour has none: it may have stood still for hours.
        """
        start = self.context.window.start if self.idle else self.at - _RECENT
        labels = self._indexed(match, start)
        if labels is not None and not labels and self.production:
            return self._indexed(match, self.context.window.start)
        return labels

    def _indexed(self, match: str, start: float) -> frozenset[str] | None:
        key = (match, start)
        if key in self._labels:
            return self._labels[key]

        # None before it is asked: a server that refuses is not asked the same again.
        self._labels[key] = None
        try:
            self._labels[key] = self.client.labels(match, start, self.at)
        except SourceError as error:
            if error.reason in (*_UNREACHED, "auth"):
                raise
        return self._labels[key]

    def status(self, name: str) -> Mapping[str, object]:
        """What /api/v1/status/NAME says; nothing when the server has no such page, or we may not see it."""
        try:
            return self.client.status(name) or {}
        except SourceError as error:
            if error.reason in _UNREACHED:
                raise
            return {}
