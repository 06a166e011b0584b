"""Native histograms in a real Prometheus 3: exponential ones, and classic ones converted to custom buckets."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from exporter.analysis import run
from exporter.model.observation import LATENCY_MEAN, ApplicationObservation, Latency, Window
from exporter.model.settings import Duration, TestRunSettings
from exporter.sources.prometheus.source import Options, Source
from tests.remote_write import CUSTOM_BUCKETS, Histogram, write
from tests.servers import prometheus

END = 1795176000.0
WINDOW = Window(END - 3600, END)
RATE = 10
"""Requests per second; eight in ten take at most 125 ms, one at most 0.5 s, one at most 2 s; all from half of that."""

NAME = "http_server_request_duration_seconds"
COUNTS: dict[str, str | None] = {
    "request_rate": f"sum by ($application) (histogram_count(rate({NAME}{{$selector}}[$range])))",
    "error_rate": None,
    "throughput": None,
    "route_requests": (
        f"sum by ($application, $method, $route) (histogram_count(increase({NAME}{{$selector}}[$range])))"
    ),
    "route_successes": None,
}
"""Where histograms are native their counts are inside them, which templates of counts must say."""


def history(schema: int, indices: tuple[int, int, int], bounds: tuple[float, ...] = ()) -> Iterator[Histogram]:
    """Histograms at :10 and :40 of each minute of the window."""
    for seconds in range(10, 3600, 30):
        tenth = seconds * RATE // 10
        buckets = dict(zip(indices, (8 * tenth, tenth, tenth), strict=True))
        yield Histogram(END - 3600 + seconds, buckets, 2.35 * tenth, schema, bounds)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    directory: Path = tmp_path_factory.mktemp("native")
    args = ["--web.enable-remote-write-receiver", "--enable-feature=native-histograms"]
    with prometheus("3", directory, args=args) as server:
        labels = {"__name__": NAME, "http_request_method": "GET", "http_route": "/cart", "job": "x"}
        custom = {**labels, "service_name": "custom"}
        shapes = [
            ({**labels, "service_name": "exponential"}, history(0, (-3, -1, 1))),
            (custom, history(CUSTOM_BUCKETS, (1, 3, 5), (0.0625, 0.125, 0.25, 0.5, 1.0, 2.0))),
            ({**labels, "service_name": "beyond"}, history(CUSTOM_BUCKETS, (1, 3, 4), (0.0625, 0.125, 0.25, 0.5))),
        ]
        write(server.url, shapes)
        yield server.url


@pytest.fixture(scope="module")
def source(url: str) -> Source:
    return Source(Options(url=url, preset="opentelemetry", signals=COUNTS), "production")


def latency(observation: ApplicationObservation) -> Latency:
    assert observation.latency is not None
    return observation.latency


def test_exponential(source: Source) -> None:
    """Exponential buckets are interpolated by the server, on their own scale."""
    observation = latency(source.observe(WINDOW).applications["exponential"])
    assert observation.mean == pytest.approx(0.235)
    assert observation.p50 == pytest.approx(0.0625 * 2 ** (5 / 8))
    assert observation.p95 == pytest.approx(2**0.5)
    assert observation.p99 == pytest.approx(2**0.9)
    assert observation.requests == pytest.approx(36_000, rel=2e-3)
    assert observation.buckets == ()


def test_mean_latency_of_minutes(source: Source) -> None:
    """The mean latency of each minute comes from native histograms too, in baselines and in runs."""
    choose = partial(run.choose, settings=TestRunSettings(), explicit={})
    for observation in (source.observe(WINDOW), source.observe_runs(WINDOW, 1.0, choose)):
        for name in ("exponential", "custom", "beyond"):
            minutes = observation.applications[name].signals[LATENCY_MEAN]
            assert (minutes.mean, minutes.peak) == pytest.approx((0.235, 0.235))
            assert minutes.samples == 60


def test_custom_buckets(source: Source) -> None:
    """Converted classic buckets are interpolated linearly, as classic ones are."""
    observation = latency(source.observe(WINDOW).applications["custom"])
    assert observation.mean == pytest.approx(0.235)
    assert observation.p50 == pytest.approx(0.0625 + 0.0625 * 5 / 8)
    assert observation.p95 == pytest.approx(1.5)


def test_beyond_the_last_bound(source: Source) -> None:
    """A quantile beyond the last finite bound is unknown, and is not reported as that bound."""
    observation = latency(source.observe(WINDOW).applications["beyond"])
    assert observation.p50 == pytest.approx(0.0625 + 0.0625 * 5 / 8)
    assert (observation.p95, observation.p99, observation.p999) == (None, None, None)


def test_counts_inside_histograms(source: Source) -> None:
    """Rates and routes can be taken from the histograms' counts."""
    observation = source.observe(WINDOW).applications["exponential"]
    rate = observation.signals["request_rate"]
    assert rate.mean == pytest.approx(RATE)
    assert rate.peak == pytest.approx(RATE)
    [route] = observation.routes
    assert (route.method, route.route, route.successes) == ("GET", "/cart", None)
    assert route.requests == pytest.approx(36_000, rel=2e-3)


def test_runs(source: Source) -> None:
    """A run's latency comes from its own minutes, summed as histograms."""
    settings = TestRunSettings(lookback=Duration(3600))
    part = {"exponential": Window(END - 1800, END - 600), "custom": Window(END - 3000, END - 2400)}
    choose = partial(run.choose, settings=settings, explicit=part)
    observation = source.observe_runs(WINDOW, 1.0, choose).applications
    assert latency(observation["exponential"]).p95 == pytest.approx(2**0.5)
    assert latency(observation["exponential"]).requests == pytest.approx(12_000)
    assert latency(observation["custom"]).requests == pytest.approx(6_000)
    assert latency(observation["beyond"]).requests == pytest.approx(36_000, rel=0.02)


def test_numbers_wanted(url: str) -> None:
    """A template that returns histograms instead of numbers observes nothing and says so."""
    wrong = {**COUNTS, "request_rate": f"sum by ($application) (rate({NAME}{{$selector}}[$range]))"}
    observation = Source(Options(url=url, preset="opentelemetry", signals=wrong), "production").observe(WINDOW, WINDOW)
    assert set(observation.applications) == {"exponential", "custom", "beyond"}
    assert all("request_rate" not in application.signals for application in observation.applications.values())
    assert any("histogram" in warning for warning in observation.warnings)
