"""Checks of `slos:` beyond its types. Problems have the form of exporter/config/conversion.py.

Queries are not checked here: they need the environments' sources, a lower layer (exporter/slo/specs/own.py).
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence

from exporter.config.validation import Wrong, check_timezone
from exporter.model.settings import Settings
from exporter.model.slo import DAY, WEEK
from exporter.model.slo_settings import (
    EventsSli,
    MaintenanceSettings,
    Side,
    SlaSettings,
    SliSettings,
    SloSettings,
    TierSettings,
)

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_WEEKLY = re.compile(r"(?P<day>[A-Za-z]+) (?P<hour>[01][0-9]|2[0-4]):(?P<minute>[0-5][0-9])")

_LEAST = 60
"""Seconds; rules are evaluated once a minute."""

_QUARTER = 900
"""Windows of a day and more are sums of quarters of an hour."""

_HOUR = 3600
_LONGEST = 366 * DAY


def weekly_start(text: str) -> int | None:
    """Seconds since Monday 00:00 of a time such as `Sat 22:00`; None if it is invalid."""
    match = _WEEKLY.fullmatch(" ".join(text.split()))
    if match is None:
        return None

    day = _day(match["day"].lower())
    seconds = int(match["hour"]) * 3600 + int(match["minute"]) * 60
    if day is None or seconds > DAY:
        return None
    return (day * DAY + seconds) % WEEK  # Sun 24:00 is Mon 00:00


def _day(name: str) -> int | None:
    for number, day in enumerate(_DAYS):
        if name in (day, day[:3]):
            return number
    return None


def check_slos(slos: Sequence[SloSettings | None], wrong: Wrong) -> None:
    """Calls wrong(path, text) for each problem; None is an SLO that could not be read and has been reported."""
    names = dict[tuple[str, str], int]()
    ids = dict[str, int]()
    for position, slo in enumerate(slos):
        if slo is None:
            continue
        _check(slo, _below(f"slos[{position}]", wrong))

        before = names.setdefault((slo.application, slo.name), position)
        if before != position:
            text = f'duplicate name "{slo.name}" in the application {slo.application} (also slos[{before}])'
            wrong(f"slos[{position}].name", text)
            continue
        for side in slo.sides:
            id = slo_id(slo, side)
            before = ids.setdefault(id, position)
            if before != position:
                wrong(f"slos[{position}].name", f'duplicate id "{id}" (also slos[{before}]), expected another name')


def slo_name(slo: SloSettings, side: Side) -> str:
    """The label `sloth_slo`: the PTE's objective has its own value, so a query for one does not match both."""
    if side == "pte":
        return f"{slo.name}-pte"
    return slo.name


def slo_id(slo: SloSettings, side: Side) -> str:
    """The label `sloth_id`."""
    return f"{slo.service or slo.application}-{slo_name(slo, side)}"


def _below(path: str, wrong: Wrong) -> Wrong:
    def wrong_below(key: str, text: str) -> None:
        full = f"{path}.{key}" if key else path
        wrong(full, text)

    return wrong_below


def _check(slo: SloSettings, wrong: Wrong) -> None:
    _names(slo, wrong)
    _objective(slo.objective, "objective", wrong)
    _sli(slo.sli, slo.sides, wrong)
    if not slo.sides or len(set(slo.sides)) != len(slo.sides):
        wrong("sides", "expected production, pte or both, without duplicates")
    if slo.timezone is not None:
        check_timezone(slo.timezone, "timezone", wrong)
    if slo.min_bad_events < 0:
        wrong("min_bad_events", f"must be at least 0, got {slo.min_bad_events}")
    if "application" in slo.labels:
        wrong("labels.application", "is set by the key application, expected another label")

    _period(slo, wrong)
    _tiers(slo, wrong)
    if slo.sla is not None:
        _sla(slo.sla, slo.objective, _below("sla", wrong))
    for position, maintenance in enumerate(slo.maintenance):
        _maintenance(maintenance, _below(f"maintenance[{position}]", wrong))


def _names(slo: SloSettings, wrong: Wrong) -> None:
    for key in ("name", "application", "service", "alert"):
        name = getattr(slo, key)
        if name is not None and not name.strip():
            wrong(key, "is empty, expected a name")


def _number(value: float) -> str:
    """All digits of the file: `:g` would turn 99.99999 into 100."""
    return f"{value:.15g}"


def _objective(percent: float, path: str, wrong: Wrong) -> None:
    if not 0 < percent < 100:
        wrong(path, f"must be a percentage above 0 and below 100, got {_number(percent)}")
    elif percent < 1:
        wrong(path, f"must be a percentage, got {_number(percent)}; did you mean {_number(percent * 100)}?")


def _sli(sli: SliSettings, sides: Sequence[str], wrong: Wrong) -> None:
    kinds = _keys(sli)
    if len(kinds) != 1:
        names = " and ".join(kinds) or "none"
        wrong("sli", f"expected exactly one of: `errors: {{}}`, latency, events, got {names}")

    if sli.latency is not None and sli.latency.threshold <= 0:
        wrong("sli.latency.threshold", "must be above 0s")
    if sli.events is not None:
        _events(sli.events, sides, _below("sli.events", wrong))


def _keys(settings: Settings) -> list[str]:
    """The keys that are set, of settings with optional keys only."""
    return [key for key in settings.__struct_fields__ if getattr(settings, key) is not None]


def _events(events: EventsSli, sides: Sequence[str], wrong: Wrong) -> None:
    for key in events.__struct_fields__:
        if not getattr(events, key).strip():
            wrong(key, "is empty, expected PromQL")
    if len(set(sides)) > 1 and not ("$selector" in events.errors and "$selector" in events.total):
        wrong("", "counts the same on both sides, expected `$selector` in both queries to distinguish them")


def _period(slo: SloSettings, wrong: Wrong) -> None:
    if slo.period is None:
        return
    if slo.calendar is not None:
        wrong("period", f"cannot be set together with calendar ({slo.calendar}), expected one of them")
    elif not _HOUR <= slo.period <= _LONGEST or slo.period % _HOUR:
        wrong("period", "must be full hours, at least 1h and at most 366d")


def _window(seconds: float, path: str, wrong: Wrong) -> None:
    """Whether sums of one-minute rates can cover the window."""
    if seconds < _LEAST or seconds % _LEAST:
        wrong(path, "must be full minutes, at least 1m")
    elif seconds >= DAY and seconds % _QUARTER:
        wrong(path, "must be full quarters of an hour from 1d on")


def _tiers(slo: SloSettings, wrong: Wrong) -> None:
    names = set[str]()
    for position, tier in enumerate(slo.tiers or ()):
        below = _below(f"tiers[{position}]", wrong)
        _tier(tier, below)

        if not tier.name:
            below("name", "is empty")
        elif not tier.name.strip() or tier.name in names:
            below("name", f'duplicate name "{tier.name}", expected another')
        names.add(tier.name)


def _tier(tier: TierSettings, wrong: Wrong) -> None:
    _burn(tier, wrong)
    for key in ("long", "short"):
        _window(getattr(tier, key), key, wrong)
    if tier.short >= tier.long:
        wrong("short", "must be below long")

    for key, value in (("for", tier.wait), ("keep_firing_for", tier.keep)):
        if value is not None and value % 1:
            wrong(key, "must be full seconds")


def _burn(tier: TierSettings, wrong: Wrong) -> None:
    """The speed at which the budget must burn, which two keys can express."""
    options = {"budget_percent": tier.budget_percent, "burn_rate": tier.burn_rate}
    values = {key: value for key, value in options.items() if value is not None}
    if len(values) != 1:
        names = " and ".join(values) or "neither"
        wrong("", f"expected exactly one of: {', '.join(options)}, got {names}")

    for key, value in values.items():
        if value <= 0:
            wrong(key, f"must be above 0, got {_number(value)}")
    if tier.budget_percent is not None and tier.budget_percent > 100:
        wrong("budget_percent", f"must be at most 100, got {_number(tier.budget_percent)}")


def _sla(sla: SlaSettings, objective: float, wrong: Wrong) -> None:
    _objective(sla.objective, "objective", wrong)
    if sla.objective > objective:
        text = f"must be at most the SLO's objective ({_number(objective)}), got {_number(sla.objective)}"
        wrong("objective", f"{text}: the SLA would be broken first")

    for position, credit in enumerate(sla.credits):
        if not 0 < credit.below <= sla.objective:
            most = f"the SLA's objective ({_number(sla.objective)})"
            text = f"must be above 0 and at most {most}, got {_number(credit.below)}"
            wrong(f"credits[{position}].below", text)
        if not 0 < credit.credit <= 100:
            wrong(f"credits[{position}].credit", f"must be above 0 and at most 100, got {_number(credit.credit)}")
    # `below` descends and `credit` ascends; `below` is negated, so both must ascend here.
    _ordered([-credit.below for credit in sla.credits], "below", "below", wrong)
    _ordered([credit.credit for credit in sla.credits], "credit", "above", wrong)


def _ordered(values: Iterable[float], key: str, relation: str, wrong: Wrong) -> None:
    for position, (before, value) in enumerate(itertools.pairwise(values)):
        if value <= before:
            text = f"must be {relation} the previous value ({_number(abs(before))}), got {_number(abs(value))}"
            wrong(f"credits[{position + 1}].{key}", text)


def _maintenance(maintenance: MaintenanceSettings, wrong: Wrong) -> None:
    keys = _keys(maintenance)
    if set(keys) not in ({"start", "end"}, {"weekly", "duration"}):
        names = " and ".join(keys) or "none"
        wrong("", f"expected start and end, or weekly and duration, got {names}")
    if maintenance.start and maintenance.end and maintenance.end <= maintenance.start:
        wrong("end", "must be after start")
    if maintenance.weekly is not None and weekly_start(maintenance.weekly) is None:
        wrong("weekly", f'expected a day of the week and a time such as Sat 22:00, got "{maintenance.weekly}"')

    length = maintenance.duration
    if length is not None and (not _LEAST <= length < WEEK or length % 1):
        wrong("duration", "must be at least 1m and below 7d, in full seconds")
