"""Can the objective's numbers be trusted? Exactly one applies: ok, young, idle, broken or maintenance."""

from __future__ import annotations

from collections.abc import Iterator

from exporter.model.rule import Record
from exporter.model.slo import Slo
from exporter.slo.rules import names
from exporter.slo.rules.budget import ENOUGH
from exporter.slo.rules.fragments import by, duration, on
from exporter.slo.rules.series import alone, bare, base, select


def state(slo: Slo) -> Iterator[Record]:
    """One series for each state: 1 while the state applies, absent otherwise.

    Errors are checked, which exist where events do: if their query fails, burn alerts cannot fire, as without events.
    The state broken has no labels from the data, which is missing: the objective's labels come from the rule.
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
