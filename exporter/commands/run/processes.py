"""The CPU time, memory and sockets of a process and its children, from /proc and their CPU clocks.

A reading takes a few microseconds per process.

A process's CPU clock counts nanoseconds, where /proc/PID/stat has hundredths of a second. A descriptor of
/proc/PID/statm stays with its process: it fails once that has ended, even if another process has the PID by then.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class ProcessStat:
    """The fields of /proc/PID/stat."""

    pid: int
    ended: bool
    """A zombie: its parent has not waited for it yet."""
    parent: int
    group: int
    children_cpu: float
    """CPU seconds of its children that ended and were waited for."""


def stat(pid: int) -> ProcessStat | None:
    """None: the process does not exist (any more)."""
    try:
        text = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return None

    fields = text[text.rindex(b")") + 2 :].split()  # the name before may contain anything
    return ProcessStat(
        pid,
        ended=fields[0] in (b"Z", b"X"),
        parent=int(fields[1]),
        group=int(fields[2]),
        children_cpu=(int(fields[13]) + int(fields[14])) / _TICKS,
    )


def running() -> set[int]:
    """The PID of every process."""
    return {int(name) for name in os.listdir("/proc") if name.isdecimal()}  # noqa: PTH208  ten times as fast


def stats(pids: Iterable[int]) -> list[ProcessStat]:
    """The existing ones, parents mostly before their children."""
    results = [stat(pid) for pid in sorted(pids)]
    return [result for result in results if result is not None]


class Process:
    """One process and its open descriptors. The constructor raises OSError if it does not exist."""

    def __init__(self, pid: int, *, fresh: bool) -> None:
        self.pid = pid
        self._clock = (~pid << 3) | 2  # clock_getcpuclockid(3), which Python does not have
        self._statm = os.open(f"/proc/{pid}/statm", os.O_RDONLY | os.O_CLOEXEC)
        self.cpu = 0.0
        """CPU seconds since the first reading; `fresh`: since it began."""
        self.memory = 0
        """Bytes, resident."""
        self.children_cpu = 0.0
        """CPU seconds of children that it waited for, since the first reading."""

        # Usage before the first reading; 0 for a fresh process.
        self._cpu_before = 0
        self._children_cpu_before = 0.0
        try:
            if not fresh:
                first = stat(pid)
                self._children_cpu_before = first.children_cpu if first is not None else 0.0
                self._cpu_before = time.clock_gettime_ns(self._clock)
        except OSError:
            self.close()
            raise

    def look(self) -> bool:
        """Read its memory and CPU time; False: it has ended, and the last readings stay."""
        try:
            memory = int(os.pread(self._statm, 128, 0).split(b" ", 2)[1]) * _PAGE
            cpu = (time.clock_gettime_ns(self._clock) - self._cpu_before) / 1e9
        except (OSError, IndexError):
            return False

        self.memory = memory
        self.cpu = max(self.cpu, cpu)
        return True

    @property
    def account(self) -> float:
        """CPU seconds since it began, with its children's: its parent's account grows by this when it waits for it."""
        return self._cpu_before / 1e9 + self.cpu + self._children_cpu_before + self.children_cpu

    def look_at_children(self) -> None:
        """Read the CPU time of the children that it waited for."""
        now = stat(self.pid)
        if now is not None:
            self.children_cpu = max(self.children_cpu, now.children_cpu - self._children_cpu_before)

    def sockets(self) -> set[str]:
        """Its open sockets; raises PermissionError if we may not read them."""
        folder = f"/proc/{self.pid}/fd"
        try:
            names = os.listdir(folder)  # noqa: PTH208
        except (FileNotFoundError, ProcessLookupError):
            return set()

        links = set()
        for name in names:
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                links.add(os.readlink(f"{folder}/{name}"))  # noqa: PTH115
        return {link for link in links if link.startswith("socket:")}

    def close(self) -> None:
        os.close(self._statm)


class Tree:
    """Processes and all that they start. `group`: also orphans in this process group."""

    def __init__(self, roots: Iterable[int], group: int | None = None) -> None:
        self._group = group
        self._processes: dict[int, Process] = {}

        # CPU seconds of processes that have ended, as far as they were read: their own, those of children that they
        # had waited for, and both together since they began.
        self._ended_cpu = 0.0
        self._ended_children_cpu = 0.0
        self._ended_accounts = 0.0
        self._late = 0.0
        """CPU seconds that processes had used before they joined."""

        for pid in roots:
            self._add(pid, fresh=group is not None)

    @property
    def alive(self) -> bool:
        """Whether any of them still has memory; a zombie has none."""
        return any(process.memory for process in self._processes.values())

    @property
    def memory(self) -> int:
        """Bytes; shared memory counts for each process."""
        return sum(process.memory for process in self._processes.values())

    def join(self, candidates: Iterable[ProcessStat], *, fresh: bool = True) -> None:
        """Add the new processes that belong to this tree; not `fresh`: they are as old as the root."""
        waiting = list(candidates)
        count_before = -1

        while waiting and len(waiting) != count_before:  # a child may come before its parent
            count_before = len(waiting)
            strangers = []
            for candidate in waiting:
                if self._is_ours(candidate):
                    self._late += self._add(candidate.pid, fresh=fresh)
                else:
                    strangers.append(candidate)
            waiting = strangers

    def _is_ours(self, candidate: ProcessStat) -> bool:
        if candidate.parent in self._processes:
            return True
        return self._group is not None and candidate.group == self._group

    def look(self) -> float:
        """CPU seconds that its processes used themselves since they joined."""
        for process in list(self._processes.values()):
            if not process.look():
                self._ended_cpu += process.cpu
                self._ended_children_cpu += process.children_cpu
                self._ended_accounts += process.account
                del self._processes[process.pid]
                process.close()

        return self._ended_cpu - self._late + sum(process.cpu for process in self._processes.values())

    def look_at_children(self) -> tuple[float, float]:
        """As `look`, and the CPU seconds that children used before they joined, or without ever joining.

        A parent's account includes every child that it waited for, those of the tree too: they are read after it, so
        no child counts twice. A child that is never waited for makes the second figure too small, never too large.
        """
        for process in self._processes.values():
            process.look_at_children()
        cpu = self.look()

        children_cpu = self._ended_children_cpu + sum(process.children_cpu for process in self._processes.values())
        return cpu, self._late + max(0.0, children_cpu - self._ended_accounts)

    def sockets(self) -> int | None:
        """The number of distinct open sockets; None if we may not read them."""
        links = set[str]()
        try:
            for process in self._processes.values():
                links |= process.sockets()
        except OSError:  # they are another user's, or we have no descriptor left
            return None
        return len(links)

    def close(self) -> None:
        for process in self._processes.values():
            process.close()
        self._processes.clear()

    def _add(self, pid: int, *, fresh: bool) -> float:
        """Add a process; returns the CPU seconds that it has used so far, as far as they count here."""
        if pid in self._processes:
            return 0.0
        try:
            process = Process(pid, fresh=fresh)
        except OSError:  # ended meanwhile
            return 0.0

        self._processes[pid] = process
        process.look()
        return process.cpu
