"""PRESETS: the queries for each naming convention, and the names of the recorded one-minute series.

A template is PromQL with these variables, and only these, filled in: `$selector` (label matchers), `$range` (a
duration), `$application`, `$method`, `$route` (label names). `$1` and everything else stays. A matcher list may end in
a comma, not begin with one: write `{code=~"5..",$selector}`. The sources of the names:
docs/reference/sources/prometheus.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from exporter.clients import promql
from exporter.config.conversion import unknown

KEYS = (
    "request_rate",
    "error_rate",
    "latency_bucket",
    "latency_sum",
    "latency_count",
    "latency_native",
    "throughput",
    "concurrent_users",
    "cpu",
    "memory",
    "route_requests",
    "route_successes",
)
"""The keys of templates. Each template returns one series per `$application` (and le, or `$method` and `$route`)."""

LABELS = ("application", "method", "route")
"""Keys of the option `labels`, which names the data's label for each."""

NEEDS_RANGE = ("latency_bucket", "latency_sum", "latency_count", "latency_native", "route_requests", "route_successes")
"""Templates that must contain `$range` because they are also queried over whole windows."""

RECORDED: Mapping[str, str] = {
    "request_rate": "application:pte_observed_requests:rate1m",
    "error_rate": "application:pte_observed_errors:rate1m",
    "latency_bucket": "application_le:pte_observed_latency_bucket:rate1m",
    "latency_sum": "application:pte_observed_latency_sum:rate1m",
    "latency_count": "application:pte_observed_latency_count:rate1m",
    "throughput": "application:pte_observed_response_bytes:rate1m",
    "concurrent_users": "application:pte_observed_users:sum",
    "cpu": "application:pte_observed_cpu:ratio",
    "memory": "application:pte_observed_memory:ratio",
}
"""Key to the name of its recorded one-minute series (labels application, side, and le for buckets)."""

RECORDING = "side_signal:pte_observed:recorded"
"""1 in each minute in which a key (label `signal`) was recorded, even without data to record.

The label `query` is the fingerprint of the recorded query: recordings of other queries are ignored.
"""

_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_VARIABLE = re.compile(r"\$(selector|range|application|method|route)\b")

_UNITS = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000))


def duration(seconds: float) -> str:
    """Seconds as a PromQL duration, in the largest unit that keeps the milliseconds exact."""
    milliseconds = round(seconds * 1000)
    for unit, size in _UNITS:
        if milliseconds % size == 0:
            return f"{milliseconds // size}{unit}"
    return f"{milliseconds}ms"


@dataclass(frozen=True, slots=True)
class Preset:
    """One naming convention."""

    labels: Mapping[str, str]
    templates: Mapping[str, str]
    """Key (one of KEYS) to template; a key without one is not observed."""
    latency_scale: float = 1.0
    """Seconds in one unit of the latency histogram."""


@dataclass(frozen=True, slots=True)
class Templates:
    """A preset with the site's own labels, selector and templates."""

    labels: Mapping[str, str]
    selector: str
    queries: Mapping[str, str]
    latency_scale: float

    def fill(self, key: str, seconds: float) -> str | None:
        """The query for a key over a range in seconds; None if the key is not observed."""
        return self.over(key, duration(seconds))

    def over(self, key: str, window: str) -> str | None:
        """As `fill`, with any text as the range."""
        template = self.queries.get(key)
        if template is None:
            return None
        values = {**self.labels, "selector": self.selector, "range": window}
        return _VARIABLE.sub(lambda match: values[match[1]], template).strip()


def resolve(
    preset: str, selector: str, labels: Mapping[str, str], signals: Mapping[str, str | None], scale: float | None
) -> Templates:
    """The named preset, overridden by label names and, key by key, by templates (None: not observed)."""
    base = PRESETS[preset]
    templates: dict[str, str | None] = {**base.templates, **signals}
    queries = {key: query for key, query in templates.items() if query is not None}
    if scale is None:
        scale = base.latency_scale
    return Templates({**base.labels, **labels}, selector.strip().strip(","), queries, scale)


def template_problems(
    labels: Mapping[str, str], selector: str, signals: Mapping[str, str | None], templates: Templates
) -> list[tuple[str, str]]:
    """(path, problem) for invalid label names, the selector and each template that is not PromQL."""
    # Labels and selector are in every template: a mistake in one of them is reported once, not for each template.
    problems = list(_label_problems(labels))
    if problems:
        return problems
    wrong = _parse_error(f"up{{{templates.selector}}}")
    if wrong:
        return [("selector", f'{wrong}; expected label matchers such as environment="production"')]

    problems += [(f"signals.{key}", unknown(key, KEYS, "signal")) for key in signals if key not in KEYS]
    for key in KEYS:
        query = templates.fill(key, 60.0)
        if query is not None and (wrong := _parse_error(query) or _unranged(key, templates)):
            problems.append((f"signals.{key}", wrong))
    problems += _lonely(templates)
    return problems


def _label_problems(labels: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, label in labels.items():
        if name not in LABELS:
            yield f"labels.{name}", unknown(name, LABELS)
        elif not _LABEL.fullmatch(label):
            yield f"labels.{name}", f"not a label name: {label!r}"


def _lonely(templates: Templates) -> Iterator[tuple[str, str]]:
    """Templates that are useless without another one."""
    queries = templates.queries
    if "error_rate" in queries and "request_rate" not in queries:
        yield "signals.error_rate", "needs request_rate too: errors are reported as a ratio of requests"
    if "route_successes" in queries and "route_requests" not in queries:
        yield "signals.route_successes", "needs route_requests too"


def _unranged(key: str, templates: Templates) -> str | None:
    if key in NEEDS_RANGE and "$range" not in templates.queries[key]:
        return "must use $range: it is queried over one minute and over whole windows"
    return None


def _parse_error(query: str) -> str | None:
    """The parse error of a query, in one line."""
    try:
        promql.parse(query)
    except ValueError as error:
        return f"not PromQL: {' '.join(str(error).split())}"
    return None


def _rate(metric: str, matchers: str = "", by: str = "$application", function: str = "rate") -> str:
    return f"sum by ({by}) ({function}({metric}{{{matchers}$selector}}[$range]))"


def _http(
    requests: str, duration: str, size: str, *, failed: str, passed: str, matchers: str = "", routes: bool = True
) -> dict[str, str]:
    """The templates of a convention, from its counters' names and the matchers of failed and successful requests."""
    templates = {
        "request_rate": _rate(requests, matchers),
        "error_rate": _rate(requests, f"{matchers}{failed},"),
        "latency_bucket": _rate(f"{duration}_bucket", matchers, "$application, le"),
        "latency_sum": _rate(f"{duration}_sum", matchers),
        "latency_count": _rate(f"{duration}_count", matchers),
        "latency_native": _rate(duration, matchers),
        "throughput": _rate(f"{size}_sum", matchers),
    }

    if routes:
        by = "$application, $method, $route"
        templates["route_requests"] = _rate(requests, matchers, by, "increase")
        templates["route_successes"] = _rate(requests, f"{matchers}{passed},", by, "increase")
    return templates


PRESETS: Mapping[str, Preset] = {
    "opentelemetry": Preset(
        {"application": "service_name", "method": "http_request_method", "route": "http_route"},
        _http(
            "http_server_request_duration_seconds_count",
            "http_server_request_duration_seconds",
            "http_server_response_body_size_bytes",
            failed='http_response_status_code=~"5.."',
            passed='http_response_status_code=~"[123].."',
        ),
    ),
    "prometheus": Preset(
        {"application": "job", "method": "method", "route": "handler"},
        _http(
            "http_requests_total",
            "http_request_duration_seconds",
            "http_response_size_bytes",
            failed='code=~"5.."',
            passed='code=~"[123].."',
        ),
    ),
    "istio": Preset(
        {"application": "destination_canonical_service", "method": "request_method", "route": "request_operation"},
        _http(
            "istio_requests_total",
            "istio_request_duration_milliseconds",
            "istio_response_bytes",
            failed='response_code=~"0|5.."',
            passed='response_code=~"[123].."',
            matchers='reporter="destination",',
            routes=False,  # neither method nor route is among Istio's standard labels
        ),
        latency_scale=0.001,
    ),
    "ingress-nginx": Preset(
        {"application": "ingress", "method": "method", "route": "path"},
        _http(
            "nginx_ingress_controller_requests",
            "nginx_ingress_controller_request_duration_seconds",
            "nginx_ingress_controller_response_size",
            failed='status=~"5.."',
            passed='status=~"[123].."',
        ),
    ),
    "custom": Preset({"application": "application", "method": "method", "route": "route"}, {}),
}
