"""The same source on a real VictoriaMetrics, which speaks the API and computes some things its own way.

Its rate() starts from the sample before the range: the rate of the minute ending at t, sampled at :10 and :40, is that
of the minute ending 20 s earlier. So values at the edges of a change are shared between neighbouring minutes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import requests

from exporter.analysis import run
from exporter.checkup import checked
from exporter.errors import SourceError
from exporter.model.checkup import CheckContext
from exporter.model.observation import Window
from exporter.model.settings import Duration, TestRunSettings
from exporter.sources.prometheus.source import Options, Source, checks
from tests import servers, small_shop
from tests.small_shop import END

HOUR = Window(END - 3600, END)
ODD = Window(END - 3600 - 60, END - 60)
"""Does not end on a multiple of five minutes: VictoriaMetrics likes to move such ranges."""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Source]:
    directory: Path = tmp_path_factory.mktemp("victoria")
    small_shop.blocks(directory / "history", 2, 2)
    with servers.victoria_metrics(directory / "server") as server:
        text = (directory / "history" / "small.om").read_text()
        samples = re.sub(r"(\d{10})$", r"\g<1>000", text, flags=re.MULTILINE)
        requests.post(f"{server.url}/api/v1/import/prometheus", data=samples, timeout=60).raise_for_status()
        requests.get(f"{server.url}/internal/force_flush", timeout=60).raise_for_status()
        yield Source(Options(url=server.url, preset="prometheus"), "production")


@pytest.mark.parametrize("window", [HOUR, ODD])
def test_observe(source: Source, window: Window) -> None:
    """An hour has its sixty minutes, its mean rate, latency, routes and pattern."""
    observed = source.observe(window, window).applications
    assert set(observed) == {"app0", "app1"}
    application = observed["app0"]
    assert application.signals["request_rate"].samples == 60
    assert application.signals["request_rate"].mean == pytest.approx(15, rel=0.01)
    assert application.signals["error_ratio"].mean == pytest.approx(0.03, rel=0.01)
    assert observed["app1"].signals["error_ratio"].peak == 0
    assert application.latency is not None
    assert application.latency.p50 == pytest.approx(0.2)
    assert application.latency.requests == pytest.approx(54_000, rel=0.01)
    assert sum(route.requests for route in application.routes) == pytest.approx(54_000, rel=0.01)
    assert application.pattern is not None
    assert application.pattern.times == tuple(window.start + 300 * step for step in range(1, 13))
    assert application.pattern.values == pytest.approx([15] * 12, rel=0.1)


def test_observe_runs(source: Source) -> None:
    """Runs apart from each other are each summed over their own minutes."""
    windows = {"app0": Window(END - 3000, END - 2400), "app1": Window(END - 1200, END - 600)}
    choose = partial(run.choose, settings=TestRunSettings(min_duration=Duration(300)), explicit=windows)
    observed = source.observe_runs(HOUR, 1.0, choose).applications
    for index, (name, window) in enumerate(windows.items()):
        application = observed[name]
        assert application.minutes is not None
        assert application.minutes.times == tuple(window.start + 60 * m for m in range(1, 11))
        expected = (index + 1) * 15 * 600
        assert application.latency is not None
        assert application.latency.requests == pytest.approx(expected, rel=0.02)
        assert sum(route.requests for route in application.routes) == pytest.approx(expected, rel=0.02)


def test_native_is_not_missed(source: Source) -> None:
    """A preset's query for native histograms fails without a warning on a server that does not support them."""
    assert source.observe(HOUR).warnings == ()


def test_native_asked_for(source: Source) -> None:
    """If the configuration has a template for native histograms, a server without support causes a warning."""
    url = source._options.url
    native = {"latency_native": "sum by ($application) (rate(http_request_duration_seconds_sum{$selector}[$range]))"}
    observation = Source(Options(url=url, preset="prometheus", signals=dict(native)), "production").observe(HOUR)
    assert "refused a query" in observation.warnings[0]
    assert "histogram_count" in observation.warnings[0]
    assert observation.applications["app0"].latency is not None


@pytest.mark.parametrize("role", ["production", "pte"])
def test_checkup(source: Source, role: str) -> None:
    """A check-up of a server that reports neither version nor flags has warnings, and no failure."""
    ten_minutes = Window(END - 600, END)
    pattern = ten_minutes if role == "production" else None
    context = CheckContext(role, role, END + 20, ten_minutes, pattern, 60.0, 1.0, ("app0", "app1"))
    verdicts = {(step.check, step.subject): step.verdict for step in checked(checks(source._options, context))}
    assert {step_key for step_key, verdict in verdicts.items() if verdict != "ok"} == {
        ("build", ""),
        ("flags", "retention"),
    }
    assert {verdicts["build", ""], verdicts["flags", "retention"]} == {"warning"}


MANY = 200
MANY_OPTIONS = {"application": "job", "route": "job", "method": "job"}
MANY_SIGNALS: dict[str, str | None] = {
    "request_rate": "many{$selector}",
    "route_requests": "sum by ($application) (sum_over_time(many{$selector}[$range])) * 60",
}


@pytest.fixture(scope="module")
def many(source: Source) -> Source:
    """The source of many applications, all with one value a minute for two hours."""
    url = source._options.url
    names = [f"application-{number:03d}" for number in range(MANY)]
    times = range(int(END - 7200), int(END) + 1, 60)
    text = "\n".join(
        f'many{{job="{name}"}} {number + 2} {time}000' for number, name in enumerate(names) for time in times
    )
    requests.post(f"{url}/api/v1/import/prometheus", data=text, timeout=60).raise_for_status()
    requests.get(f"{url}/internal/force_flush", timeout=60).raise_for_status()
    return Source(Options(url=url, preset="custom", labels=MANY_OPTIONS, signals=MANY_SIGNALS), "pte")


def windows(different: int) -> dict[str, Window]:
    """A window for each of many applications, so many of them different, beginning a minute after each other."""
    starts = [END - 7200 + 30 * 60 + 60 * (number % different % 60) for number in range(MANY)]
    ends = [END - 60 * (number % different // 60) for number in range(MANY)]
    return {f"application-{i:03d}": Window(start, end) for i, (start, end) in enumerate(zip(starts, ends, strict=True))}


@pytest.mark.parametrize("different", [1, 25])
def test_many_runs(many: Source, different: int) -> None:
    """Runs of 200 applications that share 25 windows stay below the server's longest query, and each is its own."""
    chosen = windows(different)
    assert len(set(chosen.values())) == different
    observed = many.observe_runs(
        HOUR, 1e6, partial(run.choose, settings=TestRunSettings(), explicit=chosen)
    ).applications
    assert observed.keys() == chosen.keys()
    for number, (name, window) in enumerate(sorted(chosen.items())):
        assert observed[name].signals["request_rate"].samples == window.duration / 60
        [route] = observed[name].routes
        assert route.requests == pytest.approx((number + 2) * window.duration, rel=1e-6)


def test_too_many_different_runs(many: Source) -> None:
    """If the query is still too long, the error names the server's flag and stays readable."""
    choose = partial(run.choose, settings=TestRunSettings(), explicit=windows(MANY))
    with pytest.raises(SourceError, match=r"-search\.maxQueryLen") as caught:
        many.observe_runs(HOUR, 1e6, choose)
    assert caught.value.reason == "bad_query"
    assert len(str(caught.value)) < 2500
