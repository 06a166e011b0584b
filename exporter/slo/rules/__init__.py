"""OBJECTIVES: each SLO -> its recording rules and alerts, one group an SLO, one file a service and side.

A service with more than PER_FILE SLOs has several files, `slo-<service>-2.rules.yml` and so on.
A group's rules are evaluated one after the other; each rule depends only on those before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from exporter.model.rule import Rule
from exporter.model.slo import Slo
from exporter.slo.rules import render
from exporter.slo.rules.alerts import alerts
from exporter.slo.rules.budget import budget
from exporter.slo.rules.records import records
from exporter.slo.rules.series import identity
from exporter.slo.rules.state import state

__all__ = ["files", "group", "rules"]

PER_FILE = 100
"""promtool takes about 10 ms to check an SLO's rules; checking a file should take a second or two."""

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")


def rules(slo: Slo, runbook: str, dashboards: str) -> Iterator[Rule]:
    """All rules of an objective, in the order of their evaluation."""
    yield from records(slo)
    yield from budget(slo)
    yield from state(slo)
    yield from alerts(slo, runbook, dashboards)


def files(slos: Iterable[Slo], runbook: str, dashboards: str) -> Mapping[str, bytes]:
    """Rules files by their path below the output directory."""
    groups = dict[str, list[str]]()
    for slo in slos:
        side = "" if slo.side == "production" else f"-{slo.side}"
        stem = _UNSAFE.sub("_", slo.service + side)
        groups.setdefault(stem, []).append(group(slo, rules(slo, runbook, dashboards)))

    by_file = dict[str, list[str]]()
    for stem, of_service in groups.items():
        for start in range(0, len(of_service), PER_FILE):
            number = f"-{start // PER_FILE + 1}" if start else ""
            # A service may be called like another's second file, or its other side: they share the file.
            parts = by_file.setdefault(f"rules/slo-{stem}{number}.rules.yml", [])
            parts += of_service[start : start + PER_FILE]
    return {name: render.file(parts) for name, parts in by_file.items()}


def group(slo: Slo, rules: Iterable[Rule]) -> str:
    """The group of one objective.

    An alert takes the objective's labels from its series; Prometheus would read labels written here as templates. Only
    the id is written, where it cannot be a template: promtool needs it to distinguish the alerts of two objectives.
    """
    id_label = {} if "{{" in slo.id else {"sloth_id": slo.id}
    return render.group(f"slo-{slo.id}", rules, render.FAST, record_labels=identity(slo), alert_labels=id_label)
