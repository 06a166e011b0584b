"""Adds up requests while they are read, in memory that grows with names and minutes, never with requests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from exporter.analysis import histogram
from exporter.analysis.arithmetic import Floats
from exporter.errors import SourceError
from exporter.model.loadrun import OTHER, Endpoint, Figures, Latencies, LoadRun, Timeline
from exporter.model.observation import MINUTE

Codes = NDArray[np.int64]
Flags = NDArray[np.bool_]

MAX_NAMES = 1000
"""Names beyond are added up as `other`: a tool that puts IDs into names would fill the memory."""

MAX_KINDS = 100
"""Kinds of errors beyond are added up as `other`."""

LONGEST_LATENCY = 86400.0
"""Seconds; what took longer is a mistake."""

LONGEST_RUN = 7 * 86400.0
"""Seconds; requests further apart are not of one run, or a clock went wrong."""

_FIRST, _LAST = 946684800.0, 4102444800.0
"""2000 and 2100, Unix seconds: what lies outside is another unit, or a clock that was never set."""

_ROWS = 8192
"""Single requests that are kept before they are added up."""

_NAMES = 16
"""Room for names to begin with; doubled when it is full."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Requests as arrays of shape (n,)."""

    endpoints: Codes
    """From Tally.endpoint."""
    starts: Floats
    """Unix seconds."""
    seconds: Floats
    """Latencies."""
    failed: Flags
    kinds: Codes | None = None
    """From Tally.kind; what it holds of requests that did not fail is ignored."""
    received: Floats | None = None
    """Bytes."""
    sent: Floats | None = None
    users: Floats | None = None
    """Concurrent users as the request ended."""


@dataclass(slots=True)
class _Rows:
    """Single requests, until they are many enough to be added up as arrays."""

    endpoints: list[int] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    failed: list[bool] = field(default_factory=list)
    kinds: list[int] = field(default_factory=list)
    received: list[float] = field(default_factory=list)
    sent: list[float] = field(default_factory=list)
    places: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Minute:
    requests: int = 0
    failures: int = 0
    seconds: float = 0.0
    received: float = 0.0


class Tally:
    """What was read so far. `run` may be asked for at any time; more may be added afterwards."""

    def __init__(self) -> None:
        self._endpoints: dict[tuple[str, str, str], int] = {}
        self._kinds: dict[str, int] = {}
        self._counts = np.zeros((_NAMES, histogram.SIZE), dtype=np.int64)
        self._failures = np.zeros(_NAMES, dtype=np.int64)
        self._seconds, self._least = np.zeros(_NAMES), np.full(_NAMES, np.inf)
        self._most = np.zeros(_NAMES)
        self._bytes = {"received": np.zeros(_NAMES), "sent": np.zeros(_NAMES)}
        self._known_bytes = {"received": False, "sent": False}
        self._transferred: dict[str, float] = {}
        self._received: dict[int, float] = {}
        self._errors: dict[tuple[int, int], int] = {}
        self._minutes: dict[int, _Minute] = {}
        self._users: dict[int, float] = {}
        self._start, self._end = np.inf, -np.inf
        self._rows = _Rows()
        self._warnings: dict[str, None] = {}
        self.complete = True
        self.checks: dict[str, bool] = {}

    @property
    def requests(self) -> int:
        """How many were added."""
        return int(self._counts.sum()) + len(self._rows.endpoints)

    def endpoint(self, name: str, method: str = "", route: str = "") -> int:
        """The number of a name; `method` and `route` where the tool tells them."""
        key = (name, method, route)
        found = self._endpoints.get(key)
        if found is None:
            if len(self._endpoints) >= MAX_NAMES:
                self.warn(f"has more than {MAX_NAMES} names, the rest counts as {OTHER}: group them in the test")
                key = (OTHER, "", "")
            found = self._endpoints.setdefault(key, len(self._endpoints))
            if found >= self._failures.size:
                self._grow()
        return found

    def kind(self, error: str) -> int:
        """The number of a kind of error; one without a name is `failed`."""
        error = error or "failed"
        found = self._kinds.get(error)
        if found is None:
            key = error if len(self._kinds) < MAX_KINDS else OTHER
            found = self._kinds.setdefault(key, len(self._kinds))
        return found

    def warn(self, text: str) -> None:
        """Tell people; each text once."""
        self._warnings[text] = None

    def users(self, at: float, count: float) -> None:
        """So many users were active at a time, Unix seconds."""
        minute = int(at // MINUTE)
        self._users[minute] = max(count, self._users.get(minute, 0.0))

    def transferred(self, at: float, direction: str, size: float) -> None:
        """Bytes "received" or "sent" until `at`, Unix seconds, of which the tool does not tell whose they were."""
        self._transferred[direction] = self._transferred.get(direction, 0.0) + size
        if direction == "received":
            minute = int(at // MINUTE)
            self._received[minute] = self._received.get(minute, 0.0) + size

    def add(
        self,
        endpoint: int,
        start: float,
        seconds: float,
        *,
        failed: bool,
        kind: int = 0,
        received: float = np.nan,
        sent: float = np.nan,
        place: str = "",
    ) -> None:
        """One request; `place` says where in the file it stands, such as "line 17". NaN bytes are not told."""
        rows = self._rows
        rows.endpoints.append(endpoint)
        rows.starts.append(start)
        rows.seconds.append(seconds)
        rows.failed.append(failed)
        rows.kinds.append(kind)
        rows.received.append(received)
        rows.sent.append(sent)
        rows.places.append(place)
        if len(rows.endpoints) >= _ROWS:
            self._flush()

    def _flush(self) -> None:
        rows, self._rows = self._rows, _Rows()
        if rows.endpoints:
            received, sent = np.asarray(rows.received), np.asarray(rows.sent)
            batch = Batch(
                np.asarray(rows.endpoints, dtype=np.int64),
                np.asarray(rows.starts, dtype=np.float64),
                np.asarray(rows.seconds, dtype=np.float64),
                np.asarray(rows.failed, dtype=np.bool_),
                np.asarray(rows.kinds, dtype=np.int64),
                None if np.isnan(received).all() else received,
                None if np.isnan(sent).all() else sent,
            )
            self.add_batch(batch, rows.places.__getitem__)

    def add_batch(self, batch: Batch, place: Callable[[int], str]) -> None:
        """Many requests; `place` tells of a position in the batch where in the file it stands. Raises SourceError."""
        if not batch.endpoints.size:
            return
        _check(batch, place)
        room, ends = self._failures.size, batch.starts + batch.seconds
        keys, counts = np.unique(batch.endpoints * histogram.SIZE + histogram.index(batch.seconds), return_counts=True)
        self._counts.reshape(-1)[keys] += counts
        self._failures += np.bincount(batch.endpoints[batch.failed], minlength=room)
        self._seconds += np.bincount(batch.endpoints, weights=batch.seconds, minlength=room)
        np.minimum.at(self._least, batch.endpoints, batch.seconds)
        np.maximum.at(self._most, batch.endpoints, batch.seconds)
        for name, sizes in (("received", batch.received), ("sent", batch.sent)):
            if sizes is not None:
                self._known_bytes[name] = True
                self._bytes[name] += np.bincount(batch.endpoints, weights=np.nan_to_num(sizes), minlength=room)
        self._start, self._end = min(self._start, float(batch.starts.min())), max(self._end, float(ends.max()))
        self._add_errors(batch)
        self._add_minutes(batch, ends)

    def _add_errors(self, batch: Batch) -> None:
        if batch.kinds is None or not batch.failed.any():
            return
        width = len(self._kinds) + 1
        keys, counts = np.unique(batch.endpoints[batch.failed] * width + batch.kinds[batch.failed], return_counts=True)
        for key, count in zip(keys.tolist(), counts.tolist(), strict=True):
            pair = divmod(key, width)
            self._errors[pair] = self._errors.get(pair, 0) + count

    def _add_minutes(self, batch: Batch, ends: Floats) -> None:
        if self._end - self._start > LONGEST_RUN:
            days = (self._end - self._start) / 86400
            text = f"has requests that lie {days:.1f} days apart, wanted at most {LONGEST_RUN / 86400:g}"
            raise SourceError("bad_data", text)
        minutes, where = np.unique((ends // MINUTE).astype(np.int64), return_inverse=True)
        where = where.reshape(-1)
        requests, failures = np.bincount(where), np.bincount(where[batch.failed], minlength=minutes.size)
        seconds = np.bincount(where, weights=batch.seconds)
        bytes_received = np.zeros(where.size) if batch.received is None else np.nan_to_num(batch.received)
        received = np.bincount(where, weights=bytes_received)
        for position, minute in enumerate(minutes.tolist()):
            one = self._minutes.setdefault(minute, _Minute())
            one.requests += int(requests[position])
            one.failures += int(failures[position])
            one.seconds += float(seconds[position])
            one.received += float(received[position])
        if batch.users is not None:
            most = np.zeros(minutes.size)
            np.maximum.at(most, where, np.nan_to_num(batch.users))
            for minute, count in zip(minutes.tolist(), most.tolist(), strict=True):
                self.users(minute * MINUTE, count)

    def _grow(self) -> None:
        room = self._failures.size
        self._counts = np.concatenate([self._counts, np.zeros_like(self._counts)])
        self._failures = np.concatenate([self._failures, np.zeros(room, dtype=np.int64)])
        self._seconds = np.concatenate([self._seconds, np.zeros(room)])
        self._least = np.concatenate([self._least, np.full(room, np.inf)])
        self._most = np.concatenate([self._most, np.zeros(room)])
        self._bytes = {name: np.concatenate([old, np.zeros(room)]) for name, old in self._bytes.items()}

    def run(self, tool: str, format: str) -> LoadRun:
        """The run as far as it was read; raises SourceError where there is not one request."""
        self._flush()
        if not self._minutes:
            raise SourceError("bad_data", "holds no requests")
        return LoadRun(
            tool=tool,
            format=format,
            start=float(self._start),
            end=float(self._end),
            total=self._total(),
            endpoints=tuple(sorted(self._each(), key=lambda one: (one.name, one.method, one.route))),
            timeline=self._timeline(),
            users=max(self._users.values()) if self._users else None,
            checks=dict(self.checks),
            complete=self.complete,
            warnings=tuple(self._warnings),
        )

    def _each(self) -> Iterator[Endpoint]:
        for (name, method, route), number in self._endpoints.items():
            figures = self._figures(slice(number, number + 1))
            if figures.requests:
                yield Endpoint(name, figures, method, route)

    def _total(self) -> Figures:
        found = self._figures(slice(None))
        both = {name: (getattr(found, name) or 0.0) + size for name, size in self._transferred.items()}
        return replace(found, received=both.get("received", found.received), sent=both.get("sent", found.sent))

    def _figures(self, which: slice) -> Figures:
        """Of the names with these numbers."""
        counts = self._counts[which].sum(axis=0)
        names = range(*which.indices(self._failures.size))
        kinds, errors = list(self._kinds), dict[str, int]()
        for (number, kind), count in sorted(self._errors.items()):
            if number in names:
                errors[kinds[kind]] = errors.get(kinds[kind], 0) + count
        requests = int(counts.sum())
        found = Latencies()
        if requests:
            least, total, most = self._least[which].min(), self._seconds[which].sum(), self._most[which].max()
            found = histogram.latencies(histogram.sparse(counts), float(least), float(total), float(most))
        received, sent = (
            float(self._bytes[name][which].sum()) if self._known_bytes[name] else None for name in ("received", "sent")
        )
        return Figures(requests, int(self._failures[which].sum()), errors, found, received, sent)

    def _timeline(self) -> Timeline:
        first, last = min(self._minutes), max(self._minutes)
        minutes = [self._minutes.get(minute, _Minute()) for minute in range(first, last + 1)]
        received = [one.received for one in minutes]
        for minute, size in self._received.items():
            received[min(max(minute, first), last) - first] += size
        known = self._known_bytes["received"] or bool(self._received)
        return Timeline(
            ends=tuple((minute + 1) * MINUTE for minute in range(first, last + 1)),
            requests=tuple(one.requests for one in minutes),
            seconds=tuple(one.seconds for one in minutes),
            failures=tuple(one.failures for one in minutes),
            received=tuple(received) if known else None,
            users=tuple(self._users.get(minute) for minute in range(first, last + 1)) if self._users else None,
        )


def _check(batch: Batch, place: Callable[[int], str]) -> None:
    """What no measurement can be; the first is told."""
    checks = (
        (batch.seconds, 0.0, LONGEST_LATENCY, "a latency", "seconds"),
        (batch.starts, _FIRST, _LAST, "a time", "Unix seconds"),
        (batch.received, 0.0, 2.0**60, "a size", "bytes"),
        (batch.sent, 0.0, 2.0**60, "a size", "bytes"),
        (batch.users, 0.0, 1e9, "a number of users", "users"),
    )
    for values, least, most, what, unit in checks:
        if values is not None:
            unknown = np.isnan(values) if what in ("a size", "a number of users") else False
            wrong = np.flatnonzero(~((values >= least) & (values <= most) | unknown))
            if wrong.size:
                position = int(wrong[0])
                text = f"{what} of {values[position]:.15g} {unit}, wanted {least:.15g} to {most:.15g}"
                raise SourceError("bad_data", f"{place(position)}: {text}")
