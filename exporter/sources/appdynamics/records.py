"""Queries to the controller and their results. Times are Unix seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from exporter.model.observation import Window

Floats = NDArray[np.float64]

Absence = Literal["no_metric", "no_data", "budget"]
"""Why there are no values: unknown metric, no data in the window, or no call left in the budget."""


@dataclass(frozen=True, slots=True)
class ListedApplication:
    """An application that our role may view."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Transaction:
    """A registered business transaction."""

    id: int
    name: str
    tier: str
    internal_name: str
    """Its name before somebody renamed it, often the URL or method it was discovered by; else the same."""


@dataclass(frozen=True, slots=True)
class ControllerTier:
    """A tier of an application."""

    id: int
    name: str
    nodes: int | None
    """Number of nodes; None if the controller does not report it."""


@dataclass(frozen=True, slots=True)
class MetricQuery:
    """One request for metric data."""

    application: int
    path: str
    """With wildcards, not encoded."""
    window: Window
    rollup: bool = False
    """One value for the whole window instead of one for each step."""


@dataclass(frozen=True, slots=True)
class Metric:
    """The values of one metric; steps without data have none. Arrays are of one length, in the order of time."""

    path: tuple[str, ...]
    name: str
    """The metric's internal name, as the controller gives it (BTM|Application Summary|Calls per Minute); may be ""."""
    resolution: float
    """Seconds of a step: 60, 600 or 3600 (for a rollup, the window's)."""
    times: Floats
    """The end of each step."""
    values: Floats
    sums: Floats | None
    """Sum of the measurements in each step; None if the controller does not report it."""
    counts: Floats | None
    """Number of measurements in each step."""
    sentinels: int
    """Number of dropped placeholders for "nothing", such as ±2147483647."""


@dataclass(frozen=True, slots=True)
class MetricResult:
    """The result of one query."""

    query: MetricQuery
    metrics: tuple[Metric, ...]
    """Those with values."""
    absence: Absence | None
    """Why there are none; None when there are."""


@dataclass(frozen=True, slots=True)
class Entity:
    """The affected part of an application, or the reporter of an incident."""

    type: str
    """APPLICATION, APPLICATION_COMPONENT (a tier), APPLICATION_COMPONENT_NODE, BUSINESS_TRANSACTION and others."""
    name: str
    id: int | None


@dataclass(frozen=True, slots=True)
class Violation:
    """A health rule that was violated for a while."""

    id: int
    name: str
    """The health rule's."""
    severity: str
    """WARNING or CRITICAL, as the controller writes it."""
    status: str
    """OPEN, RESOLVED, CANCELLED."""
    start: float
    end: float | None
    """None while it is open."""
    entity: Entity
    """The affected one."""
    description: str


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened at one moment."""

    id: int
    type: str
    severity: str
    """INFO, WARN or ERROR."""
    time: float
    summary: str
    entities: tuple[Entity, ...]
    """The affected ones; may be empty."""


@dataclass(frozen=True, slots=True)
class CallSnapshot:
    """A call with recorded details; only the right to read it matters here."""

    time: float
    transaction: int | None
