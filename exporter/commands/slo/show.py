"""The state of objectives as text for people at a terminal, and as JSON. What nobody knows is said in words."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict

from exporter import humanize
from exporter.report.table import columns
from exporter.slo.rules.budget import ENOUGH
from exporter.slo.status import Status, WindowStatus

UNKNOWN = "no evidence"

_PLAIN, _RED, _YELLOW = "\x1b[0m", "\x1b[31m", "\x1b[33m"
_LITTLE = 0.1
"""Of a budget: from here on it is shown in a colour."""

_LEFT = 15
"""Columns of what stands left of the facts."""

_ENOUGH = float(ENOUGH)

_CALENDAR = {"month": "a calendar month", "week": "a calendar week"}


_ONLY_OF_ONE = ("windows", "tiers", "alerts")


def as_json(statuses: Sequence[Status], *, brief: bool = False) -> str:
    """One list; null is what nobody knows. `brief`: without what is read only of a single objective."""
    found = [asdict(status) for status in statuses]
    for one in found if brief else ():
        for key in _ONLY_OF_ONE:
            del one[key]
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


def as_table(statuses: Sequence[Status], *, colour: bool = False) -> str:
    """One line a budget, in the order given."""
    head = ("SLO", "side", "objective", "SLI", "budget left", "burn 1h", "burn 6h", "gone in", "credit", "state")
    rows = [head, *map(_row, statuses)]
    lines = list(columns(rows, left=(0, 1, 9)))
    shown = [lines[0], *(_coloured(line, one, colour) for line, one in zip(lines[1:], statuses, strict=True))]
    return "\n".join(shown) + "\n"


def _row(status: Status) -> tuple[str, ...]:
    return (
        status.name,
        status.side or "-",
        _known(status.objective, sli),
        _known(status.sli, sli),
        _known(status.budget_remaining, humanize.percent),
        _known(status.burn_rate_1h, _burn),
        _known(status.burn_rate_6h, _burn),
        _gone(status),
        "no SLA" if status.sla_objective is None else _credit_due(status, "kept"),
        status.state or "not recorded",
    )


def as_text(status: Status, *, colour: bool = False) -> str:
    """One budget in full."""
    side = f" ({status.side})" if status.side else ""
    period = _CALENDAR.get(status.period or "", status.period or "a period that is not recorded")
    head = f"{status.name}{side}: {_known(status.objective, sli)} over {period}, {status.state or 'state not recorded'}"
    lines = [_coloured(head, status, colour), *_facts(status)]
    if status.windows:
        lines += ["", *(f"  {line}" for line in columns(_windows(status), left=(0, 5)))]
    return "\n".join(lines) + "\n"


def _facts(status: Status) -> Iterator[str]:
    facts = (
        ("SLI", _known(status.sli, sli)),
        ("known", f"{_known(status.coverage, humanize.percent)} of the period" if status.coverage else "nothing"),
        ("budget left", _left(status)),
        ("gone in", _gone(status, " at the rate of the last hour")),
        ("forecast", _forecast(status)),
        ("SLA", _sla(status)),
        ("alerts", _alerts(status)),
    )
    return (f"  {title.ljust(_LEFT)}{text}" for title, text in facts)


def _left(status: Status) -> str:
    text, events = _known(status.budget_remaining, humanize.percent), status.budget_remaining_events
    if events is None:
        return text
    if events < 0:
        return f"{text} ({humanize.counted(math.ceil(-events), 'bad event')} too many)"
    return f"{text} ({humanize.counted(math.floor(events), 'more bad event')} allowed)"


def _gone(status: Status, rate: str = "") -> str:
    if status.budget_remaining is None:
        return UNKNOWN
    if status.budget_remaining <= 0:
        return "gone"
    if status.exhaustion_seconds is not None:
        return humanize.duration(status.exhaustion_seconds) + rate
    return UNKNOWN if status.burn_rate_1h is None else f"not in sight{rate}"


def _forecast(status: Status) -> str:
    if not status.forecast_evidence:
        return f"{UNKNOWN} (too little data, or too few bad events in the last three days)"
    ratio = status.forecast_error_ratio
    then = "" if ratio is None else f"; the period's SLI will be {sli(1 - ratio)}"
    if status.budget_remaining is not None and status.budget_remaining <= 0:
        return f"the budget is gone{then}"
    if status.breach_timestamp is None:
        return f"the budget lasts if the last three days go on{then}"
    return f"the budget is gone at {humanize.moment(status.breach_timestamp)} if the last three days go on{then}"


def _sla(status: Status) -> str:
    if status.sla_objective is None:
        return "none"
    then = _credit(status.sla_credit_forecast)
    return f"{sli(status.sla_objective)}; credit due now: {_credit_due(status)}; at the forecast: {then}"


def _credit_due(status: Status, none: str = "none") -> str:
    """Where much of the period is not known, nothing can be said to be due yet."""
    text = _credit(status.sla_credit, none)
    known = status.coverage is not None and status.coverage >= _ENOUGH
    return text if known or status.sla_credit is None else f"{text} (young)"


def _credit(credit: float | None, none: str = "none") -> str:
    return _known(credit, lambda share: humanize.percent(share) if share else none)


def _alerts(status: Status) -> str:
    if not status.alerts:
        return "none pending or firing"
    return "; ".join(
        " ".join(part for part in (one.name, one.tier, one.severity, one.state) if part) for one in status.alerts
    )


def _windows(status: Status) -> list[tuple[str, ...]]:
    return [("window", "bad", "all", "error ratio", "burn", "limit"), *(_window(status, one) for one in status.windows)]


def _window(status: Status, one: WindowStatus) -> tuple[str, ...]:
    limits = [
        f"{humanize.number(tier.burn_rate)} {tier.name}"
        for tier in status.tiers
        if one.window in (tier.long, tier.short)
    ]
    counts = ("-", "-") if one.errors is None and one.events is None else (_count(one.errors), _count(one.events))
    return (one.window, *counts, _ratio(one), _known(one.burn_rate, _burn), ", ".join(limits) or "-")


def _ratio(one: WindowStatus) -> str:
    return "no events" if one.error_ratio is None and one.events == 0 else _known(one.error_ratio, humanize.percent)


def _count(value: float | None) -> str:
    """Rates are extrapolated, so that counts are no whole numbers; from 10 on that is of no use to anybody."""
    return _known(value, lambda count: humanize.number(count, 2))


def sli(good: float) -> str:
    """A share of good events as a percentage with three digits of what is bad: 99.9 %, 99.9505 %."""
    bad = 100 * round(1 - good, 12)
    if bad <= 0:
        return "100 %"
    places = max(0, 2 - math.floor(math.log10(bad)))
    return f"{humanize.trim_zeros(f'{100 - bad:.{places}f}')} %"


def _burn(rate: float) -> str:
    return humanize.number(rate, humanize.SAID)


def _known(value: float | None, show: Callable[[float], str]) -> str:
    return UNKNOWN if value is None else show(value)


def _coloured(line: str, status: Status, colour: bool) -> str:
    left = status.budget_remaining
    if not colour or (left is not None and left >= _LITTLE and status.state != "broken"):
        return line
    bad = status.state == "broken" or (left is not None and left <= 0)
    return f"{_RED if bad else _YELLOW}{line}{_PLAIN}"
