"""Samples processes every 100 ms on its own thread, and keeps the peaks that scrapes would miss.

Expensive steps run only as often as the overhead budget allows: to find new children it lists all processes, to count
sockets it reads every descriptor. Each step gets at most SHARE of a core, and runs with each sample if that is enough.
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
"""Share of a core that listing processes may cost; the same again for counting sockets."""


@dataclass(slots=True)
class Totals:
    """The usage of one process and its children so far."""

    alive: bool = True
    samples: int = 0
    cpu_seconds: float = 0.0
    cores_last: float = 0.0
    cores_max: float = 0.0
    cores_sum: float = 0.0
    cores: list[int] = field(default_factory=lambda: [0] * (len(CORE_BUCKETS) + 1))
    """Samples by CORE_BUCKETS, each in the first bucket that fits; the last: above all of them."""
    memory: int = 0
    """Bytes."""
    memory_max: int = 0
    sockets: int | None = None
    sockets_max: int | None = None
    seconds: float = 0.0
    """How long it was sampled."""

    def usage(self) -> Usage | None:
        """For the result; None without a sample, if the process ended too early."""
        if not self.samples or not self.memory_max or self.seconds <= 0:
            return None
        mean = self.cpu_seconds / self.seconds
        return Usage(self.samples, mean, max(mean, self.cores_max), self.memory_max, self.sockets_max)

    def add(self, cores: float, seconds: float) -> None:
        """Add a sample that covers so many seconds."""
        self.samples += 1
        self.seconds += seconds
        self.cpu_seconds += cores * seconds
        self.cores_sum += cores
        self.cores_last = cores
        self.cores_max = max(self.cores_max, cores)
        self.cores[bisect.bisect_left(CORE_BUCKETS, cores)] += 1

    def copy(self) -> Totals:
        return replace(self, cores=list(self.cores))


class _Pace:
    """How often an expensive step may run, at most with every sample."""

    def __init__(self) -> None:
        self._next = 0.0
        self._cost: float | None = None
        """A moving average of the cost, so one slow run does not stop the step."""

    def due(self, now: float) -> bool:
        return now >= self._next

    @contextlib.contextmanager
    def measure(self, now: float) -> Iterator[None]:
        """The next time it is due depends on the CPU time that the block took."""
        before = time.thread_time()
        yield
        cost = time.thread_time() - before

        if self._cost is None:
            self._cost = cost
        else:
            self._cost += (cost - self._cost) / 5
        # A pause of cost / SHARE makes the cost its share of a core. Half a period is less than the time between two
        # samples, so a cheap step runs with each of them, even when one comes a little early.
        self._next = now + max(PERIOD / 2, self._cost / SHARE)


class _TreeSampler:
    """A tree, its last readings, and the totals of its samples."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.totals = Totals()
        self._time = time.monotonic()
        self._list_time = self._time
        self._cpu = tree.look()
        self._unseen_cpu = 0.0

        self.totals.memory = tree.memory
        self.totals.memory_max = tree.memory

    def sample(self, now: float, *, listed: bool) -> None:
        """Take a sample; `listed`: processes were just listed, so children that ended are counted too."""
        if not self.totals.alive or now <= self._time:
            return

        seconds = now - self._time
        cores = 0.0
        if listed:
            cpu, unseen_cpu = self.tree.look_at_children()
            cores = self._spread(max(0.0, unseen_cpu - self._unseen_cpu), now)
            self._unseen_cpu = max(unseen_cpu, self._unseen_cpu)
            self._list_time = now
        else:
            cpu = self.tree.look()
        cores += max(0.0, cpu - self._cpu) / seconds
        self.totals.add(cores, seconds)
        self._cpu = max(cpu, self._cpu)
        self._time = now

        self.totals.alive = self.tree.alive
        self.totals.memory = self.tree.memory
        self.totals.memory_max = max(self.totals.memory_max, self.totals.memory)

    def _spread(self, lump: float, now: float) -> float:
        """The cores in this sample for CPU time of children that ended unsampled.

        They used it at any time since processes were last listed, which may be many samples ago: in this sample
        alone it would be a false peak. So this sample gets the share of its own seconds, and the rest is added to
        the sum here, which must equal the kernel's accounts.
        """
        since_list = now - self._list_time
        before_this_sample = self._time - self._list_time
        self.totals.cpu_seconds += lump * before_this_sample / since_list
        return lump / since_list

    def settle(self) -> None:
        """At the end: add the usage since the last sample."""
        cpu, unseen_cpu = self.tree.look_at_children()
        self.totals.cpu_seconds += max(0.0, cpu - self._cpu)
        self.totals.cpu_seconds += max(0.0, unseen_cpu - self._unseen_cpu)

    def count_sockets(self) -> None:
        if not self.totals.alive:
            return

        sockets = self.tree.sockets()
        self.totals.sockets = sockets
        if sockets is not None:
            self.totals.sockets_max = max(sockets, self.totals.sockets_max or 0)


class Sampler:
    """Samples trees by name until it is ended. Reading is safe from any thread."""

    def __init__(self) -> None:
        self._trees: dict[str, _TreeSampler] = {}
        self._missed = 0
        self._pids = set[int]()
        """All processes of the machine at the last listing."""
        self._listing = _Pace()
        self._counting = _Pace()

        # Held for a whole sample: a scrape in the middle of one would see one process newer than another.
        self._lock = threading.Lock()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)

    def watch(self, name: str, tree: Tree) -> None:
        """Before `start`, or later: the first sample counts the usage from now on."""
        with self._lock:
            self._trees[name] = _TreeSampler(tree)

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        """Take the last sample and stop."""
        self._end.set()
        self._thread.join()
        self.sample()
        with self._lock:
            for tree in self._trees.values():
                tree.settle()
                tree.tree.close()

    @property
    def missed(self) -> int:
        """Samples that were skipped, because the one before took too long or the machine was busy."""
        return self._missed

    def totals(self) -> Mapping[str, Totals]:
        """The usage by name so far: copies."""
        with self._lock:
            return {name: tree.totals.copy() for name, tree in self._trees.items()}

    def sample(self) -> None:
        """Sample all trees now."""
        with self._lock:
            now = time.monotonic()
            if self._listing.due(now):
                with self._listing.measure(now):
                    self._list()
                    self._sample_trees(now, listed=True)
            else:
                self._sample_trees(now, listed=False)

            if self._counting.due(now):
                with self._counting.measure(now):
                    self._count_sockets()

    def _run(self) -> None:
        due = time.monotonic() + PERIOD
        while not self._end.wait(max(0.0, due - time.monotonic())):
            self.sample()

            # Samples that the machine had no time for are skipped, not caught up: they would all measure the same
            # moment, and cost more time.
            due += PERIOD
            late = int((time.monotonic() - due) // PERIOD)
            if late > 0:
                self._missed += late
                due += late * PERIOD

    def _list(self) -> None:
        """Read the parent of each new process once: it changes only when the parent ends."""
        try:
            pids = processes.running()
        except OSError:  # no descriptor left for it: the processes in the trees are sampled anyway
            return

        new = processes.stats(pids - self._pids)
        self._pids = pids
        for tree in self._trees.values():
            tree.tree.join(new)

    def _sample_trees(self, now: float, *, listed: bool) -> None:
        for tree in self._trees.values():
            tree.sample(now, listed=listed)

    def _count_sockets(self) -> None:
        for tree in self._trees.values():
            tree.count_sockets()
