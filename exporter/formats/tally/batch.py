"""Many requests as arrays, and what no request can be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from exporter.analysis.arithmetic import Floats
from exporter.errors import SourceError

Codes = NDArray[np.int64]
Flags = NDArray[np.bool_]

LONGEST_LATENCY = 86400.0
"""Seconds; what took longer is a mistake."""

LONGEST_RUN = 7 * 86400.0
"""Seconds; requests further apart are not of one run, or a clock went wrong."""

_FIRST, _LAST = 946684800.0, 4102444800.0
"""2000 and 2100, Unix seconds: what lies outside is another unit, or a clock that was never set."""


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
class Rows:
    """Single requests, until they are many enough to be added up as arrays."""

    endpoints: list[int] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    failed: list[bool] = field(default_factory=list)
    kinds: list[int] = field(default_factory=list)
    received: list[float] = field(default_factory=list)
    sent: list[float] = field(default_factory=list)
    places: list[str] = field(default_factory=list)

    def batch(self) -> Batch:
        """All of them; sizes that no request told are not told."""
        received, sent = np.asarray(self.received), np.asarray(self.sent)
        return Batch(
            np.asarray(self.endpoints, dtype=np.int64),
            np.asarray(self.starts, dtype=np.float64),
            np.asarray(self.seconds, dtype=np.float64),
            np.asarray(self.failed, dtype=np.bool_),
            np.asarray(self.kinds, dtype=np.int64),
            None if np.isnan(received).all() else received,
            None if np.isnan(sent).all() else sent,
        )


def check(batch: Batch, place: Callable[[int], str]) -> None:
    """Raises SourceError for the first that no request can be; `place` tells where in the file a position stands."""
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
