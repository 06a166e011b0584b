"""Burn alerts of two windows each, and the alert for lost telemetry.

`and` matches all labels, and the windows of a tier differ in sloth_window, so that label is dropped first. All others
stay, because an alert's texts can only use labels that its expression returns, and a spec's texts, written for Sloth,
use them. Name and service come from labels too, never from the spec, whose text a template could read as code.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from exporter.model.rule import Alert
from exporter.model.slo import Notify, Slo, Text, Tier
from exporter.slo.rules import names
from exporter.slo.rules.budget import TREND, decimal
from exporter.slo.rules.fragments import duration
from exporter.slo.rules.series import least_bad, select

BURN = "PteSloBurn"
"""Name of burn alerts where the spec has none, and their heading in the runbook."""
BROKEN = "PteSloTelemetryBroken"

SEVERITY: Mapping[Notify, str] = {"page": "critical", "ticket": "warning", "shadow": "info"}
"""The label `severity`, unless the spec sets another; Alertmanager's routes use it."""

_BROKEN_WAIT = "10m"
_BROKEN_KEEP = "5m"

PERCENT = 'printf "%.1f%%"'
"""Format of a percentage that may be far below zero, which humanizePercentage writes as -9.99e+04%."""

_TEXTS = frozenset(("summary", "description", "title", "message", "text", "details"))
"""Annotations of a spec that describe the event, and were written for burn alerts. Others, as `runbook`, suit any."""

_TIMES = 'printf "%.1f times"'
_VALUE = "{{ . | first | value"
"""The start of an action that shows a query's result."""

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

    # Two bad events of ten are 20 %, but no reason to page: the long window must have a minimum number of bad events.
    expr = f"{_worst(slo, names.RATIO + long, limit)}\nand\n{_worst(slo, names.RATIO + short, limit)}"
    least = ""
    least_events = least_bad(slo)
    if least_events:
        bad = select(slo, names.count("errors"), long)
        expr += f"\nand\nmax without (sloth_window) ({bad} >= {least_events})"
        least = f", with at least {least_events} bad events in {long}"

    notify = _notify(slo, tier.notify)
    text = _text(slo, notify)
    description = (
        f"Value: {{{{ $value | {_SHARE} }}}} (bad events in {long})\n"
        f"Limit: {decimal(tier.factor * slo.budget * 100)}%, exceeded in both {long} and {short} "
        f"({decimal(tier.factor)} times the error budget of {decimal(100 - slo.objective)}%){least}\n"
        f"Reason: {_reason(slo)}\n"
        "Do: find the cause of the bad events and stop it, such as by rolling back the last release."
    )
    annotations = {
        "summary": f"{_who(slo)} is using its error budget {_pace(tier.factor)}",
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


def _pace(factor: Decimal) -> str:
    """How fast a tier's limit uses up the budget; at a burn rate of 1 it lasts exactly for the period."""
    if factor > 1:
        return f"more than {decimal(factor)} times too fast"
    if factor == 1:
        return "too fast to last for the period"
    return f"at more than {decimal(factor)} times the rate at which it lasts"


def _who(slo: Slo) -> str:
    """The objective, and the label values of its budget where each value has its own."""
    who = f"{_SERVICE}: {_NAME}"
    if not slo.sli.by:
        return who
    parts = ", ".join(f"{label} {{{{ $labels.{label} }}}}" for label in slo.sli.by)
    return f"{who} ({parts})"


def _reason(slo: Slo) -> str:
    """One sentence while budget remains, another once it is exhausted, and a third without data."""
    remaining = _query(slo, names.REMAINING, scale="100 * ")
    consumed = _with(_query(slo, names.CONSUMED), f"{_VALUE} | {_TIMES} }}}}", "more than")
    exhausted = f"Error budget exhausted: {consumed} the allowed errors so far."
    enough = f"Error budget left: {_VALUE} | {PERCENT} }}}}.{_outlook(slo)}"
    text = f"{{{{ if gt (. | first | value) 0.0 }}}}{enough}{{{{ else }}}}{exhausted}{{{{ end }}}}"
    return _with(remaining, text, "Error budget left: unknown.")


def _outlook(slo: Slo) -> str:
    """When the budget runs out; periods as short as a forecast's trend have no such series."""
    if slo.period.seconds <= TREND:
        return ""
    text = f" At the last hour's rate it is exhausted in {_VALUE} | humanizeDuration }}}}."
    return _with(_query(slo, names.EXHAUSTION), text, " The last hour has too few bad events for a forecast.")


def _with(query: str, text: str, otherwise: str) -> str:
    """One text where a query has a result, which is `.` in it; the other where it has none."""
    return f"{{{{ with {query} }}}}{text}{{{{ else }}}}{otherwise}{{{{ end }}}}"


def _query(slo: Slo, name: str, scale: str = "") -> str:
    """A template's query of another series of the alert's budget. %q keeps quotes within label values."""
    labels = ("sloth_id", *slo.sli.by)
    matchers = ",".join(f"{label}=%q" for label in labels)
    arguments = " ".join(f"$labels.{label}" for label in labels)
    return f"printf `{scale}min({name}{{{matchers}}})` {arguments} | query"


def _broken(slo: Slo, runbook: str, dashboards: str) -> Alert:
    # The receivers of its most urgent burn alert learn that none of its burn alerts can fire.
    kinds = {_notify(slo, tier.notify) for tier in slo.tiers}
    notify = next(kind for kind in SEVERITY if kind in kinds)
    text = _text(slo, notify)

    # A spec's texts about a burning budget do not suit lost telemetry; its links do.
    links_of_spec = {name: value for name, value in text.annotations.items() if name not in _TEXTS}
    description = (
        "Value: no data (results of the SLO's queries)\nLimit: at least one series, even with the value 0\n"
        "Reason: The query for all events returns no data, or the query for bad events fails. "
        "Until this is fixed, this SLO's burn alerts cannot fire.\n"
        "Do: check whether the application is down, then its targets in Prometheus, then the SLO's queries."
    )
    annotations = {
        "summary": f"{_SERVICE}: no data for the SLO {_NAME}",
        "title": f"({notify}) {_SERVICE} {_NAME} SLO has no data.",
        "description": description,
        **_links(BROKEN, runbook, dashboards),
        **links_of_spec,
    }

    expr = f"max without (state) ({select(slo, names.STATE, state='broken')}) == 1"
    return Alert(BROKEN, expr, _BROKEN_WAIT, _BROKEN_KEEP, text.labels, annotations)


def _text(slo: Slo, notify: Notify) -> Text:
    """The spec's texts for alerts of this kind. A shadow does not take its severity from the spec, which may page."""
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
