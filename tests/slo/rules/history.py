"""A month of a fictitious service's counters, and its true figures by numpy.

October 2025: day and night, incidents, five quiet hours, a counter that restarts, an instance that comes and goes.
The clock of Berlin is put back on the 26th.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

SCRAPE = 30

Floats = npt.NDArray[np.float64]


def unix(text: str) -> float:
    """Unix seconds of a time in UTC such as `2025-10-01 12:00`."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


START, END = unix("2025-09-30 21:00"), unix("2025-10-31 23:00")
QUIET = unix("2025-10-09 01:00"), unix("2025-10-09 06:00")
USUAL = 0.0004
"""Share of bad events."""
INCIDENTS = (
    ("2025-09-30 22:00", "2025-09-30 23:00", 0.03),  # the first hour of October in Berlin
    ("2025-10-06 12:00", "2025-10-06 14:00", 0.005),
    ("2025-10-17 08:00", "2025-10-17 08:30", 0.02),
    ("2025-10-21 00:00", "2025-10-24 00:00", 0.0008),
    ("2025-10-29 06:00", "2025-10-31 23:00", 0.0016),
)


class History:
    """Scrapes of three instances; between two scrapes events are evenly spread.

    The day has 2.4 times the traffic of the night. Recorded rates lag by two minutes, so a steeper slope would show as
    more than 0.5 % in the counts of short windows.
    """

    def __init__(self) -> None:
        self.times = np.arange(START + 11, END + SCRAPE, SCRAPE)
        days = (self.times - START) / 86400
        rate = 6000 + 2500 * np.sin(2 * np.pi * days) + 500 * np.sin(2 * np.pi * days / 7)
        rate[(self.times > QUIET[0]) & (self.times <= QUIET[1])] = 0
        share = np.full_like(rate, USUAL)
        for start, end, value in INCIDENTS:
            share[(self.times > unix(start)) & (self.times <= unix(end))] = value
        self.events, self.errors = rate * SCRAPE, rate * SCRAPE * share
        visiting = (days > 5) & (days < 20)
        self._instances = {
            "a": np.where(visiting, 0.5, 0.7),
            "b": np.full_like(rate, 0.3),
            "c": np.where(visiting, 0.2, 0.0),
        }

    def write(self, path: Path) -> Path:
        """As OpenMetrics: `requests_total` by instance and code."""
        with path.open("w") as out:
            out.write("# TYPE requests counter\n")
            for instance, share in self._instances.items():
                for code, counts in (("200", self.events - self.errors), ("500", self.errors)):
                    labels = f'instance="{instance}",code="{code}"'
                    out.writelines(f"requests_total{{{labels}}} {v} {t}\n" for t, v in self._scraped(counts * share))
            out.write("# EOF\n")
        return path

    def _scraped(self, counts: Floats) -> Iterator[tuple[float, int]]:
        """A counter's values: whole numbers from the first event to the last, with a reset after 12 days."""
        total = np.floor(np.cumsum(counts)).astype(np.int64)
        restart = 12 * 86400 // SCRAPE
        total[restart:] -= total[restart - 1]
        active = np.flatnonzero(counts)
        part = slice(active[0], active[-1] + 1)
        return zip(self.times[part].tolist(), total[part].tolist(), strict=True)

    @cached_property
    def _sums(self) -> dict[str, Floats]:
        return {"events": np.cumsum(self.events), "errors": np.cumsum(self.errors)}

    def count(self, kind: str, start: float, end: float) -> float:
        """Events or errors between two times."""
        until = np.interp([start, end], self.times, self._sums[kind])
        return float(until[1] - until[0])
