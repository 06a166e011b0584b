"""What a source itself reports as trouble: violated health rules, and events of a moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

IncidentKind = Literal["violation", "event"]
INCIDENT_KINDS: tuple[IncidentKind, ...] = ("violation", "event")

IncidentSeverity = Literal["warning", "critical"]
INCIDENT_SEVERITIES: tuple[IncidentSeverity, ...] = ("warning", "critical")


@dataclass(frozen=True, slots=True)
class Incident:
    """One stretch of trouble, or one event. Times are Unix seconds."""

    kind: IncidentKind
    name: str
    """The health rule's name, or the event's type."""
    entity: str
    """What it befell, as the source names it: an application, tier, node or business transaction."""
    entity_type: str
    severity: IncidentSeverity
    start: float
    end: float | None
    """None while it is open. An event begins and ends in one moment."""
    text: str = ""
    """What the source says about it, on one line."""

    @property
    def is_open(self) -> bool:
        """Whether it still lasts, which an event never does."""
        return self.kind == "violation" and self.end is None
