"""`slos:` of our own configuration -> Slo, one for each side.

The PTE's objective has its own id, no alerts, no SLA and none of production's maintenance windows.
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
from exporter.slo.rules.series import base
from exporter.slo.specs import validation
from exporter.slo.specs.own_sli import RefusedError, is_counted, sli
from exporter.slo.specs.tiers import factor, hold
from exporter.slo.specs.tiers import tiers as usual_tiers
from exporter.slo.specs.validation import Options

SPEC = "pte-exporter/v1"


def slos(config: Config, file: str, options: Options) -> tuple[list[Slo], list[Problem]]:
    """The objectives of a configuration from exporter.sources.read, and further problems of them."""
    slos = list[Slo]()
    problems = list[Problem]()
    for position, settings in enumerate(config.slos):
        path = f"slos[{position}]"
        texts = dict[str, str]()  # by path, as both sides have most of it in common
        for side in settings.sides:
            try:
                slo = _slo(settings, config, side, f"{file}: {path}")
            except RefusedError as error:
                texts.setdefault(error.path, str(error))
                continue

            slos.append(slo)
            for below, text in _problems(slo, settings, config.environment(side), options):
                texts.setdefault(below, text)

        problems += [Problem(file, f"{path}.{below}", text) for below, text in texts.items()]
    return slos, problems


def _problems(slo: Slo, settings: SloSettings, environment: Environment, options: Options) -> Iterator[tuple[str, str]]:
    """Problems of one side's objective, as (path below the settings, text)."""
    for path, text in validation.problems(slo, options):
        yield _path(path, settings), text
    yield from _polling(slo, settings, environment)


def _path(path: str, settings: SloSettings) -> str:
    """The path in the settings of a record's value at `path`."""
    if path.startswith("sli."):
        query = path.removeprefix("sli.")
        kind = next(kind for kind in settings.sli.__struct_fields__ if getattr(settings.sli, kind) is not None)
        if kind == "events":
            return f"sli.events.{query}"
        return f"sli.{kind}"
    if path == "tiers" and settings.tiers is None:
        return "period"
    return path.removeprefix("alerting.common.")


def _polling(slo: Slo, settings: SloSettings, environment: Environment) -> Iterator[tuple[str, str]]:
    """The exporter's counters grow at each poll: a window without a poll would look like a quiet one."""
    window = base(slo)
    if not slo.tiers or not is_counted(settings, environment) or environment.interval <= window:
        return
    interval = duration(round(environment.interval))
    text = f"the source of {environment.name} is polled every {interval}, but alerts use windows of {duration(window)}"
    yield _path("sli.total", settings), f"{text}; set its interval to at most that"


def _slo(settings: SloSettings, config: Config, side: Side, origin: str) -> Slo:
    """The objective of one side."""
    environment = config.environment(side)
    indicator = sli(settings, environment)
    period = _period(settings, config)

    # The test environment sends no pages, and has neither an SLA nor announced maintenance.
    tiers: tuple[Tier, ...] = ()
    sla: Sla | None = None
    maintenance: tuple[Maintenance, ...] = ()
    if side == "production":
        tiers = _tiers(settings, period)
        sla = _sla(settings.sla)
        maintenance = _maintenance(settings, _timezone(settings, config))

    return Slo(
        service=settings.service or settings.application,
        name=slo_name(settings, side),
        objective=_decimal(settings.objective),
        sli=indicator,
        period=period,
        tiers=tiers,
        alerting=Alerting(settings.alert or BURN, Text({}, settings.annotations)),
        side=environment.name,
        application=settings.application,
        labels=settings.labels,
        min_bad_events=settings.min_bad_events,
        sla=sla,
        maintenance=maintenance,
        shadow=settings.shadow,
        spec=SPEC,
        origin=origin,
    )


def _decimal(written: float) -> Decimal:
    """The number as it is written: 99.9, which no float equals."""
    return Decimal(repr(written)).normalize()


def _timezone(settings: SloSettings, config: Config) -> str:
    return settings.timezone or config.analysis.timezone


def _period(settings: SloSettings, config: Config) -> Period:
    if settings.calendar is not None:
        seconds = WEEK if settings.calendar == "week" else 30 * DAY
        return Period(seconds, settings.calendar, _timezone(settings, config))
    if settings.period is None:
        return Period(30 * DAY)
    return Period(int(settings.period))


def _tiers(settings: SloSettings, period: Period) -> tuple[Tier, ...]:
    if settings.tiers is not None:
        return tuple(_tier(tier, period) for tier in settings.tiers)
    try:
        return usual_tiers(period)
    except ValueError as error:
        raise RefusedError("period", str(error)) from None


def _tier(settings: TierSettings, period: Period) -> Tier:
    long = int(settings.long)
    short = int(settings.short)
    if settings.burn_rate is not None:
        burn = _decimal(settings.burn_rate)
    else:
        burn = factor(_decimal(settings.budget_percent or 0.0), period.seconds, long)

    wait, keep = hold(long)
    if settings.wait is not None:
        wait = int(settings.wait)
    if settings.keep is not None:
        keep = int(settings.keep)
    return Tier(settings.name, settings.notify, long, short, burn, wait, keep)


def _sla(settings: SlaSettings | None) -> Sla | None:
    if settings is None:
        return None
    steps = [Credit(_decimal(credit.below), _decimal(credit.credit)) for credit in settings.credits]
    return Sla(_decimal(settings.objective), tuple(steps))


def _maintenance(settings: SloSettings, timezone: str) -> tuple[Maintenance, ...]:
    return tuple(_window(window, timezone) for window in settings.maintenance)


def _window(settings: MaintenanceSettings, timezone: str) -> Maintenance:
    if settings.start is not None and settings.end is not None:
        return Window(settings.start.timestamp(), settings.end.timestamp())
    start = weekly_start(settings.weekly or "")
    assert start is not None
    assert settings.duration is not None
    return Weekly(start, int(settings.duration), timezone)
