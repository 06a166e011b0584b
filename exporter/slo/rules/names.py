"""NAMES of the series of objectives: those that Sloth made common, and our additions.

`slo:sli_errors:*` and `slo:sli_events:*` are bad and all events. Ratios come from their sums, never from ratios.
"""

from __future__ import annotations

RATIO = "slo:sli_error:ratio_rate"
"""Sloth's, with the window appended: bad / all events over the window."""
OBJECTIVE = "slo:objective:ratio"
BUDGET = "slo:error_budget:ratio"
DAYS = "slo:time_period:days"
CURRENT_BURN = "slo:current_burn_rate:ratio"
PERIOD_BURN = "slo:period_burn_rate:ratio"
REMAINING = "slo:period_error_budget_remaining:ratio"
INFO = "sloth_slo_info"

KINDS = ("events", "errors")


def rate(kind: str, window: str = "5m") -> str:
    """Events or errors per second, or per minute in time-based SLIs; the only series that reads the source's data."""
    return f"slo:sli_{kind}:rate{window}"


def quarter(kind: str) -> str:
    """Sum of the rates of a quarter of an hour, one a minute."""
    return f"slo:sli_{kind}:sum15m"


def partial(kind: str) -> str:
    """Sum of the rates since the last full quarter of an hour."""
    return f"slo:sli_{kind}:sum_partial"


def count(kind: str) -> str:
    """Events or errors in the window that the label sloth_window names."""
    return f"slo:sli_{kind}:count"


CONSUMED = "slo:period_error_budget_consumed:ratio"
REMAINING_EVENTS = "slo:period_error_budget_remaining:events"
ELAPSED = "slo:period_elapsed:ratio"
"""How much of the calendar period is over; only for calendar periods."""
COVERAGE = "slo:period_coverage:ratio"
"""For how much of the period there is data: the evidence of the budget."""
EXHAUSTION = "slo:error_budget_exhaustion:seconds"
"""Time until the budget is exhausted at the last hour's rate of bad events."""
FORECAST_EVIDENCE = "slo:forecast:evidence"
BREACH = "slo:error_budget_breach:timestamp_seconds"
"""When the budget is exhausted at the rate of the last three days; absent when it lasts."""
FORECAST = "slo:period_error_forecast:ratio"
"""Error ratio at the end of the period at the rate of the last three days."""
SLA_OBJECTIVE = "slo:sla_objective:ratio"
SLA_BELOW = "slo:sla_credit_below:ratio"
"""The SLI below which the credit in the label `credit` is due."""
SLA_CREDIT = "slo:sla_credit:ratio"
SLA_CREDIT_FORECAST = "slo:sla_credit_forecast:ratio"
MAINTENANCE = "slo:maintenance:active"
STATE = "slo:data_state:info"
"""1 for the label `state` that applies: ok, young, idle, broken or maintenance."""
BURN_FACTOR = "slo:burn_rate_limit:ratio"
"""The burn rate of each tier."""
LEAST_BAD = "slo:min_bad_events:count"
"""With fewer bad events in its window no alert of the objective fires."""

TIER = "sloth_tier"
"""The label that names an alert's tier; not `tier`, which Sloth's own examples give to services."""

STATES = ("ok", "young", "idle", "broken", "maintenance")

RESERVED = (
    "sloth_id",
    "sloth_service",
    "sloth_slo",
    "sloth_window",
    "sloth_severity",
    "side",
    TIER,
    "state",
    "credit",
    "block",
    "period",
)
"""Labels that rules write and specs must not. `application` may be set, and wins over the service's name."""

WINDOWS = (300, 1800, 3600, 7200, 21600, 86400, 259200)
"""Seconds; recorded for every SLO, whatever its tiers, because dashboards query them."""
