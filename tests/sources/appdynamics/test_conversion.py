"""Results -> minutes in base units: sums before rounded values, means of measurements, tiers by weight."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from exporter.errors import SourceError
from exporter.model.observation import RouteCount, Window
from exporter.sources.appdynamics.conversion import to_minutes, total, wildcards
from exporter.sources.appdynamics.records import Metric, MetricQuery, MetricResult
from exporter.sources.appdynamics.routes import OTHER, count_routes

HARDWARE = "Application Infrastructure Performance|*|Hardware Resources|CPU|%Busy"
TRANSACTIONS = "Business Transaction Performance|Business Transactions|*|*|Calls per Minute"
TIMES = (60.0, 120.0)


def metric(
    values: Sequence[float],
    sums: Sequence[float] | None = None,
    counts: Sequence[float] | None = None,
    path: str = "Overall|Calls per Minute",
    resolution: float = 60.0,
) -> Metric:
    times = resolution * np.arange(1.0, len(values) + 1.0)
    actual, number = (None if column is None else np.array(column, np.float64) for column in (sums, counts))
    return Metric(tuple(path.split("|")), "", resolution, times, np.array(values, np.float64), actual, number, 0)


def answer(*metrics: Metric, path: str = "Overall|Calls per Minute", rollup: bool = False) -> MetricResult:
    return MetricResult(MetricQuery(1, path, Window(0.0, 600.0), rollup), metrics, None if metrics else "no_data")


def test_sums_come_before_values() -> None:
    """Calls are the counts, not the rounded rate; a ten-minute step is divided by ten."""
    assert to_minutes("calls", answer(metric([2.0], sums=[2.4]))).values.tolist() == [2.4]
    assert to_minutes("calls", answer(metric([3.0], sums=[26.0], resolution=600.0))).values.tolist() == [2.6] * 10
    assert to_minutes("calls", answer(metric([3.0], resolution=600.0))).values.tolist() == [3.0] * 10
    assert total(metric([0.0], sums=[17.0], resolution=86400.0)) == 17.0, "a rare transaction's rate rounds to 0"
    assert total(metric([2.0], resolution=600.0)) == 20.0


def test_means_are_of_what_was_measured() -> None:
    """Milliseconds become seconds, percent ratios; a minute without a measurement has no mean."""
    result = to_minutes("latency_mean", answer(metric([33.0, 0.0], sums=[100.0, 0.0], counts=[3.0, 0.0])))
    assert result.times.tolist() == [60.0]
    assert result.values.tolist() == [pytest.approx(0.1 / 3)]
    assert to_minutes("memory", answer(metric([66.0]))).values.tolist() == [0.66]


def test_tiers_count_by_their_nodes() -> None:
    """Minute by minute the mean over those that have a value; a tier without weight is ignored."""
    parts = [(f"Application Infrastructure Performance|{tier}|x|CPU|y", values) for tier, values in
             (("web", [50.0, 50.0]), ("app", [20.0]), ("db", [99.0, 99.0]))]  # fmt: skip
    actual = answer(*(metric(values, path=path) for path, values in parts), path=HARDWARE)
    result = to_minutes("cpu", actual, {"web": 2.0, "app": 1.0})
    assert result.times.tolist() == [*TIMES]
    assert result.values.tolist() == [pytest.approx(0.4), pytest.approx(0.5)]
    assert to_minutes("cpu", actual, {}).times.size == 0


def test_several_metrics_have_no_one_mean() -> None:
    """Numbers are added up; a mean of means, or a percentile of several, is refused."""
    both = answer(metric([1.0, 2.0], path="a|x"), metric([3.0], path="b|x"), path="*|x")
    assert to_minutes("errors", both).values.tolist() == [4.0, 2.0]
    for key in ("latency_mean", "latency_p95"):
        with pytest.raises(SourceError, match=rf"metrics\.{key} matches 2 metrics, such as b\|x"):
            to_minutes(key, both)
    assert to_minutes("latency_p95", answer()).times.size == 0


def test_wildcards_are_whole_segments() -> None:
    """A bar that belongs to a name divides nothing."""
    assert wildcards(TRANSACTIONS) == [2, 3]
    assert wildcards(r"a\|b|*|c*") == [1]


def transactions(**calls: float) -> MetricResult:
    """By "tier: name" with _ for the blank."""
    names = (key.replace("_", "|", 1).replace("_", " ") for key in calls)
    result = (
        metric([0.0], sums=[number], path=f"B|T|{name}|Calls per Minute", resolution=600.0)
        for name, number in zip(names, calls.values(), strict=True)
    )
    return answer(*result, path="B|T|*|*|Calls per Minute", rollup=True)


def test_routes_of_several_tiers_are_added_up() -> None:
    """The same name in two tiers is one route; without calls it is none; without failures all succeeded."""
    calls = transactions(web_GET_x=30.0, app_GET_x=12.0, web_idle=0.0)
    table = {"GET x": "get /x", "idle": "GET /idle"}
    assert count_routes(calls, transactions(app_GET_x=2.0), table.get) == ((RouteCount("GET", "/x", 42.0, 40.0),), [])
    assert count_routes(calls, None, table.get) == ((RouteCount("GET", "/x", 42.0, None),), [])
    assert count_routes(calls, transactions(), table.get)[0][0].successes is None, "nothing is known of failures"


def test_two_transactions_of_one_name_are_added_up() -> None:
    """For one deleted and detected again in the window, failures of both count, each once."""
    path = "B|T|web|GET /x|C"
    calls = [metric([0.0], sums=[number], path=path, resolution=600.0) for number in (30.0, 12.0)]
    errors = [metric([0.0], sums=[number], path=path, resolution=600.0) for number in (5.0, 1.0)]
    served, failed = (answer(*call, path="B|T|*|*|C", rollup=True) for call in (calls, errors))
    assert count_routes(served, failed, lambda _: None)[0] == (RouteCount("GET", "/x", 42.0, 36.0),)


@pytest.mark.parametrize(
    ("name", "route"),
    [
        ("GET /cart", ("GET", "/cart")),
        ("post /cart", ("POST", "/cart")),
        ("/cart.GET", ("GET", "/cart")),
        ("/cart.html", ("unmapped", "/cart.html")),
        ("/store/checkout", ("unmapped", "/store/checkout")),
        ("OrderService.SaveOrder", ("unmapped", "OrderService.SaveOrder")),
        ("_APPDYNAMICS_DEFAULT_TX_", ("unmapped", OTHER)),
        ("All Other Traffic - web", ("unmapped", OTHER)),
    ],
)
def test_what_a_name_says_by_itself(name: str, route: tuple[str, str]) -> None:
    """A method and a path, however the controller puts them together; anything else is unmapped."""
    calls = answer(metric([1.0], sums=[5.0], path=f"B|T|web|{name}|C"), path="B|T|*|*|C", rollup=True)
    [call], unknown = count_routes(calls, None, lambda _: None)
    assert (call.method, call.route) == route
    assert unknown == ([name] if route == ("unmapped", name) else [])
