"""The number of samples that an evaluation of one objective reads."""

from __future__ import annotations

import pytest

from exporter.model.slo import DAY, Period
from exporter.slo.rules import names
from exporter.slo.rules.series import identity
from tests.slo.rules.counters import MIDNIGHT, SECOND, counter
from tests.slo.rules.evaluation import Evaluation, rules
from tests.slo.rules.firing.making import slo

LIMIT = 15_000
SERIES = 50
NOW = MIDNIGHT + SECOND - 60


@pytest.mark.parametrize("period", [Period(30 * DAY), Period(30 * DAY, "month", "Europe/Berlin")], ids=["30d", "month"])
def test_one_objective_reads_little(server: Evaluation, period: Period) -> None:
    """With 50 series scraped twice a minute, all rules of an objective read at most 15,000 samples an evaluation."""
    shop = slo(service=f"cost-{period.calendar}", period=period)
    labels = {"__name__": "requests_total"}
    codes = ["200", "500"]
    server.write(counter({**labels, "instance": str(n), "code": codes[n % 2]}, [(10, 600)]) for n in range(SERIES))
    for kind in names.KINDS:
        own = identity(shop)
        minutes = [(NOW - 60 * n, 1.0) for n in range(6 * 60 + 5, 0, -1)]
        quarters = [(NOW - 60 - 900 * n, 15.0) for n in range(31 * 96, -1, -1)]
        server.write(
            [
                ({"__name__": names.rate(kind), "sloth_window": "5m", **own}, minutes),
                ({"__name__": names.quarter(kind), **own}, quarters),
            ]
        )
    server.cost.clear()
    got = server.at(rules(shop), NOW)
    assert got.value(names.STATE, state="ok") == 1
    assert 5_000 < sum(server.cost) <= LIMIT
