"""Many requests as arrays, and the check that each of them can be one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from exporter.analysis.arithmetic import Floats
from exporter.errors import SourceError
from exporter.formats.tally.limits import EARLIEST, LATEST, LONGEST_LATENCY, MOST

Codes = NDArray[np.int64]
Flags = NDArray[np.bool_]

S = TypeVar("S", bound=np.generic)


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
    """From Tally.kind; ignored for requests that did not fail."""
    received: Floats | None = None
    """Bytes; NaN where a request does not report them."""
    sent: Floats | None = None
    users: Floats | None = None
    """Concurrent users as the request ended."""

    def take(self, positions: Codes) -> Batch:
        """The requests at these positions."""
        return Batch(
            self.endpoints[positions],
            self.starts[positions],
            self.seconds[positions],
            self.failed[positions],
            _take(self.kinds, positions),
            _take(self.received, positions),
            _take(self.sent, positions),
            _take(self.users, positions),
        )


def _take(values: NDArray[S] | None, positions: Codes) -> NDArray[S] | None:
    return None if values is None else values[positions]


@dataclass(slots=True)
class PendingRequests:
    """Single requests, until they are many enough to be added up as arrays."""

    endpoints: list[int] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    failed: list[bool] = field(default_factory=list)
    kinds: list[int] = field(default_factory=list)
    received: list[float] = field(default_factory=list)
    sent: list[float] = field(default_factory=list)
    locations: list[str] = field(default_factory=list)

    def batch(self) -> Batch:
        """All of them."""
        return Batch(
            np.asarray(self.endpoints, dtype=np.int64),
            np.asarray(self.starts, dtype=np.float64),
            np.asarray(self.seconds, dtype=np.float64),
            np.asarray(self.failed, dtype=np.bool_),
            np.asarray(self.kinds, dtype=np.int64),
            _sizes(self.received),
            _sizes(self.sent),
        )


def _sizes(values: Sequence[float]) -> Floats | None:
    """None where no request reports its size."""
    sizes = np.asarray(values, dtype=np.float64)
    return None if np.isnan(sizes).all() else sizes


def check(batch: Batch, location: Callable[[int], str]) -> None:
    """Raises SourceError for the first impossible request; `location` gives a position's line or record."""
    checks = (
        (batch.seconds, 0.0, LONGEST_LATENCY, "a latency", "seconds"),
        (batch.starts, EARLIEST, LATEST, "a time", "Unix seconds"),
        (batch.received, 0.0, MOST, "a size", "bytes"),
        (batch.sent, 0.0, MOST, "a size", "bytes"),
        (batch.users, 0.0, 1e9, "a number of users", "users"),
    )
    for values, least, most, what, unit in checks:
        if values is None:
            continue

        valid = (values >= least) & (values <= most)
        if what in ("a size", "a number of users"):
            valid |= np.isnan(values)  # this request does not report it

        wrong = np.flatnonzero(~valid)
        if wrong.size:
            position = int(wrong[0])
            text = f"{what} of {values[position]:.15g} {unit}, expected {least:.15g} to {most:.15g}"
            raise SourceError("bad_data", f"{location(position)}: {text}")
