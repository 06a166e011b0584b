"""Why a template gives nothing: a metric, a label or a value that is not there, told from the server's index."""

from __future__ import annotations

import re
from collections.abc import Iterator

from exporter.checkup import failed, ok, warning
from exporter.humanize import format_time, join_words
from exporter.model.checkup import Cause, Finding
from exporter.sources.prometheus.checks.probe import Probe
from exporter.sources.prometheus.presets import PRESETS, duration, resolve
from exporter.sources.prometheus.selectors import Selector, selectors

_CLASSIC = ("latency_bucket", "latency_sum", "latency_count")
_WANTED = ("request_rate", *_CLASSIC, "route_requests")
"""Without these much has no evidence; the others fail only when the configuration itself has a template for them."""

_PART_OF = {"error_rate": "request_rate", "route_successes": "route_requests"}
"""Keys that may well give nothing where the other gives something."""


_GONE = (
    Cause("nothing runs now that has them, such as at night", "nothing, if that is meant"),
    Cause("the targets are down, or are no longer scraped", "look at the server's page /targets"),
)


def why_nothing(probe: Probe, key: str) -> Finding:
    """Nothing came back for a key: which part of its query is why."""
    if key in _CLASSIC and "latency_native" in probe.found:
        return ok("none; native histograms are there")
    if key == "latency_native" and key not in probe.asked.explicit:
        return ok("none: classic histograms are used")
    optional = _PART_OF.get(key) in probe.found
    parts = probe.selectors(key)
    for part in parts:
        if (found := _part(probe, key, part, optional=optional)) is not None:
            return found
    if optional:
        return ok("none: no request failed" if key == "error_rate" else "none: no request succeeded")
    if probe.idle:
        return warning("no value now; there are series in the look-back", Cause("no test is under way", "nothing"))
    if any(probe.labels(part.named) is None for part in parts if part.metric):
        text = "nothing came back, and the server does not tell which series it has"
        return _missing(probe, key, text, [*_no_metric(probe, key), *_no_value(probe)])
    gone = [part.text for part in parts if not probe.there(part.text)] if probe.production else []
    if gone:
        text = (
            f"no series of {join_words(gone)} at {format_time(probe.at)}; there were some in the last {window(probe)}"
        )
        return warning(text, *_GONE)
    return _missing(probe, key, f"series are there, and no value at {format_time(probe.at)}", _no_value(probe))


def _part(probe: Probe, key: str, part: Selector, *, optional: bool) -> Finding | None:
    """What is wrong with one selector of the query, as far as the index tells."""
    names = probe.labels(part.named) if part.metric else None
    if names is None:
        return None
    if not names:
        return _missing(probe, key, f"there are no series called {part.metric}", _no_metric(probe, key))
    lacking = [label for label in part.needed if label not in names]
    if lacking:
        text = f"{part.metric} has no label {join_words(lacking)}; it has {some(names)}"
        return _missing(probe, key, text, _no_matcher(probe, key, part, lacking), sure=True)
    if not optional and not probe.labels(part.text):
        return _missing(probe, key, f"no series matches {part.text}", _no_match(probe, part))
    return None


def _missing(probe: Probe, key: str, text: str, causes: list[Cause], *, sure: bool = False) -> Finding:
    if key in probe.asked.templates.queries and key not in _WANTED and key not in probe.asked.explicit and not sure:
        return warning(text, *causes)
    return failed(text, *causes)


def _no_metric(probe: Probe, key: str) -> list[Cause]:
    asked = probe.asked
    where = f"the preset {asked.preset}" if key not in asked.explicit else f"signals.{key}"
    text = f"the applications name it otherwise than {where} does"
    remedy = f"look for it on an application's /metrics; take another preset, or write signals.{key}"
    off = f"signals: {{{key}: null}}"
    return [
        *_native_only(probe, key),
        *_other_presets(probe, key),
        Cause(text, f"{remedy}; where nobody measures it, {off}"),
        Cause("this server does not scrape them", "look at its page /targets; or point url to the server that does"),
        Cause("the data is another tenant's", "headers: {X-Scope-OrgID: TENANT}"),
    ]


def _native_only(probe: Probe, key: str) -> Iterator[Cause]:
    """A count that native histograms have inside, and not as series of its own."""
    template = probe.asked.templates.queries.get(key, "")
    for part in probe.selectors(key):
        base = part.metric.removesuffix("_count")
        if base == part.metric or key in _CLASSIC or not probe.labels(base):
            continue
        inside = rf"\b(rate|increase)\({re.escape(part.metric)}(\{{[^}}]*\}})?\[\$range\]\)"
        mended = re.sub(inside, rf"histogram_count(\1({base}\2[$range]))", template)
        text = f"{base} is a native histogram, which has its count inside"
        yield Cause(text, f"signals: {{{key}: '{mended}'}}")


def _other_presets(probe: Probe, key: str) -> Iterator[Cause]:
    """Presets whose metrics this server has."""
    if key in probe.asked.explicit:
        return
    for name, preset in PRESETS.items():
        if name == probe.asked.preset or key not in preset.templates:
            continue
        query = resolve(name, "", {}, {}, None).fill(key, probe.asked.rate_range) or ""
        named = {part.named for part in selectors(query)}
        there = sorted(each for each in named if probe.labels(each))
        if there:
            yield Cause(
                f"the data is named as the preset {name} has it: there is {join_words(there)}", f"preset: {name}"
            )


def _no_matcher(probe: Probe, key: str, part: Selector, lacking: list[str]) -> list[Cause]:
    chosen = probe.asked.templates.selector
    if any(label in chosen for label in lacking):
        text = f"selector ({chosen}) asks for a label that these series do not have"
        return [Cause(text, "write it with labels that they have"), _external(lacking)]
    where = f"signals.{key}" if key in probe.asked.explicit else f"the preset {probe.asked.preset}"
    text = f"the applications call {join_words(lacking)} otherwise than {where} does"
    both = (
        "signals.error_rate and signals.route_successes"
        if key in ("error_rate", "route_successes")
        else f"signals.{key}"
    )
    return [Cause(text, f"write {both} with the name they use (such as status instead of code)")]


def _external(lacking: list[str]) -> Cause:
    text = f"{join_words(lacking)} is an external label, which only what is sent on carries"
    return Cause(text, "take it out of selector here, or point url to the long-term store")


def _no_match(probe: Probe, part: Selector) -> list[Cause]:
    chosen = probe.asked.templates.selector
    causes = []
    if chosen:
        text = f"selector ({chosen}) fits none of them: a slip in a value, or another environment's"
        causes.append(
            Cause(text, f"compare it with the values on the server: `group by ({part.needed[-1]}) ({part.named})`")
        )
    elif part.matchers:
        remedy = f"compare with the values on the server: `group by ({part.matchers[0][0]}) ({part.named})`"
        causes.append(Cause("the template's matchers fit none of them", remedy))
    text = f"the targets were not scraped in the last {window(probe) if probe.production else '1h'}"
    return [*causes, Cause(text, "look at the server's page /targets")]


def _no_value(probe: Probe) -> list[Cause]:
    wide = duration(probe.asked.rate_range)
    text = f"fewer than two samples within rate_range ({wide}): it is scraped too seldom"
    return [
        Cause(text, "rate_range: at least twice the scrape interval; step `interval` tells that"),
        Cause("the targets are down, or samples come late", "look at the server's page /targets, and at its clock"),
        Cause("there was no such request yet", "nothing"),
    ]


def window(probe: Probe) -> str:
    """How long a poll looks back."""
    return duration(probe.wanted.window.duration)


def some(names: frozenset[str]) -> str:
    """Names of labels, without those that say nothing here."""
    shown = sorted(names - {"__name__", "le"})
    return ", ".join(shown[:12]) + (", ..." if len(shown) > 12 else "")
