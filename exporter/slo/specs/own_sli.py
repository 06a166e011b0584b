"""`sli:` of our own configuration -> queries, depending on the environment's source.

A source of kind prometheus has templates for requests, errors and latency. A matcher in the selector narrows each to
one application, so an objective costs as much as its application's series. Only the exporter reads other sources, and
it counts their events (`pte_slo_events_total`, `pte_slo_bad_events_total`).
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

EVENTS = "pte_slo_events_total"
"""The exporter's counter where only the exporter reads the source."""
BAD_EVENTS = "pte_slo_bad_events_total"

_PROBE = "pte_probe"
"""A label that no template has: it marks the positions of $selector."""


class RefusedError(Exception):
    """The settings define no valid objective; `path` is below theirs."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        super().__init__(text)


def sli(slo: SloSettings, environment: Environment) -> Sli:
    """The queries of an objective on the side of `environment`; raises RefusedError where its source has no data."""
    templates = _templates(environment)
    if slo.sli.events is not None:
        return _by_hand(slo.sli.events, templates, environment)
    if templates is None:
        return _counters(slo, environment)
    if slo.sli.latency is not None:
        return _latency(templates, slo.application, slo.sli.latency.threshold, environment)

    labels = {templates.labels["application"]: slo.application}
    total = _narrow(templates, "request_rate", labels, "errors", environment)
    errors = _narrow(templates, "error_rate", labels, "errors", environment)
    return Sli(errors, total)


def _templates(environment: Environment) -> Templates | None:
    source = environment.source
    if isinstance(source, prometheus.Options):
        return source.templates
    return None


def is_counted(slo: SloSettings, environment: Environment) -> bool:
    """Whether the objective uses the exporter's own counters."""
    return slo.sli.events is None and not isinstance(environment.source, prometheus.Options)


def _by_hand(events: EventsSli, templates: Templates | None, environment: Environment) -> Sli:
    """`$selector` is the source's selector; the queries' other matchers are written by hand."""
    if templates is None:
        selector = ""
        for key in ("errors", "total"):
            if "$selector" in getattr(events, key):
                text = f"the source of {environment.name} has no selector, remove $selector"
                raise RefusedError(f"sli.events.{key}", text)
    else:
        selector = templates.selector

    errors, _ = query_facts.template(events.errors.replace("$selector", selector))
    total, _ = query_facts.template(events.total.replace("$selector", selector))
    try:
        parsed_errors = query_facts.parse(errors)
        parsed_total = query_facts.parse(total)
        per = query_facts.per(parsed_errors, parsed_total)
    except ValueError:  # the checks of all objectives report it with its path
        return Sli(errors, total)
    return Sli(errors, total, per, parsed_total.labels or ())


def _counters(slo: SloSettings, environment: Environment) -> Sli:
    """Each replica counts all events, at different times: the mean of their rates counts each event once."""
    if not counts(environment):
        text = f"the source of {environment.name} reports no events to count, set `events` here"
        raise RefusedError("sli", text)

    labels = {"application": slo.application, "side": environment.name, "slo": slo.name}
    matchers = ",".join(f"{label}={quote(value)}" for label, value in labels.items())
    errors = f"avg (rate({BAD_EVENTS}{{{matchers}}}[{WINDOW}]))"
    total = f"avg (rate({EVENTS}{{{matchers}}}[{WINDOW}]))"
    return Sli(errors, total)


def _latency(templates: Templates, application: str, threshold: Duration, environment: Environment) -> Sli:
    labels = {templates.labels["application"]: application}
    bound = _in_units(threshold, templates.latency_scale)
    if "latency_bucket" not in templates.queries and "latency_native" in templates.queries:
        histogram = _narrow(templates, "latency_native", labels, "latency", environment)
        count = f"histogram_count({histogram})"
        return Sli(f"{count} * (1 - histogram_fraction(0, {bound:f}, {histogram}))", count)

    def bucket(le: str | tuple[str, ...]) -> str:
        # A sum, because both spellings of a bound can exist while a server's upgrade is within the range.
        return f"sum ({_narrow(templates, 'latency_bucket', {**labels, 'le': le}, 'latency', environment)})"

    total = bucket("+Inf")
    good = bucket(spellings(bound))
    # Rates of young counters are extrapolated separately, so good can be a little more than all. Without the bucket bad
    # and good cannot be distinguished: then there are no events either, and an alert reports that.
    return Sli(f"clamp_min({total} - {good}, 0)", f"{total}\nand\n{good}")


def _in_units(threshold: Duration, scale: float) -> Decimal:
    """A duration, which has milliseconds, in the histogram's unit."""
    return (Decimal(round(threshold * 1000)) / 1000 / Decimal(repr(scale))).normalize()


def spellings(bound: Decimal) -> tuple[str, ...]:
    """The spellings of `le`: 1 or 1.0, 1000000, 1e+06 or 1.0E6, depending on client and server."""
    plain = f"{bound:f}"
    forms = {plain, _with_point(plain)}

    exponent = bound.adjusted()
    if not -5 < exponent < 6:
        digits = f"{bound.scaleb(-exponent).normalize():f}"
        forms.add(f"{digits}e{exponent:+03}")  # Go
        forms.add(f"{_with_point(digits)}E{exponent}")  # Java
    return tuple(sorted(forms))


def _with_point(digits: str) -> str:
    if "." in digits:
        return digits
    return f"{digits}.0"


def _narrow(
    templates: Templates, key: str, labels: Mapping[str, str | tuple[str, ...]], kind: str, environment: Environment
) -> str:
    """A template's query for only the series with these labels."""
    problem = _not_narrow(templates, key)
    if problem:
        raise RefusedError(f"sli.{kind}", f"{key} of the source of {environment.name} {problem}")

    matchers = [_matcher(label, value) for label, value in labels.items()]
    selector = ",".join(filter(None, (templates.selector, *matchers)))
    return replace(templates, selector=selector).over(key, WINDOW) or ""


def _matcher(label: str, value: str | tuple[str, ...]) -> str:
    if isinstance(value, str):
        return f"{label}={quote(value)}"
    if len(value) == 1:
        return f"{label}={quote(value[0])}"
    patterns = [text.replace(".", "[.]").replace("+", "[+]") for text in value]
    return f"{label}=~{quote('|'.join(patterns))}"


def _not_narrow(templates: Templates, key: str) -> str | None:
    """Why a template cannot be narrowed to one application, for a person."""
    template = templates.queries.get(key)
    if template is None:
        return f"is not observed: set a template in signals.{key}, or `events` here"
    if "$range" not in template:
        return "has no $range, which the SLO's windows need: add it, or set `events` here"

    probed = replace(templates, selector=f'{_PROBE}="1"').fill(key, 60.0) or ""
    return _not_selected(probed, templates.labels["application"])


@lru_cache
def _not_selected(probed: str, label: str) -> str | None:
    """Why the matchers of its selector do not apply to a query's whole result."""
    parts = promql.nodes(promql.parse(probed))

    selectors = [node for node in parts if isinstance(node, promql.VectorSelector)]
    if not all(_is_probed(selector) for selector in selectors):
        return "has a selector without $selector, so it cannot select one application: set `events` here"
    if any(label in _added_labels(node) for node in parts):
        return f"sets the label {label} itself, so its selector cannot select one application: set `events` here"
    return None


def _is_probed(selector: Any) -> bool:
    return any(matcher.name == _PROBE for matcher in selector.matchers.matchers)


def _added_labels(node: Any) -> Sequence[str]:
    """The labels that a function or an operator sets."""
    if isinstance(node, promql.Call) and node.func.name in ("label_replace", "label_join"):
        return (node.args[1].val,)
    if isinstance(node, promql.BinaryExpr) and node.modifier is not None:
        return node.modifier.group_labels or ()
    return ()
