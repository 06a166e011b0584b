"""Every figure of an error budget on a real Prometheus with a month of counters, against what is true of them."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from exporter.model.slo import DAY, WEEK, Credit, Period, Sla, Slo
from exporter.slo.rules import names
from tests import servers
from tests.slo.rules.definition import different, figures
from tests.slo.rules.evaluation import BASE, Evaluation, evaluation, rules
from tests.slo.rules.firing.making import slo
from tests.slo.rules.history import END, START, History, unix

TOLERANCE = 0.005
SLA = Sla(
    Decimal("99.95"), tuple(Credit(Decimal(b), Decimal(p)) for b, p in (("99.95", 10), ("99.9", 30), ("99", 100)))
)
LATE = 59.6
"""The second of the minute in which the group is evaluated; the last of a quarter is the hardest."""

CASES = {
    "30 days": (Period(30 * DAY), "2025-10-31 22:47"),
    "30 days, at the end of a quarter": (Period(30 * DAY), "2025-10-31 22:29"),
    "28 days": (Period(28 * DAY), "2025-10-31 12:37"),
    "7 days": (Period(7 * DAY), "2025-10-23 10:11"),
    "7 days, growing worse": (Period(7 * DAY), "2025-10-29 18:03"),
    "1 day": (Period(DAY), "2025-10-23 12:20"),
    "month": (Period(30 * DAY, "month"), "2025-10-20 10:02"),
    "month, at its end": (Period(30 * DAY, "month"), "2025-10-31 22:14"),
    "month in Berlin": (Period(30 * DAY, "month", "Europe/Berlin"), "2025-10-19 09:04"),
    "month in Berlin, at its end": (Period(30 * DAY, "month", "Europe/Berlin"), "2025-10-31 22:58"),
    "week": (Period(WEEK, "week"), "2025-10-23 15:30"),
    "week in Berlin, 169 hours long": (Period(WEEK, "week", "Europe/Berlin"), "2025-10-26 22:07"),
}


def objective(period: Period) -> Slo:
    return slo(period=period, sla=SLA)


@pytest.fixture(scope="module")
def history() -> History:
    return History()


@pytest.fixture(scope="module", params=["2.42", "3"])
def recorded(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, history: History
) -> Iterator[Evaluation]:
    """A server that holds the counters, and each minute's rates and their running sums as the rules record them."""
    directory = tmp_path_factory.mktemp("truth")
    blocks = servers.create_blocks(request.param, history.write(directory / "history.om"), directory / "blocks")
    with evaluation(request.param, directory / "server", blocks) as server:
        past = [rule for rule in rules(slo()) if rule.name in BASE and "partial" not in rule.name]
        server.over(past, START + LATE, END - 60 + LATE)
        yield server


@pytest.mark.parametrize("case", CASES)
def test_every_figure_is_true(recorded: Evaluation, history: History, case: str) -> None:
    """Counts, ratios, what is left, for how long, forecast and credits lie within 0.5 % of what numpy has."""
    period, minute = CASES[case]
    needed, time = rules(objective(period)), unix(minute) + LATE
    partial = [rule for rule in needed if "partial" in rule.name]
    for back in (0, DAY, 3 * DAY, period.seconds):
        recorded.over(partial, time - back, time - back)
    got = recorded.at((rule for rule in needed if rule.name not in BASE), time)
    true = figures(objective(period), time, history.count)
    assert different(got, true, time, TOLERANCE) == {}
    assert got.value(names.STATE, state="ok") == 1
