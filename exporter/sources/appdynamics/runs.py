"""Test runs in a look-back of up to weeks: rule out hours without activity, request minutes of the rest.

One call with steps of 60 minutes shows for each hour whether a minute in it can have been above the threshold. Minutes
are requested for such hours only, the newest first, and cached: a look-back costs its calls once.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from exporter import humanize
from exporter.model.observation import MINUTE, Samples, Window
from exporter.sources.appdynamics import spans
from exporter.sources.appdynamics.conversion import step_totals
from exporter.sources.appdynamics.minute_cache import MinuteCache
from exporter.sources.appdynamics.minutes import select
from exporter.sources.appdynamics.poll import ControllerPoll, MetricRequest
from exporter.sources.appdynamics.records import Floats, MetricQuery, MetricResult
from exporter.sources.appdynamics.shortfall import LOOK_BACK

HOUR = 3600.0

FRESH = 2 * HOUR
"""The newest hours may have no sums yet: their minutes are always requested."""


@dataclass(frozen=True, slots=True)
class _Activity:
    """Active minutes of one application."""

    samples: Samples
    hidden: bool
    """Whether the latest activity has no minutes in the controller."""


class LookBack:
    """The past activity of each application."""

    def __init__(self, cache: MinuteCache) -> None:
        self._cache = cache
        self._quiet: dict[str, list[Window]] = {}
        """Hours without a minute above the threshold."""
        self._threshold = math.nan

    def activity(self, poll: ControllerPoll, window: Window, threshold: float) -> dict[str, Samples]:
        """Application to its minutes above the threshold (requests/s), without incomplete runs."""
        if threshold != self._threshold:
            self._quiet = {}
            self._threshold = threshold
        self._quiet = {name: spans.clip(hours, window) for name, hours in self._quiet.items()}

        unasked = self._rule_out(poll, window)
        ruled = [name for name in poll.ids if name not in unasked]  # others would need a call for each day

        # The newest first: if the calls run out, the latest run is known anyway.
        requests = [MetricRequest(name, "calls", gap) for name in ruled for gap in self._gaps(name, window)]
        requests.sort(key=lambda request: -request.window.end)
        poll.fetch(requests, LOOK_BACK)

        activities = {name: self._activity(name, window) for name in poll.ids}
        hidden = [name for name, activity in activities.items() if activity.hidden]
        if hidden:
            text = f"the controller has no minutes of the latest activity of {humanize.join_words(hidden)}"
            poll.warnings.append(f"{text}: runs then are not detected, but can be configured as windows")
        return {name: activity.samples for name, activity in activities.items() if activity.samples.times}

    def _gaps(self, name: str, window: Window) -> list[Window]:
        """Parts of the window without minutes that are not known to be quiet."""
        return spans.gaps(window, [*self._quiet.get(name, []), *self._cache.covered((name, "calls"))])

    def _rule_out(self, poll: ControllerPoll, window: Window) -> set[str]:
        """Request long gaps in coarse steps; returns the applications without a call left."""
        hours = list(self._long_gaps(poll, window))
        queries = [MetricQuery(poll.ids[name], poll.paths["calls"], gap) for name, gap in hours]

        unasked = set()
        for (name, gap), result in zip(hours, poll.client.metrics(queries), strict=True):
            if poll.accept(result, name, "calls", LOOK_BACK):
                quiet = spans.gaps(_summed_up(gap, window), self._busy_hours(result))
                self._quiet[name] = spans.merge([*self._quiet.get(name, []), *quiet])
            else:
                unasked.add(name)
        return unasked

    def _long_gaps(self, poll: ControllerPoll, window: Window) -> Iterator[tuple[str, Window]]:
        """By application, each from a full hour on."""
        for name in poll.ids:
            for gap in self._gaps(name, window):
                if gap.duration > spans.FINE:
                    yield name, Window(math.floor(gap.start / HOUR) * HOUR, gap.end)

    def _busy_hours(self, result: MetricResult) -> list[Window]:
        """The hours in which a minute can have been above the threshold."""
        hours = []
        for metric in result.metrics:
            most = step_totals(metric)
            if metric.sums is None:  # a rounded rate: half a request a minute may be lost
                most = most + metric.resolution / MINUTE / 2

            for end in metric.times[most > self._threshold * MINUTE].tolist():
                start = math.floor((end - metric.resolution) / HOUR) * HOUR
                hours.append(Window(start, max(end, start + HOUR)))
        return hours

    def _activity(self, name: str, window: Window) -> _Activity:
        """Activity before a gap does not count: the latest run may be in the gap."""
        minutes = self._cache.peek((name, "calls"), window)
        active = select(minutes, minutes.values > self._threshold * MINUTE)
        fine = select(active, active.steps <= MINUTE)
        coarse = active.times[active.steps > MINUTE]

        gaps = self._gaps(name, window)
        since = gaps[-1].end if gaps else -math.inf
        whole = np.zeros(fine.times.size, np.bool_)
        for block in _blocks(fine.times):
            whole[block] = not _touches(fine.times[block], since, coarse)

        times = fine.times[whole]
        rates = fine.values[whole] / MINUTE
        hidden = bool(coarse.size) and not (times.size and times[-1] > coarse[-1])
        return _Activity(Samples(tuple(times.tolist()), tuple(rates.tolist())), hidden)


def _summed_up(gap: Window, window: Window) -> Window:
    """The whole hours in the result for a gap."""
    end = min(gap.end, window.end - FRESH)
    return Window(gap.start, max(gap.start, math.floor(end / HOUR) * HOUR))


def _blocks(times: Floats) -> Sequence[slice]:
    """Blocks of minutes, separated by more than an hour without any."""
    edges = [0, *(np.flatnonzero(np.diff(times) > HOUR) + 1).tolist(), times.size]
    return [slice(first, last) for first, last in pairwise(edges) if last > first]


def _touches(block: Floats, since: float, coarse: Floats) -> bool:
    """Whether activity without minutes may belong to the same run."""
    if block[0] - since <= HOUR:
        return True
    return bool(((coarse >= block[0] - HOUR) & (coarse <= block[-1] + HOUR)).any())
