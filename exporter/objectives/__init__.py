"""OBJECTIVES: each SLO -> its recording rules and alerts, one group an SLO, one file a service and side.

A group's rules are evaluated one after the other, and each rests only on those before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from exporter.model.slo import Slo
from exporter.objectives import render
from exporter.objectives.alerts import alerts
from exporter.objectives.budget import budget
from exporter.objectives.records import records
from exporter.objectives.rule import Rule
from exporter.objectives.state import state

__all__ = ["files", "rules"]

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")


def rules(slo: Slo, runbook: str, dashboards: str) -> Iterator[Rule]:
    """All rules of an objective, in the order of their evaluation."""
    yield from records(slo)
    yield from budget(slo)
    yield from state(slo)
    yield from alerts(slo, runbook, dashboards)


def files(slos: Iterable[Slo], runbook: str, dashboards: str) -> Mapping[str, bytes]:
    """Rules files by their path below the output directory."""
    found: dict[str, list[str]] = {}
    for slo in slos:
        side = "" if slo.side == "production" else f"-{slo.side}"
        name = f"rules/slo-{_UNSAFE.sub('_', slo.service + side)}.rules.yml"
        found.setdefault(name, [render.HEADER]).append(render.group(slo, rules(slo, runbook, dashboards)))
    return {name: "".join(parts).encode() for name, parts in found.items()}
