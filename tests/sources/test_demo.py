"""The demo shop: its observations, that they are the same every time, and their cost."""

from __future__ import annotations

import io
import re
import time
import tracemalloc
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter import pipeline
from exporter.analysis import run
from exporter.config import Config, Environment
from exporter.demo import openmetrics
from exporter.demo.server import Page
from exporter.demo.shop import APPLICATIONS
from exporter.demo.traffic import traffic
from exporter.model.observation import Observation, Window
from exporter.model.settings import TestRunSettings
from exporter.sources.demo import Options, Source
from tests.seed import END

DAY = 86400.0
SAMPLE = re.compile(r"^(\w+\{\S+) (\S+)(?: (\d+))?$", re.MULTILINE)


def production(end: float, seed: int = 1) -> Observation:
    return Source(Options(seed=seed), "production").observe(Window(end - DAY, end), Window(end - 7 * DAY, end))


def runs(end: float, seed: int = 1) -> Observation:
    choose = partial(run.choose, settings=TestRunSettings(), explicit={})
    return Source(Options(seed=seed), "pte").observe_runs(Window(end - 14 * DAY, end), 1.0, choose)


def history(start: float, end: float) -> dict[str, dict[float, float]]:
    """Series to its samples by time, of the OpenMetrics text."""
    out = io.StringIO()
    openmetrics.write(out, start, end, 1)
    result: dict[str, dict[float, float]] = {}
    for series, value, at in SAMPLE.findall(out.getvalue()):
        result.setdefault(series, {})[float(at)] = float(value)
    return result


def test_same_seed_and_time_give_the_same() -> None:
    """Two sources that share nothing say the same about the same time, and another seed says something else."""
    assert production(END) == production(END)
    assert runs(END) == runs(END)
    assert production(END) != production(END, seed=2)


@settings(max_examples=30)
@given(cut=st.integers(1, 2879), seed=st.integers(0, 2**40))
def test_a_minute_does_not_depend_on_those_around_it(cut: int, seed: int) -> None:
    """Minutes queried in two parts equal the minutes queried together."""
    minutes = np.arange(int(END // 60) - 2880, int(END // 60))
    for role in ("production", "pte"):
        whole = traffic(seed, role, APPLICATIONS[0], minutes)
        parts = [traffic(seed, role, APPLICATIONS[0], part) for part in (minutes[:cut], minutes[cut:])]
        for field in ("minutes", "requests", "errors", "bytes", "latency", "users", "cpu", "memory"):
            np.testing.assert_array_equal(
                getattr(whole, field), np.concatenate([getattr(part, field) for part in parts])
            )


def test_shop_serves_45_routes_of_which_33_are_tested() -> None:
    """The main application has the routes that the story needs, one of them called too rarely to count."""
    served = {(r.method, r.route) for r in production(END).applications["shop"].routes}
    called = {
        (r.method, re.sub(r":(\w+)", r"{\1}", r.route)): r.requests for r in runs(END).applications["shop"].routes
    }
    assert len(served) == 45
    assert sum(requests >= 30 for route, requests in called.items() if route in served) == 33
    assert 5 < called["POST", "/contact"] < 30
    assert set(called) - served == {("POST", "/test-data")}


def test_idle_application_has_rates_of_zero_and_nothing_made_of_them() -> None:
    """Zero requests are a measurement; the errors, latency and routes of no requests are not."""
    archive = production(END).applications["archive"]
    assert archive.signals["request_rate"].peak == 0.0
    assert "error_ratio" not in archive.signals
    assert archive.latency is None
    assert archive.routes == ()


@pytest.mark.parametrize("hours", range(0, 17 * 24, 29))
def test_the_story_holds_at_any_time(hours: int) -> None:
    """Whenever one looks, shop holds, checkout is outgrown, search was never tested and archive is idle."""
    now = END + hours * 3600.0 + 60.0 * (hours % 60)
    both = (Environment(role="production", source=Options()), Environment(role="pte", source=Options()))
    result = pipeline.round_once(Config(environments=both), now).applications
    verdicts = {name: result.certification for name, result in result.items()}
    assert verdicts["shop"].holds is True
    assert verdicts["checkout"].holds is False
    assert verdicts["checkout"].reasons["outgrown_peak"]
    assert verdicts["checkout"].reasons["load_coverage"]
    assert verdicts["search"].holds is None
    assert verdicts["search"].reasons["no_test_run"]
    assert verdicts["archive"].holds is None
    assert "no traffic" in verdicts["archive"].sentence
    ages = {name: result.run_age for name, result in result.items() if result.run_age is not None}
    assert ages["shop"] <= 2 * DAY
    assert ages["checkout"] <= 8 * DAY


def test_verdicts_have_evidence() -> None:
    """Of the two applications that were tested and used most signals are judged, and the load as the story goes."""
    both = (Environment(role="production", source=Options()), Environment(role="pte", source=Options()))
    result = pipeline.round_once(Config(environments=both), END).applications
    verdicts = {name: {gap.signal: gap.verdict for gap in result[name].gaps} for name in ("shop", "checkout")}
    assert verdicts["shop"]["request_rate"] == "better"
    assert verdicts["checkout"]["request_rate"] == "worse"
    for judged in verdicts.values():
        assert sum(verdict != "no_evidence" for verdict in judged.values()) >= 8
        assert judged["latency_mean"] == judged["latency_p95"] == judged["latency_p99"] != "no_evidence"


def test_mean_error_ratio_is_errors_by_requests() -> None:
    """The mean is a ratio of sums, which is not the mean of the minutes' ratios."""
    shop = production(END).applications["shop"]
    requests = sum(route.requests for route in shop.routes)
    failed = requests - sum(route.successes or 0.0 for route in shop.routes)
    assert shop.signals["error_ratio"].mean == pytest.approx(failed / requests, rel=1e-9)


def test_counters_of_the_history_are_straight_within_a_minute() -> None:
    """From the two samples of a minute its rate follows exactly, and equals the rate that the source reports."""
    result = history(END - 600.0, END)
    rates = dict.fromkeys(range(10), 0.0)
    for series, samples in result.items():
        if series.startswith("http_requests_total") and 'application="shop",environment="production"' in series:
            for minute in rates:
                start = END - 600.0 + 60.0 * minute
                rates[minute] += (samples[start + 40.0] - samples[start + 10.0]) / 30.0
    minutes = np.arange(int(END // 60) - 9, int(END // 60) + 1)
    requests = traffic(1, "production", APPLICATIONS[0], minutes).requests
    np.testing.assert_allclose(list(rates.values()), requests, rtol=1e-6)


def test_live_page_goes_on_where_the_history_ends() -> None:
    """At the time of each of the history's samples the live page says the same, and no counter ever steps back."""
    start, end = END - 3 * DAY, END - 3 * DAY + 3600.0
    result, page = history(start, end), Page(start, 1)
    for at in (start + 10.0, start + 100.0, end - 20.0):
        live = {series: float(value) for series, value, _ in SAMPLE.findall(page.render(at))}
        assert live == {series: samples[at] for series, samples in result.items() if at in samples}
    before = live
    later = Page(start, 1)
    for at in range(int(end), int(end) + 2 * 86400, 7200):
        live = {series: float(value) for series, value, _ in SAMPLE.findall(later.render(float(at)))}
        counters = {series for series in live.keys() & before.keys() if not series.startswith("demo_")}
        assert all(live[series] >= before[series] for series in counters)
        before = live


def test_a_round_is_quick_and_small() -> None:
    """A day, a week and the look-back for runs take well under a second and leave nothing in memory."""
    began = time.process_time()
    production(END)
    runs(END)
    took = time.process_time() - began

    # A later round, as the first one imports and remembers what all share. Traced, it is several times slower.
    tracemalloc.start()
    production(END + 3600)
    runs(END + 3600)
    retained, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert took < 2.0
    assert peak < 16e6
    assert retained < 1e6
