"""What was asked and answered, kept between polls: the past does not change, so it is asked for once.

The last half hour is asked for again each time, since agents report late.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain

from exporter.analysis.activity import OVERLAP
from exporter.model.observation import Window
from exporter.sources.appdynamics import spans
from exporter.sources.appdynamics.minutes import NOTHING, Minutes, cut, together

Key = tuple[str, str]
"""Application and metric, by our names."""

_EVER = float("inf")


class Kept:
    """Minutes of many metrics, and for each the stretches of time that are known."""

    def __init__(self) -> None:
        self._minutes: dict[Key, Minutes] = {}
        self._known: dict[Key, list[Window]] = {}
        self._doubts: dict[Key, list[Window]] = {}
        self.end = _EVER
        """Data up to here is settled, as far as the poll under way knows."""

    def begin(self, end: float) -> None:
        """A new poll, of data up to `end`: what was new in the poll before is not known for sure any more."""
        sure = min(self.end, end) - OVERLAP
        for key, doubts in self._doubts.items():
            self._known[key] = [rest for one in self._known[key] for rest in spans.missing(one, doubts)]
        self._doubts = {}
        self._known = {key: spans.until(known, sure) for key, known in self._known.items()}
        self.end = end

    def forget(self, before: Callable[[Key], float]) -> None:
        """Give up what lies before a time that depends on the metric."""
        for key in list(self._known):
            rest = Window(before(key), _EVER)
            self._known[key] = [Window(max(one.start, rest.start), one.end) for one in self._known[key]]
            self._known[key] = spans.joined(self._known[key])
            self._minutes[key] = cut(self._minutes.get(key, NOTHING), rest)

    def known(self, key: Key) -> list[Window]:
        """The stretches that were asked for and answered."""
        return self._known.get(key, [])

    def missing(self, key: Key, window: Window) -> list[Window]:
        """What of the window is to be asked for, ascending."""
        return spans.missing(window, self.known(key))

    def add(self, key: Key, asked: Window, found: Minutes) -> None:
        """Put what was found in a window in the place of what was known of it; nothing is known as well."""
        old = self._minutes.get(key, NOTHING)
        before, after = Window(-_EVER, asked.start), Window(asked.end, _EVER)
        self._minutes[key] = together([cut(old, before), cut(found, asked), cut(old, after)])
        self._known[key] = spans.joined(chain(self.known(key), [asked]))
        self.trust(key, asked)

    def doubt(self, key: Key, window: Window) -> None:
        """What was answered, but is to be asked for again by the next poll, which may have better of it."""
        self._doubts.setdefault(key, []).append(window)

    def trust(self, key: Key, window: Window) -> None:
        """Do not doubt this part any more."""
        self._doubts[key] = [rest for one in self._doubts.get(key, []) for rest in spans.missing(one, [window])]

    def minutes(self, key: Key, window: Window) -> Minutes | None:
        """The minutes of a window; None unless all of it is known: a part of it would pose as the whole."""
        return None if self.missing(key, window) else self.seen(key, window)

    def seen(self, key: Key, window: Window = Window(-_EVER, _EVER)) -> Minutes:  # noqa: B008 it is frozen
        """The minutes of a window that are known, be it all of it or not."""
        return cut(self._minutes.get(key, NOTHING), window)
