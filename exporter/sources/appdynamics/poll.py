"""The asking of one observation: minutes that are not known yet, within the calls that a poll may take.

What is asked first is had first: when the calls run out, the rest is left out, told in one warning, and of the past
asked for by the next polls. What came is kept at once, so that a failure later on loses none of it.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from exporter import humanize
from exporter.errors import SourceError
from exporter.model.observation import MINUTE, Window
from exporter.sources.appdynamics import spans
from exporter.sources.appdynamics.client import Client
from exporter.sources.appdynamics.conversion import COUNTS, UTILISATION, Weights, to_minutes, wildcards
from exporter.sources.appdynamics.minute_cache import Key, MinuteCache
from exporter.sources.appdynamics.options import METRICS, Options
from exporter.sources.appdynamics.records import Answer, MetricQuery
from exporter.sources.appdynamics.shortfall import ROUTES, SIGNALS, Shortfall
from exporter.sources.appdynamics.similar_names import suggest
from exporter.sources.appdynamics.tiers import weigh

T = TypeVar("T")

SHORTER = tuple(60.0 * minutes for minutes in (1080, 720, 465, 225, 60))
"""What is tried in turn where minutes are thrown away early: 18 hours, 12, not quite 8, not quite 4, one."""

HOUR = 3600.0
"""The longest step; and only what ends so shortly before the newest data may have minutes at its end alone."""

_TENS = 600.0

_OFTEN_MISSING = ("latency_p95", "cpu", "memory")
"""Metrics that agents do not always have; `doctor` tells of them, polls do not."""


@dataclass(frozen=True, slots=True)
class MetricRequest:
    """The minutes of one metric of an application, by our names."""

    application: str
    key: str
    window: Window

    @property
    def cache_key(self) -> Key:
        return self.application, self.key


@dataclass(frozen=True, slots=True)
class _Coarse:
    """A request whose answer came in steps of so many seconds."""

    request: MetricRequest
    step: float


class Poll:
    """One observation of one controller."""

    def __init__(self, client: Client, options: Options, cache: MinuteCache) -> None:
        self.client = client
        self.options = options
        self.cache = cache
        self.paths = options.paths
        self.ids: Mapping[str, int] = {}
        """Our names of the applications that the controller shows, in the order of the configuration, to its ids."""
        self.warnings: list[str] = []
        self.left_out = Shortfall()

        self._weights: dict[str, Weights] = {}
        self._unknown: dict[str, list[str]] = defaultdict(list)
        """Metrics that the controller does not know, with the applications of which it was asked for them."""

    def look_up(self) -> Mapping[str, int]:
        """Find the applications; returns their ids. Raises SourceError (not_found) when none of them is shown."""
        listed = {application.name: application.id for application in self.client.applications()}
        there = {name: self.options.there(name) for name in self.options.applications}
        self.ids = {name: listed[theirs] for name, theirs in there.items() if theirs in listed}

        missing = [f"{theirs!r}{suggest(theirs, listed)}" for name, theirs in there.items() if name not in self.ids]
        shows = f"it shows {len(listed)}" if listed else "it shows none: has our role the right to view them?"
        if not self.ids:
            raise SourceError("not_found", f"the controller shows no application {', '.join(missing)}; {shows}")
        if missing:
            self.warnings.append(f"the controller shows no application {', '.join(missing)}; {shows}")
        return self.ids

    def fetch(self, requests: Iterable[MetricRequest], purpose: str) -> None:
        """Ask for what the cache lacks of the requests, in their order; `purpose` is what they are for."""
        pieces = [piece for request in requests for piece in self._missing_pieces(request)]
        batch = 4 * self.options.parallel  # what came of a batch is kept when a later one fails

        for first in range(0, len(pieces), batch):
            coarse, _ = self._take(pieces[first : first + batch], purpose)
            if coarse:
                self._refine(coarse, purpose)

    def _missing_pieces(self, request: MetricRequest) -> Iterator[MetricRequest]:
        """What the cache lacks of a request, the newest first, in pieces of which minutes come."""
        if request.key not in self.paths:
            return
        for gap in reversed(self.cache.gaps(request.cache_key, request.window)):
            for piece in spans.split(gap):
                yield replace(request, window=piece)

    def _refine(self, coarse: Sequence[_Coarse], purpose: str) -> None:
        """What came in steps, not minutes: ask for the hours at its ends, and for what may have minutes after all.

        Until that is done, what came is stale: a failure in between must not make it stay.
        """
        # An answer in hours says nothing of those that its window cuts; asked for in whole hours, it does.
        wide = [answer.request for answer in coarse if answer.step > _TENS and self._cuts_a_step(answer)]
        _, unasked = self._take(wide, purpose, HOUR)

        # The newest part may be short enough to be had in minutes: shorter and shorter ones are tried until one is.
        remaining = list(coarse)
        for length in SHORTER:
            again: list[MetricRequest] = []
            skipped: list[_Coarse] = []
            for answer in remaining:
                part = _newest_part(answer, length, self.cache.end)
                if part is None:
                    skipped.append(answer)
                else:
                    again.append(part)

            still_coarse, more = self._take(again, purpose)
            remaining = skipped + still_coarse
            unasked |= more

        for answer in coarse:
            if answer.request.cache_key not in unasked:
                self._confirm(answer)

    def _cuts_a_step(self, answer: _Coarse) -> bool:
        """Whether the window begins or ends inside a step that is over; of that the answer says nothing."""
        window = answer.request.window
        over = self.cache.end // answer.step * answer.step
        if window.start % answer.step:
            return True
        return bool(window.end % answer.step) and window.end < over

    def _confirm(self, answer: _Coarse) -> None:
        """All but the newest step, which may not be over."""
        window = answer.request.window
        over = math.floor(self.cache.end / answer.step) * answer.step
        self.cache.confirm(answer.request.cache_key, Window(window.start, min(window.end, over)))

    def _take(
        self, requests: Sequence[MetricRequest], purpose: str, whole: float = _TENS
    ) -> tuple[list[_Coarse], set[Key]]:
        """Keep the answers; returns those that came in steps, and the keys of what could not be asked.

        Asked is for whole steps of so many seconds, as half a step is not told.
        """
        coarse: list[_Coarse] = []
        unasked: set[Key] = set()
        queries = [self._query(request, whole) for request in requests]
        for request, answer in zip(requests, self.client.metrics(queries), strict=True):
            if not self.accept(answer, request.application, request.key, purpose):
                unasked.add(request.cache_key)
                continue

            step = self._keep(request, answer)
            if step > MINUTE:
                coarse.append(_Coarse(request, step))
        return coarse, unasked

    def _query(self, request: MetricRequest, whole: float) -> MetricQuery:
        start = math.floor(request.window.start / whole) * whole
        end = math.ceil(request.window.end / whole) * whole
        if end > self.cache.end:  # the step is not over
            end = request.window.end
        return MetricQuery(self.ids[request.application], self.paths[request.key], Window(start, end))

    def _keep(self, request: MetricRequest, answer: Answer) -> float:
        """Put an answer into the cache; returns the seconds of its coarsest step."""
        minutes = to_minutes(request.key, answer, self._weights.get(request.application))
        self.cache.put(request.cache_key, request.window, minutes)

        step = float(minutes.steps.max(initial=MINUTE))
        # A metric may be unknown as yet, or while the controller is starting: the past may be there later.
        if step > MINUTE or answer.absence == "no_metric":
            self.cache.mark_stale(request.cache_key, request.window)
        return step

    def accept(self, answer: Answer, application: str, key: str, purpose: str) -> bool:
        """Whether it was asked at all; else that is noted, and so is a metric that the controller does not know."""
        if answer.absence == "budget":
            self.left_out.add(purpose, application)
            return False
        if answer.absence == "no_metric" and (key in self.options.metrics or key not in _OFTEN_MISSING):
            self._unknown[key].append(application)
        return True

    def is_whole(self, application: str) -> bool:
        """Whether signals and routes of an application could all be asked for: without some, a verdict would rest on

        whatever happened to come first, and could be called good for want of what speaks against it.
        """
        return not self.left_out.touches(application, SIGNALS, ROUTES)

    def gather(
        self,
        names: Iterable[str],
        ask: Callable[[str], T],
        calls: int,
        purpose: str,
        bearable: Callable[[SourceError], bool] = lambda _: False,
    ) -> Iterator[tuple[str, T | SourceError]]:
        """What `ask` gives of each application, or a bearable error, asked at once as far as the budget goes.

        `calls` is how many each takes. Any other error ends the poll.
        """
        names = list(names)
        affordable = max(0, self.client.left // calls)
        for name in names[affordable:]:
            self.left_out.add(purpose, name, calls)

        def attempt(name: str) -> T | SourceError:
            try:
                return ask(name)
            except SourceError as error:
                if bearable(error) or self._used_up(error):
                    return error
                raise

        answers = self.client.together([partial(attempt, name) for name in names[:affordable]])
        for name, answer in zip(names[:affordable], answers, strict=True):
            if isinstance(answer, SourceError) and self._used_up(answer):
                self.left_out.add(purpose, name, calls)  # others took more than usual
            else:
                yield name, answer

    def _used_up(self, error: SourceError) -> bool:
        return error.reason == "rate_limited" and error.retry_after is None and self.client.left < 1

    def fetch_signals(self, windows: Mapping[str, Window], purpose: str = SIGNALS) -> None:
        """The one-minute series that signals are made of, each application's over its own window."""
        served = (*COUNTS, "latency_mean")
        self.fetch([MetricRequest(name, key, windows[name]) for name in windows for key in served], purpose)

        weighed = self._fetch_weights(windows, purpose)
        self.fetch([MetricRequest(name, key, windows[name]) for name in weighed for key in UTILISATION], purpose)

    def _fetch_weights(self, windows: Mapping[str, Window], purpose: str) -> list[str]:
        """Look up what the tiers' utilisation counts for; returns the applications of which that is known."""
        by_tier = [key for key in UTILISATION if wildcards(self.paths.get(key, ""))]
        missing: dict[str, list[str]] = {}
        for name, window in windows.items():
            keys = [key for key in by_tier if self.cache.gaps((name, key), window)]
            if keys:
                missing[name] = keys

        weighed = windows.keys() - missing.keys()
        for name, tiers in self.gather(missing, lambda name: self.client.tiers(self.ids[name]), 1, purpose):
            assert not isinstance(tiers, SourceError), "none is bearable"
            weights = weigh(name, tiers, self.options.applications[name].tiers)
            self.warnings += weights.warnings
            self._weights[name] = weights.by_tier
            weighed.add(name)

        # Without its tiers no utilisation can be asked for: these calls are not made either.
        for name, keys in missing.items():
            if name not in weighed:
                self.left_out.add(purpose, name, len(keys))
        return [name for name in windows if name in weighed]

    def close(self) -> None:
        """Tell what was left out, and what the controller does not know."""
        for key, names in self._unknown.items():
            path = self.paths.get(key, METRICS.get(key, ""))
            text = f"the controller knows no metric {path!r} of {humanize.join_words(sorted(set(names)))}"
            self.warnings.append(f"{text}: see metrics.{key}")
        if self.left_out:
            self.warnings.append(self.shortage())
        self.warnings += self.client.warnings

    def shortage(self) -> str:
        """What was left out for want of calls, and what to do."""
        return self.left_out.describe(self.client.calls, self.client.left, self.options.calls.per_poll)


def _newest_part(answer: _Coarse, length: float, end: float) -> MetricRequest | None:
    """The newest part of a request, from the beginning of a step on, if there may be minutes in it."""
    window = answer.request.window
    start = math.ceil((window.end - length) / answer.step) * answer.step
    if window.start < start < window.end and window.end > end - HOUR:
        return replace(answer.request, window=Window(start, window.end))
    return None
