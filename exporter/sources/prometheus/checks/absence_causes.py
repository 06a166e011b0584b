"""Causes of a template without result, the likeliest first; each with a setting or a place to check."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from exporter.humanize import join_words
from exporter.model.checkup import Cause
from exporter.sources.prometheus.checks.probe import PrometheusProbe
from exporter.sources.prometheus.presets import PRESETS, duration, resolve
from exporter.sources.prometheus.selectors import Selector, selectors

CLASSIC = ("latency_bucket", "latency_sum", "latency_count")
"""Keys of classic histograms."""


def metric(probe: PrometheusProbe, key: str) -> Iterator[Cause]:
    """Causes of a missing metric."""
    yield from _native_only(probe, key)
    yield from _other_presets(probe, key)

    remedy = f"find its name on an application's /metrics; use another preset, or set signals.{key}"
    yield Cause(
        f"the applications use another name for it than {_template(probe, key)}",
        f"{remedy}; if nothing measures it, signals: {{{key}: null}}",
    )
    yield Cause(
        "this server does not scrape them",
        "check its page /targets; or point url to the server that does",
    )
    yield Cause("the data belongs to another tenant", "headers: {X-Scope-OrgID: TENANT}")


def _template(probe: PrometheusProbe, key: str) -> str:
    """The owner of a key's template."""
    if probe.is_own(key):
        return f"signals.{key}"
    return f"the preset {probe.options.preset}"


def _native_only(probe: PrometheusProbe, key: str) -> Iterator[Cause]:
    """A count that native histograms contain instead of a separate series."""
    if key in CLASSIC:
        return

    template = probe.templates.queries.get(key, "")
    for part in probe.selectors(key):
        base = part.metric.removesuffix("_count")
        if base == part.metric or not probe.labels(base):
            continue

        # rate(x_count{...}[$range]) becomes histogram_count(rate(x{...}[$range])).
        count = rf"\b(rate|increase)\({re.escape(part.metric)}(\{{[^}}]*\}})?\[\$range\]\)"
        query = re.sub(count, rf"histogram_count(\1({base}\2[$range]))", template)
        yield Cause(
            f"{base} is a native histogram, which contains its count",
            f"signals: {{{key}: '{query}'}}",
        )


def _other_presets(probe: PrometheusProbe, key: str) -> Iterator[Cause]:
    """Other presets with metrics that this server has."""
    if probe.is_own(key):
        return
    for name, preset in PRESETS.items():
        if name == probe.options.preset or key not in preset.templates:
            continue

        query = resolve(name, "", {}, {}, None).fill(key, probe.options.rate_range) or ""
        metrics = {part.named for part in selectors(query)}
        present = sorted(metric for metric in metrics if probe.labels(metric))
        if present:
            text = f"the data uses the names of the preset {name}: the server has {join_words(present)}"
            yield Cause(text, f"preset: {name}")


def label(probe: PrometheusProbe, key: str, lacking: Sequence[str]) -> Iterator[Cause]:
    """Causes of a required label that the series do not have."""
    selector = probe.templates.selector
    if any(name in selector for name in lacking):
        yield Cause(
            f"selector ({selector}) uses a label that these series do not have",
            "use labels that they have",
        )
        yield Cause(
            f"{join_words(lacking)} is an external label, which only forwarded data has",
            "remove it from selector, or point url to the long-term store",
        )
        return

    option = f"signals.{key}"
    if key in ("error_rate", "route_successes"):  # they use the same label
        option = "signals.error_rate and signals.route_successes"
    yield Cause(
        f"the applications use another name for {join_words(lacking)} than {_template(probe, key)}",
        f"set {option} with the name they use (such as status instead of code)",
    )


def match(probe: PrometheusProbe, part: Selector) -> Iterator[Cause]:
    """Causes of matchers that match no series."""
    selector = probe.templates.selector
    if selector:
        values = f"`group by ({part.needed[-1]}) ({part.named})`"
        yield Cause(
            f"selector ({selector}) matches none of them: a typo in a value, or another environment's",
            f"compare it with the values on the server: {values}",
        )
    elif part.matchers:
        values = f"`group by ({part.matchers[0][0]}) ({part.named})`"
        yield Cause(
            "the template's matchers match none of them", f"compare them with the values on the server: {values}"
        )

    window = duration(probe.context.window.duration) if probe.production else "1h"
    yield Cause(f"the targets were not scraped in the last {window}", "check the server's page /targets")


def value(probe: PrometheusProbe) -> Iterator[Cause]:
    """Causes of series without a value."""
    rate_range = duration(probe.options.rate_range)
    yield Cause(
        f"fewer than two samples within rate_range ({rate_range}): it is scraped too rarely",
        "rate_range: at least twice the scrape interval, which step `interval` reports",
    )

    yield Cause(
        "the targets are down, or samples come late",
        "check the server's page /targets, and its clock",
    )
    yield Cause("no such request was served yet", "nothing")
