"""What the records of a simulation.log add up to, in whichever form they are written."""

from __future__ import annotations

import re
from collections.abc import Sequence

from exporter.analysis.loadrun import is_route
from exporter.formats.tally import Tally
from exporter.formats.tally.limits import LONGEST_RUN
from exporter.model.observation import MINUTE

_VERSION = re.compile(r"(\d{1,4})\.(\d{1,4})[.\w-]{0,30}", re.ASCII)

DAYS = LONGEST_RUN / 86400
"""What two times of a log may lie apart, at most."""


def version_of(text: str) -> tuple[int, int] | None:
    """3 and 11 of 3.11.5; None if it is not a version."""
    version = _VERSION.fullmatch(text)
    return None if version is None else (int(version[1]), int(version[2]))


class Simulation:
    """Adds requests, users and errors to the tally; times are milliseconds since 1970."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._users = _Users(tally)
        self._endpoints: dict[tuple[str, ...], int] = {}
        self._errors = 0
        self._first_error = ""

    def request(
        self, names: tuple[str, ...], start: int, end: int, *, failed: bool, message: str, location: str
    ) -> None:
        """`names`: groups, and the request's own; it is named as in Gatling's report: `group / name`."""
        kind = self._tally.kind(message.strip() or "KO") if failed else 0
        seconds = (end - start) / 1000
        self._tally.add(self._endpoint(names), start / 1000, seconds, failed=failed, kind=kind, location=location)

    def error(self, message: str) -> None:
        """Something failed beside the requests."""
        self._errors += 1
        self._first_error = self._first_error or message

    def reaches(self, time: int) -> bool:
        """Time has come so far; False if that is too far from earlier times."""
        return self._users.at(time / 1000)

    def user(self, time: int, *, starts: bool) -> bool:
        """A user starts or ends; False as of `reaches`."""
        change = 1 if starts else -1
        return self._users.change(time / 1000, change)

    def end(self) -> None:
        """Tells of errors, which a load test should not have."""
        if self._errors:
            first = " ".join(self._first_error.split())[:200]
            self._tally.warn(f"errors beside the requests: {self._errors}, the first: {first}")

    def _endpoint(self, names: tuple[str, ...]) -> int:
        number = self._endpoints.get(names)
        if number is None:
            number = self._endpoints[names] = _endpoint(self._tally, names)
        return number


def _endpoint(tally: Tally, names: Sequence[str]) -> int:
    name = names[-1]
    text = " / ".join(names)
    if not is_route(name):
        return tally.endpoint(text)
    method, _, route = name.strip().partition(" ")
    return tally.endpoint(text, method, route)


class _Users:
    """Concurrent users: those started and not ended, passed to the tally for each minute. Unix seconds."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._active = 0
        self._minute = -1

    def change(self, at: float, by: int) -> bool:
        """A user started (+1) or ended (-1)."""
        if self._minute < 0:
            self._minute = int(at // MINUTE)
        near = self.at(at)
        self._active = max(0, self._active + by)
        self._tally.users(self._minute * MINUTE, self._active)
        return near

    def at(self, at: float) -> bool:
        """Time has come so far; users who did nothing since stay what they were."""
        minute = int(at // MINUTE)
        if self._minute < 0 or minute <= self._minute:
            return True
        if (minute - self._minute) * MINUTE > LONGEST_RUN:
            return False

        for quiet in range(self._minute + 1, minute + 1):
            self._tally.users(quiet * MINUTE, self._active)
        self._minute = minute
        return True
