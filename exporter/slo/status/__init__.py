"""The state of objectives as records. An unknown value is None, never 0.

Ratios 0..1, seconds and Unix seconds. An objective has a budget for each value of the labels that its queries keep.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WindowStatus:
    """The figures of one window."""

    window: str
    """As Prometheus writes it: 1h, 30d; or month, week."""
    error_ratio: float | None
    burn_rate: float | None
    errors: float | None
    events: float | None


@dataclass(frozen=True, slots=True)
class TierStatus:
    """The burn rate above which, in both windows, an alert fires."""

    name: str
    long: str
    short: str
    burn_rate: float


@dataclass(frozen=True, slots=True)
class AlertStatus:
    """An alert of the objective that is pending or firing."""

    name: str
    state: str
    severity: str
    tier: str


@dataclass(frozen=True, slots=True)
class BudgetStatus:
    """One budget."""

    id: str
    service: str
    slo: str
    application: str
    side: str
    labels: Mapping[str, str]
    """They identify the budget where the objective has several."""
    state: str | None
    objective: float | None
    period: str | None
    """As Prometheus writes it; month or week for a calendar period, where windows are known."""
    alerting: str | None
    """The most urgent action of its alerts: page, ticket or shadow; none without alerts."""
    error_ratio: float | None
    sli: float | None
    budget_remaining: float | None
    budget_remaining_events: float | None
    coverage: float | None
    """The share of the period with data."""
    burn_rate_1h: float | None
    burn_rate_6h: float | None
    exhaustion_seconds: float | None
    """Until the budget is exhausted at the last hour's rate of bad events."""
    sla_objective: float | None
    sla_credit: float | None
    """The share of the fee that is due."""
    sla_credit_forecast: float | None
    forecast_evidence: bool | None
    breach_timestamp: float | None
    """When the budget is exhausted at the rate of the last three days."""
    forecast_error_ratio: float | None
    """Over the period, at its end."""
    windows: tuple[WindowStatus, ...] = ()
    tiers: tuple[TierStatus, ...] = ()
    alerts: tuple[AlertStatus, ...] = ()

    @property
    def name(self) -> str:
        """The id, with the labels that distinguish its budgets."""
        own = ",".join(f"{label}={value}" for label, value in sorted(self.labels.items()))
        if own:
            return f"{self.id}{{{own}}}"
        return self.id

    @property
    def trouble(self) -> tuple[bool, bool, float, str]:
        """Sorts the worst first: lost telemetry, then by budget, then budgets without evidence.

        An objective without alerts, as the PTE's, often has no data for a good reason: no test is running.
        """
        remaining = self.budget_remaining
        is_blind = self.state == "broken" and self.alerting != "none"
        if remaining is None:
            return not is_blind, True, 0.0, self.name
        return not is_blind, False, remaining, self.name
