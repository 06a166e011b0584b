"""Checks the labels of a result: a missing label, or series that are not aggregated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from exporter.checkup import failed
from exporter.clients.prometheus import series_name
from exporter.model.checkup import Cause, Finding
from exporter.sources.prometheus.checks.probe import PrometheusProbe, QueryResult
from exporter.sources.prometheus.checks.wording import labels as shown_labels

ROUTE_KEYS = ("route_requests", "route_successes")
"""Keys with one series per route."""

_ELSEWHERE = {
    "application": (
        "service_name",
        "service",
        "application",
        "app",
        "job",
        "container",
        "destination_canonical_service",
    ),
    "method": ("method", "http_method", "http_request_method", "request_method", "verb"),
    "route": ("route", "handler", "path", "uri", "http_route", "endpoint", "request_operation", "url"),
}
"""Names of the labels in other data, the likeliest first."""


def wrong_shape(probe: PrometheusProbe, key: str, result: QueryResult) -> Finding | None:
    """The finding for an unusable result; None if it is usable."""
    labels = _labels(probe, key)
    for label in labels:
        if not any(sample.labels.get(label) for sample in result.samples):
            return _missing_label(probe, key, label)

    values = [_values(sample.labels, labels) for sample in result.samples]
    for own, count in Counter(values).items():
        if count > 1 and all(own):
            example = series_name(result.samples[values.index(own)].labels)
            by = ", ".join(_by(key))
            return failed(
                f"{count} series of {', '.join(own)} instead of one, such as {example}",
                Cause("the template does not aggregate", f"signals.{key}: sum by ({by}) (...)"),
            )
    return None


def _values(sample: Mapping[str, str], labels: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sample.get(label, "") for label in labels)


def _labels(probe: PrometheusProbe, key: str) -> tuple[str, ...]:
    """Labels that distinguish the series of a key in a result."""
    if key == "latency_bucket":
        return ("application", "le")
    if key in ROUTE_KEYS:
        return ("application", probe.templates.labels["method"], probe.templates.labels["route"])
    return ("application",)


def _by(key: str) -> tuple[str, ...]:
    """The same labels, in the notation of a template."""
    if key == "latency_bucket":
        return ("$application", "le")
    if key in ROUTE_KEYS:
        return ("$application", "$method", "$route")
    return ("$application",)


def _missing_label(probe: PrometheusProbe, key: str, label: str) -> Finding:
    own = probe.templates.labels["application"] if label == "application" else label
    names = set[str]()
    for part in probe.selectors(key)[:2]:  # a template rarely reads more, and each is a request
        names |= probe.labels(part.named) or set()
    return failed(f"no series has the label {own}", *_label_causes(probe, key, own, names))


def _label_causes(probe: PrometheusProbe, key: str, own: str, names: set[str]) -> Iterator[Cause]:
    """`own`: the expected name of the label in the data; `names`: the labels of the series."""
    option = next((option for option, label in probe.templates.labels.items() if label == own), None)
    if option is not None and own not in names:  # le cannot be renamed
        yield from _named_otherwise(key, option, own, names)
    yield Cause("the template aggregates it away", f"add it to `by` in signals.{key}")


def _named_otherwise(key: str, option: str, own: str, names: set[str]) -> Iterator[Cause]:
    there = f"; the series have {shown_labels(names)}" if names else ""
    likely = next((name for name in _ELSEWHERE[option] if name in names and name != own), "LABEL")
    yield Cause(f"the data uses another name{there}", f"labels: {{{option}: {likely}}}")

    if key in ROUTE_KEYS and option != "application":
        yield Cause(
            "the metric does not distinguish endpoints",
            "export the label in the application; or `signals: {route_requests: null, route_successes: null}`",
        )
    if own == "service_name":
        yield Cause(
            "resource attributes are not promoted to labels",
            "promote_resource_attributes: [service.name] in Prometheus, or labels: {application: job}",
        )
