"""Can the objective's numbers be believed? ok, young, idle, broken or in maintenance: one of them applies."""

from __future__ import annotations

from collections.abc import Iterator

from exporter.model.slo import Slo
from exporter.objectives import names
from exporter.objectives.budget import ENOUGH
from exporter.objectives.fragments import by, duration, on
from exporter.objectives.rule import Record, base, select


def state(slo: Slo) -> Iterator[Record]:
    """One series for each state, which is 1 while it applies and absent else.

    broken has no labels of the data, which are gone with it: the objective's own come from the rule.
    """
    key = on(slo.sli.by)
    seen = select(slo, names.rate("events", duration(base(slo))))
    hour = f"sum{by(slo.sli.by)} ({select(slo, names.count('events'), '1h')})"
    covered = f"sum{by(slo.sli.by)} ({select(slo, names.COVERAGE)})"
    idle = select(slo, names.STATE, state="idle")
    gone = f"vector(1) unless on () {seen}"
    if slo.maintenance:
        active = f"{select(slo, names.MAINTENANCE)} == 1"
        yield Record(names.STATE, active, {"state": "maintenance"})
        gone += f" unless on () ({active})"
    yield Record(names.STATE, gone, {"state": "broken"})
    yield Record(names.STATE, f"({hour} == bool 0) == 1 and {key} {seen}", {"state": "idle"})
    rest = f"and {key} {seen} unless {key} {idle}"
    yield Record(names.STATE, f"({covered} < bool {ENOUGH}) == 1 {rest}", {"state": "young"})
    yield Record(names.STATE, f"({covered} >= bool {ENOUGH}) == 1 {rest}", {"state": "ok"})
