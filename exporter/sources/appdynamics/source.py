"""An AppDynamics controller: business transactions are the endpoints.

The number of calls does not depend on the number of transactions, tiers or nodes;
docs/reference/sources/appdynamics.md has the
number for a poll. Results are cached, because the past does not change: later polls request new data only.
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
from exporter.model.checkup import CheckContext
from exporter.model.observation import MINUTE, ApplicationObservation, Events, Observation, Window
from exporter.model.slo_settings import Side
from exporter.sources import ChooseRuns
from exporter.sources.appdynamics import figures
from exporter.sources.appdynamics.client import ControllerClient
from exporter.sources.appdynamics.connection import Connection
from exporter.sources.appdynamics.conversion import COUNTS
from exporter.sources.appdynamics.minute_cache import MinuteCache
from exporter.sources.appdynamics.minutes import MetricMinutes
from exporter.sources.appdynamics.observations import coarse_warnings, complete_minutes, fetch, observation
from exporter.sources.appdynamics.options import OTHER_DATA, Options, problems, reads
from exporter.sources.appdynamics.poll import ControllerPoll, MetricRequest
from exporter.sources.appdynamics.runs import LookBack
from exporter.sources.appdynamics.shortfall import EVENTS, HISTORY

__all__ = ["KIND", "OTHER_DATA", "Options", "Source", "problems", "reads"]

KIND = "appdynamics"

SETTLING = 180.0
"""Agents report within so many seconds; a younger minute may be incomplete, and waits for the next poll."""

RUN_CALLS = 12
"""An application's calls for a run; more for one that is longer than a day."""

_SKEW_WARNING = 30.0
"""There is a warning when the clocks differ by so many seconds."""

_PASTS = 32
"""Most incomplete windows of the past with a cache."""

Windows = Mapping[str, Window]
"""By our name of the application."""


def checks(options: Options, context: CheckContext) -> Iterator[Step]:
    """The steps of `doctor` for a controller."""
    from exporter.sources.appdynamics import checks  # only check-ups need them

    return checks.checks(options, context)


class Source:
    """One environment on one controller."""

    def __init__(
        self,
        options: Options,
        side: str,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._options = options
        self._side = side
        self._clock = clock
        self._connection = Connection(options, clock, monotonic)

        self._cache = MinuteCache()
        self._pasts: dict[Window, MinuteCache] = {}
        self._lookback = LookBack(self._cache)
        self._runs: dict[str, ApplicationObservation] = {}
        """Completely observed runs: they cost no more calls, and do not become coarser."""

        self._newest = -math.inf
        self._remaining_calls = options.calls.per_poll
        self._ids: Mapping[str, int] = {}
        self._skew: float | None = None

    def close(self) -> None:
        """Close idle connections."""
        self._connection.close()

    def observe(self, window: Window, pattern: Window | None = None) -> Observation:
        """Summaries of all applications over `window`, and five-minute rates over `pattern` when given.

        A window that ends before an earlier requested one is the past: it is complete, or it fails, and its data stays
        cached for the next request.
        """
        if window.end < min(self._newest, self._clock() - MINUTE - MINUTE):  # a clock that was set back makes no past
            return self._observe_past(window, pattern)

        self._begin(window.end)
        with self._polling(self._cache) as poll:
            self._ids = poll.look_up()
            settled = self._settled(poll, window)
            self._cache.begin(settled.end)
            since = window.start if pattern is None else min(pattern.start, window.start)
            # The pattern needs calls alone: other metrics need less of the past.
            self._cache.forget(lambda key: since if key[1] == "calls" else window.start)
            return self._observe_all(poll, window, settled, pattern)

    def _observe_past(self, window: Window, pattern: Window | None) -> Observation:
        cache = self._pasts.setdefault(window, MinuteCache())
        while len(self._pasts) > _PASTS:
            del self._pasts[next(iter(self._pasts))]

        # With its own cache: the other one drops data before the newest window.
        with self._polling(cache) as poll:
            poll.look_up()
            cache.end = window.end
            past = self._observe_all(poll, window, self._settled(poll, window), pattern)

        if poll.left_out:
            raise SourceError("rate_limited", poll.shortage()).at_server(self._connection.address)
        del self._pasts[window]
        return past

    def _observe_all(
        self, poll: ControllerPoll, window: Window, settled: Window, pattern: Window | None
    ) -> Observation:
        """Every application over the same window first, then the history."""
        windows = dict.fromkeys(poll.ids, settled) if settled.end > settled.start else {}
        rollups = fetch(poll, windows)

        history = None
        if pattern is not None:
            history = self._settled(poll, pattern)
            poll.fetch([MetricRequest(name, "calls", history) for name in windows], HISTORY)

        applications = {}
        for name in windows:
            application = observation(poll.cache, rollups, name, window, settled)
            if application is None or not poll.is_whole(name):
                continue

            if history is not None:
                application = _with_pattern(application, poll.cache.minutes((name, "calls"), history), history)
            applications[name] = application
        return self._finish(poll, window, applications)

    def observe_runs(self, lookback: Window, threshold: float, choose: ChooseRuns) -> Observation:
        """Each application over its own test run, which `choose` picks from minutes above `threshold` requests/s."""
        self._begin(lookback.end)
        with self._polling(self._cache) as poll:
            self._ids = poll.look_up()
            settled = self._settled(poll, lookback)
            self._cache.begin(settled.end)
            self._cache.forget(lambda _: lookback.start)

            chosen = choose(self._lookback.activity(poll, settled, threshold))
            runs = {name: window for name, window in chosen.items() if name in poll.ids}
            applications = self._observe_chosen(poll, runs)
            return self._finish(poll, lookback, applications)

    def _observe_chosen(self, poll: ControllerPoll, runs: Windows) -> dict[str, ApplicationObservation]:
        """These runs: cached ones unchanged, the others within the budget."""
        self._runs = {name: run for name, run in self._runs.items() if runs.get(name) == run.window}
        new = {name: window for name, window in runs.items() if name not in self._runs}

        applications = dict(self._runs)
        for batch in _batches(new, poll.client.remaining_calls):
            applications |= self._observe_new(poll, batch)
        return {name: applications[name] for name in runs if name in applications}

    def _observe_new(self, poll: ControllerPoll, runs: Windows) -> dict[str, ApplicationObservation]:
        """Runs that are not cached yet; finished and complete ones are cached from now on."""
        windows = self._settled_windows(poll, runs)
        rollups = fetch(poll, windows)

        applications = {}
        for name, settled in windows.items():
            application = observation(self._cache, rollups, name, runs[name], settled, run=True)
            if application is None or not poll.is_whole(name):
                continue
            if "calls" not in complete_minutes(self._cache, name, settled):
                continue

            applications[name] = application
            over = application.window.end <= self._cache.end - OVERLAP  # agents may still report younger minutes
            if over and not poll.left_out.touches(name):
                self._runs[name] = application
        return applications

    def events(self, role: Side, windows: Windows) -> Mapping[str, Events]:
        """The requests of each application in its window, as far as agents have reported completely."""
        configured = {name: window for name, window in windows.items() if name in self._options.applications}
        if not configured:
            return {}

        with self._polling(self._cache) as poll:
            settled = self._fetch_counts(poll, configured)
            events = {name: self._count_events(poll, name, window) for name, window in settled.items()}
        return {name: served for name, served in events.items() if served is not None}

    def _fetch_counts(self, poll: ControllerPoll, windows: Windows) -> dict[str, Window]:
        """Request calls and errors; returns the part of each window that agents have reported completely."""
        if not self._ids:
            self._ids = poll.look_up()
        poll.ids = self._ids

        settled = self._settled_windows(poll, {name: windows[name] for name in windows if name in self._ids})
        if settled and math.isinf(self._cache.end):  # no observation yet
            self._cache.begin(max(window.end for window in settled.values()))
        poll.fetch([MetricRequest(name, key, window) for name, window in settled.items() for key in COUNTS], EVENTS)
        return settled

    def _count_events(self, poll: ControllerPoll, name: str, window: Window) -> Events | None:
        """None unless the counts cover the whole window."""
        minutes = complete_minutes(self._cache, name, window)
        if any(key in poll.paths and key not in minutes for key in COUNTS):
            return None

        errors_reported = self._cache.peek((name, "errors")).times.size > 0
        return figures.events(minutes, window, errors_reported=errors_reported)

    def _begin(self, end: float) -> None:
        """A new poll has its full budget; requests before the next one have the rest of it."""
        self._newest = end
        self._remaining_calls = self._options.calls.per_poll

    @contextlib.contextmanager
    def _polling(self, cache: MinuteCache) -> Iterator[ControllerPoll]:
        """One observation; closes connections at its end, and adds the controller's address to errors."""
        client = ControllerClient(self._connection, self._remaining_calls)

        try:
            yield ControllerPoll(client, self._options, cache)
        except SourceError as error:
            raise error.at_server(self._connection.address) from None
        finally:
            self._remaining_calls = client.remaining_calls
            self._connection.close()  # a connection left idle may be half closed by the next poll

    def _settled(self, poll: ControllerPoll, window: Window) -> Window:
        """The part of a window that agents have reported completely, by the controller's clock."""
        if poll.client.clock_skew is not None:
            self._skew = poll.client.clock_skew
        now = self._clock() + (self._skew or 0.0)
        return Window(window.start, min(window.end, math.floor((now - SETTLING) / MINUTE) * MINUTE))

    def _settled_windows(self, poll: ControllerPoll, windows: Windows) -> dict[str, Window]:
        """The settled part of each window that has one."""
        settled = {name: self._settled(poll, window) for name, window in windows.items()}
        return {name: window for name, window in settled.items() if window.end > window.start}

    def _finish(
        self, poll: ControllerPoll, window: Window, applications: Mapping[str, ApplicationObservation]
    ) -> Observation:
        """End the poll; returns its observation with all warnings."""
        poll.close()
        warnings = [*poll.warnings, *coarse_warnings(applications)]

        skew = poll.client.clock_skew
        if skew is not None and abs(skew) >= _SKEW_WARNING:
            direction = "ahead of" if skew > 0 else "behind"
            address = self._connection.address
            warnings.append(f"the clock of {address} is {abs(skew):.0f} s {direction} ours: windows miss data")

        return Observation(self._side, window, applications, tuple(warnings), poll.client.calls, skew)


def _with_pattern(
    application: ApplicationObservation, calls: MetricMinutes | None, history: Window
) -> ApplicationObservation:
    """With its pattern, unless parts of the history are missing."""
    if calls is None:
        return application
    return replace(application, pattern=figures.pattern(calls, history))


def _batches(runs: Windows, calls: int) -> list[Windows]:
    """Runs to request together: all, or one by one if the calls may run out, to complete some of them."""
    if len(runs) * RUN_CALLS <= calls:
        return [runs]
    return [{name: window} for name, window in runs.items()]
