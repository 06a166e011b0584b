"""Our own alerts. Each carries the facts that a person needs to act on it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from exporter.model import links
from exporter.model.rule import Alert, Record, Rule

Severity = Literal["critical", "warning", "info"]
"""critical wakes somebody, warning waits for the morning, info is for the record."""

Board = Literal[
    "pte-certification",
    "pte-traffic",
    "pte-coverage",
    "pte-exporter",
    "pte-slo-detail",
    "pte-loadrun",
    "pte-bench",
    "pte-test-execution",
]
"""The uid of the dashboard that shows what the alert is about."""

KEEP_FIRING = "5m"
"""How long a critical alert outlives its condition."""

_NAME = re.compile(r"Pte[A-Z][A-Za-z]+")


@dataclass(frozen=True, slots=True)
class LinkBases:
    """Bases of the links in alerts."""

    runbook: str = links.RUNBOOK
    """URL of the runbook page; the alert's heading is appended as #anchor."""
    dashboards: str = links.DASHBOARDS
    """Base URL of Grafana."""


@dataclass(frozen=True, slots=True)
class AlertDefinition:
    """An alert. `measure`, `value`, `limit`, `reason` and `action` are templates; together they make the description.

    An alert with several findings has no measure, value or limit: its reason lists the findings with their numbers.
    """

    name: str
    expr: str
    severity: Severity
    board: Board
    summary: str
    """One line: subject and finding."""
    reason: str
    """Why it matters or what caused it, with the inputs; one or two sentences."""
    action: str
    """What to do, in one line; the runbook has the details."""
    measure: str = ""
    """The measured quantity in words: "the test's peak relative to production's"."""
    value: str = ""
    limit: str = ""
    wait: str = "15m"
    """`for`: how long the condition has to hold."""

    def __post_init__(self) -> None:
        assert _NAME.fullmatch(self.name), self.name
        assert bool(self.measure) == bool(self.value) == bool(self.limit), self.name

    @property
    def description(self) -> str:
        """Value, limit, reason and action, always in this order, a line each."""
        action = f"Do: {self.action}"
        if not self.measure:
            return f"Reasons:{self.reason}\n{action}"

        return f"Value: {self.value} ({self.measure})\nLimit: {self.limit}\nReason: {self.reason}\n{action}"

    def alert(self, links: LinkBases) -> Alert:
        """The alert in the form of Prometheus."""
        annotations = {
            "summary": self.summary,
            "description": self.description,
            "runbook_url": f"{links.runbook}#{self.name.lower()}",
            "dashboard_url": self.dashboard_url(links),
        }

        # A short gap must not close an incident and open another.
        keep = KEEP_FIRING if self.severity == "critical" else ""
        return Alert(self.name, self.expr, self.wait, keep, {"severity": self.severity}, annotations)

    def dashboard_url(self, links: LinkBases) -> str:
        """The board, opened on the alert's objective or application when it has one."""
        board = f"{links.dashboards.rstrip('/')}/d/{self.board}"
        if self.board == "pte-slo-detail":
            return board + "?var-slo={{ $labels.sloth_id | urlquery }}"
        if "application" in self.expr:
            return board + "?var-application={{ $labels.application | urlquery }}"
        return board


Definition = Record | AlertDefinition
"""A rule of a subject."""


def with_links(definitions: Iterable[Definition], links: LinkBases) -> list[Rule]:
    """The rules of a subject in the form of Prometheus."""
    rules = list[Rule]()
    for definition in definitions:
        if isinstance(definition, AlertDefinition):
            rules.append(definition.alert(links))
        else:
            rules.append(definition)
    return rules
