"""The state of objectives as records. None is what nobody knows, and never 0.

Ratios 0..1, seconds and Unix seconds. An objective has a budget for each value of the labels that its queries keep.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WindowStatus:
    """What one window says."""

    window: str
    """As Prometheus writes it: 1h, 30d; or month, week."""
    error_ratio: float | None
    burn_rate: float | None
    errors: float | None
    events: float | None


@dataclass(frozen=True, slots=True)
class TierStatus:
    """From which burn rate on, in both windows, an alert fires."""

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
    """Which of the objective's budgets, where it has several."""
    state: str | None
    objective: float | None
    period: str | None
    """As Prometheus writes it; of a calendar period month or week, where windows are known."""
    alerting: str | None
    """What its alerts do at most: page, ticket or shadow; none where it has none."""
    error_ratio: float | None
    sli: float | None
    budget_remaining: float | None
    budget_remaining_events: float | None
    coverage: float | None
    """For how much of the period there is data."""
    burn_rate_1h: float | None
    burn_rate_6h: float | None
    exhaustion_seconds: float | None
    """Until the budget is gone, if bad events go on as in the last hour."""
    sla_objective: float | None
    sla_credit: float | None
    """The share of the fee that is due."""
    sla_credit_forecast: float | None
    forecast_evidence: bool | None
    breach_timestamp: float | None
    """When the budget is gone, if the last three days go on."""
    forecast_error_ratio: float | None
    """Over the period, at its end."""
    windows: tuple[WindowStatus, ...] = ()
    tiers: tuple[TierStatus, ...] = ()
    alerts: tuple[AlertStatus, ...] = ()

    @property
    def name(self) -> str:
        """The id, with the labels that tell its budgets apart."""
        own = ",".join(f"{label}={value}" for label, value in sorted(self.labels.items()))
        if own:
            return f"{self.id}{{{own}}}"
        return self.id

    @property
    def trouble(self) -> tuple[bool, bool, float, str]:
        """Sorts the worst first: those that nothing is known of any more, the least budget, those without evidence.

        One that never alerts, as the PTE's, is often without data for a good reason: no test runs.
        """
        left = self.budget_remaining
        is_blind = self.state == "broken" and self.alerting != "none"
        if left is None:
            return not is_blind, True, 0.0, self.name
        return not is_blind, False, left, self.name
