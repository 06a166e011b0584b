"""Events, sums, ratios: the source is read once, and all windows are computed from that."""

from __future__ import annotations

from collections.abc import Iterator

from exporter.model.rule import Record
from exporter.model.slo import DAY, WINDOW, Maintenance, Slo, Weekly
from exporter.slo.rules import names
from exporter.slo.rules.fragments import (
    MINUTE,
    THURSDAY,
    by,
    duration,
    local_time,
    on,
    quarters,
    since_quarter,
    this_period,
)
from exporter.slo.rules.series import bare, base, period_window, select


def records(slo: Slo) -> Iterator[Record]:
    """In the order in which they depend on each other."""
    if slo.maintenance:
        yield Record(names.MAINTENANCE, _maintenance(slo))
    yield from _rates(slo)
    for kind in names.KINDS:
        yield from _quarter(slo, kind)

    for seconds in windows(slo):
        window = duration(seconds)
        # The rate itself is the sum of the window that it is taken over.
        if seconds != base(slo) or _is_momentary(slo):
            for kind in names.KINDS:
                yield Record(names.count(kind), _count(slo, kind, seconds), {"sloth_window": window})
        yield _ratio(slo, window)

    if slo.period.calendar or slo.period.seconds not in windows(slo):
        window = period_window(slo)
        for kind in names.KINDS:
            yield Record(names.count(kind), _period_count(slo, kind), {"sloth_window": window})
        yield _ratio(slo, window)


def _quarter(slo: Slo, kind: str) -> Iterator[Record]:
    """The sum of the last fifteen minutes, and that of those since the last full quarter of an hour."""
    rate = select(slo, names.rate(kind, duration(base(slo))))
    yield Record(names.quarter(kind), _sum(slo, f"sum_over_time({rate}[{duration(15 * MINUTE - 1)}])"))
    yield Record(names.partial(kind), _sum(slo, since_quarter(rate, bare(slo, rate))), {"sloth_window": "partial"})


def windows(slo: Slo) -> list[int]:
    """Seconds of each window: those of the tiers and the usual ones, none longer than the period."""
    seconds = {base(slo), *names.WINDOWS}
    for tier in slo.tiers:
        seconds.update((tier.short, tier.long))
    return sorted(window for window in seconds if window <= slo.period.seconds)


def _rates(slo: Slo) -> Iterator[Record]:
    """Events, then errors, which exist where events do: 0 where no error was ever counted."""
    window = duration(base(slo))
    total = slo.sli.total.replace(WINDOW, window).strip()
    errors = slo.sli.errors.replace(WINDOW, window).strip()

    # Several series of one part add up to its events; where events are minutes, a minute is bad if any series says so.
    worst = "max" if slo.sli.per == "minute" else "sum"
    group = by(slo.sli.by)
    per = _per_second(slo)
    events = f"{worst}{group} (({total}) >= 0){per}"
    if slo.maintenance:
        events = f"{events}\nunless on () {select(slo, names.MAINTENANCE)} == 1"
    yield Record(names.rate("events", window), events, {"sloth_window": window})

    recorded = select(slo, names.rate("events", window))
    bad = f"{worst}{group} (({errors}) >= 0)"
    if slo.sli.per == "minute":
        bad = f"clamp_max({bad}, 1)"
    bad_or_none = f"{bad}{per}\nor\nsum{group} ({recorded}) * 0"
    expr = f"({bad_or_none})\nand {on(slo.sli.by)} {recorded}"
    yield Record(names.rate("errors", window), expr, {"sloth_window": window})


def _per_second(slo: Slo) -> str:
    """The divisor that converts the queries' values to values per second."""
    if slo.sli.per == "window":
        return f" / {base(slo)}"
    if slo.sli.per == "minute":
        return f" / {MINUTE}"
    return ""


def _sum(slo: Slo, expr: str) -> str:
    return f"sum{by(slo.sli.by)} ({expr})"


def _count(slo: Slo, kind: str, seconds: int) -> str:
    if seconds < DAY:
        rate = select(slo, names.rate(kind, duration(base(slo))))
        return f"{MINUTE} * {_sum(slo, f'sum_over_time({rate}[{duration(seconds - 1)}])')}"
    whole = quarters(select(slo, names.quarter(kind)), seconds)
    return _quarters_count(slo, f"{whole} or {_minutes(slo, kind)} or {_too_old(slo, kind, seconds)}")


def _period_count(slo: Slo, kind: str) -> str:
    if slo.period.calendar is None:
        return _count(slo, kind, slo.period.seconds)
    whole = this_period(select(slo, names.quarter(kind)), slo.period)
    return _quarters_count(slo, f"{whole} or {_minutes(slo, kind)}")


def _quarters_count(slo: Slo, parts: str) -> str:
    """The sum of parts that differ in sloth_window.

    Where the recording has gaps, the sums of quarters and of minutes differ by a minute or two; that must not make a
    count negative.
    """
    return f"clamp_min({MINUTE} * {_sum(slo, parts)}, 0)"


def _minutes(slo: Slo, kind: str) -> str:
    """The minutes since the last full quarter."""
    return select(slo, names.partial(kind))


def _too_old(slo: Slo, kind: str, seconds: int) -> str:
    """The part of the oldest quarter that lies before the window, to be subtracted."""
    minutes = f"-{select(slo, names.partial(kind))} offset {duration(seconds)}"
    return f'label_replace({minutes}, "sloth_window", "before", "", "")'


def _is_momentary(slo: Slo) -> bool:
    """Whether the queries describe only the present moment; then a window as short as theirs is a sum of minutes."""
    return slo.sli.per == "minute" and WINDOW not in slo.sli.errors


def _ratio(slo: Slo, window: str) -> Record:
    name = f"{names.RATIO}{window}"
    if window == duration(base(slo)) and not _is_momentary(slo):
        errors = select(slo, names.rate("errors", window))
        events = select(slo, names.rate("events", window))
    else:
        errors = select(slo, names.count("errors"), window)
        events = select(slo, names.count("events"), window)

    errors = bare(slo, errors)
    events = bare(slo, events)
    return Record(name, f"{errors}\n/\n({events} > 0)", {"sloth_window": window})


def _maintenance(slo: Slo) -> str:
    """1 while a window lasts, and until no rate reaches back into it."""
    active = " + ".join(_active(window, base(slo)) for window in slo.maintenance)
    return f"vector({active}) > bool 0"


def _active(window: Maintenance, after: int) -> str:
    if isinstance(window, Weekly):
        into = f"({local_time(window.timezone)} + {THURSDAY} - {window.start}) % {7 * DAY}"
        return f"({into} < bool {window.duration + after})"
    return f"(time() >= bool {window.start:.0f}) * (time() < bool {window.end + after:.0f})"
