"""RULES: recording rules and alerts as objects over catalogue names; one module and one file per subject."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exporter.config import Config
from exporter.rules import (
    certification,
    coverage,
    efficacy,
    execution,
    exporter,
    gap,
    load,
    loadrun,
    recordings,
    render,
    slo,
)
from exporter.rules.rule import Alert, Links, Record, Rule
from exporter.slo.rules.alerts import BROKEN, BURN
from exporter.sources.prometheus.source import Options

__all__ = ["ALERTS", "OF_EACH_SLO", "RECORDS", "SUBJECTS", "files"]

SUBJECTS: Mapping[str, tuple[Rule, ...]] = {
    "certification": certification.RULES,
    "load": load.RULES,
    "loadrun": loadrun.RULES,
    "execution": execution.RULES,
    "gap": gap.RULES,
    "coverage": coverage.RULES,
    "efficacy": efficacy.RULES,
    "exporter": exporter.RULES,
    "slo": slo.RULES,
}
"""Subject (the stem of module, file and group) to its rules."""

ALERTS: Mapping[str, Alert] = {
    rule.name: rule for rules in SUBJECTS.values() for rule in rules if isinstance(rule, Alert)
}
OF_EACH_SLO = (BURN, BROKEN)
"""Alerts that each objective has of its own (exporter/slo/rules/alerts.py), where its spec gives no other name."""
RECORDS: Mapping[str, Record] = {
    rule.name: rule for rules in SUBJECTS.values() for rule in rules if isinstance(rule, Record)
}


def links(config: Config | None) -> Links:
    """The configured bases of links; a base that is not configured keeps its default."""
    default = Links()
    if config is None:
        return default
    return Links(config.links.runbook or default.runbook, config.links.dashboards or default.dashboards)


def _observed(config: Config) -> list[dict[str, Any]]:
    """The recording rules of every side that is read from a Prometheus-like server."""
    sides = ((one.name, one.source) for one in config.environments)
    return [
        group for name, options in sides if isinstance(options, Options) for group in recordings.groups(name, options)
    ]


def files(config: Config | None) -> Mapping[str, bytes]:
    """Every rules file by its path below the top of the repository.

    What is observed depends on the configuration (from `exporter.sources.read`), so without one there is no file of it.
    """
    bases = links(config)
    groups = {name: [render.group(f"pte-{name}", rules, bases)] for name, rules in SUBJECTS.items()}
    recorded = _observed(config) if config is not None else []
    if recorded:
        groups["observed"] = recorded
    return {f"rules/{name}.rules.yml": render.render(found) for name, found in groups.items()}
