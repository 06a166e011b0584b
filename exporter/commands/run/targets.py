"""`--target NAME=PID` and `NAME=:PORT`: which processes are looked at beside the load generator."""

from __future__ import annotations

import argparse
import contextlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from exporter.catalogue.live import GENERATOR
from exporter.commands.run import processes
from exporter.commands.run.processes import Process, Status, Tree
from exporter.errors import PteError

_TARGET = re.compile(r"(?P<name>[^=]+)=(?P<port>:?)(?P<number>[0-9]{1,10})")
_LISTENS = "0A"
"""A socket's state in /proc/net/tcp."""


@dataclass(frozen=True, slots=True)
class Target:
    """What was asked for; nobody has looked yet whether it is there."""

    name: str
    number: int
    is_port: bool

    def __str__(self) -> str:
        return f"{self.name}={':' * self.is_port}{self.number}"


def target(text: str) -> Target:
    """For argparse."""
    found = _TARGET.fullmatch(text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text} is no target, wanted NAME=PID or NAME=:PORT")
    one = Target(found["name"], int(found["number"]), bool(found["port"]))
    if one.name == GENERATOR:
        raise argparse.ArgumentTypeError(f"{text}: {GENERATOR} is the load generator, give another name")
    if not 0 < one.number < (65536 if one.is_port else 2**31):
        raise argparse.ArgumentTypeError(f"{text} is no target, wanted a {'port' if one.is_port else 'PID'} from 1 on")
    return one


def tree(one: Target) -> Tree:
    """The target's processes; raises PteError that says what is missing."""
    pids = _listening(one) if one.is_port else [one.number]
    for pid in pids:
        try:
            Process(pid, fresh=False).close()
        except OSError:
            raise PteError(f"--target {one}: there is no process {pid}") from None
    found = Tree(pids)
    found.join(processes.statuses(processes.running()), fresh=False)
    return found


def _listening(one: Target) -> list[int]:
    """Who listens on the port: of a server with workers the one that started them."""
    sockets = set(_inodes(one.number))
    if not sockets:
        raise PteError(f"--target {one}: nobody listens on port {one.number}")
    holders = [status for status in processes.statuses(processes.running()) if _holds(status, sockets)]
    if not holders:
        raise PteError(f"--target {one}: a process that we may not look into listens there: give its PID")
    pids = {status.pid for status in holders}
    return [status.pid for status in holders if status.parent not in pids]


def _inodes(port: int) -> Iterable[str]:
    """Links that descriptors of listening sockets show."""
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(FileNotFoundError):  # a machine without IPv6
            for line in Path(f"/proc/net/{table}").read_text(encoding="ascii").splitlines()[1:]:
                fields = line.split()
                if fields[3] == _LISTENS and int(fields[1].rpartition(":")[2], 16) == port:
                    yield f"socket:[{fields[9]}]"


def _holds(status: Status, sockets: set[str]) -> bool:
    try:
        found = Process(status.pid, fresh=True)
    except OSError:
        return False
    try:
        return bool(found.sockets() & sockets)
    except PermissionError:
        return False
    finally:
        found.close()
