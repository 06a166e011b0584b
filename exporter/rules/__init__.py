"""RULES: recording rules and alerts as objects over catalogue names; one module and one file per subject."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from exporter.config import Config
from exporter.model.rule import Record
from exporter.rules import (
    certification,
    coverage,
    efficacy,
    execution,
    exporter,
    gap,
    load,
    loadrun,
    loadrun_judgement,
    recordings,
    slo,
)
from exporter.rules.render import READABLE
from exporter.rules.rule import AlertDefinition, Definition, LinkBases, with_links
from exporter.slo.rules import render
from exporter.slo.rules.alerts import BROKEN, BURN

__all__ = ["ALERTS", "OF_EACH_SLO", "RECORDS", "SUBJECTS", "files"]

SUBJECTS: Mapping[str, tuple[Definition, ...]] = {
    "certification": certification.RULES,
    "load": load.RULES,
    # One file for both, because Prometheus servers already load it under this name.
    "loadrun": (*loadrun.RULES, *loadrun_judgement.RULES),
    "execution": execution.RULES,
    "gap": gap.RULES,
    "coverage": coverage.RULES,
    "efficacy": efficacy.RULES,
    "exporter": exporter.RULES,
    "slo": slo.RULES,
}
"""Subject (the stem of file and group, and of the module that begins with it) to its rules."""

_DEFINITIONS = tuple(definition for subject in SUBJECTS.values() for definition in subject)

ALERTS: Mapping[str, AlertDefinition] = {
    definition.name: definition for definition in _DEFINITIONS if isinstance(definition, AlertDefinition)
}
OF_EACH_SLO = (BURN, BROKEN)
"""Alerts of each objective (exporter/slo/rules/alerts.py), unless its spec names them otherwise."""
RECORDS: Mapping[str, Record] = {
    definition.name: definition for definition in _DEFINITIONS if isinstance(definition, Record)
}


def links(config: Config | None) -> LinkBases:
    """The configured bases of links; a base that is not configured keeps its default."""
    default = LinkBases()
    if config is None:
        return default
    return LinkBases(config.links.runbook or default.runbook, config.links.dashboards or default.dashboards)


def files(config: Config | None, recorded: Mapping[str, Sequence[Record]] | None = None) -> Mapping[str, bytes]:
    """Every rules file by its path below the top of the repository.

    `recorded` has the recording rules for the sources' servers, by side; without any, their file is not made.
    """
    bases = links(config)
    groups = dict[str, list[str]]()
    for subject, definitions in SUBJECTS.items():
        groups[subject] = [render.group(f"pte-{subject}", with_links(definitions, bases), READABLE)]

    observed = recordings.groups(recorded or {})
    if observed:
        groups[recordings.FILE] = observed
    return {f"rules/{name}.rules.yml": render.file(parts) for name, parts in groups.items()}
