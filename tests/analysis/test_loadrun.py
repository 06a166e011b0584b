"""A result file as an observation: the same numbers as a source would have seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from exporter.analysis import loadrun
from exporter.analysis.arithmetic import has_traffic
from exporter.analysis.baseline import histogram_quantile
from exporter.analysis.slo import count_events
from exporter.analysis.slo import events as events_of
from exporter.formats.tally import Tally
from exporter.model.loadrun import Figures, LoadRun, RunEndpoint
from exporter.model.observation import MINUTE, Window
from exporter.model.settings import Duration
from exporter.model.slo_settings import LatencySli, SliSettings
from tests.making_runs import START, load_run

ROUTES = {"Log in": "post /login/{id}"}


def test_names_become_routes() -> None:
    """A table comes first, then the tool's own routes, then names that are routes themselves."""
    run = replace(
        load_run(),
        endpoints=(
            RunEndpoint("Log in", Figures(1)),
            RunEndpoint("GET /cart/17?x=1", Figures(1)),
            RunEndpoint("checkout", Figures(1), "POST", "https://shop.example/orders/4711"),
            RunEndpoint("put https://shop.example/orders", Figures(1)),
            RunEndpoint("/search", Figures(1)),
            RunEndpoint("Warm up", Figures(1)),
        ),
    )
    result = loadrun.mapped(run, ROUTES)
    assert [(first.method, first.route) for first in result.endpoints] == [
        ("POST", "/login/{}"),
        ("GET", "/cart/{}"),
        ("POST", "/orders/{}"),
        ("PUT", "/orders"),
        ("", ""),
        ("", ""),
    ]
    assert result.warnings == ("no route is known of /search, Warm up: add them to `routes`",)


def test_unmapped_names_are_never_dropped() -> None:
    """A name without a route counts in every total, and is among the routes under its name."""
    run = loadrun.mapped(load_run(), {})
    observation = loadrun.as_observation(run)
    assert sum(route.requests for route in observation.routes) == run.total.requests
    assert ("unmapped", "Log in") in {(route.method, route.route) for route in observation.routes}


def test_names_of_one_route_are_added_up() -> None:
    """Two names of a route are one route, with the successes of both."""
    run = loadrun.mapped(load_run(), {"Log in": "GET /"})
    home = next(route for route in loadrun.as_observation(run).routes if route.route == "/")
    both = [first.figures for first in run.endpoints if first.name in ("GET /", "Log in")]
    assert home.requests == sum(first.requests for first in both)
    assert home.successes == sum(first.requests - (first.failures or 0) for first in both)


def test_signals_are_those_of_the_minutes() -> None:
    """Rates, errors, bytes and users are one-minute values; the error ratio's mean is errors / requests."""
    run = load_run()
    assert run.timeline is not None
    observation = loadrun.as_observation(run)
    assert observation.minutes is not None
    assert sum(observation.minutes.values) * MINUTE == pytest.approx(run.total.requests)
    assert observation.signals["request_rate"].peak == max(run.timeline.requests) / MINUTE
    assert observation.signals["error_ratio"].mean == pytest.approx((run.total.failures or 0) / run.total.requests)
    assert observation.signals["throughput"].mean == pytest.approx(
        (run.total.received or 0) / MINUTE / len(observation.minutes.times)
    )
    assert observation.signals["concurrent_users"].peak == 25.0
    assert observation.window == Window(START, START + 660)
    assert "cpu" not in observation.signals


def test_latency_is_that_of_the_histogram() -> None:
    """Percentiles are the run's own, and the buckets lead PromQL's histogram_quantile to the same within 1 %."""
    run = load_run(requests=20_000)
    observation = loadrun.as_observation(run).latency
    assert observation is not None
    assert (observation.mean, observation.p95, observation.p999) == (
        run.total.latency.mean,
        run.total.latency.p95,
        run.total.latency.p999,
    )
    le = [*(bound for bound, _ in observation.buckets), float("inf")]
    counts = [*(count for _, count in observation.buckets), observation.requests or 0.0]
    for q, value in ((0.5, observation.p50), (0.95, observation.p95), (0.99, observation.p99)):
        assert histogram_quantile(le, counts, q) == pytest.approx(value, rel=0.01)


def test_an_objective_on_latency_can_be_judged() -> None:
    """Any threshold lies in a bucket narrow enough, though none ends there."""
    observation = loadrun.as_observation(load_run(requests=20_000))
    result = count_events(SliSettings(latency=LatencySli(threshold=Duration(0.3))), events_of(observation))
    assert result is not None
    assert result.events == 20_000
    assert result.bad == pytest.approx(_slower(0.3), rel=0.02)


def _slower(threshold: float) -> int:
    """How many of load_run's 20,000 requests take longer, by drawing them again."""
    chance = np.random.default_rng(1)
    chance.uniform(0, 600, 20_000)
    chance.random(20_000)
    chance.choice(3, size=20_000, p=[0.6, 0.3, 0.1])
    return int((0.1 * chance.lognormal(0, 0.5, 20_000) > threshold).sum())


def test_a_summary_has_means_and_no_peaks() -> None:
    """Without a timeline the rate's mean is known; its peak is absent, not guessed."""
    observation = loadrun.as_observation(replace(load_run(), timeline=None))
    assert observation.minutes is None
    assert observation.signals["request_rate"].mean == pytest.approx(10, rel=0.01)
    assert observation.signals["request_rate"].peak is None
    assert observation.signals["concurrent_users"].peak == 25.0


def events(runs: list[LoadRun], start: float, end: float) -> tuple[float, float] | None:
    result = loadrun.events(runs, Window(start, end))
    return None if result is None else (result.requests or 0.0, result.errors or 0.0)


@pytest.mark.parametrize("timeline", [True, False])
def test_neighbouring_windows_add_up(timeline: bool) -> None:
    """EventTotals minute by minute, each request of a run counts once."""
    run = load_run() if timeline else replace(load_run(), timeline=None)
    parts = [events([run], START - 300 + 60 * n, START - 240 + 60 * n) for n in range(30)]
    counted = [part for part in parts if part is not None]
    assert sum(requests for requests, _ in counted) == pytest.approx(run.total.requests)
    assert sum(errors for _, errors in counted) == pytest.approx(run.total.failures)
    assert len(counted) == 11


def test_events_of_two_runs_are_added() -> None:
    """Two runs in one window count together, latencies with them; what meets no run has no events."""
    first, two = load_run(), load_run(START + 3600, latency=0.4)
    assert loadrun.events([first, two], Window(START - 600, START)) is None
    result = loadrun.events([first, two], Window(START, START + 7200))
    assert result is not None
    assert result.requests == 12_000
    assert result.latency is not None
    assert result.latency.requests == 12_000
    counts = [count for _, count in result.latency.buckets]
    assert counts == sorted(counts)
    assert counts[-1] == pytest.approx(12_000)


def test_a_minute_that_was_only_touched_tells_no_ratio() -> None:
    """One failure after the last full minute is no error ratio of 100 %, and still counts in the mean."""
    tally = Tally()
    name = tally.endpoint("GET /")
    for number in range(6000):
        tally.add(name, START + number / 10, 0.01, failed=False)
    tally.add(name, START + 600.5, 0.01, failed=True)
    observation = loadrun.as_observation(tally.run("made", "made-up"))
    assert observation.window == Window(START, START + 660)
    assert observation.signals["error_ratio"].peak == 0.0
    assert observation.signals["error_ratio"].mean == pytest.approx(1 / 6001)


def test_a_response_on_the_full_minute_is_in_the_window() -> None:
    """It counts in the minute that begins there, and so does the window."""
    tally = Tally()
    tally.add(tally.endpoint("GET /"), START + 59.0, 1.0, failed=False)
    run = tally.run("made", "made-up")
    assert loadrun.full_minutes(run) == Window(START, START + 120)
    assert run.timeline is not None
    assert run.timeline.ends == (START + 120,)
    result = loadrun.events([run], Window(START, START + 120))
    assert result is not None
    assert result.requests == 1


def test_a_summary_of_a_run_is_traffic() -> None:
    """A result with totals only has data, but no peak."""
    observation = loadrun.as_observation(replace(load_run(), timeline=None))
    assert has_traffic(observation)
