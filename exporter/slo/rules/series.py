"""Parts that all rules of an objective share: its labels, and selectors of its series."""

from __future__ import annotations

import json

from exporter.model.slo import Slo
from exporter.slo.rules.fragments import by, duration

_ENCODE = json.JSONEncoder(ensure_ascii=False).encode
"""json.dumps would build this encoder again for each of a hundred thousand strings."""


def quote(text: str) -> str:
    """A PromQL string."""
    return _ENCODE(text)


def identity(slo: Slo) -> dict[str, str]:
    """The labels of every rule of an objective."""
    return {
        "sloth_id": slo.id,
        "sloth_service": slo.service,
        "sloth_slo": slo.name,
        "application": slo.application or slo.service,
        "side": slo.side,
        **slo.labels,
    }


def select(slo: Slo, name: str, window: str = "", state: str = "") -> str:
    """The selector of a recorded series of this objective."""
    matchers = f"sloth_id={quote(slo.id)}"
    if window:
        matchers += f',sloth_window="{window}"'
    if state:
        matchers += f',state="{state}"'
    return f"{name}{{{matchers}}}"


def least_bad(slo: Slo) -> int:
    """Bad events that a tier requires; none where events are minutes, as an hour with 5 % bad ones never has five."""
    if slo.sli.per == "minute":
        return 0
    return slo.min_bad_events


def bare(slo: Slo, expr: str) -> str:
    """A series with no labels but those of `by`.

    For some minutes after a change of labels there are two series of equal value. Both would get the labels of the
    rule, and Prometheus records no two series of the same labels. Sloth's rules, if loaded too, have the same effect.
    """
    return f"max{by(slo.sli.by)} ({expr})"


def alone(expr: str) -> str:
    """The same for a series that an objective has only once, whatever `by`."""
    return f"max ({expr})"


def period_window(slo: Slo) -> str:
    """The period in the label sloth_window and in the ratio's name: 30d, month, week."""
    return slo.period.calendar or duration(slo.period.seconds)


def base(slo: Slo) -> int:
    """Seconds over which the source's rates are taken: five minutes, or the shortest window of a tier."""
    return min([300, *(tier.short for tier in slo.tiers)])
