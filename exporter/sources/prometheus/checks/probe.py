"""The requests of a check-up to a Prometheus, with results for later steps: few, for single minutes and the index."""

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
"""Seconds before the checked minute in which its series are searched in the index."""

_UNREACHED = ("timeout", "refused", "tls")
"""Reasons for which every other request would fail too."""


@dataclass(frozen=True, slots=True)
class QueryResult:
    """The result of an instant query, and its cost."""

    samples: tuple[Sample, ...]
    seconds: float
    samples_read: int | None
    """Samples that the server read, if it reports them."""
    not_finite: int

    @property
    def is_empty(self) -> bool:
        """Whether the result is empty, even of values that are NaN or infinite."""
        return not self.samples and not self.not_finite

    @property
    def applications(self) -> tuple[str, ...]:
        return tuple(sorted(self.by_application))

    @property
    def by_application(self) -> dict[str, float]:
        """Application to its value, of the samples with an application."""
        values = {}
        for sample in self.samples:
            application = sample.labels.get("application")
            if application:
                values[application] = sample.value
        return values


@dataclass
class PrometheusProbe:
    """One check-up's requests and results."""

    options: Options
    context: CheckContext
    session: Session
    results: dict[str, QueryResult] = field(default_factory=dict)
    """Valid results, by key."""
    active: tuple[str, ...] = ()
    """Applications with activity in the look-back, if test runs are searched."""
    idle: bool = False
    """Whether nothing was active in the look-back."""
    max_samples: int | None = None
    """The server's --query.max-samples, if it reports it."""

    def __post_init__(self) -> None:
        self.templates = self.options.templates
        self.client = PrometheusClient(self.session, _SECONDS, stats=True)
        self.queries = Queries(self.templates, self.context.side, self.options.rate_range)
        self.at = self.context.window.end
        """The end of the checked minute."""

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
        """Whether the key has a template."""
        return key in self.templates.queries

    def is_own(self, key: str) -> bool:
        """Whether the key's template is from the configuration itself, not from the preset."""
        return key in self.options.signals

    def display_query(self, key: str) -> str:
        """A key's query, for a person to run by hand."""
        return self.templates.fill(key, self.options.rate_range) or ""

    def query(self, key: str) -> str:
        """The raw query of one minute; for a native histogram its count, which is a number."""
        query = self.queries.named(key, self.options.rate_range) or ""
        if key == "latency_native":
            return f"histogram_count({query})"
        return query

    def ask(self, query: str) -> QueryResult:
        """An instant query at the checked minute. Raises SourceError."""
        start = time.monotonic()
        samples = self.client.query(query, self.at)
        took = time.monotonic() - start
        return QueryResult(tuple(samples), took, self.client.samples_read, self.client.not_finite)

    def recently_active(self, seconds: float) -> tuple[str, ...]:
        """Applications with requests in so many seconds before the end of the minute; queried once."""
        if self._recently_active is None:
            query = self.queries.named("request_rate", seconds) or ""
            self._recently_active = self.ask(query).applications
        return self._recently_active

    def is_present(self, match: str) -> bool:
        """Whether matching series have samples in the checked minute, or shortly before; queried once."""
        if match not in self._present:
            self._present[match] = bool(self.ask(f"count({match})").samples)
        return self._present[match]

    def selectors(self, key: str) -> tuple[Selector, ...]:
        """The series selectors of a key's query, those of its own metric first."""
        return selectors(self.queries.named(key, self.options.rate_range) or "")

    def labels(self, match: str) -> frozenset[str] | None:
        """Label names of the matching series; empty: there are no series; None: the server does not report them.

        Reads the index and no samples. Over the whole look-back if nothing was active in it, and over the whole window
        of production if the last hour has no series: it may have been idle for hours.
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

        # Set before the request: a server that rejects it does not get the same request again.
        self._labels[key] = None
        try:
            self._labels[key] = self.client.labels(match, start, self.at)
        except SourceError as error:
            if error.reason in (*_UNREACHED, "auth"):
                raise
        return self._labels[key]

    def status(self, name: str) -> Mapping[str, object]:
        """The data of /api/v1/status/NAME; empty if the server does not have the page, or denies access."""
        try:
            return self.client.status(name) or {}
        except SourceError as error:
            if error.reason in _UNREACHED:
                raise
            return {}
