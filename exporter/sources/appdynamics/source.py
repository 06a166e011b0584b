"""An AppDynamics controller: business transactions are the endpoints.

The number of calls does not depend on the number of transactions, tiers or nodes; docs/sources/appdynamics.md says how
many a poll makes. What was asked is kept, as the past does not change: later polls ask for what came since.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from exporter.analysis.activity import OVERLAP
from exporter.checkup import Step
from exporter.errors import SourceError
from exporter.model.checkup import CheckContext as Target
from exporter.model.observation import MINUTE, ApplicationObservation, Events, Observation, Window
from exporter.model.slo_settings import Side
from exporter.sources import ChooseRuns
from exporter.sources.appdynamics import figures
from exporter.sources.appdynamics.client import Client
from exporter.sources.appdynamics.connection import Connection
from exporter.sources.appdynamics.kept import Kept
from exporter.sources.appdynamics.observing import ask, coarse_warnings, found, observed
from exporter.sources.appdynamics.options import Options, problems
from exporter.sources.appdynamics.poll import HISTORY, Poll, Wanted, each
from exporter.sources.appdynamics.reading import COUNTS
from exporter.sources.appdynamics.runs import LookBack

__all__ = ["KIND", "Options", "Source", "problems"]

KIND = "appdynamics"

SETTLING = 180.0
"""Agents report within so many seconds; a younger minute may be there in part, and is left to the next poll."""

RUN_CALLS = 12
"""An application's calls for a run, and more where it is longer than a day."""

_SKEW_WARNING = 30.0
"""Seconds of difference between the clocks that are worth a warning."""

_PASTS = 32
"""Most windows of the past of which something is kept while the calls of a poll do not suffice for them."""


def checks(options: Options, wanted: Target) -> Iterator[Step]:
    """What `doctor` tries of a controller, step by step."""
    from exporter.sources.appdynamics import checks  # what only check-ups need is loaded for them

    return checks.checks(options, wanted)


class Source:
    """One environment on one controller."""

    def __init__(
        self,
        options: Options,
        side: str,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._options, self._side, self._clock = options, side, clock
        self._connection = Connection(options, clock, monotonic)
        self._kept = Kept()
        self._pasts: dict[Window, Kept] = {}
        self._lookback = LookBack(self._kept)
        self._runs: dict[str, ApplicationObservation] = {}
        """Runs that were observed whole: they cost no calls any more, and do not become coarser."""
        self._newest = -math.inf
        self._left = options.calls.per_poll
        self._ids: Mapping[str, int] = {}
        self._skew: float | None = None

    def close(self) -> None:
        """Close idle connections."""
        self._connection.close()

    def observe(self, window: Window, pattern: Window | None = None) -> Observation:
        """Summaries of all applications over `window`, and five-minute rates over `pattern` when given.

        A window that ends before one that was asked for earlier is the past: it is told whole, or it fails, and what
        was asked for it is kept for the next time.
        """
        if window.end < min(self._newest, self._clock() - MINUTE - MINUTE):  # a clock that was put back makes no past
            return self._observe_past(window, pattern)
        self._begin(window.end)
        with self._polling(self._kept) as poll:
            self._ids = poll.look_up()
            settled = self._settled(poll, window)
            self._kept.begin(settled.end)
            since = window.start if pattern is None else min(pattern.start, window.start)
            self._kept.forget(lambda key: since if key[1] == "calls" else window.start)
            return self._observed(poll, window, settled, pattern)

    def _observe_past(self, window: Window, pattern: Window | None) -> Observation:
        kept = self._pasts.setdefault(window, Kept())
        while len(self._pasts) > _PASTS:
            del self._pasts[next(iter(self._pasts))]
        with self._polling(kept) as poll:
            poll.look_up()
            kept.end = window.end
            seen = self._observed(poll, window, self._settled(poll, window), pattern)
        if poll.left_out:
            raise SourceError("rate_limited", f"{self._connection.place}: {poll.shortage()}")
        del self._pasts[window]
        return seen

    def _observed(self, poll: Poll, window: Window, settled: Window, pattern: Window | None) -> Observation:
        """Every application over the same window, and what is older when nothing newer is to be asked for."""
        windows = dict.fromkeys(poll.ids, settled) if settled.end > settled.start else {}
        told = ask(poll, windows)
        history = None if pattern is None else self._settled(poll, pattern)
        if history is not None:
            days = each(dict.fromkeys(windows, history), "calls")
            poll.fetch(days, HISTORY)
        seen = {}
        for name in windows:
            one = observed(poll.kept, told, name, window, settled)
            calls = poll.kept.minutes((name, "calls"), history) if history is not None else None
            if one is not None and calls is not None and history is not None:
                one = replace(one, pattern=figures.pattern(calls, history))
            if one is not None and poll.is_whole(name):
                seen[name] = one
        return self._told(poll, window, seen)

    def observe_runs(self, lookback: Window, threshold: float, choose: ChooseRuns) -> Observation:
        """Each application over its own test run, which `choose` picks from minutes above `threshold` requests/s."""
        self._begin(lookback.end)
        with self._polling(self._kept) as poll:
            self._ids = poll.look_up()
            settled = self._settled(poll, lookback)
            self._kept.begin(settled.end)
            self._kept.forget(lambda _: lookback.start)
            chosen = choose(self._lookback.activity(poll, settled, threshold))
            runs = {name: window for name, window in chosen.items() if name in poll.ids}
            self._runs = {name: one for name, one in self._runs.items() if runs.get(name) == one.window}
            new = {name: window for name, window in runs.items() if name not in self._runs}
            seen = dict(self._runs)
            for some in _together(new, poll.client.left):
                seen |= self._observed_runs(poll, some)
            return self._told(poll, lookback, {name: seen[name] for name in runs if name in seen})

    def _observed_runs(self, poll: Poll, runs: Mapping[str, Window]) -> dict[str, ApplicationObservation]:
        """Runs that are not kept yet; what is over and whole is kept from now on."""
        cut = {name: self._settled(poll, window) for name, window in runs.items()}
        cut = {name: window for name, window in cut.items() if window.end > window.start}
        told = ask(poll, cut)
        seen = {}
        for name, settled in cut.items():
            one = observed(self._kept, told, name, runs[name], settled, run=True)
            if one is None or not poll.is_whole(name) or "calls" not in found(self._kept, name, settled):
                continue
            seen[name] = one
            whole = not any(name in names for names in poll.left_out.values())
            if whole and one.window.end <= self._kept.end - OVERLAP:
                self._runs[name] = one
        return seen

    def events(self, role: Side, windows: Mapping[str, Window]) -> Mapping[str, Events]:
        """What each application served in its window, up to what agents have reported in full."""
        asked = {name: window for name, window in windows.items() if name in self._options.applications}
        if not asked:
            return {}
        with self._polling(self._kept) as poll:
            if not self._ids:
                self._ids = poll.look_up()
            poll.ids = self._ids
            cut = {name: self._settled(poll, window) for name, window in asked.items() if name in self._ids}
            cut = {name: window for name, window in cut.items() if window.end > window.start}
            if cut and math.isinf(self._kept.end):
                self._kept.begin(max(window.end for window in cut.values()))
            poll.fetch((Wanted(name, key, one) for name, one in cut.items() for key in COUNTS), "events")
            known = {name: found(self._kept, name, one) for name, one in cut.items()}
            whole = {name for name, one in known.items() if all(key in one for key in COUNTS if key in poll.paths)}
            reported = {name: self._kept.seen((name, "errors")).times.size > 0 for name in whole}
            told = {name: figures.events(known[name], cut[name], told=reported[name]) for name in whole}
        return {name: one for name, one in told.items() if one is not None}

    def _begin(self, end: float) -> None:
        """A new poll may make its calls anew; what else is asked for before the next one has what it leaves."""
        self._newest = end
        self._left = self._options.calls.per_poll

    @contextlib.contextmanager
    def _polling(self, kept: Kept) -> Iterator[Poll]:
        """One observation; connections are given back at its end, errors say which controller it was."""
        client = Client(self._connection, self._left)
        try:
            yield Poll(client, self._options, kept)
        except SourceError as error:
            if self._connection.place in str(error):
                raise
            text = f"{self._connection.place}: {error}"
            raise SourceError(error.reason, text, retry_after=error.retry_after) from None
        finally:
            self._left = client.left
            self._connection.close()  # a connection left idle may be half closed by the next poll

    def _settled(self, poll: Poll, window: Window) -> Window:
        """The part of a window that agents have reported in full by the controller's clock."""
        if poll.client.clock_skew is not None:
            self._skew = poll.client.clock_skew
        now = self._clock() + (self._skew or 0.0)
        return Window(window.start, min(window.end, math.floor((now - SETTLING) / MINUTE) * MINUTE))

    def _told(self, poll: Poll, window: Window, seen: Mapping[str, ApplicationObservation]) -> Observation:
        poll.close()
        skew, warnings = poll.client.clock_skew, [*poll.warnings, *coarse_warnings(seen)]
        if skew is not None and abs(skew) >= _SKEW_WARNING:
            way, place = "ahead of" if skew > 0 else "behind", self._connection.place
            warnings.append(f"the clock of {place} is {abs(skew):.0f} s {way} ours: windows miss data")
        return Observation(self._side, window, seen, tuple(warnings), poll.client.calls, skew)


def _together(runs: Mapping[str, Window], calls: int) -> list[Mapping[str, Window]]:
    """Runs to ask for at once: all, or one by one where the calls may not suffice, so that some become whole."""
    return [runs] if len(runs) * RUN_CALLS <= calls else [{name: window} for name, window in runs.items()]
