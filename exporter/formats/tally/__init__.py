"""Adds up requests while they are read, in memory that grows with names and minutes, never with requests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from exporter.analysis import histogram
from exporter.analysis.arithmetic import Floats
from exporter.errors import SourceError
from exporter.formats.tally import names
from exporter.formats.tally.batch import Batch, Codes, PendingRequests, check
from exporter.formats.tally.minutes import MinuteTally
from exporter.model.loadrun import OTHER, Figures, Latencies, LoadRun, RunEndpoint

MAX_NAMES = 1000
"""Names beyond are added up as `other`: a tool that puts IDs into names would fill the memory."""

MAX_KINDS = 100
"""Kinds of errors beyond are added up as `other`."""

_ROWS = 8192
"""Single requests that are kept before they are added up."""

_FEW = 8
"""Buckets for each request, above which sorting the requests is faster than counting all buckets."""

_NAMES = 16
"""Room for names to begin with; doubled when it is full."""


class Tally:
    """The requests read so far. `run` may be called at any time; more may be added afterwards."""

    def __init__(self) -> None:
        self._endpoints: dict[tuple[str, str, str], int] = {}
        """Name, method and route to the position in the arrays below."""
        self._kinds: dict[str, int] = {}
        self._counts = np.zeros((_NAMES, histogram.SIZE), dtype=np.int64)
        """Requests by endpoint and bucket of their latency."""
        self._failures = np.zeros(_NAMES, dtype=np.int64)
        self._seconds = np.zeros(_NAMES)
        self._least = np.full(_NAMES, np.inf)
        self._most = np.zeros(_NAMES)
        self._bytes = {"received": np.zeros(_NAMES), "sent": np.zeros(_NAMES)}
        self._known_bytes = {"received": False, "sent": False}
        self._transferred: dict[str, float] = {}
        self._errors: dict[tuple[int, int], int] = {}
        """Endpoint and kind of error to how often it happened."""
        self._minutes = MinuteTally()
        self._rows = PendingRequests()
        self._warnings: dict[str, None] = {}
        self.complete = True
        self.checks: dict[str, bool] = {}

    @property
    def requests(self) -> int:
        """How many were added."""
        return int(self._counts.sum()) + len(self._rows.endpoints)

    def endpoint(self, name: str, method: str = "", route: str = "") -> int:
        """The number of a name; `method` and `route` where the tool reports them."""
        key = (names.tidy(name), method, route)
        number = self._endpoints.get(key)
        if number is not None:
            return number

        if len(self._endpoints) >= MAX_NAMES:
            self.warn(f"has more than {MAX_NAMES} names, the rest counts as {OTHER}: group them in the test")
            key = (OTHER, "", "")
        number = self._endpoints.setdefault(key, len(self._endpoints))
        if number >= self._failures.size:
            self._grow()
        return number

    def kind(self, error: str) -> int:
        """The number of a kind of error; one without a name is `failed`."""
        error = names.kind(error) or "failed"
        number = self._kinds.get(error)
        if number is None:
            key = error if len(self._kinds) < MAX_KINDS else OTHER
            number = self._kinds.setdefault(key, len(self._kinds))
        return number

    def warn(self, text: str) -> None:
        """Add a warning for people; each text once."""
        self._warnings[text] = None

    def breaks_off(self, text: str) -> None:
        """The file ends in the middle of something, as `text` says: the run was ended early."""
        self.warn(text)
        self.complete = False

    def cut_off(self, location: str, tool: str) -> None:
        """The file's last record is incomplete, and was omitted."""
        self.breaks_off(f"{location}: is incomplete and was omitted: {tool} was stopped, or the file cut")

    def users(self, at: float, count: float) -> None:
        """So many users were active at a time, Unix seconds."""
        self._minutes.users(at, count)

    def transferred(self, at: float, direction: str, size: float) -> None:
        """Bytes "received" or "sent" until `at`, Unix seconds, which the tool does not report by request."""
        self._transferred[direction] = self._transferred.get(direction, 0.0) + size
        if direction == "received":
            self._minutes.received(at, size)

    def add(
        self,
        endpoint: int,
        start: float,
        seconds: float,
        *,
        failed: bool,
        kind: int | None = None,
        received: float = np.nan,
        sent: float = np.nan,
        location: str = "",
    ) -> None:
        """One request; `location` is its line or record, such as "line 17". NaN bytes are not reported."""
        if kind is None:
            kind = self.kind("") if failed else 0

        rows = self._rows
        rows.endpoints.append(endpoint)
        rows.starts.append(start)
        rows.seconds.append(seconds)
        rows.failed.append(failed)
        rows.kinds.append(kind)
        rows.received.append(received)
        rows.sent.append(sent)
        rows.locations.append(location)
        if len(rows.endpoints) >= _ROWS:
            self._flush()

    def _flush(self) -> None:
        rows = self._rows
        self._rows = PendingRequests()
        if rows.endpoints:
            self.add_batch(rows.batch(), rows.locations.__getitem__)

    def add_batch(self, batch: Batch, location: Callable[[int], str]) -> None:
        """Many requests; `location` gives the line or record of a position in the batch. Raises SourceError."""
        if not batch.endpoints.size:
            return

        check(batch, location)
        room = self._failures.size
        self._add_latencies(batch.endpoints * histogram.SIZE + histogram.index(batch.seconds))
        self._seconds += np.bincount(batch.endpoints, weights=batch.seconds, minlength=room)
        np.minimum.at(self._least, batch.endpoints, batch.seconds)
        np.maximum.at(self._most, batch.endpoints, batch.seconds)

        self._failures += np.bincount(batch.endpoints[batch.failed], minlength=room)
        self._add_errors(batch)
        self._add_bytes("received", batch.endpoints, batch.received)
        self._add_bytes("sent", batch.endpoints, batch.sent)
        self._minutes.add(batch, batch.starts + batch.seconds)

    def _add_latencies(self, keys: Codes) -> None:
        """Buckets of all names one after another; many requests are counted, few sorted."""
        counts = self._counts.reshape(-1)
        if keys.size * _FEW > counts.size:
            counts += np.bincount(keys, minlength=counts.size)
        else:
            buckets, requests = np.unique(keys, return_counts=True)
            counts[buckets] += requests

    def _add_bytes(self, direction: str, endpoints: Codes, sizes: Floats | None) -> None:
        if sizes is None or np.isnan(sizes).all():
            return
        self._known_bytes[direction] = True
        self._bytes[direction] += np.bincount(endpoints, weights=np.nan_to_num(sizes), minlength=self._failures.size)

    def _add_errors(self, batch: Batch) -> None:
        if batch.kinds is None or not batch.failed.any():
            return

        # One number for each pair of endpoint and kind: numbers are counted fast.
        width = len(self._kinds) + 1
        pairs = batch.endpoints[batch.failed] * width + batch.kinds[batch.failed]
        keys, counts = np.unique(pairs, return_counts=True)
        for key, count in zip(keys.tolist(), counts.tolist(), strict=True):
            pair = divmod(key, width)
            self._errors[pair] = self._errors.get(pair, 0) + count

    def _grow(self) -> None:
        room = self._failures.size
        self._counts = np.concatenate([self._counts, np.zeros_like(self._counts)])
        self._failures = np.concatenate([self._failures, np.zeros(room, dtype=np.int64)])
        self._seconds = np.concatenate([self._seconds, np.zeros(room)])
        self._least = np.concatenate([self._least, np.full(room, np.inf)])
        self._most = np.concatenate([self._most, np.zeros(room)])
        self._bytes = {name: np.concatenate([old, np.zeros(room)]) for name, old in self._bytes.items()}

    def run(self, tool: str, format: str) -> LoadRun:
        """The run as far as it was read; raises SourceError if it has no requests."""
        self._flush()
        if not self._minutes:
            raise SourceError("bad_data", "has no requests")

        endpoints = sorted(self._named(), key=lambda endpoint: (endpoint.name, endpoint.method, endpoint.route))
        return LoadRun(
            tool=tool,
            format=format,
            start=float(self._minutes.start),
            end=float(self._minutes.end),
            total=self._total(),
            endpoints=tuple(endpoints),
            timeline=self._minutes.timeline(sizes=self._known_bytes["received"]),
            users=self._minutes.most_users,
            checks=dict(self.checks),
            complete=self.complete,
            warnings=tuple(self._warnings),
        )

    def _named(self) -> Iterator[RunEndpoint]:
        for (name, method, route), number in self._endpoints.items():
            figures = self._figures(slice(number, number + 1))
            if figures.requests:
                yield RunEndpoint(name, figures, method, route)

    def _total(self) -> Figures:
        figures = self._figures(slice(None))
        return replace(
            figures,
            received=self._with_transferred("received", figures.received),
            sent=self._with_transferred("sent", figures.sent),
        )

    def _with_transferred(self, direction: str, size: float | None) -> float | None:
        """The bytes of all requests, and those that the tool reports without a request."""
        if direction not in self._transferred:
            return size
        return (size or 0.0) + self._transferred[direction]

    def _figures(self, which: slice) -> Figures:
        """Of the names with these numbers."""
        counts = self._counts[which].sum(axis=0)
        requests = int(counts.sum())
        latencies = Latencies()
        if requests:
            least = float(self._least[which].min())
            total = float(self._seconds[which].sum())
            most = float(self._most[which].max())
            latencies = histogram.latencies(histogram.sparse(counts), least, total, most)

        return Figures(
            requests,
            int(self._failures[which].sum()),
            self._errors_of(which),
            latencies,
            self._bytes_of(which, "received"),
            self._bytes_of(which, "sent"),
        )

    def _errors_of(self, which: slice) -> dict[str, int]:
        numbers = range(*which.indices(self._failures.size))
        kinds = list(self._kinds)
        errors: dict[str, int] = {}
        for (number, kind), count in sorted(self._errors.items()):
            if number in numbers:
                errors[kinds[kind]] = errors.get(kinds[kind], 0) + count
        return errors

    def _bytes_of(self, which: slice, direction: str) -> float | None:
        return float(self._bytes[direction][which].sum()) if self._known_bytes[direction] else None
