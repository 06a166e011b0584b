"""Rules as Prometheus has them: recorded series and alerts, the exporter's own and those of objectives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Record:
    """A recorded series. Rules of one group may share labels beside these (exporter/slo/rules/render.py)."""

    name: str
    expr: str
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert. Rules of one group may share labels beside these."""

    name: str
    expr: str
    wait: str
    """`for`, as Prometheus writes a duration."""
    keep: str
    """`keep_firing_for`; empty for none."""
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


Rule = Record | Alert
