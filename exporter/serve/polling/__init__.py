"""Polls each source on its schedule, in a bounded pool of threads.

One thread watches the clock, a few workers poll. They are daemons: a poll in flight never keeps the process from
ending. The threads stay when the sources change, so their number stays too.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Container, Mapping
from functools import partial
from typing import Protocol

from exporter.errors import SourceError
from exporter.serve.polling.schedule import Schedule, Timing

logger = logging.getLogger(__name__)

WORKERS = 4
"""Polls in flight at most."""


class PollHandler(Protocol):
    """Handles the events of a source, in one of the poller's threads."""

    def poll(self, name: str) -> SourceError | None:
        """Poll it and process the result; returns the failure, if any."""

    def skipped(self, name: str, slots: int) -> None:
        """So many slots passed during the poll that just ended."""

    def expired(self, name: str) -> None:
        """Its last success is older than max_age."""


_Queue = queue.SimpleQueue[Callable[[], None]]


class Poller:
    """Calls `handler` for every source, from `start` until `stop`."""

    def __init__(
        self, timings: Mapping[str, Timing], handler: PollHandler, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._handler = handler
        self._clock = clock
        self._schedule = Schedule(timings, clock())
        """Belongs to the lock of the condition `_changed`."""
        self._changed = threading.Condition()
        self._stopped = False

        # Expiry has its own worker: it matters most while every other worker hangs in a poll.
        self._polls = _Queue()
        self._expiries = _Queue()
        self._threads = [
            threading.Thread(target=self._watch, name="polling", daemon=True),
            threading.Thread(target=self._work, args=[self._expiries], name="expiry", daemon=True),
        ]
        for _ in range(WORKERS):
            self._threads.append(threading.Thread(target=self._work, args=[self._polls], name="poll", daemon=True))

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def change(self, timings: Mapping[str, Timing], same: Container[str], take: Callable[[], None]) -> None:
        """Change the sources, as in Schedule.change; `take` runs while no poll begins or ends."""
        with self._changed:
            take()
            self._schedule.change(timings, self._clock(), same)
            self._changed.notify_all()

    def stop(self) -> None:
        """No poll starts after this; those in flight are not waited for."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

        # Waiting workers must be woken up to stop; more calls than workers do no harm.
        for _ in self._threads:
            self._polls.put(lambda: None)
            self._expiries.put(lambda: None)

    def join(self) -> None:
        """Wait for the polls in flight, after `stop`."""
        for thread in self._threads:
            thread.join()

    def _watch(self) -> None:
        with self._changed:
            while not self._stopped:
                now = self._clock()
                for name in self._schedule.start(now):
                    self._polls.put(partial(self._poll, name))
                for name in self._schedule.expired(now):
                    self._expiries.put(partial(self._handler.expired, name))

                # The wait releases the lock. The end of a poll or a change of the sources ends it, because either may
                # make a poll due earlier; if nothing is due, it lasts until then.
                due = self._schedule.next()
                wait = None if due is None else max(0.0, due - self._clock())
                self._changed.wait(wait)

    def _work(self, calls: _Queue) -> None:
        while not self._stopped:
            call = calls.get()
            try:
                call()
            except Exception:
                # An internal error about one source must not end the polling of all of them.
                logger.exception("internal error, please report it; polling continues")

    def _poll(self, name: str) -> None:
        # This stays if `poll` raises an unexpected error: without it the source would never be due again.
        error: SourceError | None = SourceError("internal", "internal error")
        try:
            error = self._handler.poll(name)
        finally:
            with self._changed:
                skipped = self._schedule.finish(name, self._clock(), error)
                self._changed.notify_all()
            if skipped:
                self._handler.skipped(name, skipped)
