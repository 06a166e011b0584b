"""Can the objective's numbers be believed? ok, young, idle, broken or in maintenance: one of them applies."""

from __future__ import annotations

from collections.abc import Iterator

from exporter.model.rule import Record
from exporter.model.slo import Slo
from exporter.slo.rules import names
from exporter.slo.rules.budget import ENOUGH
from exporter.slo.rules.fragments import by, duration, on
from exporter.slo.rules.series import alone, bare, base, select


def state(slo: Slo) -> Iterator[Record]:
    """One series for each state, which is 1 while it applies and absent else.

    Errors are looked at, which exist where events do: where their query fails, burn alerts are as blind as without
    events.
    broken has no labels of the data, which are gone with it: the objective's own come from the rule.
    """
    key = on(slo.sli.by)
    errors = select(slo, names.rate("errors", duration(base(slo))))
    present = f"group{by(slo.sli.by)} ({errors})"
    idle = f"({bare(slo, select(slo, names.count('events'), '1h'))} == 0)"
    covered = f"({bare(slo, select(slo, names.COVERAGE))} >= {ENOUGH})"

    gone = f"vector(1) unless on () {errors}"
    if slo.maintenance:
        active = f"{alone(select(slo, names.MAINTENANCE))} == 1"
        yield Record(names.STATE, active, {"state": "maintenance"})
        gone += f" unless on () ({active})"

    yield Record(names.STATE, gone, {"state": "broken"})
    yield Record(names.STATE, f"{present} and {key} {idle}", {"state": "idle"})
    yield Record(names.STATE, f"{present} unless {key} {idle} unless {key} {covered}", {"state": "young"})
    yield Record(names.STATE, f"{present} unless {key} {idle} and {key} {covered}", {"state": "ok"})
