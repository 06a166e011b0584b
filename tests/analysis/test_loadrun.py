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
from exporter.model.loadrun import Endpoint, Figures, LoadRun
from exporter.model.observation import MINUTE, Window
from exporter.model.settings import Duration
from exporter.model.slo_settings import LatencySli, SliSettings
from tests.making_runs import START, load_run

ROUTES = {"Log in": "post /login/{id}"}


def test_names_become_routes() -> None:
    """A table comes first, then what the tool tells, then names that are routes themselves."""
    run = replace(
        load_run(),
        endpoints=(
            Endpoint("Log in", Figures(1)),
            Endpoint("GET /cart/17?x=1", Figures(1)),
            Endpoint("checkout", Figures(1), "POST", "https://shop.example/orders/4711"),
            Endpoint("put https://shop.example/orders", Figures(1)),
            Endpoint("/search", Figures(1)),
            Endpoint("Warm up", Figures(1)),
        ),
    )
    found = loadrun.mapped(run, ROUTES)
    assert [(one.method, one.route) for one in found.endpoints] == [
        ("POST", "/login/{}"),
        ("GET", "/cart/{}"),
        ("POST", "/orders/{}"),
        ("PUT", "/orders"),
        ("", ""),
        ("", ""),
    ]
    assert found.warnings == ("no route is known of /search, Warm up: add them to `routes`",)


def test_unmapped_names_are_never_dropped() -> None:
    """What stands for no route counts in every total, and stands in the routes under its name."""
    run = loadrun.mapped(load_run(), {})
    seen = loadrun.as_observation(run)
    assert sum(route.requests for route in seen.routes) == run.total.requests
    assert ("unmapped", "Log in") in {(route.method, route.route) for route in seen.routes}


def test_names_of_one_route_are_added_up() -> None:
    """Two names of a route are one route, with the successes of both."""
    run = loadrun.mapped(load_run(), {"Log in": "GET /"})
    home = next(route for route in loadrun.as_observation(run).routes if route.route == "/")
    both = [one.figures for one in run.endpoints if one.name in ("GET /", "Log in")]
    assert home.requests == sum(one.requests for one in both)
    assert home.successes == sum(one.requests - (one.failures or 0) for one in both)


def test_signals_are_those_of_the_minutes() -> None:
    """Rates, errors, bytes and users are one-minute values; the error ratio's mean is errors / requests."""
    run = load_run()
    assert run.timeline is not None
    seen = loadrun.as_observation(run)
    assert seen.minutes is not None
    assert sum(seen.minutes.values) * MINUTE == pytest.approx(run.total.requests)
    assert seen.signals["request_rate"].peak == max(run.timeline.requests) / MINUTE
    assert seen.signals["error_ratio"].mean == pytest.approx((run.total.failures or 0) / run.total.requests)
    assert seen.signals["throughput"].mean == pytest.approx(
        (run.total.received or 0) / MINUTE / len(seen.minutes.times)
    )
    assert seen.signals["concurrent_users"].peak == 25.0
    assert seen.window == Window(START, START + 660)
    assert "cpu" not in seen.signals


def test_latency_is_that_of_the_histogram() -> None:
    """Percentiles are the run's own, and the buckets lead PromQL's histogram_quantile to the same within 1 %."""
    run = load_run(requests=20_000)
    seen = loadrun.as_observation(run).latency
    assert seen is not None
    assert (seen.mean, seen.p95, seen.p999) == (
        run.total.latency.mean,
        run.total.latency.p95,
        run.total.latency.p999,
    )
    le = [*(bound for bound, _ in seen.buckets), float("inf")]
    counts = [*(count for _, count in seen.buckets), seen.requests or 0.0]
    for q, value in ((0.5, seen.p50), (0.95, seen.p95), (0.99, seen.p99)):
        assert histogram_quantile(le, counts, q) == pytest.approx(value, rel=0.01)


def test_an_objective_on_latency_can_be_judged() -> None:
    """Any threshold lies in a bucket narrow enough, though none ends there."""
    seen = loadrun.as_observation(load_run(requests=20_000))
    found = count_events(SliSettings(latency=LatencySli(threshold=Duration(0.3))), events_of(seen))
    assert found is not None
    assert found.events == 20_000
    assert found.bad == pytest.approx(_slower(0.3), rel=0.02)


def _slower(threshold: float) -> int:
    """How many of load_run's 20,000 requests take longer, by drawing them again."""
    chance = np.random.default_rng(1)
    chance.uniform(0, 600, 20_000)
    chance.random(20_000)
    chance.choice(3, size=20_000, p=[0.6, 0.3, 0.1])
    return int((0.1 * chance.lognormal(0, 0.5, 20_000) > threshold).sum())


def test_a_summary_has_means_and_no_peaks() -> None:
    """Without a timeline the rate's mean is known; its peak is absent, not guessed."""
    seen = loadrun.as_observation(replace(load_run(), timeline=None))
    assert seen.minutes is None
    assert seen.signals["request_rate"].mean == pytest.approx(10, rel=0.01)
    assert seen.signals["request_rate"].peak is None
    assert seen.signals["concurrent_users"].peak == 25.0


def events(runs: list[LoadRun], start: float, end: float) -> tuple[float, float] | None:
    found = loadrun.events(runs, Window(start, end))
    return None if found is None else (found.requests or 0.0, found.errors or 0.0)


@pytest.mark.parametrize("timeline", [True, False])
def test_neighbouring_windows_add_up(timeline: bool) -> None:
    """EventTotals minute by minute, each request of a run counts once."""
    run = load_run() if timeline else replace(load_run(), timeline=None)
    parts = [events([run], START - 300 + 60 * n, START - 240 + 60 * n) for n in range(30)]
    told = [part for part in parts if part is not None]
    assert sum(requests for requests, _ in told) == pytest.approx(run.total.requests)
    assert sum(errors for _, errors in told) == pytest.approx(run.total.failures)
    assert len(told) == 11


def test_events_of_two_runs_are_added() -> None:
    """Two runs in one window count together, latencies with them; what meets no run has no events."""
    one, two = load_run(), load_run(START + 3600, latency=0.4)
    assert loadrun.events([one, two], Window(START - 600, START)) is None
    found = loadrun.events([one, two], Window(START, START + 7200))
    assert found is not None
    assert found.requests == 12_000
    assert found.latency is not None
    assert found.latency.requests == 12_000
    counts = [count for _, count in found.latency.buckets]
    assert counts == sorted(counts)
    assert counts[-1] == pytest.approx(12_000)


def test_a_minute_that_was_only_touched_tells_no_ratio() -> None:
    """One failure after the last full minute is no error ratio of 100 %, and still counts in the mean."""
    tally = Tally()
    name = tally.endpoint("GET /")
    for number in range(6000):
        tally.add(name, START + number / 10, 0.01, failed=False)
    tally.add(name, START + 600.5, 0.01, failed=True)
    seen = loadrun.as_observation(tally.run("made", "made-up"))
    assert seen.window == Window(START, START + 660)
    assert seen.signals["error_ratio"].peak == 0.0
    assert seen.signals["error_ratio"].mean == pytest.approx(1 / 6001)


def test_a_response_on_the_full_minute_is_in_the_window() -> None:
    """It counts in the minute that begins there, and so does the window."""
    tally = Tally()
    tally.add(tally.endpoint("GET /"), START + 59.0, 1.0, failed=False)
    run = tally.run("made", "made-up")
    assert loadrun.full_minutes(run) == Window(START, START + 120)
    assert run.timeline is not None
    assert run.timeline.ends == (START + 120,)
    found = loadrun.events([run], Window(START, START + 120))
    assert found is not None
    assert found.requests == 1


def test_a_summary_of_a_run_is_traffic() -> None:
    """What tells totals only has left data, though no peak is known."""
    seen = loadrun.as_observation(replace(load_run(), timeline=None))
    assert has_traffic(seen)
