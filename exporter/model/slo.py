"""A service level objective as data: what every spec (Sloth, OpenSLO, our own) is read into and rules are made from.

Ratios that people write are decimals, not floats: 99.9 % is 0.999 and its budget 0.001 in every output.
Durations are seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from exporter.model.observation import Window

WINDOW = "{{.window}}"
"""What a query has in place of its range; Sloth's templates."""

DAY = 86400
WEEK = 7 * DAY

Per = Literal["second", "window", "minute"]
"""What a query's value is: events per second (rate), events in the window (increase), or a share of each minute.

With "minute" the events are minutes: each minute counts as one, and its error is between 0 and 1.
"""

Notify = Literal["page", "ticket", "shadow"]
"""How an alert notifies: page wakes somebody, ticket waits for the morning, shadow is only recorded."""


@dataclass(frozen=True, slots=True)
class Sli:
    """Bad and all events as PromQL, each with WINDOW in place of its range."""

    errors: str
    total: str
    per: Per = "second"
    by: tuple[str, ...] = ()
    """Labels that the queries keep: each of their values has its own budget."""


@dataclass(frozen=True, slots=True)
class Tier:
    """One pair of windows: fires while both burn faster than `factor`."""

    name: str
    """What the label `sloth_tier` says: page_quick, page_slow, ticket_quick, ticket_slow, or another name."""
    notify: Notify
    long: int
    short: int
    factor: Decimal
    """Burn rate, as a multiple of the rate that uses up the budget in exactly one period."""
    wait: int
    """`for`, in seconds."""
    keep: int
    """`keep_firing_for`, in seconds."""


@dataclass(frozen=True, slots=True)
class Text:
    """Labels and annotations of alerts, as the spec has them."""

    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Alerting:
    """Names, labels and annotations of an SLO's alerts. A disabled kind has no tier in `Slo.tiers`."""

    name: str
    common: Text = Text()
    page: Text = Text()
    ticket: Text = Text()


Calendar = Literal["week", "month"]


@dataclass(frozen=True, slots=True)
class Period:
    """What the budget is for: the last `seconds`, or the calendar period that now is in."""

    seconds: int
    """Length; of a calendar month 30 days, which burn factors are scaled by."""
    calendar: Calendar | None = None
    timezone: str = "UTC"
    """IANA name; where calendar periods begin."""

    @property
    def longest(self) -> int:
        """Seconds that the period takes at most: on a calendar, an hour more where the clock is put back."""
        if self.calendar is None:
            return self.seconds
        return (31 * DAY if self.calendar == "month" else WEEK) + 3600


@dataclass(frozen=True, slots=True)
class Credit:
    """A service credit: `percent` of the fee is due when the SLI of an SLA's period is below `below`."""

    below: Decimal
    """Percent."""
    percent: Decimal


@dataclass(frozen=True, slots=True)
class Sla:
    """What was promised to customers, beside the objective."""

    objective: Decimal
    """Percent."""
    credits: tuple[Credit, ...]
    """Highest `below` first; percents ascend."""


@dataclass(frozen=True, slots=True)
class Weekly:
    """A maintenance window that recurs each week."""

    start: int
    """Seconds since Monday 00:00 in `timezone`."""
    duration: int
    timezone: str = "UTC"


Maintenance = Window | Weekly
"""A stretch of time (Unix seconds, or each week) whose events count neither as good nor as bad."""


@dataclass(frozen=True, slots=True)
class Slo:
    """One objective of one side of one service."""

    service: str
    name: str
    objective: Decimal
    """Percent of good events, above 0 and below 100."""
    sli: Sli
    period: Period
    tiers: tuple[Tier, ...]
    alerting: Alerting
    side: str = "production"
    application: str = ""
    """What the exporter's series call the service; the service when empty."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Labels of all rules."""
    info_labels: Mapping[str, str] = field(default_factory=dict)
    """Labels of `sloth_slo_info` alone."""
    min_bad_events: int = 5
    """A tier fires only with at least this many bad events in its long window; 0 turns that off.

    Minutes are not events: an SLI of minutes is not checked.
    """
    sla: Sla | None = None
    maintenance: tuple[Maintenance, ...] = ()
    shadow: bool = False
    """Only recorded and shown: no alert of it pages or makes a ticket."""
    spec: str = "pte-exporter/v1"
    """What kind of file it came from: the label `sloth_spec`."""
    origin: str = ""
    """Where it was read, for messages: file, document and path."""

    @property
    def id(self) -> str:
        """The label `sloth_id`, as Sloth makes it."""
        return f"{self.service}-{self.name}"

    @property
    def budget(self) -> Decimal:
        """The share of events that may be bad, 0..1."""
        return 1 - self.objective / 100
