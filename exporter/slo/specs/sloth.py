"""Sloth's files (prometheus/v1, and the Kubernetes form of the same) and its alert windows.

Fields are those of pkg/prometheus/api/v1 and pkg/kubernetes/api/sloth/v1 of github.com/slok/sloth. The one writes
error_query, the other errorQuery; Sloth's own examples mix them, so both are read in both.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from functools import cache

from exporter.model.slo import WINDOW, Alerting, Notify, Period, Sli, Slo, Text, Tier
from exporter.slo.rules.alerts import BURN
from exporter.slo.specs import query_facts, rewriting
from exporter.slo.specs.place import Place
from exporter.slo.specs.tiers import Pair, tiers
from exporter.slo.specs.validation import UNNAMED, UNREAD, Options, problems, windows

V1 = "prometheus/v1"
KUBERNETES = "sloth.slok.dev/v1"

Pairs = Mapping[int, tuple[Pair, ...]]
"""Seconds of a period to its alert windows, where documents give some."""

_SPEC = ("version", "service", "labels", "slos", "slo_plugins", "sloPlugins")
_SLO = ("name", "objective", "description", "labels", "info_labels", "infoLabels", "sli", "alerting")
_UNUSED = ("interval", "plugins")
"""Read and not used: how Sloth makes its rules, and how often they are evaluated."""
_OBJECT = ("apiVersion", "kind", "metadata", "spec", "status")
_ALERT = ("disable", "for", "labels", "annotations")

_PLUGINS = "sloth.dev/"
"""Sloth's own plugins change how its rules are made; ours are not made by them."""

_PLACES = {
    "service": None,
    "period": "",
    "timezone": "",
    "tiers": "alerting",
    "alerting.common": "alerting",
    "alerting.page": "alerting.{page_alert}",
    "alerting.ticket": "alerting.{ticket_alert}",
}


def read(document: Place, options: Options, pairs: Pairs) -> Iterator[Slo]:
    """The objectives of a document of prometheus/v1."""
    document.known(_SPEC)
    yield from _Spec(document, options, pairs, V1).slos()


def read_kubernetes(document: Place, options: Options, pairs: Pairs) -> Iterator[Slo]:
    """The objectives of a PrometheusServiceLevel."""
    document.known(_OBJECT)
    spec = document.mapping("spec")
    spec.known(_SPEC[1:])
    yield from _Spec(spec, options, pairs, KUBERNETES).slos()


@cache
def _camel(name: str) -> str:
    return re.sub(r"_(\w)", lambda match: match[1].upper(), name)


class _Spec:
    """One document: a service and its objectives."""

    def __init__(self, place: Place, options: Options, pairs: Pairs, kind: str) -> None:
        self.place = place
        self.options = options
        self.pairs = pairs
        self.kind = kind
        self.service = place.text("service")
        self.labels = place.texts("labels")

    def key(self, place: Place, name: str) -> str:
        """The spelling of a key that stands there, or else the one of this kind of file."""
        ours, other = (_camel(name), name) if self.kind == KUBERNETES else (name, _camel(name))
        return other if place.has(other) and not place.has(ours) else ours

    def either(self, *names: str) -> tuple[str, ...]:
        return (*names, *(_camel(name) for name in names if "_" in name))

    def slos(self) -> Iterator[Slo]:
        self.plugins(self.place, self.key(self.place, "slo_plugins"))
        entries = self.place.items("slos")
        if not entries and not self.place.get("slos"):
            self.place.wrong("slos", "missing, wanted a list of at least one objective")
        for entry in entries:
            if isinstance(entry.raw, dict):
                yield self.slo(entry)
            else:
                entry.wanted("a mapping")

    def plugins(self, place: Place, key: str) -> None:
        for plugin in place.mapping(key).items("chain"):
            name = plugin.get("id")
            if not str(name).startswith(_PLUGINS):
                text = f'the SLO plugin "{name}" cannot be run here, wanted none but those of {_PLUGINS}'
                plugin.wrong("id", text)

    def slo(self, place: Place) -> Slo:
        place.known((*_SLO, *_UNUSED))
        self.plugins(place, "plugins")
        name, own, info = place.text("name"), place.texts("labels"), self.key(place, "info_labels")
        objective = place.percent("objective")
        before = len(place.problems)
        sli, paths = self.sli(place.mapping("sli"))
        unread = len(place.problems) > before
        alerting, disabled, waits = self.alerting(place.mapping("alerting"))
        period = Period(self.options.period)
        labels = {**self.labels, **own}
        slo = Slo(
            service=self.service or UNNAMED,
            name=name or UNNAMED,
            objective=Decimal("99.9999") if objective is None else objective,
            sli=UNREAD if unread else sli,
            period=period,
            tiers=self.tiers(place, period, disabled, waits),
            alerting=alerting,
            application=labels.get("application", ""),
            labels=labels,
            info_labels=place.texts(info),
            spec=self.kind,
            origin=f"{place.file}: {place.path}",
        )
        for path, text in problems(slo, self.options):
            self.wrong(place, path, text, own, {**paths, "info_labels": info})
        return slo

    def wrong(self, place: Place, path: str, text: str, own: Mapping[str, str], paths: Mapping[str, str]) -> None:
        """Tells a problem of the record where it stands in the file."""
        shared = path == "service" or (path.startswith("labels.") and path.removeprefix("labels.") not in own)
        if shared:
            self.place.wrong(path, text)
            return
        known = {**_PLACES, **paths}
        prefix = next((each for each in known if path == each or path.startswith(f"{each}.")), None)
        if prefix is not None:
            path = f"{known[prefix]}{path.removeprefix(prefix)}"
            for name in ("page_alert", "ticket_alert"):
                path = path.replace(f"{{{name}}}", _camel(name) if self.kind == KUBERNETES else name)
        place.wrong(path, text)

    def tiers(
        self, place: Place, period: Period, disabled: frozenset[Notify], waits: Mapping[Notify, int]
    ) -> tuple[Tier, ...]:
        if len(disabled) == 2:
            return ()
        try:
            found = tiers(period, self.pairs.get(period.seconds))
        except ValueError as error:
            place.wrong("alerting", f"{error} (a document of kind AlertWindows)")
            return ()
        left = (tier for tier in found if tier.notify not in disabled)
        return tuple(replace(tier, wait=waits[tier.notify]) if tier.notify in waits else tier for tier in left)

    def alerting(self, place: Place) -> tuple[Alerting, frozenset[Notify], Mapping[Notify, int]]:
        """What alerts carry, which kinds are turned off, and the `for` of kinds that have one."""
        place.known(("name", "labels", "annotations", *self.either("page_alert", "ticket_alert")))
        page = place.mapping(self.key(place, "page_alert"))
        ticket = place.mapping(self.key(place, "ticket_alert"))
        kinds: tuple[tuple[Notify, Place], ...] = (("page", page), ("ticket", ticket))
        for _, kind in kinds:
            kind.known(_ALERT)
        name = place.text("name", required=False) or BURN
        disabled = frozenset(notify for notify, kind in kinds if kind.flag("disable"))
        given = {notify: kind.seconds("for") for notify, kind in kinds if kind.has("for")}
        waits = {notify: wait for notify, wait in given.items() if wait is not None}
        return Alerting(name, _text(place), _text(page), _text(ticket)), disabled, waits

    def sli(self, place: Place) -> tuple[Sli, Mapping[str, str]]:
        """The indicator, and where the record's queries stand in the file."""
        place.known(("events", "raw", "plugin"))
        kinds = [kind for kind in ("events", "raw", "plugin") if place.get(kind) is not None]
        if kinds == ["plugin"]:
            name = place.mapping("plugin").get("id")
            place.wrong("plugin", f'the SLI plugin "{name}" cannot be run here, wanted events or raw with its query')
        elif len(kinds) != 1:
            found = f"found {' and '.join(kinds)}" if kinds else "missing"
            place.wrong("", f"{found}, wanted either events or raw")
        elif kinds == ["events"]:
            return self.events(place.mapping("events"))
        else:
            return self.raw(place.mapping("raw"))
        return UNREAD, {}

    def events(self, place: Place) -> tuple[Sli, Mapping[str, str]]:
        place.known(self.either("error_query", "total_query"))
        keys = [self.key(place, name) for name in ("error_query", "total_query")]
        errors, total = (query_facts.template(place.text(key))[0] for key in keys)
        paths = {"sli.errors": f"sli.events.{keys[0]}", "sli.total": f"sli.events.{keys[1]}"}
        try:
            return rewriting.events(errors, total), paths
        except ValueError:  # the objective's checks tell which query it is
            return Sli(errors, total), paths

    def raw(self, place: Place) -> tuple[Sli, Mapping[str, str]]:
        place.known(self.either("error_ratio_query"))
        key = self.key(place, "error_ratio_query")
        query, strange = query_facts.template(place.text(key))
        paths = {"sli.errors": f"sli.raw.{key}", "sli.total": f"sli.raw.{key}"}
        if not query:
            return UNREAD, paths
        try:
            if strange:
                raise ValueError(f"holds {strange[0]}, wanted no template variable but {WINDOW}")
            parsed = query_facts.parse(query)
            if not parsed.windowed:
                raise ValueError(f"lacks {WINDOW}, wanted it in place of a range")
            if query_facts.problem(parsed):
                raise ValueError(query_facts.problem(parsed))
            return rewriting.ratio(query), paths
        except ValueError as error:
            place.wrong(key, str(error))
            return UNREAD, paths


def _text(place: Place) -> Text:
    return Text(place.texts("labels"), place.texts("annotations"))


def read_windows(document: Place, options: Options) -> tuple[int, tuple[Pair, ...]] | None:
    """The period and the windows of an AlertWindows document; None where something is wrong with it."""
    before = len(document.problems)
    document.known(_OBJECT)
    spec = document.mapping("spec")
    spec.known(("sloPeriod", "page", "ticket"))
    period = spec.seconds("sloPeriod")
    pairs = []
    kinds: tuple[Notify, ...] = ("page", "ticket")
    for notify in kinds:
        for speed in ("quick", "slow"):
            spec.mapping(notify).known(("quick", "slow"))
            pairs.append(_pair(f"{notify}_{speed}", notify, spec.mapping(notify).mapping(speed)))
    if period is None or len(document.problems) > before:
        return None
    made = tuple(pair for pair in pairs if pair is not None)
    for text in windows(tiers(Period(period), made), Period(period), options):
        spec.wrong("", text)
    return (period, made) if len(document.problems) == before else None


def _pair(name: str, notify: Notify, place: Place) -> Pair | None:
    place.known(("errorBudgetPercent", "shortWindow", "longWindow"))
    percent = place.number("errorBudgetPercent")
    if percent is not None and not 0 < percent <= 100:
        place.wrong("errorBudgetPercent", "wanted a percentage above 0 and at most 100")
    long, short = place.seconds("longWindow"), place.seconds("shortWindow")
    if percent is None or long is None or short is None:
        return None
    return Pair(name, notify, percent, long, short)
