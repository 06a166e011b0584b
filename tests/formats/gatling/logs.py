"""Writes simulation.log as each version of Gatling does, after LogFileDataWriter of its sources."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

START = 1795176000000
"""Milliseconds: 2026-11-20T12:00:00Z."""


@dataclass(frozen=True)
class Request:
    user: int
    groups: tuple[str, ...]
    name: str
    start: int
    """Milliseconds since 1970, as all times here."""
    end: int
    message: str = ""
    """Empty: it went well."""


@dataclass(frozen=True)
class User:
    user: int
    begun: int
    at: int
    start: bool


@dataclass(frozen=True)
class Group:
    user: int
    groups: tuple[str, ...]
    start: int
    end: int


@dataclass(frozen=True)
class Failure:
    message: str
    at: int


Record = Request | User | Group | Failure

VERSIONS = ("2.0", "2.2", "3.0.3", "3.3.1", "3.4.2", "3.11.5")
"""2.2 and 2.3 call themselves 2.0, as 2.1 did."""

LATE = ("3.4.2", "3.11.5")


def shop(users: int = 12, rounds: int = 3, seed: int = 7) -> list[Record]:
    """People who browse a shop and pay, over two minutes, with some failures; in the order of their ends."""
    chance, timed = random.Random(seed), list[tuple[int, Record]]()
    for user in range(1, users + 1):
        now = begun = START + chance.randrange(100_000)
        timed.append((now, User(user, begun, begun, start=True)))
        for _ in range(rounds):
            for groups, name in (((), "GET /"), (("checkout", "pay"), "POST /cart"), ((), "Prüfung"), ((), "Проверка")):
                took = int(chance.lognormvariate(4, 0.6)) + 1
                message = "status.find.in(200,201,304), found 500" if chance.random() < 0.1 else ""
                timed.append((now + took, Request(user, groups, name, now, now + took, message)))
                if groups:
                    timed.append((now + took, Group(user, groups, now, now + took)))
                now += took + chance.randrange(500, 1500)
        timed.append((now, User(user, begun, now, start=False)))
    return [record for _, record in sorted(timed, key=lambda pair: pair[0])]


def text(version: str, records: Iterable[Record], end: str = "\n") -> bytes:
    """As versions up to 3.12 write it."""
    lines = [*_head(version), *(line for record in records for line in _lines(version, record))]
    return "".join(line + end for line in lines).encode()


def _head(version: str) -> Iterator[str]:
    if version == "2.0":
        yield f"shop.Shop\tshop\tRUN\t{START}\t \t2.0"
    elif version == "2.2":
        yield "ASSERTION\tAAMDAAMDAAAAAAAAwFhA"
        yield f"RUN\tshop.Shop\t\tshop\t{START}\t \t2.0"
    else:
        yield "ASSERTION\tAAECAAIBAAAAAAAAACRA"
        yield f"RUN\tshop.Shop\tshop\t{START}\tbefore release\t{version}"


def _lines(version: str, record: Record) -> Iterator[str]:
    """2.0 has the kind third, 2.2 scenario and user of all, 3.0 no scenario but in USER, and 3.4 no user either."""
    fields = _fields(record, early=version == "2.0", late=version in LATE)
    if isinstance(record, Failure):
        line = [] if version == "2.0" else ["ERROR", *fields]
    elif version == "2.0":
        line = ["Shop", str(record.user), _kind(record), *fields]
    else:
        scenario = ["Shop"] if version == "2.2" or isinstance(record, User) else []
        line = [_kind(record), *scenario, *([] if version in LATE else [str(record.user)]), *fields]
    if line:
        yield "\t".join(line)


def _kind(record: Record) -> str:
    return type(record).__name__.upper()


def _fields(record: Record, *, early: bool, late: bool) -> list[str]:
    """What follows scenario and user."""
    if isinstance(record, Failure):
        return [record.message, str(record.at)]
    if isinstance(record, User):
        # 2.0: a START has no end yet
        at = 0 if early and record.start else record.at
        return ["START" if record.start else "END", *([] if late else [str(record.begun)]), str(at)]
    start, end, groups = str(record.start), str(record.end), ",".join(record.groups)
    if isinstance(record, Group):
        return [groups, start, end, str(record.end - record.start), *(["1", "0"] if early else []), "OK"]
    middle = [str(record.start + 1), str(record.end - 1)] if early else []
    status, message = ("KO", record.message) if record.message else ("OK", " ")
    return [groups, record.name, start, *middle, end, status, message]


class Binary:
    """As 3.13 and later write it."""

    def __init__(self, version: str = "3.14.9", assertions: tuple[bytes, ...] = (b"\x01\x03\n\0",)) -> None:
        self._numbers: dict[str, int] = {}
        self.head = b"\0" + _string(version) + _string("shop.Shopping") + struct.pack(">q", START) + _string("")
        self.head += struct.pack(">i", 2) + _string("Shop") + _string("Ночь")
        self.head += struct.pack(">i", len(assertions))
        self.head += b"".join(struct.pack(">i", len(assertion)) + assertion for assertion in assertions)

    def log(self, records: Iterable[Record]) -> bytes:
        return self.head + b"".join(self.record(record) for record in records)

    def record(self, record: Record) -> bytes:
        if isinstance(record, Failure):
            return b"\x04" + self._cached(record.message) + _since(record.at)
        if isinstance(record, User):
            return b"\x02" + struct.pack(">i", 0) + bytes([record.start]) + _since(record.at)
        groups = struct.pack(">i", len(record.groups)) + b"".join(self._cached(group) for group in record.groups)
        times = _since(record.start) + _since(record.end)
        if isinstance(record, Group):
            return b"\x03" + groups + times + struct.pack(">i", record.end - record.start) + b"\x01"
        status = bytes([not record.message])
        return b"\x01" + groups + self._cached(record.name) + times + status + self._cached(record.message)

    def _cached(self, string: str) -> bytes:
        number = self._numbers.get(string)
        if number is not None:
            return struct.pack(">i", -number)
        self._numbers[string] = len(self._numbers) + 1
        return struct.pack(">i", self._numbers[string]) + _string(string)


def _since(at: int) -> bytes:
    return struct.pack(">i", at - START)


def _string(string: str) -> bytes:
    """The JVM's own bytes: Latin-1 where that is enough."""
    if not string:
        return struct.pack(">i", 0)
    narrow = all(ord(letter) < 256 for letter in string)
    content = string.encode("latin-1" if narrow else "utf-16-le")
    return struct.pack(">i", len(content)) + content + bytes([not narrow])
