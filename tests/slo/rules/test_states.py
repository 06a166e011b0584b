"""Which state applies: one at a time, from the first minute on."""

from __future__ import annotations

from decimal import Decimal

import pytest

from exporter.model.slo import DAY, WEEK, Calendar, Credit, Period, Sla, Slo, Weekly
from exporter.slo.rules import names
from exporter.slo.rules.series import identity
from tests.slo.rules.counters import MIDNIGHT, SECOND
from tests.slo.rules.evaluation import Answers, Evaluation, rules
from tests.slo.rules.firing.making import slo

HOUR = 3600
NOW = MIDNIGHT + SECOND - 60
WEEKLY = Period(WEEK, "week")
MONDAY = MIDNIGHT - 4 * DAY


def known_since(server: Evaluation, shop: Slo, start: float, end: float = NOW, **labels: str) -> None:
    """Record one event a second, one in a thousand bad, for each minute; `labels` are the objective's at the time."""
    for kind, rate in (("events", 1.0), ("errors", 0.001)):
        own = {**identity(shop), **labels}
        minutes = [(at, rate) for at in _every(60, max(start, end - 6 * HOUR), end)]
        sums = [(at, rate * 15) for at in _every(900, start, end)]
        server.write(
            [
                ({"__name__": names.rate(kind), "sloth_window": "5m", **own}, minutes),
                ({"__name__": names.quarter(kind), **own}, [*sums, (end, rate * 15)] if sums[-1][0] < end else sums),
            ]
        )


def _every(step: int, start: float, end: float) -> list[float]:
    """Times on the group's second that the steps of a subquery show, up to `end`."""
    first = start - start % step + SECOND - 60
    return [at for at in (first + step * n for n in range(int((end - first) // step) + 1)) if at >= start]


def evaluate(server: Evaluation, shop: Slo, now: float = NOW) -> Answers:
    recorded = [names.rate(kind) for kind in names.KINDS] + [names.quarter(kind) for kind in names.KINDS]
    return server.at((rule for rule in rules(shop) if rule.name not in recorded), now)


def state(got: Answers) -> str:
    """The only state."""
    ((labels, value),) = got.series[names.STATE]
    assert value == 1
    return labels["state"]


@pytest.mark.parametrize(
    ("case", "period", "seconds", "expected"),
    [
        ("new", Period(WEEK), 120, "young"),
        ("new-week", WEEKLY, 120, "young"),
        ("six-days", Period(WEEK), 6 * DAY, "young"),
        ("seven-days", Period(WEEK), 7 * DAY + HOUR, "ok"),
        ("since-wednesday", WEEKLY, 2 * DAY, "young"),
        ("since-sunday", WEEKLY, 5 * DAY, "ok"),
    ],
)
def test_an_objective_is_young_until_its_period_is_known(
    server: Evaluation, case: str, period: Period, seconds: float, expected: str
) -> None:
    """90 % of the period, or of the part of a calendar period that is over; even the first minute has a state."""
    shop = slo(service=case, period=period, tiers=())
    known_since(server, shop, NOW - seconds)
    assert state(evaluate(server, shop)) == expected


def test_a_calendar_period_begins_with_a_whole_budget(server: Evaluation) -> None:
    """In the first minute of a week there is a state, and a budget of the minutes that were counted in it."""
    shop = slo(service="monday", period=WEEKLY, tiers=())
    known_since(server, shop, MONDAY - 2 * DAY, MONDAY + 180)
    early = evaluate(server, shop, MONDAY + SECOND)
    assert state(early) == "ok"
    assert early.value(names.count("events"), sloth_window="week") == 60
    assert early.value(names.REMAINING) == pytest.approx(1, abs=0.001)
    later = evaluate(server, shop, MONDAY + SECOND + 120)
    assert later.value(names.REMAINING) == pytest.approx(1, abs=0.001)
    assert later.value(names.count("events"), sloth_window="week") == 180


def test_no_data_is_broken(server: Evaluation) -> None:
    """Without a rate of events the only state is broken, however much data there was before."""
    shop = slo(service="lost", period=Period(WEEK))
    known_since(server, shop, NOW - 8 * DAY, NOW - HOUR)
    assert state(evaluate(server, shop)) == "broken"


def test_events_without_a_count_of_errors_are_broken(server: Evaluation) -> None:
    """A failing query for errors records no 0, unlike a query without errors: burn alerts cannot fire."""
    shop = slo(service="halved", period=Period(WEEK))
    known_since(server, shop, NOW - 8 * DAY, NOW - HOUR)
    events = {"__name__": names.rate("events"), "sloth_window": "5m", **identity(shop)}
    server.write([(events, [(at, 1.0) for at in _every(60, NOW - HOUR, NOW)])])
    assert state(evaluate(server, shop)) == "broken"


def test_changed_labels_lose_no_history(server: Evaluation) -> None:
    """Budget, coverage and forecast continue when the objective's labels change, and nothing is counted twice."""
    shop = slo(service="moved", period=Period(WEEK), labels={"team": "new"})
    known_since(server, shop, NOW - 8 * DAY, NOW - 2 * DAY, team="old")
    known_since(server, shop, NOW - 2 * DAY + 60)
    got = evaluate(server, shop)
    assert state(got) == "ok"
    assert got.value(names.COVERAGE) == 1
    assert got.value(names.FORECAST_EVIDENCE) == 1
    assert got.value(names.count("events"), sloth_window="1w", team="new") == pytest.approx(WEEK, rel=0.005)
    assert got.value(names.CONSUMED, team="new") == pytest.approx(1, rel=0.005)


@pytest.mark.parametrize("calendar", [None, "week"])
def test_no_rule_fails_in_the_minute_of_a_change(server: Evaluation, calendar: Calendar | None) -> None:
    """What was recorded under other labels a minute ago, by us or by Sloth, is seen by every rule and stops none."""
    sla = Sla(Decimal("99.5"), (Credit(Decimal("99.5"), Decimal(10)),))
    window = Weekly(0, HOUR)
    common = {"period": Period(WEEK, calendar), "service": f"change-{calendar}", "sla": sla, "maintenance": (window,)}
    old, new = (slo(labels={"team": team}, **common) for team in ("old", "new"))
    known_since(server, old, NOW - 8 * DAY, NOW - 60)
    evaluate(server, old, NOW - 60)
    ratio = {"__name__": names.RATIO + "5m", "sloth_id": new.id, "sloth_window": "5m"}
    server.write([(ratio, [(NOW - 60, 0.001)])])
    known_since(server, new, NOW)
    got = evaluate(server, new)
    assert got.value(names.CURRENT_BURN, team="new") == pytest.approx(1)
    assert got.value(names.REMAINING, team="new") is not None
    assert got.value(names.FORECAST_EVIDENCE, team="new") == 1
    assert got.value(names.SLA_CREDIT, team="new") == 0
    assert state(got) == "ok"
