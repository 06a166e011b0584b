"""Sloth's files (prometheus/v1, and the Kubernetes form of the same) and its alert windows.

Fields are those of pkg/prometheus/api/v1 and pkg/kubernetes/api/sloth/v1 of github.com/slok/sloth. The first has
error_query, the second errorQuery; Sloth's own examples mix them, so both spellings are accepted in both.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from exporter.model.slo import WINDOW, Alerting, Notify, Period, Sli, Slo, Text, Tier
from exporter.slo.rules.alerts import BURN
from exporter.slo.specs import query_facts, rewriting
from exporter.slo.specs.node import Node
from exporter.slo.specs.tiers import Pair, Pairs, tiers
from exporter.slo.specs.validation import UNNAMED, UNREAD, UNREAD_OBJECTIVE, Options, problems, windows

V1 = "prometheus/v1"
KUBERNETES = "sloth.slok.dev/v1"

_SPEC = ("version", "service", "labels", "slos", "slo_plugins", "sloPlugins")
_SLO = ("name", "objective", "description", "labels", "info_labels", "infoLabels", "sli", "alerting")
_UNUSED = ("interval", "plugins")
"""Accepted but not used: how Sloth generates its rules, and how often they are evaluated."""
_OBJECT = ("apiVersion", "kind", "metadata", "spec", "status")
_ALERT = ("disable", "for", "labels", "annotations")

_PLUGINS = "sloth.dev/"
"""Sloth's own plugins change how its rules are generated; they do not affect ours."""

_PATHS = {
    "period": "",
    "timezone": "",
    "tiers": "alerting",
    "alerting.common": "alerting",
    "alerting.page": "alerting.{page_alert}",
    "alerting.ticket": "alerting.{ticket_alert}",
}
"""A record's path to a file's path; {...} is a key whose spelling depends on the kind of file."""


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


@dataclass(frozen=True, slots=True)
class _Alerts:
    """An SLO's settings for its alerts."""

    alerting: Alerting
    """Their name, labels and annotations."""
    disabled: frozenset[Notify]
    """Kinds that are turned off."""
    waits: Mapping[Notify, int]
    """The `for` of kinds that have one."""


class _Spec:
    """One document: a service and its objectives."""

    def __init__(self, node: Node, options: Options, pairs: Pairs, kind: str) -> None:
        self.node = node
        self.options = options
        self.pairs = pairs
        self.kind = kind
        self.service = node.text("service")
        self.labels = node.texts("labels")

    def spelling(self, name: str) -> str:
        """A key as this kind of file writes it."""
        if self.kind == KUBERNETES:
            return _camel(name)
        return name

    def key(self, node: Node, name: str) -> str:
        """The spelling of an existing key, or else the spelling of this kind of file."""
        own = self.spelling(name)
        other = name if self.kind == KUBERNETES else _camel(name)
        if node.has(other) and not node.has(own):
            return other
        return own

    def both(self, *names: str) -> tuple[str, ...]:
        """Keys in both spellings."""
        return (*names, *(_camel(name) for name in names if "_" in name))

    def slos(self) -> Iterator[Slo]:
        self.check_plugins(self.node, self.key(self.node, "slo_plugins"))
        entries = self.node.items("slos")
        if not entries and not self.node.get("slos"):
            self.node.wrong("slos", "missing, expected a list of at least one objective")

        for entry in entries:
            if isinstance(entry.raw, dict):
                yield self.slo(entry)
            else:
                entry.expected("a mapping")

    def check_plugins(self, node: Node, key: str) -> None:
        for plugin in node.mapping(key).items("chain"):
            name = plugin.get("id")
            if not str(name).startswith(_PLUGINS):
                text = f'the SLO plugin "{name}" is not supported, only those of {_PLUGINS} are accepted'
                plugin.wrong("id", text)

    def slo(self, node: Node) -> Slo:
        node.check_keys((*_SLO, *_UNUSED))
        self.check_plugins(node, "plugins")
        name = node.text("name")
        own_labels = node.texts("labels")
        info_key = self.key(node, "info_labels")
        objective = node.percent("objective")
        if objective is None:
            objective = UNREAD_OBJECTIVE

        before = len(node.problems)
        sli, paths = self.sli(node.mapping("sli"))
        if len(node.problems) > before:
            sli = UNREAD

        alerts = self.alerts(node.mapping("alerting"))
        period = Period(self.options.period)
        labels = {**self.labels, **own_labels}
        slo = Slo(
            service=self.service or UNNAMED,
            name=name or UNNAMED,
            objective=objective,
            sli=sli,
            period=period,
            tiers=self.tiers(node, period, alerts),
            alerting=alerts.alerting,
            application=labels.get("application", ""),
            labels=labels,
            info_labels=node.texts(info_key),
            spec=self.kind,
            origin=f"{node.file}: {node.path}",
        )
        for path, text in problems(slo, self.options):
            self.wrong(node, path, text, own_labels, {**paths, "info_labels": info_key})
        return slo

    def wrong(self, node: Node, path: str, text: str, own: Mapping[str, str], paths: Mapping[str, str]) -> None:
        """Report a problem of the record at its location in the file."""
        # A label that the objective does not set is the service's.
        is_shared_label = path.startswith("labels.") and path.removeprefix("labels.") not in own
        if path == "service" or is_shared_label:
            self.node.wrong(path, text)
        else:
            node.wrong(self.path(path, paths), text)

    def path(self, path: str, paths: Mapping[str, str]) -> str:
        """The path below an objective in the file, of the record's value at `path`."""
        for prefix, own in {**_PATHS, **paths}.items():
            if path == prefix or path.startswith(f"{prefix}."):
                path = f"{own}{path.removeprefix(prefix)}"
                for name in ("page_alert", "ticket_alert"):
                    path = path.replace(f"{{{name}}}", self.spelling(name))
                return path
        return path

    def tiers(self, node: Node, period: Period, alerts: _Alerts) -> tuple[Tier, ...]:
        if len(alerts.disabled) == 2:
            return ()
        try:
            usual = tiers(period, self.pairs.get(period.seconds))
        except ValueError as error:
            node.wrong("alerting", f"{error} (in a document of kind AlertWindows)")
            return ()

        enabled = [tier for tier in usual if tier.notify not in alerts.disabled]
        if not alerts.waits:
            return tuple(enabled)
        return tuple(replace(tier, wait=alerts.waits.get(tier.notify, tier.wait)) for tier in enabled)

    def alerts(self, node: Node) -> _Alerts:
        node.check_keys(("name", "labels", "annotations", *self.both("page_alert", "ticket_alert")))
        page = node.mapping(self.key(node, "page_alert"))
        ticket = node.mapping(self.key(node, "ticket_alert"))
        kinds: dict[Notify, Node] = {"page": page, "ticket": ticket}
        for kind in kinds.values():
            kind.check_keys(_ALERT)

        name = node.text("name", required=False) or BURN
        disabled = frozenset(notify for notify, kind in kinds.items() if kind.flag("disable"))
        waits = dict[Notify, int]()
        for notify, kind in kinds.items():
            wait = kind.seconds("for") if kind.has("for") else None
            if wait is not None:
                waits[notify] = wait
        return _Alerts(Alerting(name, _text(node), _text(page), _text(ticket)), disabled, waits)

    def sli(self, node: Node) -> tuple[Sli, Mapping[str, str]]:
        """The indicator, and the paths of the record's queries in the file."""
        node.check_keys(("events", "raw", "plugin"))
        kinds = [kind for kind in ("events", "raw", "plugin") if node.get(kind) is not None]
        if kinds == ["events"]:
            return self.events(node.mapping("events"))
        if kinds == ["raw"]:
            return self.raw(node.mapping("raw"))

        if kinds == ["plugin"]:
            name = node.mapping("plugin").get("id")
            node.wrong("plugin", f'the SLI plugin "{name}" is not supported, use events or raw with its query')
        elif kinds:
            node.wrong("", f"expected either events or raw, got {' and '.join(kinds)}")
        else:
            node.wrong("", "missing, expected either events or raw")
        return UNREAD, {}

    def events(self, node: Node) -> tuple[Sli, Mapping[str, str]]:
        node.check_keys(self.both("error_query", "total_query"))
        errors_key = self.key(node, "error_query")
        total_key = self.key(node, "total_query")
        errors, _ = query_facts.template(node.text(errors_key))
        total, _ = query_facts.template(node.text(total_key))

        paths = {"sli.errors": f"sli.events.{errors_key}", "sli.total": f"sli.events.{total_key}"}
        try:
            return rewriting.events(errors, total), paths
        except ValueError:  # the objective's checks report which query it is
            return Sli(errors, total), paths

    def raw(self, node: Node) -> tuple[Sli, Mapping[str, str]]:
        node.check_keys(self.both("error_ratio_query"))
        key = self.key(node, "error_ratio_query")
        query, unsupported = query_facts.template(node.text(key))
        paths = {"sli.errors": f"sli.raw.{key}", "sli.total": f"sli.raw.{key}"}
        if not query:
            return UNREAD, paths

        try:
            return _ratio(query, unsupported), paths
        except ValueError as error:
            node.wrong(key, str(error))
            return UNREAD, paths


def _ratio(query: str, unsupported: Sequence[str]) -> Sli:
    """An indicator of one query for the share of bad events; raises ValueError."""
    if unsupported:
        raise ValueError(f"contains {unsupported[0]}, but the only template variable allowed is {WINDOW}")

    parsed = query_facts.parse(query)
    if not parsed.windowed:
        raise ValueError(f"has no {WINDOW}, expected it instead of a range")
    problem = query_facts.problem(parsed)
    if problem:
        raise ValueError(problem)
    return rewriting.ratio(query)


def _text(node: Node) -> Text:
    return Text(node.texts("labels"), node.texts("annotations"))


def read_windows(document: Node, options: Options) -> tuple[int, tuple[Pair, ...]] | None:
    """The period and the windows of an AlertWindows document; None after a problem."""
    before = len(document.problems)
    document.check_keys(_OBJECT)
    spec = document.mapping("spec")
    spec.check_keys(("sloPeriod", "page", "ticket"))
    period = spec.seconds("sloPeriod")
    pairs = tuple(pair for pair in _window_pairs(spec) if pair is not None)
    if period is None or len(document.problems) > before:
        return None

    for text in windows(tiers(Period(period), pairs), Period(period), options):
        spec.wrong("", text)
    if len(document.problems) > before:
        return None
    return (period, pairs)


def _window_pairs(spec: Node) -> Iterator[Pair | None]:
    kinds: tuple[Notify, ...] = ("page", "ticket")
    for notify in kinds:
        for speed in ("quick", "slow"):
            kind = spec.mapping(notify)
            kind.check_keys(("quick", "slow"))
            yield _pair(f"{notify}_{speed}", notify, kind.mapping(speed))


def _pair(name: str, notify: Notify, node: Node) -> Pair | None:
    node.check_keys(("errorBudgetPercent", "shortWindow", "longWindow"))
    percent = node.number("errorBudgetPercent")
    if percent is not None and not 0 < percent <= 100:
        node.wrong("errorBudgetPercent", "must be a percentage above 0 and at most 100")

    long = node.seconds("longWindow")
    short = node.seconds("shortWindow")
    if percent is None or long is None or short is None:
        return None
    return Pair(name, notify, percent, long, short)
