"""What `slos:` must satisfy beyond its types; each fault is told with its path.

Queries are not looked at here: they need the environments' sources, which lie below (exporter/slo/specs/own.py).
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
    """Seconds since Monday 00:00 of a time such as `Sat 22:00`; None when it is none."""
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
    """Calls wrong(path, text) for each fault; None stands for one that could not be read and has been told."""
    names = dict[tuple[str, str], int]()
    ids = dict[str, int]()
    for position, slo in enumerate(slos):
        if slo is None:
            continue
        _check(slo, _below(f"slos[{position}]", wrong))

        before = names.setdefault((slo.application, slo.name), position)
        if before != position:
            text = f'slos[{before}] of the application {slo.application} has the name "{slo.name}" too'
            wrong(f"slos[{position}].name", f"{text}, wanted another name")
            continue
        for side in slo.sides:
            id = slo_id(slo, side)
            before = ids.setdefault(id, position)
            if before != position:
                wrong(f"slos[{position}].name", f'slos[{before}] has the id "{id}" too, wanted another name')


def slo_name(slo: SloSettings, side: Side) -> str:
    """The label `sloth_slo`: the PTE's objective has one of its own, so that nothing that looks for one finds both."""
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
        wrong("sides", "wanted production, pte or both, each once")
    if slo.timezone is not None:
        check_timezone(slo.timezone, "timezone", wrong)
    if slo.min_bad_events < 0:
        wrong("min_bad_events", f"found {slo.min_bad_events}, wanted at least 0")
    if "application" in slo.labels:
        wrong("labels.application", "is what the key application says, wanted another label")

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
            wrong(key, "is empty, wanted a name")


def _number(value: float) -> str:
    """All digits that somebody wrote: `:g` would call 99.99999 100."""
    return f"{value:.15g}"


def _objective(percent: float, path: str, wrong: Wrong) -> None:
    if not 0 < percent < 100:
        wrong(path, f"found {_number(percent)}, wanted percent: more than 0 and less than 100")
    elif percent < 1:
        wrong(path, f"found {_number(percent)}, wanted percent; did you mean {_number(percent * 100)}?")


def _sli(sli: SliSettings, sides: Sequence[str], wrong: Wrong) -> None:
    kinds = _given(sli)
    if len(kinds) != 1:
        found = " and ".join(kinds) or "none"
        wrong("sli", f"found {found}, wanted exactly one of `errors: {{}}`, latency, events")

    if sli.latency is not None and sli.latency.threshold <= 0:
        wrong("sli.latency.threshold", "wanted more than 0s")
    if sli.events is not None:
        _events(sli.events, sides, _below("sli.events", wrong))


def _given(settings: Settings) -> list[str]:
    """The keys that are there, of settings whose keys are all optional."""
    return [key for key in settings.__struct_fields__ if getattr(settings, key) is not None]


def _events(events: EventsSli, sides: Sequence[str], wrong: Wrong) -> None:
    for key in events.__struct_fields__:
        if not getattr(events, key).strip():
            wrong(key, "is empty, wanted PromQL")
    if len(set(sides)) > 1 and not ("$selector" in events.errors and "$selector" in events.total):
        wrong("", "counts the same on both sides, wanted `$selector` in both queries, which tells them apart")


def _period(slo: SloSettings, wrong: Wrong) -> None:
    if slo.period is None:
        return
    if slo.calendar is not None:
        wrong("period", f"stands beside calendar ({slo.calendar}), wanted one of them")
    elif not _HOUR <= slo.period <= _LONGEST or slo.period % _HOUR:
        wrong("period", "wanted full hours, at least 1h and at most 366d")


def _window(seconds: float, path: str, wrong: Wrong) -> None:
    """What the sums of one-minute rates can give."""
    if seconds < _LEAST or seconds % _LEAST:
        wrong(path, "wanted full minutes, at least 1m")
    elif seconds >= DAY and seconds % _QUARTER:
        wrong(path, "wanted full quarters of an hour from 1d on")


def _tiers(slo: SloSettings, wrong: Wrong) -> None:
    names = set[str]()
    for position, tier in enumerate(slo.tiers or ()):
        below = _below(f"tiers[{position}]", wrong)
        _tier(tier, below)

        if not tier.name:
            below("name", "is empty")
        elif not tier.name.strip() or tier.name in names:
            below("name", f'"{tier.name}" is the name of a tier before it, wanted another')
        names.add(tier.name)


def _tier(tier: TierSettings, wrong: Wrong) -> None:
    _burn(tier, wrong)
    for key in ("long", "short"):
        _window(getattr(tier, key), key, wrong)
    if tier.short >= tier.long:
        wrong("short", "wanted less than long")

    for key, value in (("for", tier.wait), ("keep_firing_for", tier.keep)):
        if value is not None and value % 1:
            wrong(key, "wanted full seconds")


def _burn(tier: TierSettings, wrong: Wrong) -> None:
    """How fast the budget has to go, which can be said in two ways."""
    ways = {"budget_percent": tier.budget_percent, "burn_rate": tier.burn_rate}
    given = {key: value for key, value in ways.items() if value is not None}
    if len(given) != 1:
        found = " and ".join(given) or "neither"
        wrong("", f"found {found}, wanted exactly one of {', '.join(ways)}")

    for key, value in given.items():
        if value <= 0:
            wrong(key, f"found {_number(value)}, wanted more than 0")
    if tier.budget_percent is not None and tier.budget_percent > 100:
        wrong("budget_percent", f"found {_number(tier.budget_percent)}, wanted at most 100")


def _sla(sla: SlaSettings, objective: float, wrong: Wrong) -> None:
    _objective(sla.objective, "objective", wrong)
    if sla.objective > objective:
        more = f"the SLO's objective ({_number(objective)}), as the SLA would be broken first"
        wrong("objective", f"found {_number(sla.objective)}, wanted at most {more}")

    for position, credit in enumerate(sla.credits):
        if not 0 < credit.below <= sla.objective:
            text = f"found {_number(credit.below)}, wanted more than 0 and at most the SLA's objective"
            wrong(f"credits[{position}].below", f"{text} ({_number(sla.objective)})")
        if not 0 < credit.credit <= 100:
            wrong(f"credits[{position}].credit", f"found {_number(credit.credit)}, wanted more than 0 and at most 100")
    # Steps go down, and what is due goes up; `below` is negated, so that both have to grow.
    _ordered([-credit.below for credit in sla.credits], "below", "less", wrong)
    _ordered([credit.credit for credit in sla.credits], "credit", "more", wrong)


def _ordered(values: Iterable[float], key: str, wanted: str, wrong: Wrong) -> None:
    for position, (before, value) in enumerate(itertools.pairwise(values)):
        if value <= before:
            text = f"found {_number(abs(value))}, wanted {wanted} than the one before ({_number(abs(before))})"
            wrong(f"credits[{position + 1}].{key}", text)


def _maintenance(maintenance: MaintenanceSettings, wrong: Wrong) -> None:
    keys = _given(maintenance)
    if set(keys) not in ({"start", "end"}, {"weekly", "duration"}):
        found = " and ".join(keys) or "none"
        wrong("", f"found {found}, wanted start and end, or weekly and duration")
    if maintenance.start and maintenance.end and maintenance.end <= maintenance.start:
        wrong("end", "wanted a time after start")
    if maintenance.weekly is not None and weekly_start(maintenance.weekly) is None:
        wrong("weekly", f'found "{maintenance.weekly}", wanted a day of the week and a time such as Sat 22:00')

    length = maintenance.duration
    if length is not None and (not _LEAST <= length < WEEK or length % 1):
        wrong("duration", "wanted at least 1m and less than 7d, in full seconds")
