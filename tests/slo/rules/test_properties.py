"""For any history of errors, the figures equal their definition; and no tier fires too late or too early.

The recorded rates are the input, so only sums are compared: 1e-9. Each history is a value of one label.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal

import numpy as np
import numpy.typing as npt
import pytest

from exporter.model.slo import DAY, WEEK, Calendar, Credit, Period, Sla, Sli, Slo
from exporter.slo.rules import names
from exporter.slo.rules.series import identity
from tests.slo.rules.counters import MIDNIGHT
from tests.slo.rules.definition import Count, different, figures
from tests.slo.rules.evaluation import BASE, Answers, Evaluation, rules
from tests.slo.rules.firing.making import slo

HISTORIES = 15
DAYS = 8
BY = ("history",)
SLI = Sli("bad[{{.window}}]", "all[{{.window}}]", by=BY)
SLA = Sla(Decimal("99.5"), (Credit(Decimal("99.5"), Decimal(10)), Credit(Decimal(99), Decimal(30))))
SECOND = 41
QUARTERS, PARTIALS = ({name(kind) for kind in names.KINDS} for name in (names.quarter, names.partial))

Minutes = npt.NDArray[np.float64]
"""The rates of minutes, the last of them that of the evaluation."""


def history(random: np.random.Generator) -> dict[str, Minutes]:
    """Stretches of any length with any traffic and any share of errors; some silent, some clean, some all bad."""
    ends = np.sort(random.choice(DAYS * 1440, size=random.integers(2, 40), replace=False))
    lengths = np.diff([0, *ends, DAYS * 1440])
    events = random.choice([0, 0.01, 1, 50, 3000], lengths.size) * random.random(lengths.size)
    events[-2] += 1
    share = random.choice([0, 0, 0.0005, 0.01, 1], lengths.size) * random.random(lengths.size)
    return {"events": np.repeat(events, lengths), "errors": np.repeat(events * share, lengths)}


def give(server: Evaluation, shop: Slo, histories: Mapping[str, dict[str, Minutes]], time: float) -> Answers:
    """The results of the objective's rules for recorded rates."""
    for name, rates in histories.items():
        for kind, values in rates.items():
            labels = {"__name__": names.rate(kind), "sloth_window": "5m", **identity(shop), "history": name}
            times = time - 60.0 * np.arange(values.size - 1, -1, -1)
            server.write([(labels, zip(times.tolist(), values.tolist(), strict=True))])
    size = max(values.size for rates in histories.values() for values in rates.values())
    recorded = [names.rate(kind) for kind in names.KINDS]
    needed = [rule for rule in rules(shop) if rule.name not in recorded]
    last = time // 900 * 900 - -time % 60  # the time of the last full quarter's step
    server.over([rule for rule in needed if rule.name in QUARTERS], last - size // 15 * 900, last, step=900)
    partial = [rule for rule in needed if rule.name in PARTIALS]
    for back in {0, DAY, 3 * DAY, shop.period.seconds}:
        server.over(partial, time - back, time - back)
    return server.at((rule for rule in needed if rule.name not in BASE), time)


@pytest.mark.parametrize(("calendar", "seed", "second"), [(None, 1, SECOND), ("week", 2, SECOND), (None, 3, 0)])
def test_any_history_has_the_budget_of_its_definition(
    server: Evaluation, calendar: Calendar | None, seed: int, second: int
) -> None:
    """Each figure equals the definition applied to the recorded minutes, complete or not."""
    shop = slo(service=f"any-{calendar}-{seed}", period=Period(WEEK, calendar), tiers=(), sli=SLI, sla=SLA)
    random = np.random.default_rng(seed)
    histories = {str(n): history(random) for n in range(HISTORIES)}
    time = MIDNIGHT + second + 60.0 * int(random.integers(1440))
    got = give(server, shop, histories, time)
    for name, rates in histories.items():
        true = figures(shop, time, counting(rates, time))
        common = {(names.ELAPSED, ""), (names.DAYS, "")}
        mine = {key: value for key, value in true.items() if key not in common}
        assert different(got, mine, time, 1e-9, history=name) == {}


def counting(rates: Mapping[str, Minutes], time: float) -> Count:
    """Events between two times: those recorded after the first, up to the second."""
    times = time - 60.0 * np.arange(rates["events"].size - 1, -1, -1)

    def count(kind: str, start: float, end: float) -> float:
        return 60 * math.fsum(rates[kind][(times > start) & (times <= end)])

    return count


@pytest.mark.parametrize("minute", [0, 1, 14])
def test_a_new_objective_counts_alike_in_every_window(server: Evaluation, minute: int) -> None:
    """From its first minute on, in any minute of a quarter, long windows and the budget have the same events."""
    shop = slo(service=f"new-{minute}", period=Period(WEEK), tiers=(), sli=SLI)
    minutes = (1, 2, 14, 15, 16, 40)
    histories = {str(n): {"events": np.full(n, 10.0), "errors": np.full(n, 2.0)} for n in minutes}
    got = give(server, shop, histories, MIDNIGHT + SECOND + 60.0 * minute)
    for n in minutes:
        for window in ("1h", "1d", "3d", "1w"):
            assert got.value(names.count("events"), sloth_window=window, history=str(n)) == 600 * n
            assert got.value(names.count("errors"), sloth_window=window, history=str(n)) == 120 * n
        assert got.value(names.REMAINING, history=str(n)) == pytest.approx(1 - 0.2 / 0.001)


def test_a_tier_is_neither_late_nor_early(server: Evaluation) -> None:
    """A steady burn of b times the budget fires a tier of factor f once it has lasted f / b of the long window.

    At the last full minute before that no tier may be true; a minute later each must be.
    """
    shop = slo(service="steady", sli=SLI)
    random = np.random.default_rng(7)
    histories, expected = {}, {}
    for tier in shop.tiers:
        for burn in np.exp(random.uniform(np.log(1.02 * float(tier.factor)), np.log(1000), size=4)):
            least = float(tier.factor) / burn * tier.long / 60
            for minutes, fires in ((math.floor(least), False), (math.floor(least) + 1, True)):
                name = f"{tier.name} {burn:.2f} {minutes}"
                histories[name] = steady(float(burn * float(shop.budget)), minutes)
                expected[name] = (tier.name, fires)
    got = give(server, shop, histories, MIDNIGHT + SECOND + 420.0)
    firing = {(labels["history"], labels[names.TIER]) for labels, _ in got.series["ShopErrors"]}
    assert {name: ((name, tier) in firing) for name, (tier, _) in expected.items()} == {
        name: fires for name, (_, fires) in expected.items()
    }


def steady(share: float, minutes: int) -> dict[str, Minutes]:
    """Ten events a second for three days, of which a share is bad in the last minutes."""
    events = np.full(3 * 1440 + 20, 10.0)
    return {"events": events, "errors": events * np.where(np.arange(events.size) >= events.size - minutes, share, 0)}
