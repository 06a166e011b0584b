"""What a rule is: records and alerts as data. Every alert carries what a person needs to act on it at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from exporter.model import links

Severity = Literal["critical", "warning", "info"]
"""critical wakes somebody, warning waits for the morning, info is kept for whoever looks."""

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

INTERVAL = "1m"
"""How often every group is evaluated."""

KEEP_FIRING = "5m"
"""How long a critical alert outlives its condition: a short gap must not close an incident and open another."""

_RECORD = re.compile(r"[a-z_]+:[a-z_]+:[a-z_]+")
_ALERT = re.compile(r"Pte[A-Z][A-Za-z]+")


@dataclass(frozen=True, slots=True)
class Record:
    """A recorded series, named level:metric:operation, where the level is the labels that are left."""

    name: str
    expr: str
    labels: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        assert _RECORD.fullmatch(self.name), self.name


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert. `measure`, `value`, `limit` and `reason` are templates; together they make the description."""

    name: str
    expr: str
    severity: Severity
    board: Board
    summary: str
    """One line: who and what."""
    measure: str
    """What was measured, in words: "the test's peak relative to production's"."""
    value: str
    limit: str
    reason: str
    """Why it matters or what is behind it, with the inputs; one or two sentences."""
    wait: str = "15m"
    """`for`: how long the condition has to hold."""

    def __post_init__(self) -> None:
        assert _ALERT.fullmatch(self.name), self.name

    @property
    def description(self) -> str:
        """Three lines, so that whoever is woken finds value, limit and reason at the same place every time."""
        return f"Value: {self.value} ({self.measure})\nLimit: {self.limit}\nReason: {self.reason}"


Rule = Record | Alert


@dataclass(frozen=True, slots=True)
class Links:
    """Bases of the links in alerts."""

    runbook: str = links.RUNBOOK
    """URL of the runbook page; the alert's heading is appended as #anchor."""
    dashboards: str = links.DASHBOARDS
    """Base URL of Grafana."""
