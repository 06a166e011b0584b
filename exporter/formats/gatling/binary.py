"""Gatling's simulation.log as bytes, which 3.13 and later write. docs/reference/formats.md, section "Gatling".

Numbers are big-endian; times are milliseconds since the run's start. A text is its length, its bytes as the JVM holds
them, and whether those are Latin-1 (0) or UTF-16 (1); an empty one is its length alone. A text that comes again and
again is written once with a number, and afterwards is that number, negative.
"""

from __future__ import annotations

import re
import struct

from exporter.errors import SourceError
from exporter.formats import Format
from exporter.formats.gatling.simulation import DAYS, Simulation, version_of
from exporter.formats.tally import Tally

_RUN, _REQUEST, _USER, _GROUP, _ERROR = range(5)
_OLDEST = (3, 13)

_LONGEST = 1024 * 1024
"""Bytes of a text; a longer one means that the reader has lost its position."""

_DEEPEST = 1000
"""Groups within groups, scenarios, assertions."""

_HEAD = re.compile(rb"\0\0\0\0[\x03-\x40](\d+\.\d+[^\0]*)", re.DOTALL)

_INT = struct.Struct(">i")
_LONG = struct.Struct(">q")
_TIMES = struct.Struct(">iiB")
"""A request's start, its end, and whether it went well."""


def recognise(head: bytes) -> bool:
    return _HEAD.match(head) is not None


class _Short(Exception):  # noqa: N818 - no error: the next block has the rest
    """The bytes end within a record."""


class _Wrong(Exception):  # noqa: N818 - becomes a SourceError, with its location
    """What no Gatling writes."""


class _Bytes:
    """Bytes that are read one after the other; `at` is where the next begins."""

    def __init__(self) -> None:
        self.held = b""
        self.at = 0
        self.texts: dict[int, str] = {}
        """Texts that come again and again, by their number."""

    def feed(self, block: bytes) -> None:
        """What was read is dropped."""
        self.held = self.held[self.at :] + block
        self.at = 0

    def take(self, length: int) -> bytes:
        end = self.at + length
        if end > len(self.held):
            raise _Short
        taken = self.held[self.at : end]
        self.at = end
        return taken

    def number(self) -> int:
        if self.at + 4 > len(self.held):
            raise _Short
        (value,) = _INT.unpack_from(self.held, self.at)
        self.at += 4
        return int(value)

    def long(self) -> int:
        return int(_LONG.unpack(self.take(8))[0])

    def count(self, most: int, what: str) -> int:
        value = self.number()
        if not 0 <= value <= most:
            raise _Wrong(f"{value} as {what}, expected 0 to {most}")
        return value

    def flag(self, what: str) -> bool:
        (value,) = self.take(1)
        if value > 1:
            raise _Wrong(f"{value} as {what}, expected 0 or 1")
        return bool(value)

    def text(self) -> str:
        length = self.count(_LONGEST, "the length of a text")
        if not length:
            return ""

        raw = self.take(length)
        encoding = "utf-16-le" if self.flag("how a text is written") else "latin-1"
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            raise _Wrong("a text that is not UTF-16") from None

    def cached(self) -> str:
        number = self.number()
        if number >= 0:
            self.texts[number] = self.text()
        elif -number not in self.texts:
            raise _Wrong(f"text {-number}, which was not written before")
        return self.texts[abs(number)]


class Reader:
    """Reads records, which say nothing of their length: after one that is wrong, nothing can be read."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._simulation = Simulation(tally)
        self._bytes = _Bytes()
        self._records = 0
        self._start = 0
        """Of the run; milliseconds since 1970."""
        self._version = ""
        self._read = {
            _RUN: self._run,
            _REQUEST: self._request,
            _USER: self._user,
            _GROUP: self._group,
            _ERROR: self._error,
        }

    def feed(self, block: bytes) -> None:
        """The next bytes of the log; raises SourceError."""
        source = self._bytes
        source.feed(block)
        begun = 0
        try:
            while source.at < len(source.held):
                begun = source.at
                self._record(source.take(1)[0])
                self._records += 1
        except _Short:
            source.at = begun  # read again when its rest is there
        except _Wrong as error:
            text = f"{self._location}: {error}, in a binary log of Gatling {self._version}"
            raise SourceError("bad_data", text) from None

    def end(self) -> None:
        """What is left is part of a record."""
        if not self._records:
            raise SourceError(
                "bad_data", f"{self._location}: is cut off, expected the RUN record of Gatling's binary log"
            )
        if self._bytes.at < len(self._bytes.held):
            self._tally.cut_off(self._location, "Gatling")
        self._simulation.end()

    @property
    def _location(self) -> str:
        return f"record {self._records + 1}"

    def _record(self, kind: int) -> None:
        read = self._read.get(kind)
        if read is None:
            raise _Wrong(f"a record of kind {kind}, expected {_RUN} to {_ERROR}")
        read()

    def _run(self) -> None:
        source = self._bytes
        self._check_version(source.text())
        source.text()  # the simulation's class
        start = source.long()
        source.text()  # the description
        for _ in range(source.count(_DEEPEST, "the number of scenarios")):
            source.text()
        for _ in range(source.count(_DEEPEST, "the number of assertions")):
            source.take(source.count(_LONGEST, "the length of an assertion"))

        self._start = start
        source.texts = {}

    def _check_version(self, text: str) -> None:
        version = version_of(text)
        if version is None:
            raise _Wrong(f"{text[:20]!r} as Gatling's version")
        self._version = text
        if version < _OLDEST:
            expected = "expected version 3.13 or later, or the text that 3.12 writes"
            raise SourceError("bad_data", f"{self._location}: Gatling {text} binary simulation.log, {expected}")

    def _request(self) -> None:
        source = self._bytes
        names = (*self._groups(), source.cached())
        began, ended, status = _TIMES.unpack(source.take(_TIMES.size))
        if status > 1:
            raise _Wrong(f"{status} as whether a request went well, expected 0 or 1")

        self._simulation.request(
            names,
            self._start + began,
            self._start + ended,
            failed=not status,
            message=source.cached(),
            location=self._location,
        )
        self._check_time(ended, near=self._simulation.reaches(self._start + ended))

    def _user(self) -> None:
        source = self._bytes
        source.number()  # the scenario
        starts = source.flag("whether a user starts")
        time = source.number()
        self._check_time(time, near=self._simulation.user(self._start + time, starts=starts))

    def _group(self) -> None:
        self._groups()
        self._bytes.take(12)
        self._bytes.flag("whether a group went well")

    def _error(self) -> None:
        message = self._bytes.cached()
        self._bytes.number()
        self._simulation.error(message)

    def _groups(self) -> tuple[str, ...]:
        return tuple(self._bytes.cached() for _ in range(self._bytes.count(_DEEPEST, "the number of groups")))

    def _check_time(self, milliseconds: int, *, near: bool) -> None:
        if not near:
            raise _Wrong(f"a time {milliseconds} ms from the start, more than {DAYS:g} days after the time before")


FORMAT = Format("gatling-binary", "gatling", recognise, reader=Reader, binary=True)
