"""Burn alerts of two windows each, and the alert that nothing is known any more.

`and` matches all labels, and the windows of a tier differ in sloth_window: so that one is dropped first. All others
stay, as an alert's texts only know the labels that its expression leaves: the spec's texts, made for Sloth, name them.
Its name and service come from there too, never from the spec, which may hold what a template would read as code.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from exporter.model.rule import Alert
from exporter.model.slo import Notify, Slo, Text, Tier
from exporter.slo.rules import names
from exporter.slo.rules.budget import decimal
from exporter.slo.rules.fragments import duration
from exporter.slo.rules.series import least_bad, select

BURN = "PteSloBurn"
"""What burn alerts are called where the spec names none, and their heading in the runbook."""
BROKEN = "PteSloTelemetryBroken"

SEVERITY: Mapping[Notify, str] = {"page": "critical", "ticket": "warning", "shadow": "info"}
"""What the label `severity` says unless the spec says otherwise; Alertmanager's routes go by it."""

_BROKEN_WAIT = "10m"
_BROKEN_KEEP = "5m"

PERCENT = 'printf "%.1f%%"'
"""How a percentage is shown that may be far below zero, which humanizePercentage writes as -9.99e+04%."""

_TEXTS = frozenset(("summary", "description", "title", "message", "text", "details"))
"""Annotations of a spec that tell what happened, and were written for burn alerts. Others, as `runbook`, suit any."""

_SHARE = "humanizePercentage"
_SERVICE = "{{ $labels.sloth_service }}"
_NAME = "{{ $labels.sloth_slo }}"


def alerts(slo: Slo, runbook: str, dashboards: str) -> Iterator[Alert]:
    """One for each tier, and one for lost telemetry; `runbook` and `dashboards` are the bases of links."""
    for tier in slo.tiers:
        yield _burn(slo, tier, runbook, dashboards)
    if slo.tiers:
        yield _broken(slo, runbook, dashboards)


def _notify(slo: Slo, notify: Notify) -> Notify:
    if slo.shadow:
        return "shadow"
    return notify


def _burn(slo: Slo, tier: Tier, runbook: str, dashboards: str) -> Alert:
    limit = decimal(tier.factor * slo.budget)
    long = duration(tier.long)
    short = duration(tier.short)

    # Two bad events of ten are 20 %, and no reason to wake anybody: so many there have to be in the long window.
    expr = f"{_worst(slo, names.RATIO + long, limit)}\nand\n{_worst(slo, names.RATIO + short, limit)}"
    least = ""
    least_events = least_bad(slo)
    if least_events:
        bad = select(slo, names.count("errors"), long)
        expr += f"\nand\nmax without (sloth_window) ({bad} >= {least_events})"
        least = f"; fewer than {least_events} bad events in {long} are no reason"

    notify = _notify(slo, tier.notify)
    text = _text(slo, notify)
    description = (
        f"Value: {{{{ $value | {_SHARE} }}}} (bad events in {long})\n"
        f"Limit: {decimal(tier.factor * slo.budget * 100)}%, exceeded both in {long} and in {short} "
        f"({decimal(tier.factor)} times the budget of {decimal(100 - slo.objective)}%){least}\n"
        f"Reason: {_reason(slo)}"
    )
    annotations = {
        "summary": f"{_who(slo)} burns its error budget at a rate over {decimal(tier.factor)}; at 1 it just lasts",
        "title": f"({notify}) {_SERVICE} {_NAME} SLO error budget burn rate is too fast.",
        "description": description,
        **_links(BURN, runbook, dashboards),
        **text.annotations,
    }
    labels = {**text.labels, names.TIER: tier.name}
    keep = duration(tier.keep) if tier.keep else ""
    return Alert(slo.alerting.name, expr, duration(tier.wait), keep, labels, annotations)


def _worst(slo: Slo, name: str, limit: str) -> str:
    return f"max without (sloth_window) ({select(slo, name)} > {limit})"


def _who(slo: Slo) -> str:
    """The objective, and whose budget it is where each value of some labels has its own."""
    who = f"{_SERVICE}: {_NAME}"
    if not slo.sli.by:
        return who
    parts = ", ".join(f"{label} {{{{ $labels.{label} }}}}" for label in slo.sli.by)
    return f"{who} ({parts})"


def _reason(slo: Slo) -> str:
    left = _lookup(slo, names.REMAINING, PERCENT, of="100 * ")
    gone = _lookup(slo, names.EXHAUSTION, "humanizeDuration", "not within sight at the last hour's rate")
    return f"Left of the error budget: {left}. It is gone in: {gone}."


def _lookup(slo: Slo, name: str, show: str, none: str = "unknown", of: str = "") -> str:
    """Another series of the alert's own budget. Values go into the query through %q, so that quotes stay inside."""
    labels = ("sloth_id", *slo.sli.by)
    matchers = ",".join(f"{label}=%q" for label in labels)
    arguments = " ".join(f"$labels.{label}" for label in labels)
    query = f"printf `{of}min({name}{{{matchers}}})` {arguments} | query"
    return f"{{{{ with {query} }}}}{{{{ . | first | value | {show} }}}}{{{{ else }}}}{none}{{{{ end }}}}"


def _broken(slo: Slo, runbook: str, dashboards: str) -> Alert:
    # Whoever the most urgent of its burn alerts goes to is told that none of them can go off.
    kinds = {_notify(slo, tier.notify) for tier in slo.tiers}
    notify = next(kind for kind in SEVERITY if kind in kinds)
    text = _text(slo, notify)

    # What a spec says of a burning budget does not suit lost telemetry; its links do.
    links_of_spec = {name: value for name, value in text.annotations.items() if name not in _TEXTS}
    description = (
        "Value: none (events counted by the SLO's query)\nLimit: a series, though its value be 0\n"
        "Reason: The query of all events gives nothing, or that of bad ones fails. "
        "Burn alerts of this SLO are blind meanwhile."
    )
    annotations = {
        "summary": f"{_SERVICE}: nothing tells whether {_NAME} is met",
        "title": f"({notify}) {_SERVICE} {_NAME} SLO has no data.",
        "description": description,
        **_links(BROKEN, runbook, dashboards),
        **links_of_spec,
    }

    expr = f"max without (state) ({select(slo, names.STATE, state='broken')}) == 1"
    return Alert(BROKEN, expr, _BROKEN_WAIT, _BROKEN_KEEP, text.labels, annotations)


def _text(slo: Slo, notify: Notify) -> Text:
    """What the spec gives to alerts of this kind. A shadow's severity is not the spec's, which may page."""
    alerting = slo.alerting
    own = _of_kind(slo, notify)
    labels = {"severity": SEVERITY[notify], **alerting.common.labels, **own.labels}
    if notify == "shadow":
        labels["severity"] = SEVERITY["shadow"]
    return Text({**labels, "sloth_severity": notify}, {**alerting.common.annotations, **own.annotations})


def _of_kind(slo: Slo, notify: Notify) -> Text:
    if notify == "page":
        return slo.alerting.page
    if notify == "ticket":
        return slo.alerting.ticket
    return Text()


def _links(heading: str, runbook: str, dashboards: str) -> dict[str, str]:
    board = f"{dashboards.rstrip('/')}/d/pte-slo-detail?var-slo={{{{ $labels.sloth_id | urlquery }}}}"
    return {"runbook_url": f"{runbook}#{heading.lower()}", "dashboard_url": board}
