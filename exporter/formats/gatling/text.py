"""Gatling's simulation.log as text, of 2.0 to 3.12. docs/reference/formats.md, section "Gatling".

Records are lines of fields between tabs. Which fields a record has depends on the version in the RUN record:
2.0 and 2.1 wrote the kind of record third, 2.2 dropped two of a request's four times, 3.0 the scenario of a request,
and 3.4 the user of each record. Times are milliseconds, and lines are in the order in which things ended.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn

from exporter.errors import SourceError
from exporter.formats import Format
from exporter.formats.gatling.simulation import DAYS, Simulation, version_of
from exporter.formats.tally import Tally
from exporter.formats.tally.lines import LineSplitter

_KINDS = ("RUN", "REQUEST", "USER", "GROUP", "ERROR", "ASSERTION")
_FIRST = tuple(f"{kind}\t".encode() for kind in _KINDS)
_EARLY = re.compile(rb"[^\t\n]*\t[^\t\n]*\t(RUN|REQUEST|USER|GROUP)\t")


@dataclass(frozen=True, slots=True)
class _Layout:
    """Which field holds what, counted from the kind of record, 0."""

    request: tuple[int, int, int, int, int]
    """Groups, name, start, end, status; the message follows."""
    user: tuple[int, int, int]
    """START or END, the time of a START, the time of an END."""


_V20 = _Layout((3, 4, 5, 8, 9), (3, 4, 5))
"""The kind is the third field of the line."""
_V22 = _Layout((3, 4, 5, 6, 7), (3, 4, 5))
_V30 = _Layout((2, 3, 4, 5, 6), (3, 4, 5))
_V34 = _Layout((1, 2, 3, 4, 5), (2, 3, 3))


def recognise(head: bytes) -> bool:
    return head.startswith(_FIRST) or _EARLY.match(head) is not None


class Reader:
    """Reads records, line by line."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._simulation = Simulation(tally)
        self._lines = LineSplitter()
        self._layout: _Layout | None = None
        self._version = ""
        self._within_error = False

    def feed(self, block: bytes) -> None:
        """The next bytes of the log; raises SourceError."""
        for line in self._lines.feed(block):
            if line:
                self._record(line.split("\t"))

    def end(self) -> None:
        """A line without its end was cut, even where it looks whole: a time may have lost its last digits."""
        if self._lines.rest().strip():
            self._tally.cut_off(self._lines.location, "Gatling")
        self._simulation.end()

    def _record(self, fields: list[str]) -> None:
        if self._is_early(fields):
            fields = [fields[2], *fields[:2], *fields[3:]]
            self._layout = _V20
            self._version = "2.0"

        kind = fields[0]
        if kind == "REQUEST":
            self._request(fields)
        elif kind == "USER":
            self._user(fields)
        elif kind == "RUN":
            self._run(fields)
        elif kind == "ERROR":
            self._simulation.error(" ".join(fields[1:-1]) or fields[-1])
        elif kind not in _KINDS and not self._within_error:
            self._fail(f"a record {kind[:40]!r}, expected one of {', '.join(_KINDS)}")

        # Gatling does not escape an error's text: it may take several lines; its time comes last.
        self._within_error = (kind == "ERROR" or kind not in _KINDS) and not fields[-1].isdecimal()

    def _is_early(self, fields: list[str]) -> bool:
        """Whether a record is of 2.0 or 2.1."""
        if fields[0] in _KINDS or self._layout not in (None, _V20):
            return False
        return len(fields) > 2 and fields[2] in _KINDS

    def _run(self, fields: list[str]) -> None:
        if self._layout is _V20:
            return

        text = fields[-1].strip()
        version = version_of(text)
        if version is None:
            self._fail(f"a RUN of version {fields[-1][:40]!r}, expected one such as 3.11.5 in its last field")
        self._version = text
        if version < (3, 0):
            self._layout = _V22
        elif version < (3, 4):
            self._layout = _V30
        else:
            self._layout = _V34

    def _known_layout(self, kind: str) -> _Layout:
        if self._layout is None:
            self._fail(f"a {kind} before the RUN record, which has the version; was the beginning cut off?")
        return self._layout

    def _request(self, fields: list[str]) -> None:
        groups, name, start, end, status = self._known_layout("REQUEST").request
        if len(fields) <= status or fields[status] not in ("OK", "KO"):
            self._fail(f"a REQUEST without OK or KO in field {status + 1}, where Gatling {self._version} has it")

        began = self._time(fields[start])
        ended = self._time(fields[end])
        message = fields[status + 1] if len(fields) > status + 1 else ""
        self._simulation.request(
            (*_names(fields[groups]), fields[name]),
            began,
            ended,
            failed=fields[status] == "KO",
            message=message,
            location=self._lines.location,
        )
        self._check_time(ended, near=self._simulation.reaches(ended))

    def _user(self, fields: list[str]) -> None:
        event, started, ended = self._known_layout("USER").user
        if len(fields) <= max(event, ended) or fields[event] not in ("START", "END"):
            self._fail(f"a USER without START or END in field {event + 1}, where Gatling {self._version} has it")

        starts = fields[event] == "START"
        time = self._time(fields[started if starts else ended])
        self._check_time(time, near=self._simulation.user(time, starts=starts))

    def _check_time(self, milliseconds: int, *, near: bool) -> None:
        if not near:
            self._fail(f"a time {milliseconds} ms more than {DAYS:g} days after the time before, expected one run")

    def _time(self, text: str) -> int:
        """Milliseconds since 1970."""
        if not text.isdecimal() or len(text) > 15:
            self._fail(f"a time of {text[:40]!r}, expected milliseconds, where Gatling {self._version} has one")
        return int(text)

    def _fail(self, text: str) -> NoReturn:
        raise SourceError("bad_data", f"{self._lines.location}: {text}")


def _names(groups: str) -> list[str]:
    return groups.split(",") if groups.strip() else []


FORMAT = Format("gatling", "gatling", recognise, reader=Reader)
