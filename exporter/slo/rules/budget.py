"""The budget: what is left, for how long, what is forecast, what is due. docs/method.md, section "Error budgets"."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import zip_longest

from exporter import __version__, humanize
from exporter.model.slo import DAY, Slo
from exporter.slo.rules import names
from exporter.slo.rules.fragments import below, by, days, duration, elapsed, on, this_period
from exporter.slo.rules.rule import Record, alone, bare, base, least_bad, period_window, select

HOUR = 3600
TREND = 3 * DAY
"""What a forecast goes by."""

ENOUGH = "0.9"
"""How much of a window must have data for it to count as one."""

LEAST_BAD_EVENTS = 10
"""A forecast rests on at least as many bad events, or on so many events that the objective allows as many."""

EVENTS = "events"

_ALERTING = ("page", "ticket", "shadow")


def decimal(value: Decimal) -> str:
    """All digits, no exponent, no trailing zeros: 0.999."""
    return humanize.trim_zeros(f"{value:f}")


def budget(slo: Slo) -> Iterator[Record]:
    """In the order in which they rest on each other."""
    yield Record(names.OBJECTIVE, f"vector({decimal(slo.objective / 100)})")
    yield Record(names.BUDGET, f"vector({decimal(slo.budget)})")
    yield Record(names.DAYS, days(slo.period))
    for tier in slo.tiers:
        labels = {names.TIER: tier.name, "long": duration(tier.long), "short": duration(tier.short)}
        yield Record(names.BURN_FACTOR, f"vector({decimal(tier.factor)})", labels)
    yield Record(names.LEAST_BAD, f"vector({least_bad(slo)})")
    yield Record(names.INFO, "vector(1)", _info(slo))
    yield _burn(slo, names.CURRENT_BURN, duration(base(slo)))
    yield _burn(slo, names.PERIOD_BURN, period_window(slo))
    yield from _left(slo)
    yield Record(names.COVERAGE, _period_coverage(slo))
    yield from _outlook(slo)
    if slo.sla is not None:
        yield from _sla(slo)


def _info(slo: Slo) -> dict[str, str]:
    alerting = next((kind for kind in _ALERTING if any(tier.notify == kind for tier in slo.tiers)), "none")
    return {
        "sloth_mode": "cli-gen-prom",
        "sloth_spec": slo.spec,
        "sloth_version": f"pte-exporter/{__version__}",
        "sloth_objective": decimal(slo.objective),
        "alerting": "shadow" if slo.shadow else alerting,
        **slo.info_labels,
    }


def _burn(slo: Slo, name: str, window: str) -> Record:
    ratio = bare(slo, select(slo, names.RATIO + window))
    return Record(name, f"{ratio} / {decimal(slo.budget)}", {"sloth_window": window})


def _left(slo: Slo) -> Iterator[Record]:
    burn = bare(slo, select(slo, names.PERIOD_BURN))
    consumed, window = burn, {"sloth_window": period_window(slo)}
    allowed = f"{decimal(slo.budget)} * {_counted(slo, 'events')}"
    if slo.period.calendar:
        yield Record(names.ELAPSED, elapsed(slo.period))
        part = alone(select(slo, names.ELAPSED))
        consumed = f"{burn} * on () group_left () {part}"
        allowed = f"{allowed} / on () group_left () ({part} > 0)"
    yield Record(names.REMAINING, f"1 - {consumed}", window)
    yield Record(names.CONSUMED, consumed, window)
    yield Record(names.REMAINING_EVENTS, f"{allowed} - {_counted(slo, 'errors')}")


def _counted(slo: Slo, kind: str, seconds: int = 0) -> str:
    """Events or errors of a window, or of the period, without the label that tells windows apart."""
    window = duration(seconds) if seconds else period_window(slo)
    return bare(slo, select(slo, names.count(kind), window))


def _period_coverage(slo: Slo) -> str:
    """Of a calendar period, only the part that is over counts."""
    if slo.period.calendar is None:
        return _coverage(slo, slo.period.seconds)
    over = f"{alone(select(slo, names.ELAPSED))} * {alone(select(slo, names.DAYS))} * {DAY // HOUR}"
    return _share(slo, lambda series: this_period(series, slo.period, "1h"), f"clamp_min(floor({over}), 1)")


def _coverage(slo: Slo, seconds: int) -> str:
    hours = f"vector({max(seconds // HOUR, 1)})"
    return _share(slo, lambda series: f"sum_over_time({series}[{below(seconds)}:1h])", hours)


def _share(slo: Slo, total: Callable[[str], str], hours: str) -> str:
    """How many of the hours have data, or are excluded; at least the present one, if that has."""
    group = f"group{by(slo.sli.by)}"
    known = f"sum{by(slo.sli.by)} ({total(f'({group} ({select(slo, names.quarter(EVENTS))}))')})"
    if slo.maintenance:
        excluded = total(f"({alone(select(slo, names.MAINTENANCE))} > 0)")
        known += f" + on () group_left () (sum ({excluded}) or vector(0))"
    now = f"{group} ({select(slo, names.rate(EVENTS, duration(base(slo))))})"
    return f"clamp_max(({known} or {now}) / on () group_left () ({hours}), 1)"


def _outlook(slo: Slo) -> Iterator[Record]:
    left = bare(slo, select(slo, names.REMAINING_EVENTS))
    least = max(least_bad(slo), 1)
    key = on(slo.sli.by)
    if slo.period.seconds <= TREND:
        return
    hourly = _counted(slo, "errors", HOUR)
    exhaustion = f"clamp_min({left}, 0)\n/ {key}\n({hourly} >= {least})\n* {HOUR}"
    yield Record(names.EXHAUSTION, exhaustion)
    bad = _counted(slo, "errors", TREND)
    most = max(least, LEAST_BAD_EVENTS)
    allowed = f"{decimal(slo.budget)} * {_counted(slo, EVENTS, TREND)}"
    told = f"(({bad} >= bool {most}) + {key} ({allowed} >= bool {most}) > bool 0)"
    enough = f"({_coverage(slo, TREND)} >= bool {ENOUGH}) * {key} {told}"
    if slo.period.calendar is None:  # what is to roll off has to be known
        enough += f" * {key} ({bare(slo, select(slo, names.COVERAGE))} >= bool {ENOUGH})"
    yield Record(names.FORECAST_EVIDENCE, enough)
    evidence = f"and {key} {select(slo, names.FORECAST_EVIDENCE)} == 1"
    yield Record(names.BREACH, f"{_breach(slo, left, bad)}\n{evidence}")
    yield Record(names.FORECAST, f"{_forecast(slo)}\n{evidence}")


def _breach(slo: Slo, left: str, bad: str) -> str:
    """left / (bad events a second that come, less those that leave the window), where that is within a period."""
    key = on(slo.sli.by)
    if slo.period.calendar:
        part, length = (alone(select(slo, name)) for name in (names.ELAPSED, names.DAYS))
        until = f"({left} > 0) / {key} (({bad} > 0) / {TREND})"
        return f"(\n  {until}\n  <= on () group_left () ((1 - {part}) * {length} * {DAY})\n)\n+ time()"
    older = slo.period.seconds - TREND
    leaving = f"({_counted(slo, 'errors')} - {key} {bad}) / {older}"
    net = f"({bad} / {TREND} - {key} {leaving}) > 0"
    return f"(\n  ({left} > 0) / {key} ({net})\n  <= {slo.period.seconds}\n)\n+ time()"


def _forecast(slo: Slo) -> str:
    """The period's error ratio at its end: rolling, that of the last three days; calendar, with what is to come."""
    key = on(slo.sli.by)
    if slo.period.calendar is None:
        return bare(slo, select(slo, names.RATIO + duration(TREND)))
    part, length = (alone(select(slo, name)) for name in (names.ELAPSED, names.DAYS))
    rest = f"((1 - {part}) * {length} * {DAY} / {TREND})"
    errors, events = (
        f"({_counted(slo, kind)} + {key} {_counted(slo, kind, TREND)} * on () group_left () {rest})"
        for kind in ("errors", "events")
    )
    return f"{errors}\n/ {key}\n({events} > 0)"


def _sla(slo: Slo) -> Iterator[Record]:
    assert slo.sla is not None
    yield Record(names.SLA_OBJECTIVE, f"vector({decimal(slo.sla.objective / 100)})")
    for credit in slo.sla.credits:
        yield Record(
            names.SLA_BELOW, f"vector({decimal(credit.below / 100)})", {"credit": f"{decimal(credit.percent)}%"}
        )
    window = period_window(slo)
    ratio = bare(slo, select(slo, names.RATIO + window))
    yield Record(names.SLA_CREDIT, _credit(slo, ratio), {"sloth_window": window})
    if slo.period.seconds > TREND:
        yield Record(names.SLA_CREDIT_FORECAST, _credit(slo, bare(slo, select(slo, names.FORECAST))))


def _credit(slo: Slo, ratio: str) -> str:
    """The share of the fee due for an error ratio: that of the one step it lies in, as sums of steps are rounded."""
    assert slo.sla is not None
    steps = []
    for credit, worse in zip_longest(slo.sla.credits, slo.sla.credits[1:]):
        step = f"{decimal(credit.percent / 100)} * ({ratio} > bool {decimal(1 - credit.below / 100)})"
        steps.append(f"{step} * ({ratio} <= bool {decimal(1 - worse.below / 100)})" if worse else step)
    return "\n+\n".join(steps)
