"""Checks for every objective, whatever kind of file it comes from, in addition to its reader's own checks.

A problem is a path below the objective and a text. The paths are those of the record, which readers convert to their
file's paths: `sli.errors` is `sli.events.error_query` in Sloth's files.
"""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from functools import lru_cache

from exporter.model.slo import DAY, WINDOW, Period, Sli, Slo, Text, Tier
from exporter.slo.rules.fragments import duration, month_offsets
from exporter.slo.rules.names import RESERVED
from exporter.slo.specs import query_facts

Problems = Iterator[tuple[str, str]]

_HOUR = 3600
_QUARTER = 900
_MINUTE = 60

_LONGEST = 366 * DAY

_LEAST_SCRAPES = 4
"""A rate over fewer scrapes has no value if one scrape is missed."""

UNNAMED = "unnamed"
"""Stands for a missing name that has been reported, so the rest is checked too."""

UNREAD = Sli(f"sum(rate(errors[{WINDOW}]))", f"sum(rate(events[{WINDOW}]))")
"""Stands for an indicator that could not be read and has been reported."""

UNREAD_OBJECTIVE = Decimal("99.9999")
"""Stands for a percentage that could not be read and has been reported; it is valid with the usual tiers."""

_NAME = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
_LONGEST_NAME = 128
"""The service's is part of a file's name."""
_ACTION = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_WRITTEN = frozenset((*RESERVED, "alerting", "long", "short", "alertname"))
"""Labels that rules set on some series; a spec's own label of that name would be a duplicate."""


@dataclass(frozen=True, slots=True)
class Options:
    """Settings that specs do not contain, in seconds."""

    period: int = 30 * DAY
    """Of specs without a period."""
    scrape_interval: int = 30
    retention: int | None = None
    """How far back the Prometheus that evaluates the rules can look; None: not checked."""


def problems(slo: Slo, options: Options) -> list[tuple[str, str]]:
    """All problems of one objective, as (path, text)."""
    return [
        *_names(slo),
        *_objective(slo),
        *_period(slo.period, options),
        *(("tiers", text) for text in windows(slo.tiers, slo.period, options)),
        *_all_labels(slo),
        *_queries(slo.sli),
        *_query_labels(slo),
    ]


def _names(slo: Slo) -> Problems:
    for key, name in (("service", slo.service), ("name", slo.name)):
        if not _NAME.fullmatch(name):
            yield key, f'expected letters, digits, and . _ - between them, got "{name}"'
        elif len(name) > _LONGEST_NAME:
            yield key, f'must have at most {_LONGEST_NAME} characters, got "{name}"'


def _objective(slo: Slo) -> Problems:
    if not 0 < slo.objective < 100:
        yield "objective", f"must be a percentage above 0 and below 100, got {_plain(slo.objective)}"
        return

    for tier in slo.tiers:
        # The burn rate is at most 1 / budget: all events are bad.
        if tier.factor * slo.budget < 1:
            continue
        least = (100 * (1 - 1 / tier.factor)).quantize(Decimal("0.01"), ROUND_CEILING)
        burn = f"{_plain(tier.factor)} times the budget of {_plain(100 - slo.objective)} %"
        text = f"the alert {tier.name} can never fire: {burn} is all events or more"
        text += f"; set an objective above {least} % (a burn rate of {_plain(tier.factor)} needs it)"
        yield "objective", f"{text}, or {_without(tier, slo.spec)}"


def _without(tier: Tier, spec: str) -> str:
    """How each kind of spec omits a tier."""
    if spec.startswith("openslo/"):
        return "alertPolicies with lower thresholds in their conditions, or [] for no alerts"
    if spec.startswith("pte-exporter/"):
        return "set tiers"
    alert = f"{tier.notify}_alert" if spec.startswith("prometheus/") else f"{tier.notify}Alert"
    return f"`{alert}: {{disable: true}}`, or other windows (a document of kind AlertWindows)"


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"


def _period(period: Period, options: Options) -> Problems:
    if not _HOUR <= period.seconds <= _LONGEST or period.seconds % _HOUR:
        yield "period", f"must be full hours, at most {duration(_LONGEST)}, got {duration(period.seconds)}"
    if options.retention is not None and period.longest > options.retention:
        text = f"{duration(period.longest)} is longer than the retention ({duration(options.retention)})"
        yield "period", f"{text}: shorten it, or increase Prometheus's retention"
    yield from _timezone(period)


def _timezone(period: Period) -> Problems:
    try:
        zoneinfo.ZoneInfo(period.timezone)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        yield "timezone", f'expected a name from the IANA time zone database, got "{period.timezone}"'
        return

    if period.calendar != "month":
        return
    try:
        month_offsets(period.timezone)
    except ValueError as error:
        yield "timezone", f"{error}: use another time zone, or rolling days"


@lru_cache(maxsize=256)
def windows(tiers: tuple[Tier, ...], period: Period, options: Options) -> list[str]:
    """Problems of the windows of tiers."""
    return [f"{tier.name}: {text}" for tier in tiers for text in _windows(tier, period, options)]


def _windows(tier: Tier, period: Period, options: Options) -> Iterator[str]:
    long = duration(tier.long)
    short = duration(tier.short)
    for window in (tier.long, tier.short):
        yield from _steps(window)

    least = _LEAST_SCRAPES * options.scrape_interval
    if tier.short < least:
        intervals = f"4 scrape intervals of {duration(options.scrape_interval)}"
        yield f"the short window ({short}) is below {intervals}, must be at least {duration(least)}"
    if tier.short >= tier.long:
        yield f"the short window ({short}) must be shorter than the long window ({long})"
    if tier.long > period.seconds:
        yield f"the long window ({long}) is longer than the period ({duration(period.seconds)})"
    if options.retention is not None and tier.long > options.retention:
        yield f"the long window ({long}) is longer than the retention ({duration(options.retention)})"


def _steps(window: int) -> Iterator[str]:
    """A window is a sum of recorded minutes; from a day on, of quarters of an hour."""
    if window >= DAY and window % _QUARTER:
        yield f"a window of {duration(window)} is not possible, must be full quarters of an hour"
    elif window < DAY and window % _MINUTE:
        yield f"a window of {duration(window)} is not possible, must be full minutes"


def _all_labels(slo: Slo) -> Problems:
    yield from _labels("labels", slo.labels)
    yield from _labels("info_labels", slo.info_labels)
    for name in slo.info_labels:
        if name in slo.labels or name in slo.sli.by or name == "application":
            yield f"info_labels.{name}", "is already a label of all the objective's series, use another name"

    kinds = {"common": slo.alerting.common, "page": slo.alerting.page, "ticket": slo.alerting.ticket}
    for kind, text in kinds.items():
        yield from _texts(f"alerting.{kind}", text)


def _texts(path: str, text: Text) -> Problems:
    yield from _labels(f"{path}.labels", text.labels)
    for name in text.annotations:
        if not _LABEL.fullmatch(name):
            yield f"{path}.annotations.{name}", "is not an annotation name, expected letters, digits and _"

    for kind, texts in (("labels", text.labels), ("annotations", text.annotations)):
        for name, value in texts.items():
            if "{{" in _ACTION.sub("", value):
                yield f"{path}.{kind}.{name}", "has a {{ without its }}, so Prometheus would reject all the rules"


def _labels(path: str, labels: Mapping[str, str]) -> Problems:
    for name in labels:
        if not _LABEL.fullmatch(name) or name.startswith("__"):
            yield f"{path}.{name}", "is not a label name, expected letters, digits and _"
        elif written(name):
            yield f"{path}.{name}", "is a label that the rules set, use another name"


def written(label: str) -> bool:
    """Whether the rules set a label, so specs must not."""
    return label in _WRITTEN or label.startswith("sloth_")


def _queries(sli: Sli) -> Problems:
    parsed = list[query_facts.QueryFacts]()
    for key, text in (("sli.errors", sli.errors), ("sli.total", sli.total)):
        try:
            query = _parsed(text)
        except ValueError as error:
            yield key, str(error)
            continue
        parsed.append(query)

        # Where events are minutes, a query may describe only the present moment.
        if not query.windowed and sli.per != "minute":
            yield key, f"has no {WINDOW}, expected it instead of a range: rate(requests_total[{WINDOW}])"

    if len(parsed) == 2 and sli.per != "minute":
        yield from _pair(*parsed)


def _parsed(text: str) -> query_facts.QueryFacts:
    """A query's facts; raises ValueError where it cannot be a rule."""
    _, unsupported = query_facts.template(text)
    if unsupported:
        raise ValueError(f"contains {unsupported[0]}, but the only template variable allowed is {WINDOW}")

    query = query_facts.parse(text)
    problem = query_facts.problem(query)
    if problem:
        raise ValueError(problem)
    return query


def _pair(errors: query_facts.QueryFacts, total: query_facts.QueryFacts) -> Problems:
    """Problems of the two queries in combination."""
    same = query_facts.alike(errors, total)
    if same:
        yield "sli.errors", f"{same}, expected a different one"
        return

    other_labels = query_facts.other_labels(errors, total)
    if other_labels:
        yield "sli.errors", other_labels
    try:
        query_facts.per(errors, total)
    except ValueError as error:
        yield "sli.errors", str(error)


def _query_labels(slo: Slo) -> Problems:
    for label in slo.sli.by:
        if written(label) or label == "application" or label in slo.labels:
            text = f"keeps the label {label}, which the rules set: omit or rename it"
            yield "sli.total", text
