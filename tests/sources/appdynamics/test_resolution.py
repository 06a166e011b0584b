"""Minutes that the controller has thrown away: coarser data is marked as such, and never poses as minutes."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from exporter.model.observation import LATENCY_MEAN, MINUTE, Window
from exporter.sources import demo
from tests.polling_controller import DAY, SETTLED, Estate, choose, estate
from tests.seed import END, SEED

HOUR = 3600.0
ON_PREMISES = (4 * HOUR, 48 * HOUR)
"""Minutes for four hours, ten minutes for two days: a controller's default retention."""

SHOP = demo.Source(demo.Options(SEED), "side")


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Estate]:
    with estate(tmp_path, retention=ON_PREMISES) as estate_fixture:
        yield estate_fixture


def test_a_day_of_ten_minutes(there: Estate) -> None:
    """All signals say that they rest on ten minutes; their peaks are those of means, and means are right."""
    observation = there.poll(there.source("shop"))
    application, right = observation.applications["shop"], SHOP.observe(observation.window).applications["shop"]
    assert {summary.resolution for summary in application.signals.values()} == {600.0}
    assert all(summary.samples == 144 for summary in application.signals.values())
    for signal, summary in application.signals.items():
        minutes = right.signals[signal]
        assert summary.mean == pytest.approx(minutes.mean, rel=0.01)
        assert (summary.peak or 0.0) < (minutes.peak or 0.0)
        assert (summary.noise, summary.autocorrelation, summary.quantiles) == (None, None, {})
    for signal in ("request_rate", "error_ratio", "cpu", "memory"):
        assert application.signals[signal].mean == pytest.approx(right.signals[signal].mean), (
            "of sums, or of equal steps"
        )
    assert application.latency is not None
    assert right.latency is not None
    assert application.latency.requests == pytest.approx(right.latency.requests)
    assert application.latency.mean == pytest.approx(right.latency.mean)
    assert application.pattern is None
    [warning] = observation.warnings
    assert "only means of 10 minutes for" in warning
    assert "request_rate" in warning
    assert "of shop: their peaks are peaks of these means" in warning


def test_what_is_lost_to_the_controller_is_kept(there: Estate) -> None:
    """A source that was there in time has minutes of a whole day, however little the controller keeps."""
    source = there.source("search")
    assert there.poll(source).applications["search"].signals["request_rate"].resolution == 600.0
    for _ in range(6):
        there.poll(source, after=3 * HOUR)
    assert there.poll(source, after=0.0).applications["search"].signals["request_rate"].resolution == 600.0
    later = there.poll(source, after=3 * HOUR).applications["search"]
    right = SHOP.observe(later.window).applications["search"]
    for signal in (*later.signals,):
        assert later.signals[signal].resolution == MINUTE
        assert later.signals[signal].peak == pytest.approx(right.signals[signal].peak)
    assert later.pattern is None, "of the week before there are still no minutes"


def test_recent_minutes_are_looked_for(there: Estate) -> None:
    """Where a day comes in ten minutes, shorter windows are tried until there are minutes, and that once."""
    source = there.source("search")
    first = there.poll(source, pattern=False)
    assert first.queries == 1 + 11 + 5 * 4, "18, 12 and 8 hours in vain, then 4, for each series of minutes"
    assert there.poll(source, after=300.0, pattern=False).queries == 1 + 11
    hour = Window(there.end - HOUR, there.end)
    right = SHOP.observe(hour).applications["search"].signals["request_rate"]
    actual = source.observe(hour).applications["search"].signals["request_rate"]
    assert (actual.resolution, actual.samples) == (MINUTE, 60)
    assert actual.peak == pytest.approx(right.peak)


def test_hours_are_marked_too(tmp_path: Path) -> None:
    """Beyond ten minutes' retention there are hours, and the figures say so."""
    with estate(tmp_path, retention=(HOUR, 2 * HOUR)) as there:
        observation = there.poll(there.source("search"))
    application, right = observation.applications["search"], SHOP.observe(observation.window).applications["search"]
    assert {summary.resolution for summary in application.signals.values()} == {3600.0}
    assert application.signals["request_rate"].samples == 24
    assert application.signals["request_rate"].mean == pytest.approx(right.signals["request_rate"].mean)
    assert "means of 60 minutes" in observation.warnings[0]


def test_days_long_ago(tmp_path: Path) -> None:
    """A SaaS controller keeps minutes for eight days, then hours: production before an old run rests on hours."""
    with estate(tmp_path, retention=(8 * DAY, 8 * DAY)) as there:
        source = there.source("shop")
        assert there.poll(source).applications["shop"].pattern is not None
        midnight = END - 12 * HOUR - 10 * DAY
        before = source.observe(Window(midnight - DAY, midnight), Window(midnight - 7 * DAY, midnight))
    application, right = before.applications["shop"], SHOP.observe(before.window).applications["shop"]
    assert {summary.resolution for summary in application.signals.values()} == {3600.0}
    assert application.signals["request_rate"].mean == pytest.approx(right.signals["request_rate"].mean)
    assert application.signals[LATENCY_MEAN].samples == 24
    assert application.pattern is None


@pytest.mark.parametrize("minutes", [1440, 1450, 1459, 1460])
def test_a_run_of_a_day_and_some_minutes(tmp_path: Path, minutes: int) -> None:
    """Requests are for whole steps of ten minutes, and short enough for minutes."""
    start = END - 3 * DAY + 5 * MINUTE
    with estate(tmp_path) as there:
        observation = there.runs(there.source("shop"), days=5, shop=Window(start, start + minutes * MINUTE))
    signals = observation.applications["shop"].signals
    assert {(summary.resolution, summary.samples) for summary in signals.values()} == {(MINUTE, minutes)}


def test_a_run_without_minutes_is_not_found(there: Estate) -> None:
    """Activity without minutes gives a warning instead of a run; an explicit window is observed."""
    right = SHOP.observe_runs(Window(END - 2 * DAY, END), 1.0, _choose_run).applications["archive"]
    source = there.source("archive", suffix="-pte")
    observation = there.runs(source, days=2)
    assert observation.applications == {}
    assert any("no minutes of the latest activity of archive" in warning for warning in observation.warnings)
    values = there.runs(source, days=2, archive=right.window).applications["archive"]
    assert values.window == right.window
    assert values.minutes is None
    assert {summary.resolution for summary in values.signals.values()} == {600.0}
    assert values.signals["request_rate"].mean == pytest.approx(right.signals["request_rate"].mean)
    assert (values.signals["request_rate"].peak or 0.0) < (right.signals["request_rate"].peak or 0.0)


def _choose_run(_: object) -> dict[str, Window]:
    return {"archive": Window(1795150800.0, 1795154400.0)}


def test_a_run_half_of_which_has_minutes_is_not_found(there: Estate) -> None:
    """A run that began before the retained minutes is not mistaken for one that began with them."""
    there.clock.now = 1795150800.0 + 4.5 * HOUR
    observation = there.runs(there.source("archive", suffix="-pte"), days=1)
    assert observation.applications == {}
    there.clock.now = 1795150800.0 + 3.5 * HOUR
    observation = there.runs(there.source("archive", suffix="-pte"), days=1)
    assert observation.applications["archive"].window == _choose_run(None)["archive"]


def test_a_run_that_was_seen_stays_as_it_was(there: Estate) -> None:
    """Days later, when the controller has nothing but hours of it, the run still has its minutes."""
    there.clock.now = 1795154400.0 + SETTLED
    source = there.source("archive", suffix="-pte")
    there.runs(source, days=1)
    observation = there.runs(source, days=1, after=HOUR)
    there.controller.forget()
    for _ in range(3):
        later = there.runs(source, days=4, after=3 * HOUR)
    assert later.applications == observation.applications
    assert later.applications["archive"].signals["request_rate"].resolution == MINUTE
    assert not [path for path in there.paths() if "Business Transaction" in path]


def test_old_activity_without_minutes_is_no_news(tmp_path: Path) -> None:
    """Runs of weeks ago with hours only give no warning if there is a later run."""
    with estate(tmp_path, retention=(8 * DAY, 8 * DAY)) as there:
        observation = there.runs(there.source("archive", suffix="-pte"), days=35)
    assert observation.applications["archive"].signals["request_rate"].resolution == MINUTE
    assert observation.warnings == ()


def test_a_run_during_which_nobody_asked_is_not_cut_short(tmp_path: Path) -> None:
    """After hours without polls minutes are requested again; incomplete activity is not a run."""
    start = 1795226400.0
    with estate(tmp_path, retention=(3 * HOUR, 6 * HOUR)) as there:
        there.clock.now = start - 5 * HOUR
        source = there.source("shop", suffix="-pte")
        there.runs(source, days=1)
        there.clock.now = start + HOUR + SETTLED
        assert there.runs(source, days=1).applications["shop"].window == Window(start, start + HOUR)
        there.clock.now = start + 5 * HOUR + SETTLED
        observation = there.runs(source, days=1)
    assert observation.applications == {}
    assert "no minutes of the latest activity of shop" in observation.warnings[0]


def test_events_of_what_has_no_minutes(there: Estate) -> None:
    """Counters catch up with steps of ten minutes too, each counted once."""
    source = there.source("search")
    there.clock.now += 900.0
    edges = [END - DAY, END - DAY / 2, END]
    parts = [source.events("production", {"search": Window(*pair)})["search"] for pair in itertools.pairwise(edges)]
    right = SHOP.events("production", {"search": Window(END - DAY, END)})["search"]
    assert sum(part.requests or 0.0 for part in parts) == pytest.approx(right.requests)
    assert sum(part.errors or 0.0 for part in parts) == pytest.approx(right.errors)


@pytest.mark.parametrize("number", range(3))
def test_whatever_a_controller_keeps(tmp_path: Path, number: int) -> None:
    """With any retention and any pauses: resolutions are true, no peak is too high, no run is cut short."""
    chance = random.Random(number)
    keeps = HOUR * chance.choice([0.5, 1, 3, 6, 9, 25]), HOUR * chance.choice([6, 48, 192])
    with estate(tmp_path, retention=keeps) as there:
        production, pte = there.source("shop", "search"), there.source("shop", "archive", suffix="-pte")
        for _ in range(10):
            observation = there.poll(production, after=chance.choice([300, 900, 3900, 9000, 20100]), pattern=False)
            right = SHOP.observe(observation.window).applications
            for name, application in observation.applications.items():
                for signal, summary in application.signals.items():
                    whole = right[name].signals[signal]
                    within = 0.01 if summary.resolution == MINUTE else 0.06
                    assert summary.mean == pytest.approx(whole.mean, rel=within)
                    assert (summary.peak or 0.0) <= (whole.peak or 0.0) * (1 + 1e-9)
                    assert summary.resolution > MINUTE or (summary.samples or 0) >= 0.985 * 1440
            lookback = Window(there.end - 5 * DAY, there.end)
            runs = SHOP.observe_runs(lookback, 1.0, choose).applications
            for name, application in there.runs(pte, days=5).applications.items():
                assert application.window == runs[name].window or application.window.end < runs[name].window.start
