"""`sli:` of our own configuration -> queries, by what the environment's source knows.

A source of kind prometheus has templates for requests, errors and latency. Each is narrowed to the one application by
a matcher in its selector, so that an objective costs what its application's series cost. Other sources are seen by the
exporter alone, which counts their events (`pte_slo_events_total`, `pte_slo_bad_events_total`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import lru_cache
from typing import Any

from exporter.clients import promql
from exporter.clients.prometheus import quote
from exporter.config import Environment
from exporter.model.settings import Duration
from exporter.model.slo import WINDOW, Sli
from exporter.model.slo_settings import EventsSli, SloSettings
from exporter.slo.specs import query_facts
from exporter.sources import counts
from exporter.sources.prometheus import source as prometheus
from exporter.sources.prometheus.presets import Templates

EVENTS, BAD_EVENTS = "pte_slo_events_total", "pte_slo_bad_events_total"
"""What the exporter counts where it alone sees the source."""

_PROBE = "pte_probe"
"""A label that no template has: where it turns up, there $selector stands."""


class RefusedError(Exception):
    """No objective can be made of the settings; `path` is below theirs."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        super().__init__(text)


def sli(slo: SloSettings, environment: Environment) -> Sli:
    """The queries of an objective on the side of `environment`; raises RefusedError where its source has none."""
    source = environment.source
    templates = source.templates if isinstance(source, prometheus.Options) else None
    if slo.sli.events is not None:
        return _by_hand(slo.sli.events, templates, environment)
    if templates is None:
        return _counted(slo, environment)
    if slo.sli.latency is not None:
        return _latency(templates, slo.application, slo.sli.latency.threshold, environment)
    total, errors = (
        _narrow(templates, key, {templates.labels["application"]: slo.application}, "errors", environment)
        for key in ("request_rate", "error_rate")
    )
    return Sli(errors, total)


def is_counted(slo: SloSettings, environment: Environment) -> bool:
    """Whether the objective rests on what the exporter counts itself."""
    return slo.sli.events is None and not isinstance(environment.source, prometheus.Options)


def _by_hand(events: EventsSli, templates: Templates | None, environment: Environment) -> Sli:
    """`$selector` is the source's own; what belongs to the application has been written by hand."""
    queries = {"errors": events.errors, "total": events.total}
    for key, query in queries.items():
        if "$selector" in query and templates is None:
            raise RefusedError(
                f"sli.events.{key}", f"the source of {environment.name} has no selector, wanted none of $selector"
            )
        queries[key] = query_facts.template(query.replace("$selector", templates.selector if templates else ""))[0]
    try:
        parsed = {key: query_facts.parse(query) for key, query in queries.items()}
        per = query_facts.per(*parsed.values())
    except ValueError:  # told, with its path, by the checks that all objectives go through
        return Sli(queries["errors"], queries["total"])
    return Sli(queries["errors"], queries["total"], per, parsed["total"].labels or ())


def _counted(slo: SloSettings, environment: Environment) -> Sli:
    """Replicas each count all events, at other moments: the mean of their rates counts each event once."""
    if not counts(environment):
        text = f"the source of {environment.name} tells no events to count, wanted `events` here"
        raise RefusedError("sli", text)
    labels = {"application": slo.application, "side": environment.name, "slo": slo.name}
    matchers = ",".join(f"{label}={quote(value)}" for label, value in labels.items())
    total, errors = (f"avg (rate({name}{{{matchers}}}[{WINDOW}]))" for name in (EVENTS, BAD_EVENTS))
    return Sli(errors, total)


def _latency(templates: Templates, application: str, threshold: Duration, environment: Environment) -> Sli:
    labels = {templates.labels["application"]: application}
    bound = _in_units(threshold, templates.latency_scale)
    if "latency_bucket" not in templates.queries and "latency_native" in templates.queries:
        seen = _narrow(templates, "latency_native", labels, "latency", environment)
        count = f"histogram_count({seen})"
        return Sli(f"{count} * (1 - histogram_fraction(0, {bound:f}, {seen}))", count)
    # Sums, as both spellings of a bound can be there while a server's upgrade is within the range.
    total, good = (
        f"sum ({_narrow(templates, 'latency_bucket', {**labels, 'le': le}, 'latency', environment)})"
        for le in ("+Inf", spellings(bound))
    )
    # Rates of young counters are extrapolated each by itself, so that good can be a little more than all. Without the
    # bucket nothing tells bad from good: then there are no events either, and that is told.
    return Sli(f"clamp_min({total} - {good}, 0)", f"{total}\nand\n{good}")


def _in_units(threshold: Duration, scale: float) -> Decimal:
    """A duration, which has milliseconds, in the histogram's unit."""
    return (Decimal(round(threshold * 1000)) / 1000 / Decimal(repr(scale))).normalize()


def spellings(bound: Decimal) -> tuple[str, ...]:
    """How `le` may be written: 1 or 1.0, 1000000, 1e+06 or 1.0E6, whatever the client and the server prefer."""
    plain = f"{bound:f}"
    forms = {plain, f"{plain}.0"} if "." not in plain else {plain}
    exponent = bound.adjusted()
    if not -5 < exponent < 6:
        digits = f"{bound.scaleb(-exponent).normalize():f}"
        forms |= {f"{digits}e{'-' if exponent < 0 else '+'}{abs(exponent):02}"}
        forms |= {f"{digits if '.' in digits else f'{digits}.0'}E{exponent}"}
    return tuple(sorted(forms))


def _narrow(
    templates: Templates, key: str, labels: Mapping[str, str | tuple[str, ...]], kind: str, environment: Environment
) -> str:
    """A template's query for series with these labels alone."""
    wrong = _not_narrow(templates, key)
    if wrong:
        raise RefusedError(f"sli.{kind}", f"{key} of the source of {environment.name} {wrong}")
    matchers = [_matcher(label, value) for label, value in labels.items()]
    selector = ",".join(filter(None, (templates.selector, *matchers)))
    return replace(templates, selector=selector).over(key, WINDOW) or ""


def _matcher(label: str, value: str | tuple[str, ...]) -> str:
    if isinstance(value, str):
        return f"{label}={quote(value)}"
    if len(value) == 1:
        return f"{label}={quote(value[0])}"
    return f"{label}=~{quote('|'.join(one.replace('.', '[.]').replace('+', '[+]') for one in value))}"


def _not_narrow(templates: Templates, key: str) -> str | None:
    """Why a template cannot be narrowed to one application, for a person."""
    template, label = templates.queries.get(key), templates.labels["application"]
    if template is None:
        return f"is not observed, wanted a template in signals.{key}, or `events` here"
    if "$range" not in template:
        return "has no $range, which the SLO's windows need; wanted it, or `events` here"
    return _joined(replace(templates, selector=f'{_PROBE}="1"').fill(key, 60.0) or "", label)


@lru_cache
def _joined(probed: str, label: str) -> str | None:
    """Why a query does not have the matchers of its selector in all of its result."""
    parts = promql.nodes(promql.parse(probed))
    selectors = [node for node in parts if isinstance(node, promql.VectorSelector)]
    if not all(_is_probed(selector) for selector in selectors):
        return "has a selector without $selector, so that it cannot be asked for one application; wanted `events` here"
    if any(label in _added_labels(node) for node in parts):
        return f"makes the label {label} itself, so that its selector cannot ask for one application; wanted `events`"
    return None


def _is_probed(selector: Any) -> bool:
    return any(matcher.name == _PROBE for matcher in selector.matchers.matchers)


def _added_labels(node: Any) -> Sequence[str]:
    """The labels that one function or operator writes itself."""
    if isinstance(node, promql.Call) and node.func.name in ("label_replace", "label_join"):
        return (node.args[1].val,)
    if isinstance(node, promql.BinaryExpr) and node.modifier is not None:
        return node.modifier.group_labels or ()
    return ()
