"""Stretches of time: which of them are not known yet, and how they are cut so that a controller gives minutes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from exporter.model.observation import MINUTE, Window

FINE = 1440 * MINUTE
"""Longest window that is asked for at once: moved to whole steps of ten minutes at both ends it is of 1,450 minutes at

most, and up to 1,459 a controller answers minute by minute.
"""


def joined(windows: Iterable[Window]) -> list[Window]:
    """The same time in as few windows as can be, ascending."""
    found: list[Window] = []
    for one in sorted(windows, key=lambda window: window.start):
        if one.end <= one.start:
            continue
        if found and one.start <= found[-1].end:
            found[-1] = Window(found[-1].start, max(found[-1].end, one.end))
        else:
            found.append(one)
    return found


def missing(window: Window, known: Iterable[Window]) -> list[Window]:
    """What of the window lies in none of the known ones, ascending."""
    found, start = list[Window](), window.start
    for one in joined(known):
        if one.start > start:
            found.append(Window(start, min(one.start, window.end)))
        start = max(start, one.end)
    found.append(Window(start, window.end))
    return [one for one in found if one.end > one.start]


def split(window: Window) -> Iterator[Window]:
    """Pieces that adjoin and of which minutes come, the newest first."""
    end = window.end
    while end > window.start:
        start = max(window.start, end - FINE)
        yield Window(start, end)
        end = start


def until(windows: Iterable[Window], end: float) -> list[Window]:
    """The part of them before `end`."""
    return [Window(one.start, min(one.end, end)) for one in windows if one.start < end]


def inside(windows: Iterable[Window], window: Window) -> list[Window]:
    """The part of them in `window`."""
    cut = (Window(max(one.start, window.start), min(one.end, window.end)) for one in windows)
    return [one for one in cut if one.end > one.start]
