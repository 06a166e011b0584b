"""Burn alerts of two windows each, and the alert that nothing is known any more.

`and` matches all labels, and the windows of a tier differ in sloth_window: so they are matched on what they share.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from exporter.model.slo import Notify, Slo, Text, Tier
from exporter.objectives import names
from exporter.objectives.budget import decimal
from exporter.objectives.fragments import by, duration, on
from exporter.objectives.rule import Alert, select

BURN = "PteSloBurn"
"""What burn alerts are called where the spec names none, and their heading in the runbook."""
BROKEN = "PteSloTelemetryBroken"

SEVERITY: Mapping[Notify, str] = {"page": "critical", "ticket": "warning", "shadow": "info"}
"""What the label `severity` says unless the spec says otherwise; Alertmanager's routes go by it."""

_BROKEN_WAIT, _BROKEN_KEEP = 600, 300

_SHARE = "humanizePercentage"


def alerts(slo: Slo, runbook: str, dashboards: str) -> Iterator[Alert]:
    """One for each tier, and one for lost telemetry; `runbook` and `dashboards` are the bases of links."""
    for tier in slo.tiers:
        yield _burn(slo, tier, runbook, dashboards)
    if slo.tiers:
        yield _broken(slo, runbook, dashboards)


def _notify(slo: Slo, wanted: Notify) -> Notify:
    return "shadow" if slo.shadow else wanted


def _burn(slo: Slo, tier: Tier, runbook: str, dashboards: str) -> Alert:
    limit = decimal(tier.factor * slo.budget)
    group, key = by(slo.sli.by), on(slo.sli.by)
    long, short = duration(tier.long), duration(tier.short)

    def burning(window: str) -> str:
        return f"max{group} ({select(slo, names.RATIO + window)} > {limit})"

    expr = f"{burning(long)}\nand {key}\n{burning(short)}"
    if slo.min_bad_events:
        bad = select(slo, names.count("errors"), long)
        expr += f"\nand {key}\nmax{group} ({bad} >= {slo.min_bad_events})"
    notify = _notify(slo, tier.notify)
    text = _text(slo, notify)
    annotations = {
        "summary": f"{slo.service}: {slo.name} burns its error budget more than {decimal(tier.factor)} times too fast",
        "title": f"({notify}) {slo.service} {slo.name} SLO error budget burn rate is too fast.",
        "description": f"Value: {{{{ $value | {_SHARE} }}}} bad events in {long}\n"
        f"Limit: {decimal(tier.factor * slo.budget * 100)}% in {long} and in {short} "
        f"({decimal(tier.factor)} times the budget of {decimal(100 - slo.objective)}%)\n"
        f"Reason: {_reason(slo)}",
        **_links(slo, BURN, runbook, dashboards),
        **text.annotations,
    }
    return Alert(slo.alerting.name, expr, tier.wait, tier.keep, {**text.labels, "tier": tier.name}, annotations)


def _reason(slo: Slo) -> str:
    left = _lookup(select(slo, names.REMAINING), _SHARE)
    gone = _lookup(select(slo, names.EXHAUSTION), "humanizeDuration", "not within sight at the last hour's rate")
    return f"Left of the error budget: {left}. It is gone in: {gone}."


def _lookup(query: str, show: str, none: str = "unknown") -> str:
    found = f"{{{{ with query `min({query})` }}}}{{{{ . | first | value | {show} }}}}"
    return f"{found}{{{{ else }}}}{none}{{{{ end }}}}"


def _broken(slo: Slo, runbook: str, dashboards: str) -> Alert:
    kinds = {_notify(slo, tier.notify) for tier in slo.tiers}
    notify = next(kind for kind in SEVERITY if kind in kinds)
    text = _text(slo, notify)
    annotations = {
        "summary": f"{slo.service}: nothing tells whether {slo.name} is met",
        "title": f"({notify}) {slo.service} {slo.name} SLO has no data.",
        "description": "Value: none (events counted by the SLO's query)\nLimit: a series, though its value be 0\n"
        "Reason: The query of all events gives nothing. Burn alerts of this SLO are blind until it does.",
        **_links(slo, BROKEN, runbook, dashboards),
        **text.annotations,
    }
    expr = f"max ({select(slo, names.STATE, state='broken')}) == 1"
    return Alert(BROKEN, expr, _BROKEN_WAIT, _BROKEN_KEEP, text.labels, annotations)


def _text(slo: Slo, notify: Notify) -> Text:
    """What the spec gives to alerts of this kind. A shadow's severity is not the spec's, which may page."""
    alerting = slo.alerting
    own = {"page": alerting.page, "ticket": alerting.ticket, "shadow": Text()}[notify]
    labels = {"severity": SEVERITY[notify], **alerting.common.labels, **own.labels}
    if notify == "shadow":
        labels["severity"] = SEVERITY["shadow"]
    return Text({**labels, "sloth_severity": notify}, {**alerting.common.annotations, **own.annotations})


def _links(slo: Slo, heading: str, runbook: str, dashboards: str) -> dict[str, str]:
    board = f"{dashboards.rstrip('/')}/d/pte-slo-detail?var-slo={{{{ $labels.sloth_id | urlquery }}}}"
    return {"runbook_url": f"{runbook}#{heading.lower()}", "dashboard_url": board}
