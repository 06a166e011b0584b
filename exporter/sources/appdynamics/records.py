"""What the client of the controller is asked, and what it answers with. Times are Unix seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from exporter.model.observation import Window

Floats = NDArray[np.float64]

Absence = Literal["no_metric", "no_data", "budget"]
"""Why there are no values: the controller knows no such metric, it has no data in the window, we did not ask."""


@dataclass(frozen=True, slots=True)
class ListedApplication:
    """An application that we may see."""

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
class Tier:
    """A tier of an application."""

    id: int
    name: str
    nodes: int | None
    """How many nodes it has; None where the controller does not say."""


@dataclass(frozen=True, slots=True)
class MetricQuery:
    """What the controller is asked in one request for metric data."""

    application: int
    path: str
    """With wildcards, and not encoded in any way."""
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
    """Sum of what was measured in each step; None where the controller does not say."""
    counts: Floats | None
    """How many measurements each step rests on."""
    sentinels: int
    """Values that stood for "nothing" (±2147483647 and the like), and were left out."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one query."""

    query: MetricQuery
    metrics: tuple[Metric, ...]
    """Those with values."""
    absence: Absence | None
    """Why there are none; None when there are."""


@dataclass(frozen=True, slots=True)
class Entity:
    """What an incident befell, or what told of it."""

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
    """What it befell."""
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
    """What it befell; may be empty."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A request of which the controller kept the details; only that we may read it is of interest."""

    time: float
    transaction: int | None
