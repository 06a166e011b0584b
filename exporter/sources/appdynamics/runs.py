"""Test runs in a look-back that may be weeks: hours that hold no activity are ruled out, minutes asked for the rest.

One call of sixty-minute steps tells of each hour whether a minute in it can have been above the threshold. Only in
such hours minutes are asked for, the newest first, and kept: a look-back costs its calls once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from exporter import humanize
from exporter.model.observation import MINUTE, Samples, Window
from exporter.sources.appdynamics import spans
from exporter.sources.appdynamics.kept import Kept
from exporter.sources.appdynamics.minutes import chosen
from exporter.sources.appdynamics.poll import LOOK_BACK, Poll, Wanted
from exporter.sources.appdynamics.reading import totals
from exporter.sources.appdynamics.records import Answer, Ask, Floats

HOUR = 3600.0

FRESH = 2 * HOUR
"""The newest hours may not be summed up yet: of them minutes are asked for in any case."""


class LookBack:
    """What is known of the past activity of each application."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        self._quiet: dict[str, list[Window]] = {}
        """Hours without a minute above the threshold."""
        self._threshold = math.nan

    def activity(self, poll: Poll, window: Window, threshold: float) -> dict[str, Samples]:
        """Application to its minutes above the threshold (requests/s), without runs of which only a part is known."""
        if threshold != self._threshold:
            self._quiet, self._threshold = {}, threshold
        self._quiet = {name: spans.inside(known, window) for name, known in self._quiet.items()}
        unasked = self._rule_out(poll, window)
        ruled = [name for name in poll.ids if name not in unasked]  # else each of their days would be asked for
        wanted = [Wanted(name, "calls", gap) for name in ruled for gap in self._missing(name, window)]
        poll.fetch(sorted(wanted, key=lambda one: -one.window.end), LOOK_BACK)
        found = {name: self._active(name, window) for name in poll.ids}
        hidden = [name for name, (_, coarse) in found.items() if coarse]
        if hidden:
            text = f"the controller has kept no minutes of the latest activity of {humanize.join_words(hidden)}"
            poll.warnings.append(f"{text}: runs then are not found, but can be given as windows")
        return {name: samples for name, (samples, _) in found.items() if samples.times}

    def _missing(self, name: str, window: Window) -> list[Window]:
        return spans.missing(window, [*self._quiet.get(name, []), *self._kept.known((name, "calls"))])

    def _rule_out(self, poll: Poll, window: Window) -> set[str]:
        """Ask in coarse steps about whatever is too long for one call of minutes; returns who could not be asked."""
        gaps = [(name, gap) for name in poll.ids for gap in self._missing(name, window) if gap.duration > spans.FINE]
        hours = [(name, Window(math.floor(gap.start / HOUR) * HOUR, gap.end)) for name, gap in gaps]
        asks = [Ask(poll.ids[name], poll.paths["calls"], each) for name, each in hours]
        unasked = set()
        for (name, asked), answer in zip(hours, poll.client.metrics(asks), strict=True):
            if poll.answered(answer, name, "calls", LOOK_BACK):
                quiet = spans.missing(_ruled(asked, window), self._busy(answer))
                self._quiet[name] = spans.joined([*self._quiet.get(name, []), *quiet])
            else:
                unasked.add(name)
        return unasked

    def _busy(self, answer: Answer) -> list[Window]:
        """The hours in which a minute can have been above the threshold."""
        found = []
        for metric in answer.metrics:
            most = totals(metric) if metric.sums is not None else totals(metric) + metric.resolution / MINUTE / 2
            for end in metric.times[most > self._threshold * MINUTE].tolist():
                start = math.floor((end - metric.resolution) / HOUR) * HOUR
                found.append(Window(start, max(end, start + HOUR)))
        return found

    def _active(self, name: str, window: Window) -> tuple[Samples, bool]:
        """Active minutes in the look-back, and whether the latest activity is one of which no minutes are kept.

        Older than something that is not known yet, nothing counts: the latest run may be there.
        """
        known = self._kept.seen((name, "calls"), window)
        active = chosen(known, known.values > self._threshold * MINUTE)
        fine, coarse = active.steps <= MINUTE, active.times[active.steps > MINUTE]
        unknown = self._missing(name, window)
        since = unknown[-1].end if unknown else -math.inf
        times, values = active.times[fine], active.values[fine] / MINUTE
        kept = [block for block in _blocks(times) if not _touches(times[block], since, coarse)]
        where = np.concatenate(kept) if kept else np.zeros(0, np.int64)
        found = times[where]
        hidden = bool(coarse.size) and not (found.size and found[-1] > coarse[-1])
        return Samples(tuple(found.tolist()), tuple(values[where].tolist())), hidden


def _ruled(asked: Window, window: Window) -> Window:
    """The whole hours that the answer speaks of."""
    return Window(asked.start, max(asked.start, math.floor((min(asked.end, window.end - FRESH)) / HOUR) * HOUR))


def _blocks(times: Floats) -> Sequence[np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Positions of minutes between which no hour passed without one."""
    edges = [0, *(np.flatnonzero(np.diff(times) > HOUR) + 1).tolist(), times.size]
    return [np.arange(first, last) for first, last in pairwise(edges) if last > first]


def _touches(block: Floats, since: float, coarse: Floats) -> bool:
    """Whether activity that is not known minute by minute may belong to the same run."""
    if block[0] - since <= HOUR:
        return True
    return bool(((coarse >= block[0] - HOUR) & (coarse <= block[-1] + HOUR)).any())
