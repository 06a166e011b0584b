"""OpenSLO's alert policies -> tiers: a burn rate condition is a tier; without any, the usual tiers apply."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from decimal import Decimal

from exporter.model.slo import Notify, Period, Tier
from exporter.slo.specs.node import Node, duration
from exporter.slo.specs.tiers import Pairs, hold, tiers

Objects = Mapping[tuple[str, str], Node]
"""Kind and name to the object's document."""

_PAGING = frozenset(("page", "critical", "high", "sev1", "sev2", "p1", "p2"))
"""Severities that page; OpenSLO does not define their names."""

_SHORT = 12
"""The short window is a twelfth of the long one (SRE workbook, chapter 5)."""


def tiers_of(spec: Node, period: Period, others: Objects, pairs: Pairs) -> tuple[Tier, ...]:
    """The tiers of an SLO: from its policies' conditions; none for an empty list; otherwise the usual ones."""
    policies = spec.items("alertPolicies")
    if spec.get("alertPolicies") == []:
        return ()

    by_name = dict[str, Tier]()
    for policy in policies:
        for condition in _conditions(_referred(policy, "alertPolicyRef", "AlertPolicy", others), others):
            tier = _tier(condition)
            if tier is not None:
                by_name[tier.name] = tier
    if by_name:
        return tuple(by_name.values())

    try:
        return tiers(period, pairs.get(period.seconds))
    except ValueError as error:
        spec.wrong("alertPolicies", str(error))
        return ()


def _referred(entry: Node, key: str, kind: str, others: Objects) -> Node | None:
    """The object that an entry names or contains; None where no file contains it."""
    name = entry.raw if isinstance(entry.raw, str) else entry.get(key)
    if name is not None:
        return others.get((kind, str(name)))
    if not isinstance(entry.raw, dict):
        entry.expected(f"a mapping with {key}, or the object itself")
        return None
    return entry


def _conditions(policy: Node | None, others: Objects) -> Iterator[Node]:
    if policy is None:
        return
    spec = policy.mapping("spec")
    if spec.get("alertWhenBreaching") is False:
        return

    for entry in spec.items("conditions"):
        condition = _referred(entry, "conditionRef", "AlertCondition", others)
        if condition is not None:
            yield condition


def _tier(alert: Node) -> Tier | None:
    """The tier of an AlertCondition; None after a problem."""
    name = alert.mapping("metadata").text("name")
    spec = alert.mapping("spec")
    condition = spec.mapping("condition")
    kind = condition.get("kind")
    if kind not in (None, "burnrate"):
        condition.wrong("kind", f'expected burnrate, got "{kind}"')
        return None

    severity = spec.text("severity")
    factor = condition.number("threshold")
    long = condition.seconds("lookbackWindow")
    wait = _wait(condition)
    if factor is None or long is None or wait is None:
        return None
    if factor <= Decimal(0):
        condition.wrong("threshold", "must be a burn rate above 0")
        return None

    notify: Notify = "page" if severity.lower() in _PAGING else "ticket"
    _, keep = hold(long)
    return Tier(name, notify, long, _short(long), factor, wait, keep)


def _wait(condition: Node) -> int | None:
    """Seconds of alertAfter; None after a problem."""
    after = condition.get("alertAfter")
    if after is None or after == "0m":
        return 0

    wait = duration(after)
    if wait is None:
        condition.child("alertAfter").expected("a duration such as 5m")
    return wait


def _short(long: int) -> int:
    """The short window: full minutes, because rules are evaluated once a minute."""
    return math.ceil(long / _SHORT / 60) * 60
