"""Windows of time: uncovered parts, and pieces that are short enough for minutes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from exporter.model.observation import MINUTE, Window

FINE = 1440 * MINUTE
"""Longest window of one request. Extended to whole steps of ten minutes it has at most 1,450 minutes, and a controller

returns minutes for up to 1,459.
"""


def merge(windows: Iterable[Window]) -> list[Window]:
    """The same time in as few windows as possible, ascending."""
    merged: list[Window] = []
    for window in sorted(windows, key=lambda window: window.start):
        if window.end <= window.start:
            continue

        if merged and window.start <= merged[-1].end:
            merged[-1] = Window(merged[-1].start, max(merged[-1].end, window.end))
        else:
            merged.append(window)
    return merged


def gaps(window: Window, covered: Iterable[Window]) -> list[Window]:
    """The uncovered parts of the window, ascending."""
    start = window.start
    between: list[Window] = []
    for part in merge(covered):
        if part.start > start:
            between.append(Window(start, min(part.start, window.end)))
        start = max(start, part.end)

    between.append(Window(start, window.end))
    return [gap for gap in between if gap.end > gap.start]


def subtract(windows: Iterable[Window], others: Iterable[Window]) -> list[Window]:
    """The parts of the windows outside the others."""
    others = list(others)
    return [rest for window in windows for rest in gaps(window, others)]


def split(window: Window) -> Iterator[Window]:
    """Adjacent pieces, short enough for minutes, the newest first."""
    end = window.end
    while end > window.start:
        start = max(window.start, end - FINE)
        yield Window(start, end)
        end = start


def before(windows: Iterable[Window], end: float) -> list[Window]:
    """The part of them before `end`."""
    return [Window(window.start, min(window.end, end)) for window in windows if window.start < end]


def clip(windows: Iterable[Window], bounds: Window) -> list[Window]:
    """The part of them inside the bounds."""
    parts = (Window(max(window.start, bounds.start), min(window.end, bounds.end)) for window in windows)
    return [part for part in parts if part.end > part.start]
