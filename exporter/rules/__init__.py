"""RULES: recording rules and alerts as objects over catalogue names; one module and one file per subject."""

from __future__ import annotations

from collections.abc import Mapping

from exporter.config import Config
from exporter.rules import certification, coverage, efficacy, exporter, gap, load, render
from exporter.rules.rule import Alert, Links, Record, Rule

__all__ = ["ALERTS", "RECORDS", "SUBJECTS", "files"]

SUBJECTS: Mapping[str, tuple[Rule, ...]] = {
    "certification": certification.RULES,
    "load": load.RULES,
    "gap": gap.RULES,
    "coverage": coverage.RULES,
    "efficacy": efficacy.RULES,
    "exporter": exporter.RULES,
}
"""Subject (the stem of module, file and group) to its rules."""

ALERTS: Mapping[str, Alert] = {
    rule.name: rule for rules in SUBJECTS.values() for rule in rules if isinstance(rule, Alert)
}
RECORDS: Mapping[str, Record] = {
    rule.name: rule for rules in SUBJECTS.values() for rule in rules if isinstance(rule, Record)
}


def links(config: Config | None) -> Links:
    """The configured bases of links; a base that is not configured keeps its default."""
    default = Links()
    if config is None:
        return default
    return Links(config.links.runbook or default.runbook, config.links.dashboards or default.dashboards)


def files(config: Config | None) -> Mapping[str, bytes]:
    """Every rules file by its path below the top of the repository."""
    bases = links(config)
    return {
        f"rules/{subject}.rules.yml": render.render([render.group(f"pte-{subject}", rules, bases)])
        for subject, rules in SUBJECTS.items()
    }
