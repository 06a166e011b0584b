"""The source on real servers: a history with results that can be computed by hand."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
import requests

from exporter.analysis import run
from exporter.errors import SourceError
from exporter.model.observation import LATENCY_MEAN, Observation, Window
from exporter.model.settings import Duration, TestRunSettings
from exporter.sources import ChooseRuns
from exporter.sources.prometheus.source import Options, Source
from tests import seed, servers, small_shop
from tests.small_shop import END

HOUR = Window(END - 3600, END)
STRANGE = 'a "quoted" näme\\ with\nlines'

EXTRA = r"""
# TYPE odd gauge
odd{job="app0",cpu="0"} NaN 1795175000
odd{job="app0",cpu="1"} 0.5 1795175990
odd{job="app1",cpu="0"} +Inf 1795175990
odd{job="app2",cpu="0"} 0.25 1795175990
odd{job="app2",cpu="1"} 0.75 1795175990
# TYPE named gauge
named{job="a \"quoted\" näme\\ with\nlines"} 3 1795175990
named{job="a \"quoted\" näme\\ with\nlines (2)"} 4 1795175990
"""


@pytest.fixture(scope="module", params=["2.42", "3"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    directory = tmp_path_factory.mktemp("small")
    blocks = small_shop.blocks(directory / "history", 3, 2, extra=EXTRA)
    with servers.prometheus(request.param, directory / "server", blocks=blocks) as server:
        yield server.url


def source(url: str, **options: Any) -> Source:
    return Source(Options(**{"url": url, "preset": "prometheus", "recorded": "never", **options}), "production")


def explicit(windows: Mapping[str, Window]) -> ChooseRuns:
    return partial(run.choose, settings=TestRunSettings(min_duration=Duration(300)), explicit=windows)


def test_rates_by_hand(url: str) -> None:
    """Mean, peak, min, deviation, count and quantiles of an hour are those of its sixty minutes."""
    rate = source(url).observe(HOUR).applications["app1"].signals["request_rate"]
    assert rate.mean == pytest.approx(30)
    assert rate.peak == pytest.approx(40)
    assert rate.min == pytest.approx(20)
    assert rate.stddev == pytest.approx(10)
    assert rate.samples == 60
    assert rate.quantiles["0.5"] == pytest.approx(30)
    assert rate.quantiles["0.95"] == pytest.approx(40)


def test_noise_by_hand(url: str) -> None:
    """Noise and its correlation are those of the pairs of minutes inside the hour that are ten and one apart."""
    users = source(url, signals=small_shop.USERS).observe(HOUR).applications["app0"].signals["concurrent_users"]
    values = [small_shop.users(int(HOUR.start // 60) + minute) for minute in range(1, 61)]
    near, far = (fmean((b - a) ** 2 for a, b in zip(values, values[lag:], strict=False)) for lag in (1, 10))
    assert users.noise == pytest.approx(math.sqrt(far / 2))
    assert users.autocorrelation == pytest.approx(1 - near / far)
    assert 0.2 < 1 - near / far < 0.4


def test_mean_latency_by_hand(url: str) -> None:
    """The mean latency of minutes without requests is absent, that of the others is theirs, in runs as in baselines."""
    windows = {"app1": Window(END - 1200, END - 600)}
    observed = source(url).observe(HOUR).applications["app1"].signals[LATENCY_MEAN]
    run = source(url).observe_runs(HOUR, 1.0, explicit(windows)).applications["app1"].signals[LATENCY_MEAN]
    for summary, samples in ((observed, 60), (run, 10)):
        assert (summary.samples, summary.quantiles) == (samples, {})
        assert (summary.mean, summary.min, summary.peak) == pytest.approx((0.2, 0.2, 0.2))
    early = Window(END - 3 * 3600, END - 1800)
    assert source(url).observe(early).applications["app1"].signals[LATENCY_MEAN].samples == 90


def test_error_ratio_by_hand(url: str) -> None:
    """The mean error ratio is errors / requests of the hour, 3 %, not the mean of the minutes' ratios, 2.5 %."""
    errors = source(url).observe(HOUR).applications["app0"].signals["error_ratio"]
    assert errors.mean == pytest.approx((10 * 0.01 + 20 * 0.04) / 30)
    assert errors.peak == pytest.approx(0.04)
    assert errors.min == pytest.approx(0.01)


def test_no_failures_is_a_ratio_of_zero(url: str) -> None:
    """A service without a series of failures has failed in none of its requests."""
    errors = source(url).observe(HOUR).applications["app2"].signals["error_ratio"]
    assert (errors.mean, errors.peak, errors.samples) == (0, 0, 60)


def test_latency_routes_and_bytes_by_hand(url: str) -> None:
    """Latency, requests per route with their successes, and bytes are those of the hour."""
    observed = source(url).observe(HOUR).applications["app0"]
    assert observed.latency is not None
    assert observed.latency.mean == pytest.approx(0.2)
    assert observed.latency.p50 == pytest.approx(0.2)
    assert observed.latency.requests == pytest.approx(54_000, rel=0.01)
    assert [bound for bound, _ in observed.latency.buckets] == [0.1, 0.3]
    assert [count for _, count in observed.latency.buckets] == pytest.approx([0, 54_000], rel=0.01)
    assert [(route.method, route.route) for route in observed.routes] == [("GET", "/r0"), ("GET", "/r1")]
    assert observed.routes[0].requests == pytest.approx(27_000, rel=0.01)
    assert observed.routes[0].successes == pytest.approx(27_000 * 0.97, rel=0.01)
    assert observed.signals["throughput"].mean == pytest.approx(15_000)


def test_pattern_by_hand(url: str) -> None:
    """The pattern has one value for each five minutes, ending where the window ends."""
    pattern = source(url).observe(HOUR, HOUR).applications["app0"].pattern
    assert pattern is not None
    assert pattern.times == tuple(END - 3600 + 300 * step for step in range(1, 13))
    assert pattern.values == pytest.approx([15] * 12, rel=0.05)


def test_a_day_has_1440_minutes(tmp_path: Path) -> None:
    """A day has 1440 minutes with the closed ranges of 2.42 and the left-open ones of 3, recorded nothing twice."""
    day = Window(seed.END - 86400, seed.END)
    for version in ("2.42", "3"):
        with servers.prometheus(version, tmp_path / version, blocks=seed.tsdb()) as server:
            options = {"selector": 'environment="production"', "labels": {"application": "application"}}
            observed = source(server.url, **options).observe(day).applications["shop"]
        assert {summary.samples for summary in observed.signals.values()} == {1440}


def test_query_count_is_constant(tmp_path: Path) -> None:
    """The server counts as many queries for twelve applications of six routes as for two of two, and so do we."""
    counts = {}
    for applications, routes in ((2, 2), (12, 6)):
        directory = tmp_path / str(applications)
        blocks = small_shop.blocks(directory / "history", applications, routes)
        with servers.prometheus("3", directory / "server", blocks=blocks) as server:
            observations = [
                source(server.url, recorded="auto").observe(HOUR, HOUR),
                source(server.url, recorded="auto").observe_runs(HOUR, 1.0, explicit({})),
            ]
            assert all(len(observation.applications) == applications for observation in observations)
            counts[applications] = (served(server.url), sum(observation.queries for observation in observations))
    assert counts[2] == counts[12]
    assert counts[2][0] == counts[2][1]


def served(url: str) -> int:
    """Queries that the server counts itself."""
    page = requests.get(f"{url}/metrics", timeout=60).text
    pattern = r'^prometheus_http_requests_total\{.*handler="/api/v1/query(?:_range)?"\} (\S+)$'
    return round(sum(float(value) for value in re.findall(pattern, page, re.MULTILINE)))


def test_runs_of_different_times(url: str) -> None:
    """Each application is summed over its own run, apart or overlapping, and over no other minute."""
    windows = {
        "app0": Window(END - 3600, END - 3000),
        "app1": Window(END - 3300, END - 2400),
        "app2": Window(END - 1200, END - 600),
    }
    observed = source(url).observe_runs(HOUR, 1.0, explicit(windows)).applications
    for index, (name, window) in enumerate(windows.items()):
        application = observed[name]
        assert application.window == window
        assert application.run is not None
        assert application.run.window == window
        assert application.minutes is not None
        assert application.minutes.times == tuple(
            window.start + 60 * m for m in range(1, int(window.duration / 60) + 1)
        )
        expected = sum(small_shop.rate(index, int(time // 60)) for time in application.minutes.times) * 60
        assert application.latency is not None
        assert application.latency.requests == pytest.approx(expected)
        assert sum(route.requests for route in application.routes) == pytest.approx(expected)
        assert application.signals["request_rate"].mean == pytest.approx(expected / window.duration)
    assert observed["app0"].signals["error_ratio"].mean == pytest.approx(0.03)


def test_explicit_run_below_the_threshold(url: str) -> None:
    """A configured run is observed completely although none of its minutes is above the threshold."""
    windows = {"app0": Window(END - 1200, END - 600)}
    observation = source(url).observe_runs(HOUR, 1e6, explicit(windows))
    assert list(observation.applications) == ["app0"]
    assert observation.applications["app0"].signals["request_rate"].samples == 10


def test_idle(url: str) -> None:
    """An environment without activity is not an error: it has no applications."""
    observation = source(url).observe_runs(HOUR, 1e6, explicit({}))
    assert observation.applications == {}
    assert source(url).observe(Window(END - 40 * 86400, END - 39 * 86400)).applications == {}


def test_unmeasured_values(url: str) -> None:
    """NaN and infinite values are not measurements; the values around them are."""
    cpu = "sum by ($application) (odd{cpu='1'} or odd{job='app1'})"
    observed = source(url, signals={"cpu": cpu}).observe(Window(END - 600, END)).applications
    assert observed["app0"].signals["cpu"].mean == 0.5
    assert "cpu" not in observed["app1"].signals


def test_template_that_does_not_aggregate(url: str) -> None:
    """Two series of one application instead of one are an error that names one."""
    with pytest.raises(SourceError, match=r"duplicate series.*app2.*aggregate") as caught:
        source(url, signals={"cpu": "odd"}).observe(Window(END - 600, END))
    assert caught.value.reason in ("bad_data", "bad_query")


def test_strange_label(url: str) -> None:
    """Quotes, backslashes, newlines and other alphabets in a label come through, in baselines and in runs."""
    routes = "sum by ($application) (sum_over_time(named[$range]))"
    signals = {"request_rate": "named", "route_requests": routes}
    options = {
        "preset": "custom",
        "labels": {"application": "job", "method": "job", "route": "job"},
        "signals": signals,
    }
    window, late, other = Window(END - 300, END), Window(END - 240, END), f"{STRANGE} (2)"
    assert list(source(url, **options).observe(window).applications) == [STRANGE, other]
    one_by_one = {STRANGE: late, other: window}
    in_groups = {STRANGE: late, other: late, **{f"none-{number}": window for number in range(200)}}
    for windows in (one_by_one, in_groups):
        observed = source(url, **options).observe_runs(window, 1.0, explicit(windows)).applications
        assert [observed[name].signals["request_rate"].peak for name in (STRANGE, other)] == [3, 4]
        assert [observed[name].routes[0].requests for name in (STRANGE, other)] == [3, 4]


def test_selector(url: str) -> None:
    """The selector narrows every query."""
    observed = source(url, selector='job=~"app[12]"').observe(HOUR).applications
    assert set(observed) == {"app1", "app2"}


def test_nothing_asked(url: str) -> None:
    """Signals without a query are not observed, and no query is sent."""
    observation: Observation = source(url, preset="custom").observe(HOUR, HOUR)
    assert (observation.applications, observation.queries) == ({}, 0)


def test_refused_query(url: str) -> None:
    """A query that only the server can judge is `bad_query` with the server's words and its host:port."""
    port = url.rsplit(":", 1)[1]
    signals = {"cpu": "sum by ($application) (odd) / ignoring (job) group_left odd"}
    with pytest.raises(SourceError, match=rf"127\.0\.0\.1:{port} refused a query") as caught:
        source(url, signals=signals).observe(HOUR)
    assert caught.value.reason == "bad_query"
