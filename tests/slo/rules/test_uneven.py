"""Intermittent traffic: ratios of sums, finite after any quiet time, whatever labels the source has."""

from __future__ import annotations

import math
from decimal import Decimal

import pytest

from exporter.model.slo import DAY, Period, Sli, Slo
from exporter.slo.rules import names
from tests.slo.rules.counters import MIDNIGHT, SECOND, counter, evaluate, record
from tests.slo.rules.evaluation import Evaluation, rules
from tests.slo.rules.firing.making import slo

HALF = 720
"""Minutes in twelve hours."""


def objective(service: str, **changes: object) -> Slo:
    sli = Sli(
        f'sum(rate(requests_total{{service="{service}",code="500"}}[{{{{.window}}}}]))',
        f'sum(rate(requests_total{{service="{service}"}}[{{{{.window}}}}]))',
    )
    return slo(**{"service": service, "sli": sli, "period": Period(DAY), "tiers": (), **changes})


def labels(service: str, code: str, **more: str) -> dict[str, str]:
    return {"__name__": "requests_total", "service": service, "code": code, **more}


@pytest.mark.parametrize("relabelled", [False, True])
def test_a_quiet_night_weighs_what_it_served(server: Evaluation, relabelled: bool) -> None:
    """Twelve busy, clean hours and twelve quiet ones with 5 % errors are 0.0495 %; the mean of ratios says 2.483 %.

    No error was counted before the quiet hours: until then the series of errors is missing. A label that the source
    gets in between, while the counters continue, changes nothing.
    """
    shop = objective(f"uneven-{relabelled}")
    busy, quiet = 10_000.0, 100.0
    good = counter(labels(shop.service, "200"), [(370, busy), (HALF, quiet * 0.95), (360, busy)])
    bad = counter(labels(shop.service, "500"), [(HALF, quiet * 0.05), (360, 0)])
    if relabelled:
        cut = len(good[1]) // 4
        after = {**good[0], "version": "2"}
        server.write([(good[0], [*good[1][:cut], (good[1][cut][0], None)]), (after, good[1][cut:]), bad])
    else:
        server.write([good, bad])
    record(server, shop, 2 * HALF)
    (ratio,) = [rule for rule in rules(shop) if rule.name == names.RATIO + "5m"]
    server.over([ratio], MIDNIGHT - DAY + SECOND - 60, MIDNIGHT + SECOND - 60)
    got = evaluate(server, shop)
    true = 0.05 * quiet / (quiet + busy)
    assert got.value(names.RATIO + "1d") == pytest.approx(true, rel=0.005)
    assert f"{true:.4%}" == "0.0495%"
    mean = f'avg_over_time({names.RATIO}5m{{sloth_id="{shop.id}"}}[1d])'
    ((_, wrong),) = server.query(mean, MIDNIGHT + SECOND - 60)
    assert wrong == pytest.approx(0.02483, rel=0.002)


def test_a_quiet_stretch_leaves_every_figure_finite(server: Evaluation) -> None:
    """After seven hours without a request the day's figures remain, short ratios are absent, the state is idle."""
    shop = objective("quiet")
    server.write(
        [
            counter(labels("quiet", "200"), [(800, 600), (420, 0)]),
            counter(labels("quiet", "500"), [(800, 6), (420, 0)]),
        ]
    )
    record(server, shop, 1200)
    got = evaluate(server, shop)
    values = [value for series in got.series.values() for _, value in series]
    assert all(math.isfinite(value) for value in values)
    assert got.value(names.RATIO + "1d") == pytest.approx(6 / 606, rel=0.005)
    assert got.value(names.REMAINING) == pytest.approx(1 - 6 / 606 / 0.001, rel=0.005)
    for window in ("5m", "30m", "1h", "2h", "6h"):
        assert got.value(names.RATIO + window) is None
    assert got.value(names.count("events"), sloth_window="6h") == 0
    assert [metric["state"] for metric, _ in got.series[names.STATE]] == ["idle"]


def test_each_value_of_a_label_has_its_own_budget(server: Evaluation) -> None:
    """Clusters are counted separately; one without errors has its whole budget, and a silent one is idle."""
    shop = objective("clusters")
    sli = Sli(
        f"sum by (cluster) ({shop.sli.errors.removeprefix('sum')})",
        f"sum by (cluster) ({shop.sli.total.removeprefix('sum')})",
        by=("cluster",),
    )
    shop = objective("clusters", sli=sli, min_bad_events=0)
    server.write(
        [
            counter(labels("clusters", "200", cluster="east"), [(1500, 990)]),
            counter(labels("clusters", "500", cluster="east"), [(1500, 10)]),
            counter(labels("clusters", "200", cluster="west"), [(1500, 500)]),
            counter(labels("clusters", "200", cluster="north"), [(1500, 0)]),
        ]
    )
    record(server, shop, 1440)
    got = evaluate(server, shop)
    assert got.value(names.RATIO + "1d", cluster="east") == pytest.approx(0.01, rel=1e-9)
    assert got.value(names.REMAINING, cluster="east") == pytest.approx(-9, rel=1e-9)
    assert got.value(names.REMAINING, cluster="west") == 1
    assert got.value(names.REMAINING, cluster="north") is None
    states = {metric["cluster"]: metric["state"] for metric, _ in got.series[names.STATE]}
    assert states == {"east": "ok", "west": "ok", "north": "idle"}


def test_a_share_of_each_minute_is_an_error_of_a_part_of_it(server: Evaluation) -> None:
    """Where minutes are counted, a minute that is 25 % bad counts as a quarter of a bad minute."""
    server.write([({"__name__": "share"}, [(MIDNIGHT - 60 * n, 0.25) for n in range(1500, -1, -1)])])
    sli = Sli("avg_over_time(share[{{.window}}])", "count(share) > bool 0", per="minute")
    shop = objective("minutes", sli=sli, objective=Decimal(99))
    record(server, shop, 1440)
    got = evaluate(server, shop)
    assert got.value(names.count("events"), sloth_window="1d") == pytest.approx(1440)
    assert got.value(names.count("errors"), sloth_window="1d") == pytest.approx(360)
