"""The definition of each figure of an error budget, from counts alone; in plain arithmetic, not in PromQL."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from exporter.model.slo import DAY, Slo
from exporter.slo.rules import names
from exporter.slo.rules.fragments import duration
from exporter.slo.rules.records import windows
from exporter.slo.rules.series import base, period_window
from tests.slo.rules.evaluation import Answers

HOUR, TREND = 3600, 3 * DAY
LEAST = 10
"""A forecast needs so many bad events, or that the objective allows so many."""

Count = Callable[[str, float, float], float]
"""Events or errors (the kind) from one time to another."""

Figures = dict[tuple[str, str], float | None]
"""By the series' name and its label sloth_window, if it has one; None where no series is expected."""


def bounds(slo: Slo, time: float) -> tuple[float, float]:
    """The start and the end of the budget's period."""
    if slo.period.calendar is None:
        return time - slo.period.seconds, time
    zone = ZoneInfo(slo.period.timezone)
    day = datetime.fromtimestamp(time, zone).replace(hour=0, minute=0, second=0, microsecond=0)
    if slo.period.calendar == "week":
        first = day - timedelta(days=day.weekday())
        return first.timestamp(), (first + timedelta(days=7)).timestamp()
    first = day.replace(day=1)
    return first.timestamp(), (first + timedelta(days=32)).replace(day=1).timestamp()


def figures(slo: Slo, time: float, count: Count) -> Figures:
    """Every figure of the objective at a time, if the whole period has data and events."""
    results: Figures = {}
    for seconds in windows(slo):
        results |= _window(slo, duration(seconds), seconds == base(slo), *_counts(count, time - seconds, time))
    start, end = bounds(slo, time)
    events, errors = _counts(count, start, time)
    results |= _window(slo, period_window(slo), False, events, errors)
    over = (time - start) / (end - start)
    budget = float(slo.budget)
    remaining = budget * events / over - errors
    results |= {
        (names.PERIOD_BURN, ""): errors / events / budget,
        (names.CONSUMED, ""): errors / events / budget * over,
        (names.REMAINING, ""): 1 - errors / events / budget * over,
        (names.REMAINING_EVENTS, ""): remaining,
        (names.COVERAGE, ""): 1.0,
        (names.SLA_CREDIT, ""): _credit(slo, errors / events),
    }
    if slo.period.calendar:
        results[names.ELAPSED, ""] = over
        results[names.DAYS, ""] = (end - start + HOUR) // DAY
    if slo.period.seconds > TREND:
        results |= _outlook(slo, time, count, remaining)
    return results


def different(
    got: Answers, true: Figures, time: float, tolerance: float, **labels: str
) -> dict[tuple[str, str], tuple[float | None, float | None]]:
    """The results of the rules and the true values, where they differ by more than a share of the true value.

    For the time of the breach the distance from now counts, within the precision of a double.
    """
    results = {}
    for (name, window), value in true.items():
        result = got.value(name, **labels, **({"sloth_window": window} if window else {}))
        since, least = (time, 1e-6) if name == names.BREACH else (0.0, 0.0)
        if result is None or value is None:
            equal = result is value
        else:
            equal = abs(result - value) <= max(tolerance * abs(value - since), least)
        if not equal:
            results[name, window] = (result, value)
    return results


def _window(slo: Slo, window: str, is_base: bool, events: float, errors: float) -> Figures:
    ratio = errors / events if events else None
    if is_base:
        return {(names.RATIO + window, window): ratio}
    counts: Figures = {(names.count("events"), window): events, (names.count("errors"), window): errors}
    return {**counts, (names.RATIO + window, window): ratio}


def _counts(count: Count, start: float, end: float) -> tuple[float, float]:
    return count("events", start, end), count("errors", start, end)


def _outlook(slo: Slo, time: float, count: Count, remaining: float) -> Figures:
    start, end = bounds(slo, time)
    hour = count("errors", time - HOUR, time)
    coming, bad = _counts(count, time - TREND, time)
    rest = (end - time) / TREND
    if slo.period.calendar:
        events, errors = _counts(count, start, time)
        ratio, net, limit = (errors + bad * rest) / (events + coming * rest), bad / TREND, end - time
    else:
        older = count("errors", start, time - TREND) / (slo.period.seconds - TREND)
        ratio, net, limit = bad / coming if coming else 0.0, bad / TREND - older, slo.period.seconds
    breach = remaining / net if net > 0 and 0 < remaining <= net * limit else None
    results: Figures = {
        (names.EXHAUSTION, ""): max(remaining, 0) / hour * HOUR if hour >= max(slo.min_bad_events, 1) else None,
        (names.FORECAST_EVIDENCE, ""): float(max(bad, float(slo.budget) * coming) >= max(slo.min_bad_events, LEAST)),
    }
    forecast: Figures = {
        (names.FORECAST, ""): ratio,
        (names.BREACH, ""): None if breach is None else time + breach,
        (names.SLA_CREDIT_FORECAST, ""): _credit(slo, ratio),
    }
    evidence = results[names.FORECAST_EVIDENCE, ""]
    return results | (forecast if evidence else dict.fromkeys(forecast))


def _credit(slo: Slo, ratio: float) -> float:
    assert slo.sla is not None
    due = (credit.percent / 100 for credit in slo.sla.credits if 1 - ratio < credit.below / 100)
    return float(max(due, default=0))
