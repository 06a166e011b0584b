"""`slos:` of our own configuration -> Slo, one for each side.

The PTE's objective has an id of its own, no alerts, no SLA and none of production's maintenance windows.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from exporter.config import Config, Environment
from exporter.config.slos import slo_name, weekly_start
from exporter.errors import Problem
from exporter.model.observation import Window
from exporter.model.slo import DAY, WEEK, Alerting, Credit, Maintenance, Period, Sla, Slo, Text, Tier, Weekly
from exporter.model.slo_settings import MaintenanceSettings, Side, SlaSettings, SloSettings, TierSettings
from exporter.slo.rules.alerts import BURN
from exporter.slo.rules.fragments import duration
from exporter.slo.rules.rule import base
from exporter.slo.specs import validation
from exporter.slo.specs.own_sli import RefusedError, is_counted, sli
from exporter.slo.specs.tiers import factor, hold, tiers
from exporter.slo.specs.validation import Options

SPEC = "pte-exporter/v1"


def slos(config: Config, file: str, options: Options) -> tuple[list[Slo], list[Problem]]:
    """The objectives of a configuration from exporter.sources.read, and what is wrong with them beyond that."""
    found, problems = list[Slo](), list[Problem]()
    for position, settings in enumerate(config.slos):
        path = f"slos[{position}]"
        told = dict[str, str]()  # both sides have most of it in common
        for side in settings.sides:
            try:
                slo = _slo(settings, config, side, f"{file}: {path}")
            except RefusedError as error:
                told.setdefault(error.path, str(error))
                continue
            found.append(slo)
            for below, text in (*validation.problems(slo, options), *_polled(slo, settings, config.environment(side))):
                told.setdefault(_path(below, settings), text)
        problems += [Problem(file, f"{path}.{below}", text) for below, text in told.items()]
    return found, problems


def _path(path: str, settings: SloSettings) -> str:
    """Where the settings say what a record has at `path`."""
    if path.startswith("sli."):
        kind = next(kind for kind in settings.sli.__struct_fields__ if getattr(settings.sli, kind) is not None)
        return f"sli.events.{path[4:]}" if kind == "events" else f"sli.{kind}"
    if path == "tiers" and settings.tiers is None:
        return "period"
    return path.removeprefix("alerting.common.")


def _polled(slo: Slo, settings: SloSettings, environment: Environment) -> Iterator[tuple[str, str]]:
    """The exporter's counters grow at each poll: a window without one would be taken for a quiet one."""
    window = base(slo)
    if slo.tiers and is_counted(settings, environment) and environment.interval > window:
        of = f"the source of {environment.name}, which only the exporter sees,"
        text = f"{of} is polled every {duration(round(environment.interval))}, and alerts go by {duration(window)}"
        yield "sli.total", f"{text}; wanted its interval at most that"


def _slo(settings: SloSettings, config: Config, side: Side, origin: str) -> Slo:
    """One side's."""
    environment, production = config.environment(side), side == "production"
    period = _period(settings, config)
    return Slo(
        service=settings.service or settings.application,
        name=slo_name(settings, side),
        objective=_decimal(settings.objective),
        sli=sli(settings, environment),
        period=period,
        tiers=_tiers(settings, period) if production else (),
        alerting=Alerting(settings.alert or BURN, Text({}, settings.annotations)),
        side=environment.name,
        application=settings.application,
        labels=settings.labels,
        min_bad_events=settings.min_bad_events,
        sla=_sla(settings.sla) if production and settings.sla is not None else None,
        maintenance=_maintenance(settings, _timezone(settings, config)) if production else (),
        shadow=settings.shadow,
        spec=SPEC,
        origin=origin,
    )


def _decimal(written: float) -> Decimal:
    """What somebody wrote: 99.9, which no float is."""
    return Decimal(repr(written)).normalize()


def _timezone(settings: SloSettings, config: Config) -> str:
    return settings.timezone or config.analysis.timezone


def _period(settings: SloSettings, config: Config) -> Period:
    if settings.calendar is not None:
        seconds = WEEK if settings.calendar == "week" else 30 * DAY
        return Period(seconds, settings.calendar, _timezone(settings, config))
    return Period(30 * DAY if settings.period is None else int(settings.period))


def _tiers(settings: SloSettings, period: Period) -> tuple[Tier, ...]:
    if settings.tiers is None:
        try:
            return tiers(period)
        except ValueError as error:
            raise RefusedError("period", str(error)) from None
    return tuple(_tier(tier, period) for tier in settings.tiers)


def _tier(tier: TierSettings, period: Period) -> Tier:
    long, short = int(tier.long), int(tier.short)
    wait, keep = hold(long)
    if tier.burn_rate is not None:
        burn = _decimal(tier.burn_rate)
    else:
        burn = factor(_decimal(tier.budget_percent or 0.0), period.seconds, long)
    wait = wait if tier.wait is None else int(tier.wait)
    keep = keep if tier.keep is None else int(tier.keep)
    return Tier(tier.name, tier.notify, long, short, burn, wait, keep)


def _sla(settings: SlaSettings) -> Sla:
    steps = (Credit(_decimal(credit.below), _decimal(credit.credit)) for credit in settings.credits)
    return Sla(_decimal(settings.objective), tuple(steps))


def _maintenance(settings: SloSettings, timezone: str) -> tuple[Maintenance, ...]:
    return tuple(_stretch(each, timezone) for each in settings.maintenance)


def _stretch(settings: MaintenanceSettings, timezone: str) -> Maintenance:
    if settings.start is not None and settings.end is not None:
        return Window(settings.start.timestamp(), settings.end.timestamp())
    start = weekly_start(settings.weekly or "")
    assert start is not None
    assert settings.duration is not None
    return Weekly(start, int(settings.duration), timezone)
