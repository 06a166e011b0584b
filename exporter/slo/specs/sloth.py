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
from exporter.slo.specs.node import Node
from exporter.slo.specs.tiers import Pair, Pairs, tiers
from exporter.slo.specs.validation import UNNAMED, UNREAD, Options, problems, windows

V1 = "prometheus/v1"
KUBERNETES = "sloth.slok.dev/v1"

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


def read(document: Node, options: Options, pairs: Pairs) -> Iterator[Slo]:
    """The objectives of a document of prometheus/v1."""
    document.check_keys(_SPEC)
    yield from _Spec(document, options, pairs, V1).slos()


def read_kubernetes(document: Node, options: Options, pairs: Pairs) -> Iterator[Slo]:
    """The objectives of a PrometheusServiceLevel."""
    document.check_keys(_OBJECT)
    spec = document.mapping("spec")
    spec.check_keys(_SPEC[1:])
    yield from _Spec(spec, options, pairs, KUBERNETES).slos()


@cache
def _camel(name: str) -> str:
    return re.sub(r"_(\w)", lambda match: match[1].upper(), name)


class _Spec:
    """One document: a service and its objectives."""

    def __init__(self, node: Node, options: Options, pairs: Pairs, kind: str) -> None:
        self.node = node
        self.options = options
        self.pairs = pairs
        self.kind = kind
        self.service = node.text("service")
        self.labels = node.texts("labels")

    def key(self, node: Node, name: str) -> str:
        """The spelling of a key that stands there, or else the one of this kind of file."""
        ours, other = (_camel(name), name) if self.kind == KUBERNETES else (name, _camel(name))
        return other if node.has(other) and not node.has(ours) else ours

    def either(self, *names: str) -> tuple[str, ...]:
        return (*names, *(_camel(name) for name in names if "_" in name))

    def slos(self) -> Iterator[Slo]:
        self.plugins(self.node, self.key(self.node, "slo_plugins"))
        entries = self.node.items("slos")
        if not entries and not self.node.get("slos"):
            self.node.wrong("slos", "missing, wanted a list of at least one objective")
        for entry in entries:
            if isinstance(entry.raw, dict):
                yield self.slo(entry)
            else:
                entry.expected("a mapping")

    def plugins(self, node: Node, key: str) -> None:
        for plugin in node.mapping(key).items("chain"):
            name = plugin.get("id")
            if not str(name).startswith(_PLUGINS):
                text = f'the SLO plugin "{name}" cannot be run here, wanted none but those of {_PLUGINS}'
                plugin.wrong("id", text)

    def slo(self, node: Node) -> Slo:
        node.check_keys((*_SLO, *_UNUSED))
        self.plugins(node, "plugins")
        name, own, info = node.text("name"), node.texts("labels"), self.key(node, "info_labels")
        objective = node.percent("objective")
        before = len(node.problems)
        sli, paths = self.sli(node.mapping("sli"))
        unread = len(node.problems) > before
        alerting, disabled, waits = self.alerting(node.mapping("alerting"))
        period = Period(self.options.period)
        labels = {**self.labels, **own}
        slo = Slo(
            service=self.service or UNNAMED,
            name=name or UNNAMED,
            objective=Decimal("99.9999") if objective is None else objective,
            sli=UNREAD if unread else sli,
            period=period,
            tiers=self.tiers(node, period, disabled, waits),
            alerting=alerting,
            application=labels.get("application", ""),
            labels=labels,
            info_labels=node.texts(info),
            spec=self.kind,
            origin=f"{node.file}: {node.path}",
        )
        for path, text in problems(slo, self.options):
            self.wrong(node, path, text, own, {**paths, "info_labels": info})
        return slo

    def wrong(self, node: Node, path: str, text: str, own: Mapping[str, str], paths: Mapping[str, str]) -> None:
        """Tells a problem of the record where it stands in the file."""
        shared = path == "service" or (path.startswith("labels.") and path.removeprefix("labels.") not in own)
        if shared:
            self.node.wrong(path, text)
            return
        known = {**_PLACES, **paths}
        prefix = next((each for each in known if path == each or path.startswith(f"{each}.")), None)
        if prefix is not None:
            path = f"{known[prefix]}{path.removeprefix(prefix)}"
            for name in ("page_alert", "ticket_alert"):
                path = path.replace(f"{{{name}}}", _camel(name) if self.kind == KUBERNETES else name)
        node.wrong(path, text)

    def tiers(
        self, node: Node, period: Period, disabled: frozenset[Notify], waits: Mapping[Notify, int]
    ) -> tuple[Tier, ...]:
        if len(disabled) == 2:
            return ()
        try:
            found = tiers(period, self.pairs.get(period.seconds))
        except ValueError as error:
            node.wrong("alerting", f"{error} (a document of kind AlertWindows)")
            return ()
        left = (tier for tier in found if tier.notify not in disabled)
        return tuple(replace(tier, wait=waits[tier.notify]) if tier.notify in waits else tier for tier in left)

    def alerting(self, node: Node) -> tuple[Alerting, frozenset[Notify], Mapping[Notify, int]]:
        """What alerts carry, which kinds are turned off, and the `for` of kinds that have one."""
        node.check_keys(("name", "labels", "annotations", *self.either("page_alert", "ticket_alert")))
        page = node.mapping(self.key(node, "page_alert"))
        ticket = node.mapping(self.key(node, "ticket_alert"))
        kinds: tuple[tuple[Notify, Node], ...] = (("page", page), ("ticket", ticket))
        for _, kind in kinds:
            kind.check_keys(_ALERT)
        name = node.text("name", required=False) or BURN
        disabled = frozenset(notify for notify, kind in kinds if kind.flag("disable"))
        given = {notify: kind.seconds("for") for notify, kind in kinds if kind.has("for")}
        waits = {notify: wait for notify, wait in given.items() if wait is not None}
        return Alerting(name, _text(node), _text(page), _text(ticket)), disabled, waits

    def sli(self, node: Node) -> tuple[Sli, Mapping[str, str]]:
        """The indicator, and where the record's queries stand in the file."""
        node.check_keys(("events", "raw", "plugin"))
        kinds = [kind for kind in ("events", "raw", "plugin") if node.get(kind) is not None]
        if kinds == ["plugin"]:
            name = node.mapping("plugin").get("id")
            node.wrong("plugin", f'the SLI plugin "{name}" cannot be run here, wanted events or raw with its query')
        elif len(kinds) != 1:
            found = f"found {' and '.join(kinds)}" if kinds else "missing"
            node.wrong("", f"{found}, wanted either events or raw")
        elif kinds == ["events"]:
            return self.events(node.mapping("events"))
        else:
            return self.raw(node.mapping("raw"))
        return UNREAD, {}

    def events(self, node: Node) -> tuple[Sli, Mapping[str, str]]:
        node.check_keys(self.either("error_query", "total_query"))
        keys = [self.key(node, name) for name in ("error_query", "total_query")]
        errors, total = (query_facts.template(node.text(key))[0] for key in keys)
        paths = {"sli.errors": f"sli.events.{keys[0]}", "sli.total": f"sli.events.{keys[1]}"}
        try:
            return rewriting.events(errors, total), paths
        except ValueError:  # the objective's checks tell which query it is
            return Sli(errors, total), paths

    def raw(self, node: Node) -> tuple[Sli, Mapping[str, str]]:
        node.check_keys(self.either("error_ratio_query"))
        key = self.key(node, "error_ratio_query")
        query, strange = query_facts.template(node.text(key))
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
            node.wrong(key, str(error))
            return UNREAD, paths


def _text(node: Node) -> Text:
    return Text(node.texts("labels"), node.texts("annotations"))


def read_windows(document: Node, options: Options) -> tuple[int, tuple[Pair, ...]] | None:
    """The period and the windows of an AlertWindows document; None where something is wrong with it."""
    before = len(document.problems)
    document.check_keys(_OBJECT)
    spec = document.mapping("spec")
    spec.check_keys(("sloPeriod", "page", "ticket"))
    period = spec.seconds("sloPeriod")
    pairs = []
    kinds: tuple[Notify, ...] = ("page", "ticket")
    for notify in kinds:
        for speed in ("quick", "slow"):
            spec.mapping(notify).check_keys(("quick", "slow"))
            pairs.append(_pair(f"{notify}_{speed}", notify, spec.mapping(notify).mapping(speed)))
    if period is None or len(document.problems) > before:
        return None
    made = tuple(pair for pair in pairs if pair is not None)
    for text in windows(tiers(Period(period), made), Period(period), options):
        spec.wrong("", text)
    return (period, made) if len(document.problems) == before else None


def _pair(name: str, notify: Notify, node: Node) -> Pair | None:
    node.check_keys(("errorBudgetPercent", "shortWindow", "longWindow"))
    percent = node.number("errorBudgetPercent")
    if percent is not None and not 0 < percent <= 100:
        node.wrong("errorBudgetPercent", "wanted a percentage above 0 and at most 100")
    long, short = node.seconds("longWindow"), node.seconds("shortWindow")
    if percent is None or long is None or short is None:
        return None
    return Pair(name, notify, percent, long, short)
