"""Windows of time, and cached minutes: no duplicates, no losses, the finer ones stay."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.analysis.activity import OVERLAP
from exporter.model.observation import Window
from exporter.sources.appdynamics import spans
from exporter.sources.appdynamics.minute_cache import MinuteCache
from exporter.sources.appdynamics.minutes import MetricMinutes, merge, resample, resolution, spread

KEY = ("shop", "calls")
WINDOWS = st.tuples(st.integers(0, 50), st.integers(0, 50)).map(lambda pair: Window(60.0 * pair[0], 60.0 * pair[1]))


def covered(windows: list[Window]) -> set[float]:
    """The minutes inside, by their ends."""
    return {float(end) for window in windows for end in np.arange(window.start + 60.0, window.end + 1.0, 60.0)}


@given(window=WINDOWS, gathered=st.lists(WINDOWS))
def test_missing_is_what_is_not_known(window: Window, gathered: list[Window]) -> None:
    """Each minute of the window is missing or known, never both; gaps are ascending and apart."""
    result = spans.gaps(window, gathered)
    assert covered(result) == covered([window]) - covered(gathered)
    assert all(item.end < other.start for item, other in itertools.pairwise(result))
    assert covered(spans.merge(gathered)) == covered(gathered)


@given(minutes=st.integers(1, 20000))
def test_pieces_are_short_enough_for_minutes(minutes: int) -> None:
    """A window is one piece if it may be, else days, the newest first; together they are the window."""
    window = Window(0.0, 60.0 * minutes)
    pieces = list(spans.split(window))
    assert (len(pieces) == 1) == (minutes <= 1440)
    assert all(0 < piece.duration <= spans.FINE for piece in pieces)
    assert [pieces[0].end, pieces[-1].start] == [window.end, window.start]
    assert all(newer.start == older.end for newer, older in itertools.pairwise(pieces))


def test_a_step_is_its_minutes() -> None:
    """Ten minutes at once are ten of them with its value, marked; of a minute that is there twice the finer stays."""
    coarse = spread(np.array([1200.0]), np.array([5.0]), 600.0)
    assert coarse.times.tolist() == [660.0 + 60.0 * number for number in range(10)]
    assert set(coarse.values) == {5.0}
    fine = spread(np.array([1140.0, 1200.0]), np.array([7.0, 9.0]), 60.0)
    for both in (merge([coarse, fine]), merge([fine, coarse])):
        assert both.times.tolist() == coarse.times.tolist()
        assert both.values.tolist() == [5.0] * 8 + [7.0, 9.0]
        assert resolution(both) == 600.0
        assert resample(both, 600.0, Window(600.0, 1200.0)).values.tolist() == [pytest.approx(5.6)]
        assert resample(both, 600.0, Window(660.0, 1200.0)).values.size == 0, "half a step is none"
        assert resample(both, 60.0, Window(600.0, 1200.0)).times.tolist() == [1140.0, 1200.0]


def test_a_few_coarse_minutes_are_left_out() -> None:
    """One percent of coarse minutes does not make a day coarse."""
    steps = np.full(1000, 60.0)
    steps[:10] = 600.0
    assert resolution(MetricMinutes(np.arange(1000.0), np.zeros(1000), steps)) == 60.0
    steps[:11] = 600.0
    assert resolution(MetricMinutes(np.arange(1000.0), np.zeros(1000), steps)) == 600.0


def minutes(window: Window, value: float) -> MetricMinutes:
    times = np.arange(window.start + 60.0, window.end + 1.0, 60.0)
    return spread(times, np.full(times.size, value), 60.0)


def test_only_what_is_new_is_asked_for() -> None:
    """The next poll requests new minutes and half an hour before them, which replaces the cached ones."""
    cache, day = MinuteCache(), Window(0.0, 86400.0)
    cache.begin(day.end)
    assert cache.gaps(KEY, day) == [day]
    assert cache.minutes(KEY, day) is None
    cache.put(KEY, day, minutes(day, 1.0))
    assert cache.gaps(KEY, day) == []
    later = Window(300.0, 86700.0)
    cache.begin(later.end)
    [tail] = cache.gaps(KEY, later)
    assert tail == Window(86400.0 - OVERLAP, 86700.0)
    assert cache.minutes(KEY, later) is None, "not before its end is known"
    cache.put(KEY, tail, minutes(tail, 2.0))
    result = cache.minutes(KEY, later)
    assert result is not None
    assert result.times.size == 1440
    assert [result.values[0], result.values[-36], result.values[-35]] == [1.0, 1.0, 2.0]


def test_a_poll_that_failed_makes_nothing_sure() -> None:
    """Data that a poll could not request stays missing over later polls."""
    cache = MinuteCache()
    cache.begin(1000.0 * 60)
    cache.put(KEY, Window(0.0, 30000.0), minutes(Window(0.0, 30000.0), 1.0))
    for end in (60300.0, 60600.0):
        cache.begin(end)
        assert cache.gaps(KEY, Window(0.0, end)) == [Window(30000.0, end)]


def test_what_is_forgotten_is_asked_for_again() -> None:
    """Data before the time of a metric is dropped."""
    cache, day = MinuteCache(), Window(0.0, 86400.0)
    cache.put(KEY, day, minutes(day, 1.0))
    cache.forget(lambda key: 3600.0 if key == KEY else 0.0)
    assert cache.gaps(KEY, day) == [Window(0.0, 3600.0)]
    assert cache.peek(KEY, day).times[0] == 3660.0


def test_nothing_is_known_as_well() -> None:
    """A window without data is not asked for again, and has no minutes."""
    cache, hour = MinuteCache(), Window(0.0, 3600.0)
    cache.put(KEY, hour, minutes(Window(0.0, 0.0), 0.0))
    result = cache.minutes(KEY, hour)
    assert result is not None
    assert result.times.size == 0
