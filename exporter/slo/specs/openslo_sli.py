"""OpenSLO's indicators -> bad and all events, by the budgeting method.

Occurrences counts events. Timeslices and RatioTimeslices look at the slice of time that ended at each minute: whether
it was bad, or how bad. So slices overlap, which on average says the same as one after the other.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from exporter.model.slo import WINDOW, Sli
from exporter.slo.rules.budget import decimal
from exporter.slo.rules.fragments import duration
from exporter.slo.specs import query_facts, rewriting
from exporter.slo.specs.openslo_alerts import Objects
from exporter.slo.specs.place import Place
from exporter.slo.specs.place import duration as parse_duration
from exporter.slo.specs.validation import UNREAD, Options

METHODS = ("Occurrences", "Timeslices", "RatioTimeslices")

_SOURCES = ("prometheus", "thanos", "mimir", "cortex", "victoriametrics", "promql", "sloth")
"""Parts of the names that sources of PromQL go by; the specification leaves them open."""

_BAD = {"lt": ">=", "lte": ">", "gt": "<=", "gte": "<"}
"""The comparison that a bad value satisfies, by the one that a good value does."""

_LEAST_SCRAPES = 2
"""What a rate over a slice needs."""


class _RefusedError(Exception):
    """An indicator that cannot be used; the text says why, the place where. Without a text it has been told."""

    def __init__(self, place: Place, key: str, text: str) -> None:
        self.place = place
        self.key = key
        super().__init__(text)


@dataclass(frozen=True, slots=True)
class _Slices:
    """How time is cut: a method, and seconds of a slice."""

    method: str
    window: int

    @property
    def text(self) -> str:
        return duration(self.window)


def read(spec: Place, objective: Place, others: Objects, options: Options) -> tuple[Sli, Place]:
    """The indicator for one objective, and the metric that it rests on, for messages about it."""
    before = len(spec.problems)
    try:
        slices = _slices(spec, objective, options)
        metric = _metric(spec, objective, others)
        if metric.path.endswith("thresholdMetric"):
            sli = _threshold(metric, objective, slices, others)
        elif metric.has("raw"):
            sli = _raw(metric, slices, objective, others)
        else:
            sli = _ratio(metric, slices, objective, others)
    except _RefusedError as error:
        if str(error):
            error.place.wrong(error.key, str(error))
        return UNREAD, spec
    return (sli, metric) if len(spec.problems) == before else (UNREAD, metric)


def _slices(spec: Place, objective: Place, options: Options) -> _Slices | None:
    """None for Occurrences."""
    method = spec.get("budgetingMethod")
    if method is None or method == "Occurrences":
        return None
    if method not in METHODS:
        raise _RefusedError(spec, "budgetingMethod", f'found "{method}", wanted one of {", ".join(METHODS)}')
    raw = objective.get("timeSliceWindow")
    minutes = isinstance(raw, int) and not isinstance(raw, bool) and raw > 0
    window = raw * 60 if minutes else parse_duration(raw)
    if window is None or window % 60:
        raise _RefusedError(objective, "timeSliceWindow", "wanted full minutes, such as 5 or 5m")
    least = _LEAST_SCRAPES * options.scrape_interval
    if window < least:
        text = f"{duration(window)} is below 2 scrape intervals, wanted at least {duration(least)}"
        raise _RefusedError(objective, "timeSliceWindow", text)
    return _Slices(method, window)


def _metric(spec: Place, objective: Place, others: Objects) -> Place:
    """The ratioMetric or thresholdMetric."""
    if objective.has("ratioMetrics"):
        return objective.mapping("ratioMetrics")
    if (spec.get("indicator") is None) == (spec.get("indicatorRef") is None):
        found = "found indicator and indicatorRef" if spec.get("indicator") is not None else "missing"
        raise _RefusedError(spec, "indicator", f"{found}, wanted either indicator or indicatorRef")
    indicator = spec.mapping("indicator")
    if spec.get("indicator") is None:
        name = spec.text("indicatorRef")
        referred = others.get(("SLI", name))
        if referred is None:
            raise _RefusedError(spec, "indicatorRef", f'there is no SLI "{name}" in the files')
        indicator = referred
    inner = indicator.mapping("spec")
    inner.known(("description", "thresholdMetric", "ratioMetric"))
    keys = [key for key in ("ratioMetric", "thresholdMetric") if inner.get(key) is not None]
    if len(keys) != 1:
        found = "found both" if keys else "missing"
        raise _RefusedError(inner, "ratioMetric", f"{found}, wanted either ratioMetric or thresholdMetric")
    return inner.mapping(keys[0])


def _query(metric: Place, key: str, others: Objects) -> tuple[str, Place, str]:
    """A query, and where it stands; refused when its source does not speak PromQL."""
    part = metric.mapping(key) if key else metric
    alpha = part.has("query")
    source = part if alpha else part.mapping("metricSource")
    kind = source.get("source" if alpha else "type")
    reference = others.get(("DataSource", str(source.get("metricSourceRef"))))
    if kind is None and reference is not None:
        kind = reference.mapping("spec").get("type")
    if kind is not None and not any(word in str(kind).lower().replace("-", "") for word in _SOURCES):
        text = f'found "{kind}", wanted Prometheus or what speaks PromQL: rules can ask nothing else'
        raise _RefusedError(source, "source" if alpha else "type", text)
    place = part if alpha else source.mapping("spec")
    name = "query" if not place.has("promql") else "promql"
    query, strange = query_facts.template(place.text(name))
    if strange:
        raise _RefusedError(place, name, f"holds {strange[0]}, wanted no template variable but {WINDOW}")
    if not query:
        raise _RefusedError(place, name, "")  # told by place.text
    return query, place, name


def _parsed(query: tuple[str, Place, str], function: str = "") -> query_facts.Query:
    """A query's facts, over the window where a function for its counters is given."""
    text, place, name = query
    try:
        parsed = query_facts.parse(rewriting.windowed(text, function) if function else text)
    except ValueError as error:
        raise _RefusedError(place, name, str(error)) from None
    if query_facts.problem(parsed):
        raise _RefusedError(place, name, query_facts.problem(parsed))
    return parsed


def _ratio(metric: Place, slices: _Slices | None, objective: Place, others: Objects) -> Sli:
    metric.known(("counter", "good", "bad", "total", "raw", "rawType"))
    parts = [key for key in ("good", "bad") if metric.get(key) is not None]
    if len(parts) != 1:
        found = "found good and bad" if parts else "missing"
        raise _RefusedError(metric, "good", f"{found}, wanted either good or bad, and total")
    function = "sum_over_time" if metric.get("counter") is False else "rate"
    asked = _query(metric, parts[0], others)
    part, total = _parsed(asked, function), _parsed(_query(metric, "total", others), function)
    try:
        same = query_facts.alike(part, total)
        if same:
            raise ValueError(f"{same}, wanted another")
        good = parts == ["good"]
        sli = rewriting.good_events(part.text, total.text) if good else rewriting.events(part.text, total.text)
    except ValueError as error:
        raise _RefusedError(asked[1], asked[2], str(error)) from None
    if slices is None:
        return sli
    bad, whole = (rewriting.operand(query_facts.parse(query), sli.by) for query in (sli.errors, sli.total))
    return _sliced(f"{bad} / {whole}", f"{whole} > bool 0", slices, objective, sli.by)


def _sliced(share: str, there: str, slices: _Slices, objective: Place, by: tuple[str, ...]) -> Sli:
    """Each minute's share of bad events, or whether it is more than a good slice may have."""
    if slices.method == "Timeslices":
        share = f"({share}) > bool {_limit(objective)}"
    return Sli(rewriting.over(share, slices.text), rewriting.over(there, slices.text), "minute", by)


def _limit(objective: Place) -> str:
    """The share of bad events that a good slice may have."""
    least = objective.number("timeSliceTarget")
    if least is None or not 0 < least <= 1:
        if least is not None:
            objective.wrong("timeSliceTarget", "wanted a ratio above 0 and at most 1")
        return "0"
    return decimal(1 - least)


def _raw(metric: Place, slices: _Slices | None, objective: Place, others: Objects) -> Sli:
    metric.known(("counter", "raw", "rawType"))
    kind = metric.get("rawType")
    if kind not in ("success", "failure"):
        raise _RefusedError(metric, "rawType", "wanted success or failure")
    asked = _query(metric, "raw", others)
    parsed = _parsed(asked)
    text = parsed.text
    if parsed.ranges:
        with contextlib.suppress(ValueError):  # else it stays a share of each minute, with its own ranges
            text = rewriting.windowed(text, "rate")
    share = text if kind == "failure" else rewriting.rest(text)
    if slices is not None:
        return _sliced(share, f"({text}) > bool -Inf", slices, objective, parsed.labels or ())
    try:
        return rewriting.ratio(share)
    except ValueError as error:
        raise _RefusedError(asked[1], asked[2], str(error)) from None


def _threshold(metric: Place, objective: Place, slices: _Slices | None, others: Objects) -> Sli:
    """Each minute is bad when the value does not satisfy the objective's comparison."""
    op, value = objective.get("op"), objective.number("value")
    if op not in _BAD:
        raise _RefusedError(objective, "op", f"wanted one of {', '.join(_BAD)}")
    if value is None:
        return UNREAD
    parsed = _parsed(_query(metric, "", others))
    labels = parsed.labels or ()
    bad, there = f"({parsed.text}) {_BAD[op]} bool {decimal(value)}", f"({parsed.text}) > bool -Inf"
    if slices is None:
        return Sli(bad, there, "minute", labels)
    share, counted = rewriting.over(bad, slices.text), rewriting.over(there, slices.text)
    if slices.window > 60:
        share, counted = (f"avg_over_time(({query})[{slices.text}:1m])" for query in (share, counted))
    return _sliced(share, f"({counted}) > bool 0", slices, objective, labels)
