"""Polls each source on its schedule, in a bounded pool of threads.

One thread watches the clock, a few workers poll. They are daemons: a poll in flight never keeps the process from
ending. The threads outlive a change of the sources, so that there are as many of them after it as before.
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
    """What is to be done about a source, in one of the poller's threads."""

    def poll(self, name: str) -> SourceError | None:
        """Poll it and deal with what comes; gives the failure, if it was one."""

    def skipped(self, name: str, slots: int) -> None:
        """So many slots passed while the poll that just ended was in flight."""

    def expired(self, name: str) -> None:
        """Its last success has grown older than max_age."""


_Queue = queue.SimpleQueue[Callable[[], None]]


class Poller:
    """Does what `handler` says for every source, from `start` until `stop`."""

    def __init__(
        self, timings: Mapping[str, Timing], handler: PollHandler, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._handler = handler
        self._clock = clock
        self._schedule = Schedule(timings, clock())
        """Belongs to the lock of the condition `_changed`."""
        self._changed = threading.Condition()
        self._stopped = False

        # Expiry has a worker of its own: it matters most while every other one hangs in a poll.
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
        """Go on with other sources, as Schedule.change says; `take` puts them in place while no poll begins or ends."""
        with self._changed:
            take()
            self._schedule.change(timings, self._clock(), same)
            self._changed.notify_all()

    def stop(self) -> None:
        """No poll starts after this; those in flight are not waited for."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

        # Workers that wait for work have to be woken up to see it; more calls than there are workers do no harm.
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

                # The wait gives the lock back. A poll that ends and a change of the sources end it, since either may
                # make something due earlier; without anything to come it lasts until then.
                due = self._schedule.next()
                wait = None if due is None else max(0.0, due - self._clock())
                self._changed.wait(wait)

    def _work(self, calls: _Queue) -> None:
        while not self._stopped:
            call = calls.get()
            try:
                call()
            except Exception:
                # A fault of ours about one source must not end the polling of all of them.
                logger.exception("a fault of the exporter; polling goes on")

    def _poll(self, name: str) -> None:
        # What it stays where `poll` raises what nobody foresaw: without it the source would never be due again.
        error: SourceError | None = SourceError("internal", "a fault of the exporter")
        try:
            error = self._handler.poll(name)
        finally:
            with self._changed:
                skipped = self._schedule.finish(name, self._clock(), error)
                self._changed.notify_all()
            if skipped:
                self._handler.skipped(name, skipped)
