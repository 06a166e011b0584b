"""`--target NAME=PID` and `NAME=:PORT`: processes to sample beside the load generator."""

from __future__ import annotations

import argparse
import contextlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from exporter.catalogue.live import GENERATOR
from exporter.commands.run import processes
from exporter.commands.run.processes import Process, ProcessStat, Tree
from exporter.errors import PteError

_TARGET = re.compile(r"(?P<name>[^=]+)=(?P<port>:?)(?P<number>[0-9]{1,10})")

_LISTENS = "0A"
"""A socket's state in /proc/net/tcp."""


@dataclass(frozen=True, slots=True)
class Target:
    """A target as given on the command line; whether it exists is not checked yet."""

    name: str
    number: int
    is_port: bool

    def __str__(self) -> str:
        return f"{self.name}={':' * self.is_port}{self.number}"


def target(text: str) -> Target:
    """For argparse."""
    match = _TARGET.fullmatch(text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text}: expected NAME=PID or NAME=:PORT")

    result = Target(match["name"], int(match["number"]), bool(match["port"]))
    if result.name == GENERATOR:
        raise argparse.ArgumentTypeError(
            f"{text}: the name {GENERATOR} is reserved for the load generator, choose another"
        )
    kind, limit = ("port", 65536) if result.is_port else ("PID", 2**31)
    if not 0 < result.number < limit:
        raise argparse.ArgumentTypeError(f"{text}: expected a {kind} from 1 to {limit - 1}")
    return result


def tree(target: Target) -> Tree:
    """The target's processes; raises PteError if there are none."""
    pids = _listeners(target) if target.is_port else [target.number]
    for pid in pids:
        try:
            Process(pid, fresh=False).close()
        except OSError:
            raise PteError(f"--target {target}: process {pid} does not exist") from None

    processes_of_target = Tree(pids)
    processes_of_target.join(processes.stats(processes.running()), fresh=False)
    return processes_of_target


def _listeners(target: Target) -> list[int]:
    """The processes that listen on the port: of a server with workers, the one that started them."""
    sockets = set(_inodes(target.number))
    if not sockets:
        raise PteError(f"--target {target}: no process listens on port {target.number}")

    holders = [stat for stat in processes.stats(processes.running()) if _holds(stat, sockets)]
    if not holders:
        raise PteError(f"--target {target}: the process that listens there belongs to another user: give its PID")

    # Workers inherit the socket; they join the tree as children of the process that opened it.
    pids = {stat.pid for stat in holders}
    return [stat.pid for stat in holders if stat.parent not in pids]


def _inodes(port: int) -> Iterable[str]:
    """The links of descriptors of listening sockets."""
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(FileNotFoundError):  # a machine without IPv6
            for line in Path(f"/proc/net/{table}").read_text(encoding="ascii").splitlines()[1:]:
                fields = line.split()
                if fields[3] == _LISTENS and int(fields[1].rpartition(":")[2], 16) == port:
                    yield f"socket:[{fields[9]}]"


def _holds(stat: ProcessStat, sockets: set[str]) -> bool:
    try:
        process = Process(stat.pid, fresh=True)
    except OSError:
        return False

    try:
        return bool(process.sockets() & sockets)
    except PermissionError:
        return False
    finally:
        process.close()
