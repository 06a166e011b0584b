"""What a process and its children use, from /proc and their CPU clocks: a few microseconds for each and look.

A process's CPU clock counts nanoseconds, where /proc/PID/stat has hundredths of a second. A descriptor of
/proc/PID/statm stays with its process: once that is gone it says so, though its number may be another's by then.
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
class Status:
    """What /proc/PID/stat says of a process."""

    pid: int
    ended: bool
    """Nobody has waited for it yet: a zombie."""
    parent: int
    group: int
    waited: float
    """CPU seconds of its children that ended and were waited for."""


def status(pid: int) -> Status | None:
    """None: there is no such process (any more)."""
    try:
        text = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return None
    fields = text[text.rindex(b")") + 2 :].split()  # the name before may hold anything
    return Status(
        pid, fields[0] in (b"Z", b"X"), int(fields[1]), int(fields[2]), (int(fields[13]) + int(fields[14])) / _TICKS
    )


def running() -> set[int]:
    """Every process's number."""
    return {int(name) for name in os.listdir("/proc") if name.isdecimal()}  # noqa: PTH208  ten times as fast


def statuses(pids: Iterable[int]) -> list[Status]:
    """Of those that are there, parents mostly before their children."""
    return [found for found in map(status, sorted(pids)) if found is not None]


class Process:
    """One process, kept in sight. Constructing it raises OSError where there is none."""

    def __init__(self, pid: int, *, fresh: bool) -> None:
        self.pid = pid
        self._clock = (~pid << 3) | 2  # clock_getcpuclockid(3), which Python does not have
        self._statm = os.open(f"/proc/{pid}/statm", os.O_RDONLY | os.O_CLOEXEC)
        self.used = 0.0
        """CPU seconds since it was first seen; `fresh`: since it began."""
        self.memory = 0
        """Bytes, resident."""
        self.waited = 0.0
        """CPU seconds of children that it waited for, since it was first seen."""
        try:
            found = status(pid)
            self._waited = 0.0 if fresh or found is None else found.waited
            self._base = 0 if fresh else time.clock_gettime_ns(self._clock)
        except OSError:
            self.close()
            raise

    def look(self) -> bool:
        """Take its memory and CPU time; False: it is gone, and what was taken before stays."""
        try:
            memory = int(os.pread(self._statm, 128, 0).split(b" ", 2)[1]) * _PAGE
            used = (time.clock_gettime_ns(self._clock) - self._base) / 1e9
        except (OSError, IndexError):
            return False
        self.memory, self.used = memory, max(self.used, used)
        return True

    @property
    def account(self) -> float:
        """CPU seconds since it began, with its children's: what its parent has on its account once it waited for it."""
        return self._base / 1e9 + self.used + self._waited + self.waited

    def look_at_children(self) -> None:
        """Take the CPU time of those that it waited for."""
        found = status(self.pid)
        if found is not None:
            self.waited = max(self.waited, found.waited - self._waited)

    def sockets(self) -> set[str]:
        """Its open sockets; raises PermissionError where we may not look."""
        folder, found = f"/proc/{self.pid}/fd", set()
        try:
            names = os.listdir(folder)  # noqa: PTH208
        except (FileNotFoundError, ProcessLookupError):
            return set()
        for name in names:
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                found.add(os.readlink(f"{folder}/{name}"))  # noqa: PTH115
        return {link for link in found if link.startswith("socket:")}

    def close(self) -> None:
        os.close(self._statm)


class Tree:
    """Processes and all that they start. `group`: also who is in this process group, its parent gone."""

    def __init__(self, roots: Iterable[int], group: int | None = None) -> None:
        self._group = group
        self._processes: dict[int, Process] = {}
        self._ended = self._waited_by_ended = self._accounts = 0.0
        """Of processes that are gone, as far as they were seen; CPU seconds."""
        self._late = 0.0
        """CPU seconds that processes had used before they were found."""
        for pid in roots:
            self._add(pid, fresh=group is not None)

    @property
    def alive(self) -> bool:
        """Whether any of them still has memory; one that nobody has waited for yet has none."""
        return any(one.memory for one in self._processes.values())

    @property
    def memory(self) -> int:
        """Bytes; what processes share counts for each of them."""
        return sum(one.memory for one in self._processes.values())

    def join(self, found: Iterable[Status], *, fresh: bool = True) -> None:
        """Take in those of newly found processes that are of this tree; not `fresh`: they are as old as the root."""
        waiting, before = list(found), -1
        while waiting and len(waiting) != before:  # a child may stand before its parent
            before = len(waiting)
            rest = []
            for one in waiting:
                if one.parent in self._processes or (self._group is not None and one.group == self._group):
                    self._late += self._add(one.pid, fresh=fresh)
                else:
                    rest.append(one)
            waiting = rest

    def look(self) -> float:
        """CPU seconds that its processes used themselves since they were found."""
        for one in list(self._processes.values()):
            if not one.look():
                self._ended += one.used
                self._waited_by_ended += one.waited
                self._accounts += one.account
                del self._processes[one.pid]
                one.close()
        return self._ended - self._late + sum(one.used for one in self._processes.values())

    def look_at_children(self) -> tuple[float, float]:
        """As `look`, and what was used unseen: by children before they were found, and by those that never were.

        A parent has on its account all whom it waited for, those that were seen too: they are looked at after it, so
        that nobody stands on two accounts. Who was not waited for makes the second figure too small, never too large.
        """
        for one in self._processes.values():
            one.look_at_children()
        used = self.look()
        waited = self._waited_by_ended + sum(one.waited for one in self._processes.values())
        return used, self._late + max(0.0, waited - self._accounts)

    def sockets(self) -> int | None:
        """Open sockets, each once; None where we may not look."""
        try:
            return len(set().union(*(one.sockets() for one in self._processes.values())))
        except OSError:  # they are another user's, or we have no descriptor left to look with
            return None

    def close(self) -> None:
        for one in self._processes.values():
            one.close()
        self._processes.clear()

    def _add(self, pid: int, *, fresh: bool) -> float:
        """CPU seconds that it has used up to now, as far as they count here."""
        if pid in self._processes:
            return 0.0
        try:
            found = self._processes[pid] = Process(pid, fresh=fresh)
        except OSError:  # ended meanwhile
            return 0.0
        found.look()
        return found.used
