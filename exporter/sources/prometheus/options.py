"""Where a Prometheus is, how its data is named, and how it may be asked."""

from __future__ import annotations

from typing import Literal

import msgspec

from exporter.clients.http.options import HttpOptions
from exporter.clients.http.validation import Problems
from exporter.clients.http.validation import problems as http_problems
from exporter.model.observation import MINUTE
from exporter.model.settings import Duration
from exporter.sources.prometheus.presets import Templates, resolve, template_problems


class Options(HttpOptions, frozen=True, kw_only=True):
    """Where the server is, how its data is named, and how we may ask."""

    url: str
    """Base URL; /api/v1/query is appended."""
    preset: Literal["opentelemetry", "prometheus", "istio", "ingress-nginx", "custom"]
    selector: str = ""
    """Label matchers that every query carries, such as environment="production"."""
    labels: dict[str, str] = msgspec.field(default_factory=dict)
    """application, method, route: the labels of the data that hold them, where they differ from the preset's."""
    signals: dict[str, str | None] = msgspec.field(default_factory=dict)
    """Templates that replace the preset's; null: do not observe."""
    recorded: Literal["auto", "never"] = "auto"
    """Whether recorded one-minute series are used where they are there."""
    rate_range: Duration = Duration(MINUTE)
    """Range of one-minute rates: at least twice the scrape interval."""
    latency_scale: float | None = None
    """Seconds in one unit of the latency histogram; None leaves it to the preset."""

    @property
    def templates(self) -> Templates:
        """The preset as these options override it."""
        return resolve(self.preset, self.selector, self.labels, self.signals, self.latency_scale)


def problems(options: Options) -> Problems:
    """What is wrong with the options beyond their types: files, secrets and queries. Sends nothing."""
    result = http_problems(options.url, options)
    if options.rate_range < MINUTE:
        result.append(("rate_range", "must be at least 1m, the resolution of the signals"))
    if options.latency_scale is not None and options.latency_scale <= 0:
        result.append(("latency_scale", "must be more than 0: the seconds in one unit of the histogram"))
    return result + template_problems(options.labels, options.selector, options.signals, options.templates)
