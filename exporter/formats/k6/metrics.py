"""A run from the metrics of k6's summaries, however they were written. docs/results.md, section "k6"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from exporter.errors import SourceError
from exporter.formats.tally.summaries import count, latencies, size
from exporter.formats.tally.urls import endpoint
from exporter.model.loadrun import Endpoint, Figures, Latencies

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

WHOLE, REST = "k6", "other requests"
"""Names of what a summary does not tell apart: all requests, and those beside the endpoints that it has."""

_ENDPOINT_TAGS = {"name", "url", "method"}


@dataclass(slots=True)
class Metrics:
    """Name of a metric, or of a part of it such as `http_reqs{name:Log in}`, to its values as k6 names them."""

    values: dict[str, Values] = field(default_factory=dict)
    checks: dict[str, bool] = field(default_factory=dict)
    """Threshold, such as `http_req_duration p(95)<500`, to whether it was met."""
    warnings: list[str] = field(default_factory=list)

    def figures(self, part: str = "") -> Figures | None:
        """Of all requests, or of a part such as `{name:Log in}`; None where their number is not told."""
        requests = self._requests(part)
        if requests is None:
            return None
        failures = self._told("http_req_failed", part, "passes")
        if failures is not None and failures > requests:
            raise SourceError("bad_data", f"http_req_failed{part}: {failures} failures of {requests} requests")
        bytes_ = {name: None if part else self._bytes(f"data_{name}") for name in ("received", "sent")}
        return Figures(requests, failures, {}, self._latencies(part), bytes_["received"], bytes_["sent"])

    def endpoints(self, total: Figures) -> tuple[Endpoint, ...]:
        """Those with figures of their own, which a summary has of tags that thresholds are set on; and the rest."""
        found: dict[tuple[str, str, str], Endpoint] = {}
        for metric in self.values:
            name, brace, tags = metric.partition("{")
            if brace and name in ("http_req_duration", "http_reqs", "http_req_failed"):
                key, figures = _key(tags.removesuffix("}")), self.figures("{" + tags)
                if key is not None and figures is not None and figures.requests:
                    found[key] = Endpoint(key[0], figures, key[1], key[2])
        rest = total.requests - sum(one.figures.requests for one in found.values())
        if found and rest < 0:
            self.warnings.append("has thresholds on parts that overlap: endpoints are not told apart")
        if not found or rest < 0:
            return (Endpoint(WHOLE, total),)
        others = (Endpoint(REST, Figures(rest)),) if rest else ()
        return (*(found[key] for key in sorted(found)), *others)

    @property
    def users(self) -> float | None:
        """The largest number of users."""
        most = self.values.get("vus", {}).get("max")
        return None if most is None else size(most, "vus: max")

    def _requests(self, part: str) -> int | None:
        for metric, value in (("http_reqs", "count"), ("http_req_duration", "count")):
            told = self._told(metric, part, value)
            if told is not None:
                return told
        failed, passed = (self._told("http_req_failed", part, value) for value in ("passes", "fails"))
        return None if failed is None or passed is None else failed + passed

    def _told(self, metric: str, part: str, value: str) -> int | None:
        told = self.values.get(metric + part, {}).get(value)
        return None if told is None else count(told, f"{metric}{part}: {value}")

    def _bytes(self, metric: str) -> float | None:
        told = self.values.get(metric, {}).get("count")
        return None if told is None else size(told, f"{metric}: count")

    def _latencies(self, part: str) -> Latencies:
        metric = "http_req_duration" + part
        told = self.values.get(metric, {})
        return latencies({ours: told[k6s] / 1000 for k6s, ours in _LATENCIES.items() if k6s in told}, metric)


def _key(tags: str) -> tuple[str, str, str] | None:
    """Name, method and route of `name:Log in,method:POST`; None where other tags make it a part of an endpoint."""
    pairs = [pair.strip().partition(":") for pair in tags.split(",")]
    told = {name: value.strip().strip("\"'") for name, _, value in pairs}
    if not told.keys() <= _ENDPOINT_TAGS or not told.keys() & {"name", "url"}:
        return None
    return endpoint(told.get("name") or told["url"], told.get("method", ""))
