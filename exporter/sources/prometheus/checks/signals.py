"""Checks of each template: the result of its query, and its shape."""

from __future__ import annotations

from collections.abc import Sequence

from exporter.checkup import ok
from exporter.errors import SourceError
from exporter.humanize import pluralize
from exporter.humanize import seconds as spent
from exporter.model.checkup import Cause, Finding
from exporter.model.observation import MINUTE
from exporter.sources.prometheus.checks.absence import why_nothing
from exporter.sources.prometheus.checks.probe import PrometheusProbe, QueryResult
from exporter.sources.prometheus.checks.shape import ROUTE_KEYS, wrong_shape
from exporter.sources.prometheus.checks.wording import applications

ORDER = (
    "request_rate",
    "error_rate",
    "latency_native",
    "latency_bucket",
    "latency_sum",
    "latency_count",
    "throughput",
    "concurrent_users",
    "cpu",
    "memory",
    "route_requests",
    "route_successes",
)
"""Keys in the order of the steps: native histograms first, because classic ones may be missing then."""

_RECENT = 600.0
"""Seconds in which the newest minute with a value is searched: a missed scrape is not a failure of the query."""


def signal(probe: PrometheusProbe, key: str) -> Finding:
    """The result of one template."""
    query = probe.query(key)
    try:
        result = probe.ask(query)
    except SourceError as error:
        if error.reason == "bad_query" and key == "latency_native" and not probe.is_own(key):
            return ok("this server does not support it: classic histograms are used")
        raise

    if result.is_empty and key == "request_rate" and probe.production:
        result = _newest(probe, query, result)
    if result.is_empty:
        return why_nothing(probe, key)
    problem = wrong_shape(probe, key, result)
    if problem is not None:
        return problem

    probe.results[key] = result
    text = f"{_content(probe, key, result)}; {spent(result.seconds)}"
    if result.samples_read is not None:
        text = f"{text}, {result.samples_read} samples read"
    return ok(text)


def refused(probe: PrometheusProbe, key: str, error: SourceError) -> Sequence[Cause]:
    """Causes of a rejected query of a template."""
    if error.reason != "bad_query":
        return ()
    if key == "latency_native":
        text = "the server does not support native histograms (Prometheus does from 2.40 on)"
        return [Cause(text, "remove signals.latency_native, or update the server")]
    remedy = f"try it on the server's own page, then fix signals.{key}"
    return [Cause("the template does not fit this server", remedy)]


def _newest(probe: PrometheusProbe, query: str, result: QueryResult) -> QueryResult:
    """The result of the newest minute with data; this and later steps then use that minute."""
    ranges = probe.client.query_range(query, probe.at - _RECENT, probe.at, MINUTE)
    if not ranges:
        return result
    probe.at = max(float(series.times.max()) for series in ranges)
    return probe.ask(query)


def _content(probe: PrometheusProbe, key: str, result: QueryResult) -> str:
    text = applications(result.applications)
    without_application = sum(not sample.labels.get("application") for sample in result.samples)
    if without_application:
        text = f"{text}; {without_application} series without an application are left out"
    if key not in ROUTE_KEYS:
        return text

    method = probe.templates.labels["method"]
    route = probe.templates.labels["route"]
    whole = sum(bool(sample.labels.get(method) and sample.labels.get(route)) for sample in result.samples)
    text = f"{text}, {pluralize(whole, 'route')}"
    rest = len(result.samples) - whole
    if rest:
        text = f"{text}; {rest} without method or route are left out"
    return text
