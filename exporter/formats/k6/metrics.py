"""A run from the metrics of k6's summaries, however they were written. docs/reference/formats.md, section "k6"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from exporter.errors import SourceError
from exporter.formats.tally.summaries import count, latencies, size
from exporter.formats.tally.urls import endpoint
from exporter.model.loadrun import Figures, Latencies, RunEndpoint

Values = Mapping[str, float]

_LATENCIES = {
    "min": "min",
    "avg": "mean",
    "med": "p50",
    "p(50)": "p50",
    "p(90)": "p90",
    "p(95)": "p95",
    "p(99)": "p99",
    "p(99.5)": "p995",
    "p(99.9)": "p999",
    "max": "max",
}
"""Which of them there are is the test's option summaryTrendStats."""

_OF_REQUESTS = ("http_req_duration", "http_reqs", "http_req_failed")

WHOLE = "k6"
"""The name of all requests, where a summary does not distinguish endpoints."""

REST = "other requests"
"""The name of those beside the endpoints that it has."""

_ENDPOINT_TAGS = {"name", "url", "method"}


@dataclass(slots=True)
class Metrics:
    """Name of a metric, or of a part of it such as `http_reqs{name:Log in}`, to its values as k6 names them."""

    values: dict[str, Values] = field(default_factory=dict)
    checks: dict[str, bool] = field(default_factory=dict)
    """Threshold, such as `http_req_duration p(95)<500`, to whether it was met."""
    warnings: list[str] = field(default_factory=list)

    def figures(self, part: str = "") -> Figures | None:
        """Of all requests, or of a part such as `{name:Log in}`; None where their number is not reported."""
        requests = self._requests(part)
        if requests is None:
            return None

        failures = self._count("http_req_failed", part, "passes")
        if failures is not None and failures > requests:
            raise SourceError("bad_data", f"http_req_failed{part}: {failures} failures of {requests} requests")
        if part:
            return Figures(requests, failures, {}, self._latencies(part))

        # Bytes are reported of the whole run only.
        received = self._bytes("data_received")
        sent = self._bytes("data_sent")
        return Figures(requests, failures, {}, self._latencies(part), received, sent)

    def endpoints(self, total: Figures) -> tuple[RunEndpoint, ...]:
        """Those with figures of their own, which a summary has of tags that thresholds are set on; and the rest."""
        named = self._named()
        rest = total.requests - sum(endpoint.figures.requests for endpoint in named)
        if named and rest < 0:
            self.warnings.append("has thresholds on parts that overlap: endpoints cannot be distinguished")
            named = []

        if not named:
            return (RunEndpoint(WHOLE, total),)
        if rest:
            named.append(RunEndpoint(REST, Figures(rest)))
        return tuple(named)

    def _named(self) -> list[RunEndpoint]:
        endpoints: dict[tuple[str, str, str], RunEndpoint] = {}
        for metric in self.values:
            name, brace, tags = metric.partition("{")
            if not brace or name not in _OF_REQUESTS:
                continue
            key = _key(tags.removesuffix("}"))
            figures = self.figures("{" + tags)
            if key is not None and figures is not None and figures.requests:
                endpoints[key] = RunEndpoint(key[0], figures, key[1], key[2])
        return [endpoints[key] for key in sorted(endpoints)]

    @property
    def users(self) -> float | None:
        """The largest number of users."""
        most = self.values.get("vus", {}).get("max")
        return None if most is None else size(most, "vus: max")

    def _requests(self, part: str) -> int | None:
        for metric in ("http_reqs", "http_req_duration"):
            requests = self._count(metric, part, "count")
            if requests is not None:
                return requests

        failed = self._count("http_req_failed", part, "passes")
        passed = self._count("http_req_failed", part, "fails")
        return None if failed is None or passed is None else failed + passed

    def _count(self, metric: str, part: str, value: str) -> int | None:
        number = self.values.get(metric + part, {}).get(value)
        return None if number is None else count(number, f"{metric}{part}: {value}")

    def _bytes(self, metric: str) -> float | None:
        number = self.values.get(metric, {}).get("count")
        return None if number is None else size(number, f"{metric}: count")

    def _latencies(self, part: str) -> Latencies:
        metric = "http_req_duration" + part
        milliseconds = self.values.get(metric, {})
        seconds = {ours: milliseconds[k6s] / 1000 for k6s, ours in _LATENCIES.items() if k6s in milliseconds}
        return latencies(seconds, metric)


def _key(tags: str) -> tuple[str, str, str] | None:
    """Name, method and route of `name:Log in,method:POST`; None where other tags make it a part of an endpoint."""
    values: dict[str, str] = {}
    for pair in tags.split(","):
        name, _, value = pair.strip().partition(":")
        values[name] = value.strip().strip("\"'")

    if not values.keys() <= _ENDPOINT_TAGS or not values.keys() & {"name", "url"}:
        return None
    return endpoint(values.get("name") or values["url"], values.get("method", ""))
