"""The requests of one observation: missing minutes, within the calls that a poll may make.

The order matters: when the calls run out, the rest is omitted with one warning, and the next polls request the missing
past. Results are cached immediately, so a later failure loses none of them.
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
from exporter.sources.appdynamics.client import ControllerClient
from exporter.sources.appdynamics.conversion import COUNTS, UTILISATION, Weights, to_minutes, wildcards
from exporter.sources.appdynamics.minute_cache import Key, MinuteCache
from exporter.sources.appdynamics.options import METRICS, Options
from exporter.sources.appdynamics.records import MetricQuery, MetricResult
from exporter.sources.appdynamics.shortfall import ROUTES, SIGNALS, Shortfall
from exporter.sources.appdynamics.similar_names import suggest
from exporter.sources.appdynamics.tiers import weigh

T = TypeVar("T")

SHORTER = tuple(60.0 * minutes for minutes in (1080, 720, 465, 225, 60))
"""Lengths to try in turn if the controller drops minutes early: 18 hours, 12, almost 8, almost 4, one."""

HOUR = 3600.0
"""The longest step. A window must end this shortly before the newest data to have minutes at its end alone."""

_TENS = 600.0

_OFTEN_MISSING = ("latency_p95", "cpu", "memory")
"""Metrics that agents do not always have; `doctor` reports them, polls do not."""


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
    """A request with a result in steps of so many seconds."""

    request: MetricRequest
    step: float


class ControllerPoll:
    """One observation of one controller."""

    def __init__(self, client: ControllerClient, options: Options, cache: MinuteCache) -> None:
        self.client = client
        self.options = options
        self.cache = cache
        self.paths = options.paths
        self.ids: Mapping[str, int] = {}
        """Our names of the listed applications, in the order of the configuration, to the controller's ids."""
        self.warnings: list[str] = []
        self.left_out = Shortfall()

        self._weights: dict[str, Weights] = {}
        self._unknown: dict[str, list[str]] = defaultdict(list)
        """Metrics unknown to the controller, with the applications."""

    def look_up(self) -> Mapping[str, int]:
        """Find the applications; returns their ids. Raises SourceError (not_found) if none is listed."""
        listed = {application.name: application.id for application in self.client.applications()}
        there = {name: self.options.there(name) for name in self.options.applications}
        self.ids = {name: listed[theirs] for name, theirs in there.items() if theirs in listed}

        missing = [f"{theirs!r}{suggest(theirs, listed)}" for name, theirs in there.items() if name not in self.ids]
        shows = f"it lists {len(listed)}" if listed else "it lists none: may our role view them?"
        if not self.ids:
            raise SourceError("not_found", f"the controller does not list {', '.join(missing)}; {shows}")
        if missing:
            self.warnings.append(f"the controller does not list {', '.join(missing)}; {shows}")
        return self.ids

    def fetch(self, requests: Iterable[MetricRequest], purpose: str) -> None:
        """Request the data that the cache lacks, in order; `purpose` is for the warning."""
        pieces = [piece for request in requests for piece in self._missing_pieces(request)]
        batch = 4 * self.options.parallel  # a batch stays in the cache when a later one fails

        for first in range(0, len(pieces), batch):
            coarse, _ = self._take(pieces[first : first + batch], purpose)
            if coarse:
                self._refine(coarse, purpose)

    def _missing_pieces(self, request: MetricRequest) -> Iterator[MetricRequest]:
        """The missing parts of a request, the newest first, short enough for minutes."""
        if request.key not in self.paths:
            return
        for gap in reversed(self.cache.gaps(request.cache_key, request.window)):
            for piece in spans.split(gap):
                yield replace(request, window=piece)

    def _refine(self, coarse: Sequence[_Coarse], purpose: str) -> None:
        """Data in coarse steps: request the hours at its ends, and the parts that may have minutes.

        Until then the data is stale: a failure in between must not make it permanent.
        """
        # A result in hours lacks the hours that its window cuts; a request for whole hours includes them.
        wide = [result.request for result in coarse if result.step > _TENS and self._cuts_a_step(result)]
        _, unasked = self._take(wide, purpose, HOUR)

        # The newest part may be short enough for minutes: try shorter and shorter ones.
        remaining = list(coarse)
        for length in SHORTER:
            again: list[MetricRequest] = []
            skipped: list[_Coarse] = []
            for result in remaining:
                part = _newest_part(result, length, self.cache.end)
                if part is None:
                    skipped.append(result)
                else:
                    again.append(part)

            still_coarse, more = self._take(again, purpose)
            remaining = skipped + still_coarse
            unasked |= more

        for result in coarse:
            if result.request.cache_key not in unasked:
                self._confirm(result)

    def _cuts_a_step(self, result: _Coarse) -> bool:
        """Whether the window begins or ends inside a finished step, which the result then lacks."""
        window = result.request.window
        over = self.cache.end // result.step * result.step
        if window.start % result.step:
            return True
        return bool(window.end % result.step) and window.end < over

    def _confirm(self, result: _Coarse) -> None:
        """All but the newest step, which may be unfinished."""
        window = result.request.window
        over = math.floor(self.cache.end / result.step) * result.step
        self.cache.confirm(result.request.cache_key, Window(window.start, min(window.end, over)))

    def _take(
        self, requests: Sequence[MetricRequest], purpose: str, whole: float = _TENS
    ) -> tuple[list[_Coarse], set[Key]]:
        """Cache the results; returns coarse ones, and the keys of requests that were not sent.

        Requests are for whole steps of so many seconds, because half a step has no value.
        """
        coarse: list[_Coarse] = []
        unasked: set[Key] = set()
        queries = [self._query(request, whole) for request in requests]
        for request, result in zip(requests, self.client.metrics(queries), strict=True):
            if not self.accept(result, request.application, request.key, purpose):
                unasked.add(request.cache_key)
                continue

            step = self._keep(request, result)
            if step > MINUTE:
                coarse.append(_Coarse(request, step))
        return coarse, unasked

    def _query(self, request: MetricRequest, whole: float) -> MetricQuery:
        start = math.floor(request.window.start / whole) * whole
        end = math.ceil(request.window.end / whole) * whole
        if end > self.cache.end:  # the step is unfinished
            end = request.window.end
        return MetricQuery(self.ids[request.application], self.paths[request.key], Window(start, end))

    def _keep(self, request: MetricRequest, result: MetricResult) -> float:
        """Put a result into the cache; returns the seconds of its coarsest step."""
        minutes = to_minutes(request.key, result, self._weights.get(request.application))
        self.cache.put(request.cache_key, request.window, minutes)

        step = float(minutes.steps.max(initial=MINUTE))
        # A metric may be unknown at first, or while the controller is starting: the past may appear later.
        if step > MINUTE or result.absence == "no_metric":
            self.cache.mark_stale(request.cache_key, request.window)
        return step

    def accept(self, result: MetricResult, application: str, key: str, purpose: str) -> bool:
        """Whether the request was sent; notes requests that were not, and unknown metrics."""
        if result.absence == "budget":
            self.left_out.add(purpose, application)
            return False
        if result.absence == "no_metric" and (key in self.options.metrics or key not in _OFTEN_MISSING):
            self._unknown[key].append(application)
        return True

    def is_whole(self, application: str) -> bool:
        """Whether all signals and routes of an application were requested. Otherwise a verdict would rest on

        whatever came first, and could be good only because data is missing.
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
        """The result of `ask` for each application, or a bearable error; in parallel, within the budget.

        `calls` is how many each takes. Any other error ends the poll.
        """
        names = list(names)
        affordable = max(0, self.client.remaining_calls // calls)
        for name in names[affordable:]:
            self.left_out.add(purpose, name, calls)

        def attempt(name: str) -> T | SourceError:
            try:
                return ask(name)
            except SourceError as error:
                if bearable(error) or self._used_up(error):
                    return error
                raise

        results = self.client.together([partial(attempt, name) for name in names[:affordable]])
        for name, result in zip(names[:affordable], results, strict=True):
            if isinstance(result, SourceError) and self._used_up(result):
                self.left_out.add(purpose, name, calls)  # others took more than usual
            else:
                yield name, result

    def _used_up(self, error: SourceError) -> bool:
        return error.reason == "rate_limited" and error.retry_after is None and self.client.remaining_calls < 1

    def fetch_signals(self, windows: Mapping[str, Window], purpose: str = SIGNALS) -> None:
        """The one-minute series of the signals, each application over its own window."""
        served = (*COUNTS, "latency_mean")
        self.fetch([MetricRequest(name, key, windows[name]) for name in windows for key in served], purpose)

        weighed = self._fetch_weights(windows, purpose)
        self.fetch([MetricRequest(name, key, windows[name]) for name in weighed for key in UTILISATION], purpose)

    def _fetch_weights(self, windows: Mapping[str, Window], purpose: str) -> list[str]:
        """Look up the weights of tiers; returns the applications with known weights."""
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

        # Utilisation needs the weights of tiers: without them these calls are not made either.
        for name, keys in missing.items():
            if name not in weighed:
                self.left_out.add(purpose, name, len(keys))
        return [name for name in windows if name in weighed]

    def close(self) -> None:
        """Add warnings: omitted calls, and metrics unknown to the controller."""
        for key, names in self._unknown.items():
            path = self.paths.get(key, METRICS.get(key, ""))
            text = f"the controller has no metric {path!r} of {humanize.join_words(sorted(set(names)))}"
            self.warnings.append(f"{text}: see metrics.{key}")
        if self.left_out:
            self.warnings.append(self.shortage())
        self.warnings += self.client.warnings

    def shortage(self) -> str:
        """The calls that the budget did not allow, and the remedy."""
        return self.left_out.describe(self.client.calls, self.client.remaining_calls, self.options.calls.per_poll)


def _newest_part(result: _Coarse, length: float, end: float) -> MetricRequest | None:
    """The newest part of a request, from the start of a step, if it may have minutes."""
    window = result.request.window
    start = math.ceil((window.end - length) / result.step) * result.step
    if window.start < start < window.end and window.end > end - HOUR:
        return replace(result.request, window=Window(start, window.end))
    return None
