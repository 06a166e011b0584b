"""When sources are polled, on a clock that the test moves."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.errors import SourceError
from exporter.serve.polling.schedule import LONGEST, LONGEST_ASKED, Schedule, Timing

REFUSED = SourceError("refused", "nobody listens")


def schedule(*names: str, interval: float = 60.0, max_age: float = 600.0, now: float = 1000.0) -> Schedule:
    return Schedule({name: Timing(interval, max_age) for name in names}, now, random.Random(1))


def due(sources: Schedule) -> float:
    at = sources.next()
    assert at is not None
    return at


def run(sources: Schedule, error: SourceError | None, seconds: float = 1.0) -> float:
    """One poll at the time it is due; gives how long after its start the next one is."""
    began = due(sources)
    (name,) = sources.start(began)
    sources.finish(name, began + seconds, error)
    return due(sources) - began


def test_the_first_poll_is_due_at_once() -> None:
    """Every source is polled when the exporter starts."""
    assert sorted(schedule("a", "b").start(1000.0)) == ["a", "b"]


def test_a_source_is_polled_once_at_a_time() -> None:
    """While a poll is in flight no other one starts, however late it gets."""
    sources = schedule("a")
    assert sources.start(1000.0) == ["a"]
    assert sources.start(99999.0) == []
    assert sources.next() is None


def test_slots_lie_on_a_grid() -> None:
    """After the first poll, polls that take different times still start one interval apart."""
    sources = schedule("a", max_age=1e9)
    run(sources, None, 0.5)
    assert [run(sources, None, seconds) for seconds in (0.1, 30.0, 59.0)] == pytest.approx([60.0] * 3)


def test_two_sources_have_different_slots() -> None:
    """The hash of the name keeps sources with one interval apart."""
    sources = schedule("production", "pte")
    for name in sources.start(1000.0):
        sources.finish(name, 1000.1, None)
    first = due(sources)
    sources.start(first)
    assert due(sources) - first > 1.0


@pytest.mark.parametrize(("seconds", "skipped"), [(1.0, 0), (59.0, 0), (61.0, 1), (150.0, 2), (600.0, 10)])
def test_missed_slots_are_skipped_and_counted(seconds: float, skipped: int) -> None:
    """A poll that overruns its slots is followed by one poll in the next slot, not by a burst."""
    sources = schedule("a", max_age=1e9)
    run(sources, None)
    began = due(sources)
    sources.start(began)
    assert sources.finish("a", began + seconds, None) == skipped
    assert due(sources) - began == pytest.approx(60.0 * (skipped + 1))


def test_the_breaker_opens_after_three_failures_and_closes_with_success() -> None:
    """Two failures change nothing, the third spaces polls out more and more, and a success ends that."""
    sources = schedule("a")
    run(sources, REFUSED)
    assert run(sources, REFUSED) == pytest.approx(60.0)
    pauses = [run(sources, REFUSED) for _ in range(6)]
    assert 108 <= pauses[0] <= 133
    assert pauses[0] < pauses[1] < pauses[2] < pauses[3]
    assert max(pauses) <= LONGEST * 1.1 + 1
    run(sources, None)
    assert run(sources, None) == pytest.approx(60.0)


def test_an_authentication_error_opens_the_breaker_at_once() -> None:
    """One `auth` is enough, as more attempts may lock the account."""
    assert run(schedule("a"), SourceError("auth", "401")) >= 108


def test_retry_after_is_honoured_within_reason() -> None:
    """The server's wish is followed, up to an hour."""
    assert run(schedule("a"), SourceError("rate_limited", "429", retry_after=300.0)) >= 300.0
    assert run(schedule("a"), SourceError("rate_limited", "429", retry_after=1e9)) <= LONGEST_ASKED + 62


def test_the_jitter_differs_between_exporters() -> None:
    """Two exporters do not come back at the same moment."""
    pauses = set()
    for seed in range(5):
        sources = Schedule({"a": Timing(60.0, 600.0)}, 0.0, random.Random(seed))
        pauses.add(run(sources, SourceError("auth", "401")))
    assert len(pauses) == 5


def test_a_long_interval_is_never_shortened_by_the_breaker() -> None:
    """A source that is polled rarely is not polled more often because it fails."""
    sources = schedule("a", interval=7200.0)
    assert run(sources, SourceError("auth", "401")) >= 6000.0


def test_the_last_success_expires() -> None:
    """Expiry is due max_age after the start of the last poll that succeeded, once, and failures do not move it."""
    sources = schedule("a", interval=300.0, max_age=400.0)
    sources.start(1000.0)
    sources.finish("a", 1010.0, None)
    began = due(sources)
    sources.start(began)
    sources.finish("a", began + 1, REFUSED)
    assert sources.expired(1399.0) == []
    assert sources.expired(1401.0) == ["a"]
    assert sources.expired(1402.0) == []


def test_a_success_postpones_expiry() -> None:
    """While polls succeed nothing expires."""
    sources = schedule("a", interval=60.0, max_age=100.0)
    for _ in range(5):
        began = due(sources)
        assert sources.expired(began) == []
        sources.start(began)
        sources.finish("a", began + 1, None)


@given(
    interval=st.floats(1, 86400),
    now=st.floats(0, 1e7),
    seconds=st.lists(st.floats(0, 1e5), min_size=1, max_size=10),
    failing=st.booleans(),
)
def test_the_next_poll_is_always_ahead(interval: float, now: float, seconds: list[float], failing: bool) -> None:
    """Whatever the clock and the durations, the next poll lies after the end of the last one."""
    sources = Schedule({"a": Timing(interval, 1e12)}, now)
    for taken in seconds:
        began = due(sources)
        sources.start(began)
        skipped = sources.finish("a", began + taken, REFUSED if failing else None)
        assert skipped >= 0
        assert due(sources) > began + taken - 1e-6


def test_a_kept_source_goes_on_where_it_was() -> None:
    """After a change breaker, slot and expiry of a kept source are as before; the others are due at once."""
    sources = schedule("kept", "other", max_age=400.0)
    for name in sources.start(1000.0):
        sources.finish(name, 1001.0, None)
    until = due(sources)
    for name in sources.start(until + 60.0):
        sources.finish(name, until + 61.0, SourceError("auth", "401"))
    held = due(sources)
    sources.change({name: Timing(60.0, 400.0) for name in ("kept", "other", "new")}, 1200.0, ["kept"])
    assert sorted(sources.start(1200.0)) == ["new", "other"]
    assert sources.start(held - 1.0) == []
    assert sources.expired(1401.0) == ["kept"]


@pytest.mark.parametrize("same", [["a"], []])
def test_a_change_starts_no_second_poll_of_a_name(same: list[str]) -> None:
    """What is in flight over a change, or two, is waited for, counts for nothing, and is followed by a poll at once."""
    sources = schedule("a")
    sources.start(1000.0)
    sources.change({}, 1010.0)
    sources.change({"a": Timing(60.0, 600.0)}, 1020.0, same)
    assert sources.start(1030.0) == []
    assert sources.finish("a", 2000.0, SourceError("auth", "401")) == 0
    assert sources.start(2000.0) == ["a"]
    assert sources.expired(99999.0) == []


def test_the_end_of_a_poll_of_a_source_that_is_gone_is_nothing() -> None:
    """A poll that outlives its source brings it back neither now nor later."""
    sources = schedule("a")
    sources.start(1000.0)
    sources.change({}, 1010.0)
    assert sources.finish("a", 1020.0, None) == 0
    assert sources.next() is None
