"""The state of objectives for people at a terminal. Unknown values are words."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

from exporter import humanize
from exporter.report.table import columns
from exporter.slo.rules.budget import ENOUGH
from exporter.slo.status import BudgetStatus, WindowStatus

UNKNOWN = "no evidence"

_PLAIN = "\x1b[0m"
_RED = "\x1b[31m"
_YELLOW = "\x1b[33m"

_LITTLE = 0.1
"""A budget below this share is coloured."""

_TITLE_WIDTH = 15
"""Columns for the titles of the facts."""

_ENOUGH = float(ENOUGH)

_CALENDAR = {"month": "a calendar month", "week": "a calendar week"}

_BUDGETS = ("SLO", "side", "objective", "SLI", "budget left", "burn 1h", "burn 6h", "runs out in", "credit", "state")
_WINDOWS = ("window", "bad", "all", "error ratio", "burn", "limit")


def table(statuses: Sequence[BudgetStatus], *, colour: bool = False) -> str:
    """One line a budget, in the order given."""
    head, *lines = columns([_BUDGETS, *map(_row, statuses)], left_aligned=(0, 1, 9))
    coloured = [_coloured(line, status, colour) for line, status in zip(lines, statuses, strict=True)]
    return "\n".join([head, *coloured]) + "\n"


def _row(status: BudgetStatus) -> tuple[str, ...]:
    credit = "no SLA"
    if status.sla_objective is not None:
        credit = _credit_due(status, "SLA met")

    return (
        status.name,
        status.side or "-",
        _text(status.objective, sli),
        _text(status.sli, sli),
        _text(status.budget_remaining, humanize.percent),
        _text(status.burn_rate_1h, _burn),
        _text(status.burn_rate_6h, _burn),
        _time_left(status),
        credit,
        status.state or "not recorded",
    )


def full(status: BudgetStatus, *, colour: bool = False) -> str:
    """One budget in full."""
    lines = [_coloured(_title(status), status, colour)]
    lines += [f"  {title.ljust(_TITLE_WIDTH)}{text}" for title, text in _facts(status)]

    if status.windows:
        rows = [_window(status, window) for window in status.windows]
        lines.append("")
        lines += [f"  {line}" for line in columns([_WINDOWS, *rows], left_aligned=(0, 5))]
    return "\n".join(lines) + "\n"


def _title(status: BudgetStatus) -> str:
    side = f" ({status.side})" if status.side else ""
    period = status.period or "a period that is not recorded"
    period = _CALENDAR.get(period, period)
    state = status.state or "state not recorded"
    return f"{status.name}{side}: {_text(status.objective, sli)} over {period}, {state}"


def _facts(status: BudgetStatus) -> Iterator[tuple[str, str]]:
    yield "SLI", _text(status.sli, sli)
    yield "coverage", _coverage(status)
    yield "budget left", _budget_left(status)
    yield "runs out in", _time_left(status, " at the last hour's rate")
    yield "forecast", _forecast(status)
    yield "SLA", _sla(status)
    yield "alerts", _alerts(status)


def _coverage(status: BudgetStatus) -> str:
    if not status.coverage:
        return "no data"
    return f"{humanize.percent(status.coverage)} of the period"


def _budget_left(status: BudgetStatus) -> str:
    text = _text(status.budget_remaining, humanize.percent)
    events = status.budget_remaining_events
    if events is None:
        return text

    # Half an event cannot happen: whole events are allowed.
    if events < 0:
        return f"{text} ({humanize.pluralize(math.ceil(-events), 'bad event')} too many)"
    return f"{text} ({humanize.pluralize(math.floor(events), 'more bad event')} allowed)"


def _time_left(status: BudgetStatus, rate: str = "") -> str:
    if status.budget_remaining is None:
        return UNKNOWN
    if status.budget_remaining <= 0:
        return "exhausted"

    if status.exhaustion_seconds is not None:
        return humanize.duration(status.exhaustion_seconds) + rate
    if status.burn_rate_1h is None:
        return UNKNOWN
    return f"not in sight{rate}"


def _forecast(status: BudgetStatus) -> str:
    if not status.forecast_evidence:
        return f"{UNKNOWN} (too little data, or too few bad events in the last three days)"

    outcome = ""
    if status.forecast_error_ratio is not None:
        outcome = f"; the period's SLI will be {sli(1 - status.forecast_error_ratio)}"
    if status.budget_remaining is not None and status.budget_remaining <= 0:
        return f"the budget is exhausted{outcome}"

    rate = "at the rate of the last three days"
    if status.breach_timestamp is None:
        return f"the budget lasts {rate}{outcome}"
    return f"{rate}, the budget is exhausted at {humanize.format_time(status.breach_timestamp)}{outcome}"


def _sla(status: BudgetStatus) -> str:
    if status.sla_objective is None:
        return "none"
    forecast = _credit(status.sla_credit_forecast)
    return f"{sli(status.sla_objective)}; credit due now: {_credit_due(status)}; at the forecast: {forecast}"


def _credit_due(status: BudgetStatus, none: str = "none") -> str:
    """A credit is only certain where most of the period has data."""
    text = _credit(status.sla_credit, none)
    is_known = status.coverage is not None and status.coverage >= _ENOUGH
    if is_known or status.sla_credit is None:
        return text
    return f"{text} (provisional)"


def _credit(credit: float | None, none: str = "none") -> str:
    if credit == 0:
        return none
    return _text(credit, humanize.percent)


def _alerts(status: BudgetStatus) -> str:
    if not status.alerts:
        return "none pending or firing"

    texts = []
    for alert in status.alerts:
        parts = (alert.name, alert.tier, alert.severity, alert.state)
        texts.append(" ".join(part for part in parts if part))
    return "; ".join(texts)


def _window(status: BudgetStatus, window: WindowStatus) -> tuple[str, ...]:
    limits = [
        f"{humanize.number(tier.burn_rate)} {tier.name}"
        for tier in status.tiers
        if window.window in (tier.long, tier.short)
    ]
    # Some windows have only a ratio by design, which differs from unknown counts.
    if window.errors is None and window.events is None:
        errors = events = "-"
    else:
        errors = _count(window.errors)
        events = _count(window.events)

    burn_rate = _text(window.burn_rate, _burn)
    return (window.window, errors, events, _ratio(window), burn_rate, ", ".join(limits) or "-")


def _ratio(window: WindowStatus) -> str:
    if window.error_ratio is None and window.events == 0:
        return "no events"
    return _text(window.error_ratio, humanize.percent)


def _count(value: float | None) -> str:
    """Rates are extrapolated, so counts are not whole numbers; from 10 on the fraction is omitted."""
    return _text(value, lambda count: humanize.number(count, 2))


def sli(good: float) -> str:
    """A share of good events as a percentage, with three digits of the bad share: 99.9 %, 99.9505 %."""
    bad = 100 * round(1 - good, 12)
    if bad <= 0:
        return "100 %"
    places = max(0, 2 - math.floor(math.log10(bad)))
    return f"{humanize.trim_zeros(f'{100 - bad:.{places}f}')} %"


def _burn(rate: float) -> str:
    return humanize.number(rate, humanize.SENTENCE_DIGITS)


def _text(value: float | None, write: Callable[[float], str]) -> str:
    if value is None:
        return UNKNOWN
    return write(value)


def _coloured(line: str, status: BudgetStatus, colour: bool) -> str:
    """Red without budget or telemetry, yellow where the budget is small or unknown."""
    remaining = status.budget_remaining
    is_broken = status.state == "broken"
    if not colour or (remaining is not None and remaining >= _LITTLE and not is_broken):
        return line

    is_exhausted = remaining is not None and remaining <= 0
    shade = _RED if is_broken or is_exhausted else _YELLOW
    return f"{shade}{line}{_PLAIN}"
