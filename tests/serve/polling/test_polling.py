"""The threads that poll: bounded, one poll a source, never ended by a fault."""

from __future__ import annotations

import logging
import threading
from collections import Counter

import pytest

from exporter.errors import SourceError
from exporter.serve.polling import WORKERS, Poller
from exporter.serve.polling.schedule import Timing
from tests.running import PATIENCE


class Polled:
    """Counts what it is asked for, and holds every poll until it is let go."""

    def __init__(self, *, held: bool = False, fault: bool = False) -> None:
        self.fault = fault
        self.polls: Counter[str] = Counter()
        self.in_flight: Counter[str] = Counter()
        self.most = 0
        self.gone = threading.Event()
        self.changed = threading.Condition()
        self.skips: Counter[str] = Counter()
        self.expiries: Counter[str] = Counter()
        if not held:
            self.gone.set()

    def poll(self, name: str) -> SourceError | None:
        with self.changed:
            self.in_flight[name] += 1
            self.most = max(self.most, self.in_flight.total())
            assert self.in_flight[name] == 1
            self.changed.notify_all()
        self.gone.wait(PATIENCE)
        with self.changed:
            self.in_flight[name] -= 1
            self.polls[name] += 1
            self.changed.notify_all()
        if self.fault:
            raise RuntimeError("a fault")
        return None

    def skipped(self, name: str, slots: int) -> None:
        with self.changed:
            self.skips[name] += slots
            self.changed.notify_all()

    def expired(self, name: str) -> None:
        with self.changed:
            self.expiries[name] += 1
            self.changed.notify_all()


def test_every_source_is_polled_again_and_again() -> None:
    """Polls follow one another at the interval."""
    polled = Polled()
    poller = Poller({"a": Timing(0.05, 60.0), "b": Timing(0.05, 60.0)}, polled)
    poller.start()
    with polled.changed:
        assert polled.changed.wait_for(lambda: min(polled.polls["a"], polled.polls["b"]) >= 3, PATIENCE)
    poller.stop()
    poller.join()


def test_the_pool_is_bounded_and_missed_slots_are_told() -> None:
    """However many sources hang, only so many polls are in flight, and each overrun is counted."""
    polled = Polled(held=True)
    poller = Poller({f"s{n}": Timing(0.05, 60.0) for n in range(3 * WORKERS)}, polled)
    poller.start()
    with polled.changed:
        assert polled.changed.wait_for(lambda: polled.in_flight.total() == WORKERS, PATIENCE)
        polled.changed.wait(0.2)
        assert polled.most == WORKERS
    polled.gone.set()
    with polled.changed:
        assert polled.changed.wait_for(lambda: len(polled.polls) == 3 * WORKERS and polled.skips, PATIENCE)
        assert polled.most == WORKERS
    poller.stop()
    poller.join()


def test_a_fault_in_a_poll_does_not_end_polling(caplog: pytest.LogCaptureFixture) -> None:
    """An unexpected exception is logged, and the source is polled again."""
    polled = Polled(fault=True)
    poller = Poller({"a": Timing(0.05, 60.0)}, polled)
    with caplog.at_level(logging.CRITICAL):
        poller.start()
        with polled.changed:
            assert polled.changed.wait_for(lambda: polled.polls["a"] >= 2, PATIENCE)
        poller.stop()
        poller.join()


def test_what_has_grown_too_old_is_told() -> None:
    """A source that hangs after a success has its expiry reported while the poll is still in flight."""
    polled = Polled()
    poller = Poller({"a": Timing(0.3, 0.4)}, polled)
    poller.start()
    with polled.changed:
        assert polled.changed.wait_for(lambda: polled.polls["a"] >= 1, PATIENCE)
        polled.gone.clear()
        assert polled.changed.wait_for(lambda: polled.expiries["a"] >= 1, PATIENCE)
    polled.gone.set()
    poller.stop()
    poller.join()


def test_stopping_waits_for_nothing() -> None:
    """Stop returns at once while a poll hangs, and no poll starts after it."""
    polled = Polled(held=True)
    poller = Poller({"a": Timing(0.05, 60.0)}, polled)
    poller.start()
    with polled.changed:
        assert polled.changed.wait_for(lambda: polled.in_flight.total() == 1, PATIENCE)
    poller.stop()
    assert polled.polls.total() == 0
    polled.gone.set()
    poller.join()
    assert polled.polls.total() == 1
