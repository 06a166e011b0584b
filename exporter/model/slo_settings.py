"""The configuration's `slos:` part: what neither Sloth's files nor OpenSLO can say.

exporter/slo/specs/own.py makes Slo of it. Objectives, burn factors and credits are percentages and factors as people
write them; durations are those of Prometheus.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

import msgspec

from exporter.model.settings import Duration, Settings
from exporter.model.slo import Calendar, Notify

Side = Literal["production", "pte"]


class ErrorSli(Settings, frozen=True):
    """Failed requests of all requests, by the queries of the environment's source (request_rate, error_rate)."""


class LatencySli(Settings, frozen=True):
    """Requests slower than the threshold, by the latency histogram of the environment's source; no PromQL to write."""

    threshold: Duration
    """A bound of the histogram's buckets; with native histograms any."""


class EventsSli(Settings, frozen=True):
    """Hand-written PromQL, with `{{.window}}` in place of ranges and `$selector` for the environment's own selector."""

    errors: str
    total: str


class SliSettings(Settings, frozen=True):
    """Exactly one of them."""

    errors: ErrorSli | None = None
    latency: LatencySli | None = None
    events: EventsSli | None = None


class TierSettings(Settings, frozen=True):
    """One pair of windows; either the share of the budget that is gone in the long one, or the burn rate itself."""

    name: str
    notify: Notify
    long: Duration
    short: Duration
    budget_percent: float | None = None
    burn_rate: float | None = None
    wait: Duration | None = msgspec.field(default=None, name="for")
    """By default what a tier of that length has; so is `keep`."""
    keep: Duration | None = msgspec.field(default=None, name="keep_firing_for")


class CreditSettings(Settings, frozen=True):
    """A step of the service credit, both in percent."""

    below: float
    credit: float


class SlaSettings(Settings, frozen=True):
    """What was promised to customers."""

    objective: float
    """Percent."""
    credits: tuple[CreditSettings, ...] = ()
    """Highest `below` first."""


class MaintenanceSettings(Settings, frozen=True):
    """Either start and end, or a weekly time such as `Sat 22:00` with a duration."""

    start: datetime | None = None
    end: datetime | None = None
    weekly: str | None = None
    duration: Duration | None = None


class SloSettings(Settings, frozen=True):
    """One objective of one application, on one side or on both."""

    name: str
    application: str
    objective: float
    """Percent, such as 99.9."""
    sli: SliSettings
    sides: tuple[Side, ...] = ("production",)
    """Roles. The PTE's objective is recorded and shown; it never alerts."""
    period: Duration | None = None
    """Rolling days; 30 when neither this nor `calendar` is given."""
    calendar: Calendar | None = None
    """A calendar period instead of rolling days; it begins at midnight in `timezone`."""
    timezone: str | None = None
    """Of calendar periods and weekly maintenance; `analysis.timezone` when not given."""
    min_bad_events: int = 5
    """A tier fires only with at least as many bad events in its long window; 0 turns that off."""
    tiers: tuple[TierSettings, ...] | None = None
    """None: those usual for the period. An empty list: no alerts."""
    shadow: bool = False
    """No alert of it pages or makes a ticket."""
    sla: SlaSettings | None = None
    maintenance: tuple[MaintenanceSettings, ...] = ()
    """Production's; the PTE has none."""
    service: str | None = None
    """The label `sloth_service`; the application when not given."""
    alert: str | None = None
    """Name of the burn alerts."""
    labels: Mapping[str, str] = msgspec.field(default_factory=dict)
    annotations: Mapping[str, str] = msgspec.field(default_factory=dict)
