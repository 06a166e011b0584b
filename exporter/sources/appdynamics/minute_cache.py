"""Minutes that the controller has given, kept between polls: the past does not change, so it is asked for once.

The last half hour is asked for again each time, since agents report late.
"""

from __future__ import annotations

from collections.abc import Callable

from exporter.analysis.activity import OVERLAP
from exporter.model.observation import Window
from exporter.sources.appdynamics import spans
from exporter.sources.appdynamics.minutes import NO_MINUTES, Minutes, cut, merge

Key = tuple[str, str]
"""Application and metric, by our names."""

_EVER = float("inf")
_ALWAYS = Window(-_EVER, _EVER)


class MinuteCache:
    """Minutes of many metrics, and for each the stretches of time that are covered."""

    def __init__(self) -> None:
        self._minutes: dict[Key, Minutes] = {}
        self._covered: dict[Key, list[Window]] = {}
        self._stale: dict[Key, list[Window]] = {}
        self.end = _EVER
        """Data up to here is settled, as far as the poll under way knows."""

    def begin(self, end: float) -> None:
        """A new poll, of data up to `end`: what was new in the poll before is not known for sure any more."""
        for key, stale in self._stale.items():
            self._covered[key] = spans.subtract(self._covered[key], stale)
        self._stale = {}

        # What was half an hour old at the end of the poll before, agents had reported in full by then.
        sure = min(self.end, end) - OVERLAP
        self._covered = {key: spans.before(covered, sure) for key, covered in self._covered.items()}
        self.end = end

    def forget(self, before: Callable[[Key], float]) -> None:
        """Give up what lies before a time that depends on the metric."""
        for key, covered in self._covered.items():
            rest = Window(before(key), _EVER)
            self._covered[key] = spans.merge(spans.clip(covered, rest))
            self._minutes[key] = cut(self._minutes.get(key, NO_MINUTES), rest)

    def covered(self, key: Key) -> list[Window]:
        """The stretches that were asked for and answered."""
        return self._covered.get(key, [])

    def gaps(self, key: Key, window: Window) -> list[Window]:
        """What of the window is to be asked for, ascending."""
        return spans.gaps(window, self.covered(key))

    def put(self, key: Key, window: Window, minutes: Minutes) -> None:
        """The answer for a window, in the place of what was there; that there is nothing is an answer too."""
        earlier = self._minutes.get(key, NO_MINUTES)
        before = cut(earlier, Window(-_EVER, window.start))
        after = cut(earlier, Window(window.end, _EVER))

        self._minutes[key] = merge([before, cut(minutes, window), after])
        self._covered[key] = spans.merge([*self.covered(key), window])
        self.confirm(key, window)

    def mark_stale(self, key: Key, window: Window) -> None:
        """What was answered, but is to be asked for again by the next poll, which may have better of it."""
        self._stale.setdefault(key, []).append(window)

    def confirm(self, key: Key, window: Window) -> None:
        """This part is not stale any more."""
        self._stale[key] = spans.subtract(self._stale.get(key, []), [window])

    def minutes(self, key: Key, window: Window) -> Minutes | None:
        """The minutes of a window; None unless all of it is covered: a part of it would pose as the whole."""
        if self.gaps(key, window):
            return None
        return self.peek(key, window)

    def peek(self, key: Key, window: Window = _ALWAYS) -> Minutes:
        """The minutes of a window that are there, be it all of it or not."""
        return cut(self._minutes.get(key, NO_MINUTES), window)
