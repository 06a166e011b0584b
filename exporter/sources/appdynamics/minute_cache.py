"""Minutes of the controller, cached between polls: the past does not change, so it is requested once.

The last half hour is requested again each time, because agents report late.
"""

from __future__ import annotations

from collections.abc import Callable

from exporter.analysis.activity import OVERLAP
from exporter.model.observation import Window
from exporter.sources.appdynamics import spans
from exporter.sources.appdynamics.minutes import NO_MINUTES, MetricMinutes, cut, merge

Key = tuple[str, str]
"""Application and metric, by our names."""

_EVER = float("inf")
_ALWAYS = Window(-_EVER, _EVER)


class MinuteCache:
    """Minutes of many metrics, with the covered windows of each."""

    def __init__(self) -> None:
        self._minutes: dict[Key, MetricMinutes] = {}
        self._covered: dict[Key, list[Window]] = {}
        self._stale: dict[Key, list[Window]] = {}
        self.end = _EVER
        """Data before this time is settled, by the current poll."""

    def begin(self, end: float) -> None:
        """A new poll, of data up to `end`: data that was new in the previous poll is no longer final."""
        for key, stale in self._stale.items():
            self._covered[key] = spans.subtract(self._covered[key], stale)
        self._stale = {}

        # Data half an hour older than the end of the previous poll was complete then.
        sure = min(self.end, end) - OVERLAP
        self._covered = {key: spans.before(covered, sure) for key, covered in self._covered.items()}
        self.end = end

    def forget(self, before: Callable[[Key], float]) -> None:
        """Drop data before a time that depends on the metric."""
        for key, covered in self._covered.items():
            rest = Window(before(key), _EVER)
            self._covered[key] = spans.merge(spans.clip(covered, rest))
            self._minutes[key] = cut(self._minutes.get(key, NO_MINUTES), rest)

    def covered(self, key: Key) -> list[Window]:
        """The windows with a response."""
        return self._covered.get(key, [])

    def gaps(self, key: Key, window: Window) -> list[Window]:
        """The uncovered parts of the window, ascending."""
        return spans.gaps(window, self.covered(key))

    def put(self, key: Key, window: Window, minutes: MetricMinutes) -> None:
        """Replace a window's data; it is covered even without any."""
        earlier = self._minutes.get(key, NO_MINUTES)
        before = cut(earlier, Window(-_EVER, window.start))
        after = cut(earlier, Window(window.end, _EVER))

        self._minutes[key] = merge([before, cut(minutes, window), after])
        self._covered[key] = spans.merge([*self.covered(key), window])
        self.confirm(key, window)

    def mark_stale(self, key: Key, window: Window) -> None:
        """Request it again in the next poll, which may get finer data."""
        self._stale.setdefault(key, []).append(window)

    def confirm(self, key: Key, window: Window) -> None:
        """This part is no longer stale."""
        self._stale[key] = spans.subtract(self._stale.get(key, []), [window])

    def minutes(self, key: Key, window: Window) -> MetricMinutes | None:
        """The minutes of a window; None unless it is covered completely."""
        if self.gaps(key, window):
            return None
        return self.peek(key, window)

    def peek(self, key: Key, window: Window = _ALWAYS) -> MetricMinutes:
        """The cached minutes of a window, complete or not."""
        return cut(self._minutes.get(key, NO_MINUTES), window)
