"""The asking of one observation: minutes that are not known yet, within the calls that a poll may take.

What is asked first is had first: when the calls run out, the rest is left out, told in one warning, and of the past
asked for by the next polls. What came is kept at once, so that a failure later on loses none of it.
"""

from __future__ import annotations

import difflib
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
from exporter.sources.appdynamics.kept import Kept, Key
from exporter.sources.appdynamics.options import METRICS, Options
from exporter.sources.appdynamics.reading import COUNTS, TIMES, USED, Weights, read, stars
from exporter.sources.appdynamics.records import Answer, Ask

T = TypeVar("T")

SIGNALS, ROUTES = "signals", "routes"
HISTORY, LOOK_BACK = "history", "the look-back"
_OLD = {HISTORY, LOOK_BACK}
"""What calls are for that is asked for once."""

SHORTER = tuple(60.0 * minutes for minutes in (1080, 720, 465, 225, 60))
"""What is tried in turn where minutes are thrown away early: 18 hours, 12, not quite 8, not quite 4, one."""

HOUR = 3600.0
"""The longest step; and only what ends so shortly before the newest data may have minutes at its end alone."""

_TENS = 600.0

_OFTEN_MISSING = ("latency_p95", "cpu", "memory")
"""Metrics that agents do not always have; `doctor` tells of them, polls do not."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The minutes of one metric of an application, by our names."""

    application: str
    key: str
    window: Window


Coarse = tuple[Wanted, float]
"""What came in steps of so many seconds."""


class Poll:
    """One observation of one controller."""

    def __init__(self, client: Client, options: Options, kept: Kept) -> None:
        self.client = client
        self.options = options
        self.kept = kept
        self.paths = options.paths
        self.ids: Mapping[str, int] = {}
        """Our names of the applications that the controller shows, in the order of the configuration, to its ids."""
        self.warnings: list[str] = []
        self.left_out: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        """What for and of which application to the calls that were not made."""
        self._weights: dict[str, Weights] = {}
        self._unknown: dict[str, list[str]] = defaultdict(list)

    def look_up(self) -> Mapping[str, int]:
        """Find the applications; returns their ids. Raises SourceError (not_found) when none of them is shown."""
        listed = {one.name: one.id for one in self.client.applications()}
        there = {name: self.options.there(name) for name in self.options.applications}
        self.ids = {name: listed[theirs] for name, theirs in there.items() if theirs in listed}
        lost = [f"{theirs!r}{_alike(theirs, listed)}" for name, theirs in there.items() if name not in self.ids]
        shows = f"it shows {len(listed)}" if listed else "it shows none: has our role the right to view them?"
        if not self.ids:
            raise SourceError("not_found", f"the controller shows no application {', '.join(lost)}; {shows}")
        if lost:
            self.warnings.append(f"the controller shows no application {', '.join(lost)}; {shows}")
        return self.ids

    def fetch(self, wanted: Iterable[Wanted], what: str) -> None:
        """Ask for what is not known of the wanted minutes, in their order; `what` is what they are for."""
        pieces = [
            replace(one, window=piece)
            for one in wanted
            if one.key in self.paths
            for gap in reversed(self.kept.missing((one.application, one.key), one.window))
            for piece in spans.split(gap)
        ]
        together = 4 * self.options.parallel
        for first in range(0, len(pieces), together):
            coarse, _ = self._take(pieces[first : first + together], what)
            if coarse:
                self._improve(coarse, what)

    def _improve(self, coarse: Sequence[Coarse], what: str) -> None:
        """What came in steps, not minutes: ask for the hours at its ends, and for what may have minutes after all.

        Until that is done, what came is doubted: a failure in between must not make it stay.
        """
        wide = [piece for piece, step in coarse if step > _TENS and self._cuts(piece.window, step)]
        todo, unasked = list(coarse), self._take(wide, what, HOUR)[1]
        for length in SHORTER:
            parts = {piece: _newer(piece, step, length, self.kept.end) for piece, step in todo}
            again, more = self._take([part for part in parts.values() if part is not None], what)
            todo = [each for each in todo if parts[each[0]] is None] + again
            unasked |= more
        for piece, step in coarse:
            key = (piece.application, piece.key)
            if key not in unasked:  # but the newest step may not be over
                over = math.floor(self.kept.end / step) * step
                self.kept.trust(key, Window(piece.window.start, min(piece.window.end, over)))

    def _cuts(self, window: Window, step: float) -> bool:
        """Whether the window begins or ends inside a step that is over; of that the answer says nothing."""
        return bool(window.start % step) or (bool(window.end % step) and window.end < self.kept.end // step * step)

    def _take(self, pieces: Sequence[Wanted], what: str, whole: float = 600.0) -> tuple[list[Coarse], set[Key]]:
        """Keep the answers; returns the pieces that came in steps, with these' seconds, and what could not be asked.

        Asked is for whole steps of so many seconds, as half a step is not told.
        """
        coarse, unasked = list[Coarse](), set[Key]()
        asks = [self._ask(piece, whole) for piece in pieces]
        for piece, answer in zip(pieces, self.client.metrics(asks), strict=True):
            key = (piece.application, piece.key)
            if not self.answered(answer, *key, what):
                unasked.add(key)
                continue
            found = read(piece.key, answer, self._weights.get(piece.application))
            self.kept.add(key, piece.window, found)
            if answer.absence == "no_metric":  # yet, or while the controller is starting: the past may be there later
                self.kept.doubt(key, piece.window)
            if found.steps.size and found.steps.max() > MINUTE:
                coarse.append((piece, float(found.steps.max())))
                self.kept.doubt(key, piece.window)
        return coarse, unasked

    def _ask(self, piece: Wanted, whole: float) -> Ask:
        start, end = math.floor(piece.window.start / whole) * whole, math.ceil(piece.window.end / whole) * whole
        past = end <= self.kept.end
        return Ask(self.ids[piece.application], self.paths[piece.key], Window(start, end if past else piece.window.end))

    def answered(self, answer: Answer, application: str, key: str, what: str) -> bool:
        """Whether it was asked at all; else that is noted, and so is a metric that the controller does not know."""
        if answer.absence == "budget":
            self.left(what, application)
        elif answer.absence == "no_metric" and (key in self.options.metrics or key not in _OFTEN_MISSING):
            self._unknown[key].append(application)
        return answer.absence != "budget"

    def is_whole(self, application: str) -> bool:
        """Whether signals and routes of an application could all be asked for: without some, a verdict would rest on

        whatever happened to come first, and could be called good for want of what speaks against it.
        """
        return not any(application in self.left_out.get(what, {}) for what in (SIGNALS, ROUTES))

    def left(self, what: str, application: str, calls: int = 1) -> None:
        """Note that calls were not made."""
        self.left_out[what][application] += calls

    def gather(
        self,
        names: Iterable[str],
        ask: Callable[[str], T],
        calls: int,
        what: str,
        bearable: Callable[[SourceError], bool] = lambda _: False,
    ) -> Iterator[tuple[str, T | SourceError]]:
        """What `ask` gives of each application, or a bearable error, asked at once as far as the budget goes.

        `calls` is how many each takes. Any other error ends the poll.
        """
        wanted = list(names)
        able = wanted[: max(0, self.client.left // calls)]
        for name in wanted[len(able) :]:
            self.left(what, name, calls)

        def attempt(name: str) -> T | SourceError:
            try:
                return ask(name)
            except SourceError as error:
                if bearable(error) or self._used_up(error):
                    return error
                raise

        for name, found in zip(able, self.client.together([partial(attempt, name) for name in able]), strict=True):
            if isinstance(found, SourceError) and self._used_up(found):
                self.left(what, name, calls)  # others took more than usual
            else:
                yield name, found

    def _used_up(self, error: SourceError) -> bool:
        return error.reason == "rate_limited" and error.retry_after is None and self.client.left < 1

    def signals(self, windows: Mapping[str, Window], what: str = SIGNALS) -> None:
        """The one-minute series that signals are made of, each application's over its own window."""
        self.fetch((Wanted(name, key, windows[name]) for name in windows for key in (*COUNTS, TIMES[0])), what)
        some = self._weighed(windows, what)
        self.fetch((Wanted(name, key, windows[name]) for name in some for key in USED), what)

    def _weighed(self, windows: Mapping[str, Window], what: str) -> list[str]:
        """Look up what the tiers' utilisation counts for; returns the applications of which that is known."""
        wild = [key for key in USED if stars(self.paths.get(key, ""))]
        wanted = {
            name: missing
            for name, window in windows.items()
            if (missing := [key for key in wild if self.kept.missing((name, key), window)])
        }
        known = [name for name in windows if name not in wanted]
        for name, found in self.gather(wanted, lambda name: self.client.tiers(self.ids[name]), 1, what):
            assert not isinstance(found, SourceError), "none is bearable"
            self._weights[name] = self._weigh(name, {tier.name: tier.nodes for tier in found})
            known.append(name)
        for name in wanted.keys() - set(known):
            self.left(what, name, len(wanted[name]))
        return [name for name in windows if name in known]

    def _weigh(self, application: str, nodes: Mapping[str, int | None]) -> Weights:
        """Each tier's weight: its number of nodes, where the controller tells it of all."""
        chosen = self.options.applications[application].tiers or tuple(nodes)
        lost = [f"{name!r}{_alike(name, nodes)}" for name in chosen if name not in nodes]
        if lost:
            self.warnings.append(f"{application} has no tier {', '.join(lost)}")
        there = [name for name in chosen if name in nodes]
        told = {name: float(nodes[name] or 0) for name in there if nodes[name] is not None}
        if len(told) < len(there) and len(there) > 1:
            text = "the controller does not say how many nodes its tiers have: cpu and memory are their plain mean"
            self.warnings.append(f"{application}: {text}")
        whole = len(told) == len(there) and any(told.values())
        return told if whole else dict.fromkeys(there, 1.0)

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
        parts = (
            f"{sum(names.values())} for {what} ({humanize.join_words(list(names))})"
            for what, names in self.left_out.items()
        )
        wanted = self.client.calls + sum(sum(names.values()) for names in self.left_out.values())
        few, had = f"calls.per_poll is {self.options.calls.per_poll}", self.client.calls + self.client.left
        if had < self.options.calls.per_poll:  # a question between polls has what the poll before it left
            few += f", of which the poll has left {had}"
        few += f", and {wanted} are wanted"
        way = "the next polls go on with what was left out, raise it to have it now"
        if self.left_out.keys() - _OLD:  # what every poll wants, in the same order
            way = "raise it: the next polls go on with history and test runs, and leave out the rest again"
        return f"{few}: {way}: {', '.join(parts)}"


def _newer(piece: Wanted, step: float, length: float, end: float) -> Wanted | None:
    """The newest part of a piece, from the beginning of a step on, if there may be minutes in it."""
    start = math.ceil((piece.window.end - length) / step) * step
    if piece.window.start < start < piece.window.end and piece.window.end > end - HOUR:
        return replace(piece, window=Window(start, piece.window.end))
    return None


def _alike(name: str, known: Iterable[str]) -> str:
    """Names that somebody may have meant."""
    lower = {one.lower(): one for one in known}
    close = difflib.get_close_matches(name.lower(), lower, n=3, cutoff=0.5)
    return f" (but {humanize.join_words([repr(lower[one]) for one in close])})" if close else ""


def each(windows: Mapping[str, Window], key: str) -> Iterator[Wanted]:
    """One metric of several applications."""
    return (Wanted(name, key, window) for name, window in windows.items())
