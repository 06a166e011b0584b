"""Samples processes every 100 ms on a thread of its own, and keeps what a scrape between two samples would lose.

What is dear is done as often as it may cost: finding new children means listing all processes, counting sockets means
reading every descriptor. Each gets at most SHARE of a core, and each sample if that is enough.
"""

from __future__ import annotations

import bisect
import contextlib
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from exporter.catalogue.live import CORE_BUCKETS
from exporter.commands.run import processes
from exporter.commands.run.processes import Tree
from exporter.model.loadrun import Usage

PERIOD = 0.1
"""Seconds between two samples."""

SHARE = 0.004
"""Of a core: what listing processes may cost, and the same again for counting sockets."""


@dataclass(slots=True)
class Watched:
    """What one process and its children used so far."""

    alive: bool = True
    samples: int = 0
    cpu_seconds: float = 0.0
    cores_last: float = 0.0
    cores_max: float = 0.0
    cores_sum: float = 0.0
    cores: list[int] = field(default_factory=lambda: [0] * (len(CORE_BUCKETS) + 1))
    """Samples by CORE_BUCKETS, each in the first that it fits in; the last: above all of them."""
    memory: int = 0
    """Bytes."""
    memory_max: int = 0
    sockets: int | None = None
    sockets_max: int | None = None
    seconds: float = 0.0
    """How long it was looked at."""

    def usage(self) -> Usage | None:
        """For the result; None where nothing was sampled, as it was gone before anyone looked."""
        if not self.samples or not self.memory_max or self.seconds <= 0:
            return None
        mean = self.cpu_seconds / self.seconds
        return Usage(self.samples, mean, max(mean, self.cores_max), self.memory_max, self.sockets_max)

    def add(self, cores: float, seconds: float) -> None:
        """A sample that took so many seconds."""
        self.samples += 1
        self.seconds += seconds
        self.cpu_seconds += cores * seconds
        self.cores_sum += cores
        self.cores_last = cores
        self.cores_max = max(self.cores_max, cores)
        self.cores[bisect.bisect_left(CORE_BUCKETS, cores)] += 1


class _Paced:
    """How often something may be done for what it costs, at most with every sample."""

    def __init__(self) -> None:
        self._next = 0.0
        self._cost: float | None = None
        """Of the last times, the latest counting most: one that took ten times as long stops nothing."""

    def due(self, now: float) -> bool:
        return now >= self._next

    @contextlib.contextmanager
    def measured(self, now: float) -> Iterator[None]:
        """The next time it is due depends on the CPU time that the block took."""
        before = time.thread_time()
        yield
        cost = time.thread_time() - before
        self._cost = cost if self._cost is None else self._cost + (cost - self._cost) / 5
        self._next = now + max(PERIOD / 2, self._cost / SHARE)


class _Followed:
    """A tree and what is known of it."""

    def __init__(self, tree: Tree) -> None:
        self.tree, self.watched = tree, Watched()
        self.at = self._listed = time.monotonic()
        self.used = tree.look()
        self.watched.memory = self.watched.memory_max = tree.memory
        self._unseen = 0.0

    def look(self, now: float, *, listed: bool) -> None:
        """One sample; `listed`: new children were just looked for, so that those that ended are too."""
        if not self.watched.alive or now <= self.at:
            return
        cores = 0.0
        if not listed:
            used = self.tree.look()
        else:
            used, unseen = self.tree.look_at_children()
            # That was at any time since the last look, so that a lump of it is no peak.
            lump = max(0.0, unseen - self._unseen)
            self.watched.cpu_seconds += lump * (1 - (now - self.at) / (now - self._listed))
            cores = lump / (now - self._listed)
            self._unseen, self._listed = max(unseen, self._unseen), now
        self.watched.add(cores + max(0.0, used - self.used) / (now - self.at), now - self.at)
        self.used, self.at = max(used, self.used), now
        self.watched.alive = self.tree.alive
        self.watched.memory = self.tree.memory
        self.watched.memory_max = max(self.watched.memory_max, self.watched.memory)

    def settle(self) -> None:
        """At the end: what was used since the last look, no sample any more."""
        used, unseen = self.tree.look_at_children()
        self.watched.cpu_seconds += max(0.0, used - self.used) + max(0.0, unseen - self._unseen)

    def count_sockets(self) -> None:
        if self.watched.alive:
            found = self.watched.sockets = self.tree.sockets()
            if found is not None:
                self.watched.sockets_max = max(found, self.watched.sockets_max or 0)


class Sampler:
    """Looks at trees by name until it is ended. Reading is safe from any thread."""

    def __init__(self) -> None:
        self._followed: dict[str, _Followed] = {}
        self._missed = 0
        self._known: set[int] = set()
        self._lock, self._end = threading.Lock(), threading.Event()
        self._listing, self._counting = _Paced(), _Paced()
        self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)

    def watch(self, name: str, tree: Tree) -> None:
        """Before `start`, or while it goes: the first sample tells what was used from now on."""
        with self._lock:
            self._followed[name] = _Followed(tree)

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        """A last sample, and no more."""
        self._end.set()
        self._thread.join()
        self.sample()
        with self._lock:
            for one in self._followed.values():
                one.settle()
                one.tree.close()

    @property
    def missed(self) -> int:
        """Samples that were not taken, as the one before took too long or the machine had no time."""
        return self._missed

    def watched(self) -> Mapping[str, Watched]:
        """What is known of each now: copies."""
        with self._lock:
            return {name: _copied(one.watched) for name, one in self._followed.items()}

    def sample(self) -> None:
        """Look at all now."""
        with self._lock:
            now = time.monotonic()
            if self._listing.due(now):
                with self._listing.measured(now):
                    self._list()
                    self._look(now, listed=True)
            else:
                self._look(now, listed=False)
            if self._counting.due(now):
                with self._counting.measured(now):
                    self._count()

    def _run(self) -> None:
        due = time.monotonic() + PERIOD
        while not self._end.wait(max(0.0, due - time.monotonic())):
            self.sample()
            due += PERIOD
            late = int((time.monotonic() - due) // PERIOD)
            if late > 0:  # skipped, not caught up with
                self._missed += late
                due += late * PERIOD

    def _list(self) -> None:
        """Each process is asked once who its parent is: that changes only when the parent ends."""
        try:
            there = processes.running()
        except OSError:  # no descriptor left for it: those that are known are looked at all the same
            return
        new = processes.statuses(there - self._known)
        self._known = there
        for one in self._followed.values():
            one.tree.join(new)

    def _look(self, now: float, *, listed: bool) -> None:
        for one in self._followed.values():
            one.look(now, listed=listed)

    def _count(self) -> None:
        for one in self._followed.values():
            one.count_sockets()


def _copied(watched: Watched) -> Watched:
    return replace(watched, cores=list(watched.cores))
