"""OpenSLO's alert policies -> tiers: a burn rate condition is one; without any, the usual tiers hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from exporter.model.slo import Notify, Period, Tier
from exporter.slo.specs.place import Place, duration
from exporter.slo.specs.tiers import Pair, hold, tiers

Objects = Mapping[tuple[str, str], Place]
"""Kind and name to the object's document."""

_PAGING = frozenset(("page", "critical", "high", "sev1", "sev2", "p1", "p2"))
"""Severities that wake somebody; OpenSLO leaves their words open."""

_SHORT = 12
"""The short window is a twelfth of the long one (SRE workbook, chapter 5)."""


def tiers_of(spec: Place, period: Period, others: Objects, pairs: Mapping[int, tuple[Pair, ...]]) -> tuple[Tier, ...]:
    """The tiers of an SLO: of its policies' conditions; none for an empty list; else the usual ones."""
    policies = spec.items("alertPolicies")
    if spec.get("alertPolicies") == []:
        return ()
    found = {
        tier.name: tier
        for policy in policies
        for condition in _conditions(_referred(policy, "alertPolicyRef", "AlertPolicy", others), others)
        if (tier := _tier(condition)) is not None
    }
    if found:
        return tuple(found.values())
    try:
        return tiers(period, pairs.get(period.seconds))
    except ValueError as error:
        spec.wrong("alertPolicies", str(error))
        return ()


def _referred(place: Place, key: str, kind: str, others: Objects) -> Place | None:
    """The object that an entry names or is; None where it is in none of the files."""
    name = place.raw if isinstance(place.raw, str) else place.get(key)
    if name is not None:
        return others.get((kind, str(name)))
    if not isinstance(place.raw, dict):
        place.wanted(f"a mapping with {key}, or the object itself")
        return None
    return place


def _conditions(policy: Place | None, others: Objects) -> Iterator[Place]:
    spec = policy.mapping("spec") if policy is not None else None
    if spec is None or spec.get("alertWhenBreaching") is False:
        return
    for entry in spec.items("conditions"):
        condition = _referred(entry, "conditionRef", "AlertCondition", others)
        if condition is not None:
            yield condition


def _tier(object_: Place) -> Tier | None:
    name = object_.mapping("metadata").text("name")
    spec = object_.mapping("spec")
    condition = spec.mapping("condition")
    kind = condition.get("kind")
    if kind not in (None, "burnrate"):
        condition.wrong("kind", f'found "{kind}", wanted burnrate')
        return None
    severity = spec.text("severity")
    factor, long = condition.number("threshold"), condition.seconds("lookbackWindow")
    after = condition.get("alertAfter")
    wait = 0 if after is None or after == "0m" else duration(after)
    if wait is None:
        condition.place("alertAfter").wanted("a duration such as 5m")
    if factor is None or long is None or wait is None:
        return None
    if factor <= Decimal(0):
        condition.wrong("threshold", "wanted a burn rate above 0")
        return None
    notify: Notify = "page" if severity.lower() in _PAGING else "ticket"
    short = max(-(-long // _SHORT // 60) * 60, 60)
    return Tier(name, notify, long, short, factor, wait, hold(long)[1])
