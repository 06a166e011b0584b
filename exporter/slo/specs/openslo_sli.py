"""OpenSLO's indicators -> bad and all events, by the budgeting method.

Occurrences counts events. Timeslices and RatioTimeslices judge the slice of time that ended at each minute: whether it
was bad, or how bad. So slices overlap; on average the result is the same as with consecutive slices.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Any

from exporter.model.slo import WINDOW, Sli
from exporter.slo.rules.budget import decimal
from exporter.slo.rules.fragments import duration
from exporter.slo.specs import query_facts, rewriting
from exporter.slo.specs.node import Node
from exporter.slo.specs.node import duration as parse_duration
from exporter.slo.specs.openslo_alerts import Objects
from exporter.slo.specs.validation import UNREAD, Options

METHODS = ("Occurrences", "Timeslices", "RatioTimeslices")

_SOURCES = ("prometheus", "thanos", "mimir", "cortex", "victoriametrics", "promql", "sloth")
"""Parts of the names of sources that understand PromQL; the specification leaves them open."""

_BAD = {"lt": ">=", "lte": ">", "gt": "<=", "gte": "<"}
"""The comparison that a bad value satisfies, by the comparison that a good value satisfies."""

_LEAST_SCRAPES = 2
"""A rate over a slice needs so many scrapes."""


class _RefusedError(Exception):
    """An indicator that cannot be used; the text says why, node and key where. None: the node has reported it."""

    def __init__(self, node: Node, key: str, text: str | None) -> None:
        self.node = node
        self.key = key
        self.text = text
        super().__init__(text)


@dataclass(frozen=True, slots=True)
class _Slices:
    """How time is divided: a method, and seconds of a slice."""

    method: str
    window: int

    @property
    def text(self) -> str:
        return duration(self.window)


@dataclass(frozen=True, slots=True)
class _Query:
    """A query's text and its location."""

    text: str
    node: Node
    key: str

    def refused(self, why: object) -> _RefusedError:
        return _RefusedError(self.node, self.key, str(why))


def read(spec: Node, objective: Node, others: Objects, options: Options) -> tuple[Sli, Node]:
    """The indicator for one objective, and its metric, for messages about it."""
    before = len(spec.problems)
    try:
        slices = _slices(spec, objective, options)
        metric = _metric(spec, objective, others)
        sli = _sli(metric, slices, objective, others)
    except _RefusedError as error:
        if error.text is not None:
            error.node.wrong(error.key, error.text)
        return UNREAD, spec

    # An indicator with reported problems contains stand-ins, which must not become rules.
    if len(spec.problems) > before:
        return UNREAD, metric
    return sli, metric


def _sli(metric: Node, slices: _Slices | None, objective: Node, others: Objects) -> Sli:
    if metric.path.endswith("thresholdMetric"):
        return _threshold(metric, objective, slices, others)
    if metric.has("raw"):
        return _raw(metric, slices, objective, others)
    return _ratio(metric, slices, objective, others)


def _slices(spec: Node, objective: Node, options: Options) -> _Slices | None:
    """None for Occurrences."""
    method = spec.get("budgetingMethod")
    if method is None or method == "Occurrences":
        return None
    if method not in METHODS:
        raise _RefusedError(spec, "budgetingMethod", f'expected one of: {", ".join(METHODS)}; got "{method}"')

    window = _slice_seconds(objective.get("timeSliceWindow"))
    if window is None or window % 60:
        raise _RefusedError(objective, "timeSliceWindow", "must be full minutes, such as 5 or 5m")
    least = _LEAST_SCRAPES * options.scrape_interval
    if window < least:
        text = f"{duration(window)} is below 2 scrape intervals, must be at least {duration(least)}"
        raise _RefusedError(objective, "timeSliceWindow", text)
    return _Slices(method, window)


def _slice_seconds(raw: Any) -> int | None:
    """A plain number is in minutes."""
    if isinstance(raw, int) and not isinstance(raw, bool) and raw > 0:
        return raw * 60
    return parse_duration(raw)


def _metric(spec: Node, objective: Node, others: Objects) -> Node:
    """The ratioMetric or thresholdMetric."""
    if objective.has("ratioMetrics"):
        return objective.mapping("ratioMetrics")

    inner = _indicator(spec, others).mapping("spec")
    inner.check_keys(("description", "thresholdMetric", "ratioMetric"))
    keys = [key for key in ("ratioMetric", "thresholdMetric") if inner.get(key) is not None]
    if len(keys) != 1:
        text = _either("ratioMetric or thresholdMetric", "both" if keys else "")
        raise _RefusedError(inner, "ratioMetric", text)
    return inner.mapping(keys[0])


def _either(expected: str, got: str) -> str:
    """A message about keys that exclude each other; `got` is empty where all are missing."""
    if got:
        return f"expected either {expected}, got {got}"
    return f"missing, expected either {expected}"


def _indicator(spec: Node, others: Objects) -> Node:
    """The SLI in the SLO, or the one that it refers to."""
    is_inline = spec.get("indicator") is not None
    is_referred = spec.get("indicatorRef") is not None
    if is_inline == is_referred:
        text = _either("indicator or indicatorRef", "both" if is_inline else "")
        raise _RefusedError(spec, "indicator", text)

    indicator = spec.mapping("indicator")
    if is_inline:
        return indicator
    name = spec.text("indicatorRef")
    referred = others.get(("SLI", name))
    if referred is None:
        raise _RefusedError(spec, "indicatorRef", f'the files contain no SLI "{name}"')
    return referred


def _query(metric: Node, key: str, others: Objects) -> _Query:
    """A query and its location; refused when its source does not understand PromQL."""
    part = metric.mapping(key) if key else metric
    # v1alpha has source and query as siblings; v1 has both below metricSource, which may refer to a DataSource.
    if part.has("query"):
        _check_source(part, "source", others)
        node = part
    else:
        source = part.mapping("metricSource")
        _check_source(source, "type", others)
        node = source.mapping("spec")

    key = "promql" if node.has("promql") else "query"
    text, unsupported = query_facts.template(node.text(key))
    if unsupported:
        reason = f"contains {unsupported[0]}, but the only template variable allowed is {WINDOW}"
        raise _RefusedError(node, key, reason)
    if not text:
        raise _RefusedError(node, key, None)  # node.text has reported it
    return _Query(text, node, key)


def _check_source(source: Node, key: str, others: Objects) -> None:
    """Refuse a source that does not understand PromQL; a source without a type is accepted."""
    kind = source.get(key)
    reference = others.get(("DataSource", str(source.get("metricSourceRef"))))
    if kind is None and reference is not None:
        kind = reference.mapping("spec").get("type")
    if kind is None:
        return

    name = str(kind).lower().replace("-", "")
    if not any(word in name for word in _SOURCES):
        text = f'expected Prometheus or another source that understands PromQL, got "{kind}"'
        raise _RefusedError(source, key, text)


def _parsed(query: _Query, function: str = "") -> query_facts.QueryFacts:
    """A query's facts; with a function for its counters, over the window."""
    try:
        text = rewriting.windowed(query.text, function) if function else query.text
        parsed = query_facts.parse(text)
    except ValueError as error:
        raise query.refused(error) from None

    problem = query_facts.problem(parsed)
    if problem:
        raise query.refused(problem)
    return parsed


def _ratio(metric: Node, slices: _Slices | None, objective: Node, others: Objects) -> Sli:
    metric.check_keys(("counter", "good", "bad", "total", "raw", "rawType"))
    parts = [key for key in ("good", "bad") if metric.get(key) is not None]
    if len(parts) != 1:
        text = _either("good or bad, and total", "good and bad" if parts else "")
        raise _RefusedError(metric, "good", text)

    # `counter: false`: the series contain the events of each moment, not a running total.
    function = "sum_over_time" if metric.get("counter") is False else "rate"
    query = _query(metric, parts[0], others)
    part = _parsed(query, function)
    total = _parsed(_query(metric, "total", others), function)

    try:
        same = query_facts.alike(part, total)
        if same:
            raise ValueError(f"{same}, expected a different one")
        if parts == ["good"]:
            sli = rewriting.good_events(part.text, total.text)
        else:
            sli = rewriting.events(part.text, total.text)
    except ValueError as error:
        raise query.refused(error) from None
    if slices is None:
        return sli

    bad = rewriting.operand(query_facts.parse(sli.errors), sli.by)
    whole = rewriting.operand(query_facts.parse(sli.total), sli.by)
    return _sliced(f"{bad} / {whole}", f"{whole} > bool 0", slices, objective, sli.by)


def _sliced(share: str, present: str, slices: _Slices, objective: Node, by: tuple[str, ...]) -> Sli:
    """Each minute's share of bad events, or whether it is more than a good slice may have."""
    if slices.method == "Timeslices":
        share = f"({share}) > bool {_limit(objective)}"
    return Sli(rewriting.over(share, slices.text), rewriting.over(present, slices.text), "minute", by)


def _limit(objective: Node) -> str:
    """The share of bad events that a good slice may have."""
    least = objective.number("timeSliceTarget")
    if least is None:
        return "0"
    if not 0 < least <= 1:
        objective.wrong("timeSliceTarget", "must be a ratio above 0 and at most 1")
        return "0"
    return decimal(1 - least)


def _raw(metric: Node, slices: _Slices | None, objective: Node, others: Objects) -> Sli:
    metric.check_keys(("counter", "raw", "rawType"))
    kind = metric.get("rawType")
    if kind not in ("success", "failure"):
        raise _RefusedError(metric, "rawType", "expected one of: success, failure")

    query = _query(metric, "raw", others)
    parsed = _parsed(query)
    text = parsed.text
    if parsed.ranges:
        with contextlib.suppress(ValueError):  # otherwise it stays a share of each minute, with its own ranges
            text = rewriting.windowed(text, "rate")

    share = text if kind == "failure" else rewriting.rest(text)
    if slices is not None:
        return _sliced(share, _has_value(text), slices, objective, parsed.labels or ())
    try:
        return rewriting.ratio(share)
    except ValueError as error:
        raise query.refused(error) from None


def _threshold(metric: Node, objective: Node, slices: _Slices | None, others: Objects) -> Sli:
    """Each minute is bad when the value does not satisfy the objective's comparison."""
    op = objective.get("op")
    value = objective.number("value")
    if op not in _BAD:
        raise _RefusedError(objective, "op", f"expected one of: {', '.join(_BAD)}")
    if value is None:
        return UNREAD

    parsed = _parsed(_query(metric, "", others))
    labels = parsed.labels or ()
    bad = f"({parsed.text}) {_BAD[op]} bool {decimal(value)}"
    present = _has_value(parsed.text)
    if slices is None:
        return Sli(bad, present, "minute", labels)

    share = rewriting.over(bad, slices.text)
    counted = rewriting.over(present, slices.text)
    if slices.window > 60:
        # The value of each minute of the slice counts: how many of them were bad.
        share = f"avg_over_time(({share})[{slices.text}:1m])"
        counted = f"avg_over_time(({counted})[{slices.text}:1m])"
    return _sliced(share, f"({counted}) > bool 0", slices, objective, labels)


def _has_value(query: str) -> str:
    """1 where a query has a value: NaN, which is no value, is not above -Inf."""
    return f"({query}) > bool -Inf"
