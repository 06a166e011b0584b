"""Causes of a template that gives nothing, the likeliest first; each with what to write or where to look."""

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
    """Of a metric that is not there."""
    yield from _native_only(probe, key)
    yield from _other_presets(probe, key)

    remedy = f"look for it on an application's /metrics; take another preset, or write signals.{key}"
    yield Cause(
        f"the applications name it otherwise than {_template(probe, key)} does",
        f"{remedy}; where nobody measures it, signals: {{{key}: null}}",
    )
    yield Cause(
        "this server does not scrape them",
        "look at its page /targets; or point url to the server that does",
    )
    yield Cause("the data is another tenant's", "headers: {X-Scope-OrgID: TENANT}")


def _template(probe: PrometheusProbe, key: str) -> str:
    """Whose template a key has."""
    if probe.is_own(key):
        return f"signals.{key}"
    return f"the preset {probe.options.preset}"


def _native_only(probe: PrometheusProbe, key: str) -> Iterator[Cause]:
    """A count that native histograms have inside, and not as series of its own."""
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
            f"{base} is a native histogram, which has its count inside",
            f"signals: {{{key}: '{query}'}}",
        )


def _other_presets(probe: PrometheusProbe, key: str) -> Iterator[Cause]:
    """Presets whose metrics this server has."""
    if probe.is_own(key):
        return
    for name, preset in PRESETS.items():
        if name == probe.options.preset or key not in preset.templates:
            continue

        query = resolve(name, "", {}, {}, None).fill(key, probe.options.rate_range) or ""
        metrics = {part.named for part in selectors(query)}
        present = sorted(metric for metric in metrics if probe.labels(metric))
        if present:
            text = f"the data is named as the preset {name} has it: there is {join_words(present)}"
            yield Cause(text, f"preset: {name}")


def label(probe: PrometheusProbe, key: str, lacking: Sequence[str]) -> Iterator[Cause]:
    """Of a label that is needed and that the series do not have."""
    selector = probe.templates.selector
    if any(name in selector for name in lacking):
        yield Cause(
            f"selector ({selector}) asks for a label that these series do not have",
            "write it with labels that they have",
        )
        yield Cause(
            f"{join_words(lacking)} is an external label, which only what is sent on carries",
            "take it out of selector here, or point url to the long-term store",
        )
        return

    option = f"signals.{key}"
    if key in ("error_rate", "route_successes"):  # which ask for the same label
        option = "signals.error_rate and signals.route_successes"
    yield Cause(
        f"the applications call {join_words(lacking)} otherwise than {_template(probe, key)} does",
        f"write {option} with the name they use (such as status instead of code)",
    )


def match(probe: PrometheusProbe, part: Selector) -> Iterator[Cause]:
    """Of matchers that no series has."""
    selector = probe.templates.selector
    if selector:
        values = f"`group by ({part.needed[-1]}) ({part.named})`"
        yield Cause(
            f"selector ({selector}) fits none of them: a slip in a value, or another environment's",
            f"compare it with the values on the server: {values}",
        )
    elif part.matchers:
        values = f"`group by ({part.matchers[0][0]}) ({part.named})`"
        yield Cause("the template's matchers fit none of them", f"compare with the values on the server: {values}")

    window = duration(probe.context.window.duration) if probe.production else "1h"
    yield Cause(f"the targets were not scraped in the last {window}", "look at the server's page /targets")


def value(probe: PrometheusProbe) -> Iterator[Cause]:
    """Of series that are there without a value."""
    rate_range = duration(probe.options.rate_range)
    yield Cause(
        f"fewer than two samples within rate_range ({rate_range}): it is scraped too seldom",
        "rate_range: at least twice the scrape interval; step `interval` tells that",
    )

    yield Cause(
        "the targets are down, or samples come late",
        "look at the server's page /targets, and at its clock",
    )
    yield Cause("there was no such request yet", "nothing")
