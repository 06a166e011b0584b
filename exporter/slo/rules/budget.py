"""The error budget: how much remains, for how long, the forecast, and the SLA credit due.

docs/explanation/method.md, section "Error budgets".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import zip_longest

from exporter import __version__, humanize
from exporter.model.rule import Record
from exporter.model.slo import DAY, Sla, Slo
from exporter.slo.rules import names
from exporter.slo.rules.fragments import below, by, days, duration, elapsed, on, this_period
from exporter.slo.rules.series import alone, bare, base, least_bad, period_window, select

HOUR = 3600
TREND = 3 * DAY
"""A forecast extrapolates from so many seconds."""

ENOUGH = "0.9"
"""How much of a window must have data for it to count as one."""

LEAST_BAD_EVENTS = 10
"""A forecast needs at least so many bad events, or so many events that the objective allows as many bad ones."""

EVENTS = "events"

_ALERTING = ("page", "ticket", "shadow")


def decimal(value: Decimal) -> str:
    """All digits, no exponent, no trailing zeros: 0.999."""
    return humanize.trim_zeros(f"{value:f}")


def budget(slo: Slo) -> Iterator[Record]:
    """In the order in which they depend on each other."""
    yield from _settings(slo)
    yield _burn(slo, names.CURRENT_BURN, duration(base(slo)))
    yield _burn(slo, names.PERIOD_BURN, period_window(slo))
    yield from _remaining(slo)
    yield Record(names.COVERAGE, _period_coverage(slo))

    # A trend of three days says nothing about a period that is not longer than three days.
    if slo.period.seconds > TREND:
        yield from _outlook(slo)
    if slo.sla is not None:
        yield from _sla(slo, slo.sla)


def _settings(slo: Slo) -> Iterator[Record]:
    """Settings as series, because alerts and boards compare series with series."""
    yield Record(names.OBJECTIVE, f"vector({decimal(slo.objective / 100)})")
    yield Record(names.BUDGET, f"vector({decimal(slo.budget)})")
    yield Record(names.DAYS, days(slo.period))
    for tier in slo.tiers:
        labels = {names.TIER: tier.name, "long": duration(tier.long), "short": duration(tier.short)}
        yield Record(names.BURN_FACTOR, f"vector({decimal(tier.factor)})", labels)

    yield Record(names.LEAST_BAD, f"vector({least_bad(slo)})")
    yield Record(names.INFO, "vector(1)", _info(slo))


def _info(slo: Slo) -> dict[str, str]:
    return {
        "sloth_mode": "cli-gen-prom",
        "sloth_spec": slo.spec,
        "sloth_version": f"pte-exporter/{__version__}",
        "sloth_objective": decimal(slo.objective),
        "alerting": _alerting(slo),
        **slo.info_labels,
    }


def _alerting(slo: Slo) -> str:
    """The most urgent action of its alerts."""
    if slo.shadow:
        return "shadow"
    kinds = {tier.notify for tier in slo.tiers}
    return next((kind for kind in _ALERTING if kind in kinds), "none")


def _burn(slo: Slo, name: str, window: str) -> Record:
    ratio = bare(slo, select(slo, names.RATIO + window))
    return Record(name, f"{ratio} / {decimal(slo.budget)}", {"sloth_window": window})


def _remaining(slo: Slo) -> Iterator[Record]:
    consumed = bare(slo, select(slo, names.PERIOD_BURN))
    allowed = f"{decimal(slo.budget)} * {_events(slo, 'events')}"
    if slo.period.calendar:
        # The ratio so far has used the budget only for the part of the period that is over. The rest of the period is
        # expected to add events at the same rate.
        yield Record(names.ELAPSED, elapsed(slo.period))
        part = alone(select(slo, names.ELAPSED))
        consumed = f"{consumed} * on () group_left () {part}"
        allowed = f"{allowed} / on () group_left () ({part} > 0)"

    window = {"sloth_window": period_window(slo)}
    yield Record(names.REMAINING, f"1 - {consumed}", window)
    yield Record(names.CONSUMED, consumed, window)
    yield Record(names.REMAINING_EVENTS, f"{allowed} - {_events(slo, 'errors')}")


def _events(slo: Slo, kind: str, seconds: int = 0) -> str:
    """Events or errors of a window, or of the period, without the label that distinguishes windows."""
    window = duration(seconds) if seconds else period_window(slo)
    return bare(slo, select(slo, names.count(kind), window))


def _period_coverage(slo: Slo) -> str:
    """Of a calendar period, only the part that is over counts."""
    if slo.period.calendar is None:
        return _coverage(slo, slo.period.seconds)

    hours = f"{alone(select(slo, names.ELAPSED))} * {alone(select(slo, names.DAYS))} * {DAY // HOUR}"
    return _share(slo, lambda series: this_period(series, slo.period, "1h"), f"clamp_min(floor({hours}), 1)")


def _coverage(slo: Slo, seconds: int) -> str:
    hours = f"vector({max(seconds // HOUR, 1)})"
    return _share(slo, lambda series: f"sum_over_time({series}[{below(seconds)}:1h])", hours)


def _share(slo: Slo, total: Callable[[str], str], hours: str) -> str:
    """The share of the hours that have data or are excluded; at least the current hour, if it has data."""
    group = f"group{by(slo.sli.by)}"
    is_recorded = f"({group} ({select(slo, names.quarter(EVENTS))}))"
    covered = f"sum{by(slo.sli.by)} ({total(is_recorded)})"
    if slo.maintenance:
        excluded = total(f"({alone(select(slo, names.MAINTENANCE))} > 0)")
        covered += f" + on () group_left () (sum ({excluded}) or vector(0))"

    now = f"{group} ({select(slo, names.rate(EVENTS, duration(base(slo))))})"
    return f"clamp_max(({covered} or {now}) / on () group_left () ({hours}), 1)"


def _outlook(slo: Slo) -> Iterator[Record]:
    remaining = bare(slo, select(slo, names.REMAINING_EVENTS))
    key = on(slo.sli.by)

    hourly = _events(slo, "errors", HOUR)
    exhaustion = f"clamp_min({remaining}, 0)\n/ {key}\n({hourly} >= {_least(slo)})\n* {HOUR}"
    yield Record(names.EXHAUSTION, exhaustion)

    yield Record(names.FORECAST_EVIDENCE, _forecast_evidence(slo))
    evidence = f"and {key} {select(slo, names.FORECAST_EVIDENCE)} == 1"
    yield Record(names.BREACH, f"{_breach(slo, remaining)}\n{evidence}")
    yield Record(names.FORECAST, f"{_forecast(slo)}\n{evidence}")


def _least(slo: Slo) -> int:
    return max(least_bad(slo), 1)


def _forecast_evidence(slo: Slo) -> str:
    """1 where three days have data and enough bad events, or so many events that as many could have been bad."""
    key = on(slo.sli.by)
    most = max(_least(slo), LEAST_BAD_EVENTS)
    bad = _events(slo, "errors", TREND)
    allowed = f"{decimal(slo.budget)} * {_events(slo, EVENTS, TREND)}"
    enough_events = f"(({bad} >= bool {most}) + {key} ({allowed} >= bool {most}) > bool 0)"

    evidence = f"({_coverage(slo, TREND)} >= bool {ENOUGH}) * {key} {enough_events}"
    if slo.period.calendar is None:  # the events that will leave the window have to be known
        evidence += f" * {key} ({bare(slo, select(slo, names.COVERAGE))} >= bool {ENOUGH})"
    return evidence


def _breach(slo: Slo, remaining: str) -> str:
    """remaining / (bad events a second that come, less those that leave the window), where that is within a period."""
    key = on(slo.sli.by)
    bad = _events(slo, "errors", TREND)
    if slo.period.calendar:
        # Nothing leaves a calendar period, but it ends: a budget that would be exhausted only later lasts.
        until = f"({remaining} > 0) / {key} (({bad} > 0) / {TREND})"
        return f"(\n  {until}\n  <= on () group_left () ({_seconds_left(slo)})\n)\n+ time()"

    # Of a rolling window, the bad events before the last three days leave, as many a second as there were of them.
    older = slo.period.seconds - TREND
    leaving = f"({_events(slo, 'errors')} - {key} {bad}) / {older}"
    net = f"({bad} / {TREND} - {key} {leaving}) > 0"
    return f"(\n  ({remaining} > 0) / {key} ({net})\n  <= {slo.period.seconds}\n)\n+ time()"


def _forecast(slo: Slo) -> str:
    """The error ratio at the period's end: rolling, that of the last three days; calendar, with the events to come."""
    if slo.period.calendar is None:
        return bare(slo, select(slo, names.RATIO + duration(TREND)))

    key = on(slo.sli.by)
    errors = _at_end(slo, "errors")
    events = _at_end(slo, "events")
    return f"{errors}\n/ {key}\n({events} > 0)"


def _at_end(slo: Slo, kind: str) -> str:
    """Events or errors at the end of a calendar period: those until now, and in the rest as many as in three days."""
    coming = f"{_events(slo, kind, TREND)} * on () group_left () ({_seconds_left(slo)} / {TREND})"
    return f"({_events(slo, kind)} + {on(slo.sli.by)} {coming})"


def _seconds_left(slo: Slo) -> str:
    """Of a calendar period."""
    return f"(1 - {alone(select(slo, names.ELAPSED))}) * {alone(select(slo, names.DAYS))} * {DAY}"


def _sla(slo: Slo, sla: Sla) -> Iterator[Record]:
    yield Record(names.SLA_OBJECTIVE, f"vector({decimal(sla.objective / 100)})")
    for credit in sla.credits:
        labels = {"credit": f"{decimal(credit.percent)}%"}
        yield Record(names.SLA_BELOW, f"vector({decimal(credit.below / 100)})", labels)

    window = period_window(slo)
    ratio = bare(slo, select(slo, names.RATIO + window))
    yield Record(names.SLA_CREDIT, _credit(sla, ratio), {"sloth_window": window})
    if slo.period.seconds > TREND:
        yield Record(names.SLA_CREDIT_FORECAST, _credit(sla, bare(slo, select(slo, names.FORECAST))))


def _credit(sla: Sla, ratio: str) -> str:
    """The share of the fee due for an error ratio: that of the one step it lies in, as sums of steps are rounded."""
    steps = list[str]()
    for credit, worse in zip_longest(sla.credits, sla.credits[1:]):
        step = f"{decimal(credit.percent / 100)} * ({ratio} > bool {decimal(1 - credit.below / 100)})"
        if worse is not None:
            step += f" * ({ratio} <= bool {decimal(1 - worse.below / 100)})"
        steps.append(step)
    return "\n+\n".join(steps)
