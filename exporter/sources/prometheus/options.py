"""Options of a Prometheus source: the server, the names of its data, and how to query it."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Literal

import msgspec

from exporter.clients import promql
from exporter.clients.http.options import HttpOptions, login_of, server_of
from exporter.clients.http.validation import Problems
from exporter.clients.http.validation import problems as http_problems
from exporter.model.observation import MINUTE
from exporter.model.settings import Duration
from exporter.sources.prometheus.presets import Templates, resolve, template_problems


class Options(HttpOptions, frozen=True, kw_only=True):
    """The server, the names of its data, and how to query it."""

    url: str
    """Base URL; /api/v1/query is appended."""
    preset: Literal["opentelemetry", "prometheus", "istio", "ingress-nginx", "custom"]
    selector: str = ""
    """Label matchers in every query, such as environment="production"."""
    labels: dict[str, str] = msgspec.field(default_factory=dict)
    """application, method, route: the data's labels for them, where they differ from the preset's."""
    signals: dict[str, str | None] = msgspec.field(default_factory=dict)
    """Templates that replace the preset's; null: the signal is not observed."""
    recorded: Literal["auto", "never"] = "auto"
    """Whether to use recorded one-minute series where they exist."""
    rate_range: Duration = Duration(MINUTE)
    """Range of one-minute rates: at least twice the scrape interval."""
    latency_scale: float | None = None
    """Seconds in one unit of the latency histogram; None: the preset's value."""

    @property
    def templates(self) -> Templates:
        """The preset with these options' overrides."""
        return resolve(self.preset, self.selector, self.labels, self.signals, self.latency_scale)


OTHER_DATA = "another url, or a selector that matches only the PTE"
"""What to change if both sides read the same data."""


def reads(options: Options) -> frozenset[Hashable]:
    """The server and the series of the requests.

    Another tenant or login may see other data, and counts as another server.
    """
    query = options.templates.fill("request_rate", MINUTE)
    selectors = []
    if query is not None:
        nodes = promql.nodes(promql.parse(query))
        selectors = [promql.selector_text(node) for node in nodes if isinstance(node, promql.VectorSelector)]

    return frozenset({(server_of(options.url), login_of(options), frozenset(selectors))})


def problems(options: Options) -> Problems:
    """Problems of the options beyond their types: files, secrets and queries. Sends nothing."""
    result = http_problems(options.url, options)
    if options.rate_range < MINUTE:
        result.append(("rate_range", "must be at least 1m, the resolution of the signals"))
    if options.latency_scale is not None and options.latency_scale <= 0:
        result.append(("latency_scale", "must be more than 0: the seconds in one unit of the histogram"))
    return result + template_problems(options.labels, options.selector, options.signals, options.templates)
