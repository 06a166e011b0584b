"""Counters of all and bad events, for SLOs on data that only the exporter can read. One object per process.

docs/explanation/method.md, section "Objectives in a test run", says what the rules may expect of these counters.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping

from exporter.analysis.slo import EventTotals, count_events
from exporter.config import Config
from exporter.model.observation import Events, Window
from exporter.model.slo_settings import SliSettings
from exporter.sources import counts

Key = tuple[str, str, str]
"""Application, side (the environment's name) and SLO: the counters' labels."""

CATCH_UP = 2 * 86400.0
"""Maximum seconds to count in one poll: after weeks of downtime, a source is not queried for every minute of them."""

_NOTHING = EventTotals(0.0, 0.0)


class EventCounts:
    """Events since the process started, by SLO and side. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._slis: dict[Key, SliSettings] = {}
        self._totals: dict[Key, EventTotals] = {}
        self._ends: dict[tuple[str, str], float] = {}
        """(side, application) to the time up to which its events have been counted."""
        self._published = frozenset[str]()
        self._unknown = set[Key]()

    def configure(self, config: Config) -> None:
        """Start the counters of new SLOs at 0 and drop those of removed SLOs; the others continue, whatever changed."""
        slis = dict(_configured(config))
        with self._lock:
            self._slis = slis
            self._totals = {key: self._totals.get(key, _NOTHING) for key in slis}
            self._unknown &= slis.keys()
            counted_for = {(side, application) for application, side, _ in slis}
            self._ends = {key: end for key, end in self._ends.items() if key in counted_for}

    def show(self, sides: Iterable[str]) -> None:
        """From now on publish the counters of these sides only."""
        with self._lock:
            self._published = frozenset(sides)

    def due(self, side: str, end: float) -> Mapping[str, Window]:
        """Application to the window to count, which ends at `end` (Unix seconds).

        A side that is not published is not counted: Prometheus must first scrape its counters at their old value, or
        `rate` would miss the increase. Counting starts at the first call.
        """
        with self._lock:
            applications = {application for application, own, _ in self._slis if own == side}
            # A new application is counted from now on, not from the beginning of its data.
            ends = {name: self._ends.setdefault((side, name), end) for name in applications}
            if side not in self._published:
                return {}
            return {name: Window(max(since, end - CATCH_UP), end) for name, since in ends.items() if since < end}

    def add(self, side: str, windows: Mapping[str, Window], results: Mapping[str, Events]) -> tuple[str, ...]:
        """Count a source's events in the windows that were due; returns warnings for events it could not report.

        Events that a poll of the previous configuration has counted meanwhile are not counted again.
        """
        new = dict[str, Events]()
        with self._lock:
            for application, events in results.items():
                end = self._ends.get((side, application), events.window.end)
                if windows[application].start >= end:
                    new[application] = events

            for application, events in new.items():
                self._ends[side, application] = events.window.end
            return tuple(self._count(side, new))

    def _count(self, side: str, results: Mapping[str, Events]) -> Iterator[str]:
        for key, sli in self._slis.items():
            application, own, name = key
            if own != side or application not in results:
                continue

            more = count_events(sli, results[application])
            if more is None:  # the source may report it later: until then the counter is not published
                self._unknown.add(key)
                yield f"cannot count events of {application} for the SLO {name}: {_missing(sli)}"
                continue
            self._unknown.discard(key)
            total = self._totals[key]
            self._totals[key] = EventTotals(total.events + more.events, total.bad + more.bad)

    def rows(self) -> list[tuple[Key, EventTotals]]:
        """The published counters, by their labels."""
        with self._lock:
            rows = []
            for key, total in sorted(self._totals.items(), key=lambda row: row[0]):
                _, side, _ = key
                if side in self._published and key not in self._unknown:
                    rows.append((key, total))
            return rows


def _configured(config: Config) -> Iterator[tuple[Key, SliSettings]]:
    """SLOs without their own queries, on each of their sides with a source that can count."""
    names = {environment.role: environment.name for environment in config.environments if counts(environment)}
    for slo in config.slos:
        for role in slo.sides:
            if role in names and slo.sli.events is None:
                yield (slo.application, names[role], slo.name), slo.sli


def _missing(sli: SliSettings) -> str:
    if sli.latency is None:
        return "the source does not report requests and errors"
    return f"the source's histogram has no bucket that ends at {sli.latency.threshold:g}s"
