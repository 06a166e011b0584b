"""Gatling's simulation.log as text, of 2.0 to 3.12. docs/results.md, section "Gatling".

Records are lines of fields between tabs. Which fields a record has depends on the version, which the RUN record tells:
2.0 and 2.1 wrote the kind of record third, 2.2 dropped two of a request's four times, 3.0 the scenario of a request,
and 3.4 the user of each record. Times are milliseconds, and lines stand in the order in which things ended.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn

from exporter.analysis.loadrun import is_route
from exporter.errors import SourceError
from exporter.formats import Format
from exporter.formats.tally import Tally
from exporter.formats.tally.limits import LONGEST_RUN
from exporter.formats.tally.lines import Lines
from exporter.model.observation import MINUTE

_KINDS = ("RUN", "REQUEST", "USER", "GROUP", "ERROR", "ASSERTION")
_FIRST = tuple(f"{kind}\t".encode() for kind in _KINDS)
_EARLY = re.compile(rb"[^\t\n]*\t[^\t\n]*\t(RUN|REQUEST|USER|GROUP)\t")
_VERSION = re.compile(r"(\d{1,4})\.(\d{1,4})[.\w-]{0,30}", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Layout:
    """Which field holds what, counted from the kind of record, 0."""

    request: tuple[int, int, int, int, int]
    """Groups, name, start, end, status; the message follows."""
    user: tuple[int, int, int]
    """START or END, the time of a START, the time of an END."""
    rotated: bool = False
    """The kind stands third in the line."""


_V20 = _Layout((3, 4, 5, 8, 9), (3, 4, 5), rotated=True)
_V22 = _Layout((3, 4, 5, 6, 7), (3, 4, 5))
_V30 = _Layout((2, 3, 4, 5, 6), (3, 4, 5))
_V34 = _Layout((1, 2, 3, 4, 5), (2, 3, 3))


def recognise(head: bytes) -> bool:
    return head.startswith(_FIRST) or _EARLY.match(head) is not None


def endpoint(tally: Tally, groups: list[str], name: str) -> int:
    """The tally's number of a request, which is named as in Gatling's report: `group / name`."""
    method, _, route = name.strip().partition(" ") if is_route(name) else ("", "", "")
    return tally.endpoint(" / ".join([*groups, name]), method, route)


class Users:
    """Concurrent users: those started and not ended, told to the tally for each minute."""

    def __init__(self, tally: Tally) -> None:
        self._tally, self._active, self._minute = tally, 0, -1

    def change(self, at: float, by: int) -> bool:
        """A user started (+1) or ended (-1), Unix seconds; False where that is too far from what was told before."""
        if self._minute < 0:
            self._minute = int(at // MINUTE)
        known = self.at(at)
        self._active = max(0, self._active + by)
        self._tally.users(self._minute * MINUTE, self._active)
        return known

    def at(self, at: float) -> bool:
        """Time has come so far; users who did nothing since stay what they were."""
        minute = int(at // MINUTE)
        if self._minute < 0 or minute <= self._minute:
            return True
        if (minute - self._minute) * MINUTE > LONGEST_RUN:
            return False
        for each in range(self._minute + 1, minute + 1):
            self._tally.users(each * MINUTE, self._active)
        self._minute = minute
        return True


class Reader:
    """Reads records, line by line."""

    def __init__(self, tally: Tally) -> None:
        self._tally, self._lines, self._users = tally, Lines(), Users(tally)
        self._layout: _Layout | None = None
        self._version = ""
        self._endpoints: dict[tuple[str, str], int] = {}
        self._within_error = False
        self._errors, self._error = 0, ""

    def feed(self, block: bytes) -> None:
        """The next bytes of the log; raises SourceError."""
        for line in self._lines.feed(block):
            if line:
                self._record(line.split("\t"))

    def end(self) -> None:
        """A line without its end was cut, even where it looks whole: a time may have lost its last digits."""
        if self._lines.rest().strip():
            self._tally.warn(f"{self._lines.place}: breaks off and was left out: Gatling was stopped, or the file cut")
            self._tally.complete = False
        if self._errors:
            self._tally.warn(
                f"errors beside the requests: {self._errors}, the first: {' '.join(self._error.split())[:200]}"
            )

    def _record(self, fields: list[str]) -> None:
        if fields[0] not in _KINDS and len(fields) > 2 and fields[2] in _KINDS and self._layout in (None, _V20):
            fields = [fields[2], *fields[:2], *fields[3:]]
            self._layout, self._version = _V20, "2.0"
        kind = fields[0]
        if kind == "REQUEST":
            self._request(fields)
        elif kind == "USER":
            self._user(fields)
        elif kind == "RUN":
            self._run(fields)
        elif kind == "ERROR":
            self._errors, self._error = self._errors + 1, self._error or " ".join(fields[1:-1]) or fields[-1]
        elif kind not in _KINDS and not self._within_error:
            self._fail(f"a record {kind[:40]!r}, wanted one of {', '.join(_KINDS)}")
        # Gatling writes an error's text as it is, so that it may go over several lines; its time comes last.
        self._within_error = (kind == "ERROR" or kind not in _KINDS) and not fields[-1].isdecimal()

    def _run(self, fields: list[str]) -> None:
        if self._layout is _V20:
            return
        found = _VERSION.fullmatch(fields[-1].strip())
        if found is None:
            self._fail(f"a RUN of version {fields[-1][:40]!r}, wanted one such as 3.11.5 in its last field")
        version = int(found[1]), int(found[2])
        self._version = fields[-1].strip()
        self._layout = _V22 if version < (3, 0) else _V30 if version < (3, 4) else _V34

    def _known(self, kind: str) -> _Layout:
        if self._layout is None:
            self._fail(f"a {kind} before the RUN record, which tells the version; was the beginning cut off?")
        return self._layout

    def _request(self, fields: list[str]) -> None:
        groups, name, start, end, status = (self._layout or self._known("REQUEST")).request
        if len(fields) <= status or fields[status] not in ("OK", "KO"):
            self._fail(f"a REQUEST without OK or KO in field {status + 1}, where Gatling {self._version} has it")
        began, ended = self._time(fields[start]), self._time(fields[end])
        failed = fields[status] == "KO"
        self._tally.add(
            self._endpoint(fields[groups], fields[name]),
            began / 1000,
            (ended - began) / 1000,
            failed=failed,
            kind=self._kind(fields[status + 1 : status + 2]) if failed else 0,
            place=self._lines.place,
        )
        self._at(ended, 0)

    def _user(self, fields: list[str]) -> None:
        event, started, ended = (self._layout or self._known("USER")).user
        if len(fields) <= max(event, ended) or fields[event] not in ("START", "END"):
            self._fail(f"a USER without START or END in field {event + 1}, where Gatling {self._version} has it")
        start = fields[event] == "START"
        self._at(self._time(fields[started if start else ended]), 1 if start else -1)

    def _at(self, milliseconds: int, change: int) -> None:
        at = milliseconds / 1000
        if not (self._users.change(at, change) if change else self._users.at(at)):
            days = LONGEST_RUN / 86400
            self._fail(f"a time {milliseconds} ms more than {days:g} days after the time before, wanted one run")

    def _endpoint(self, groups: str, name: str) -> int:
        found = self._endpoints.get((groups, name))
        if found is None:
            found = endpoint(self._tally, groups.split(",") if groups.strip() else [], name)
            self._endpoints[groups, name] = found
        return found

    def _kind(self, message: list[str]) -> int:
        return self._tally.kind((message[0].strip() if message else "") or "KO")

    def _time(self, text: str) -> int:
        """Milliseconds since 1970."""
        if not text.isdecimal() or len(text) > 15:
            self._fail(f"a time of {text[:40]!r}, wanted milliseconds, where Gatling {self._version} has one")
        return int(text)

    def _fail(self, text: str) -> NoReturn:
        raise SourceError("bad_data", f"{self._lines.place}: {text}")


FORMAT = Format("gatling", "gatling", recognise, reader=Reader)
