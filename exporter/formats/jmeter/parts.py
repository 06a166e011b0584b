"""Files in a file: runs of JMeter that were written, or put, one after the other. And clocks that were set back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from exporter.analysis.arithmetic import Floats
from exporter.errors import SourceError
from exporter.formats.tally import Tally

_APART = 60.0
"""Seconds between two parts of one run, at most: injectors that ran at the same time, or one that was restarted."""

_BACK = 300.0
"""Seconds that responses may come late: JMeter's injectors send them in batches, after up to a minute."""


@dataclass(slots=True)
class _Part:
    """Rows under one header; Unix seconds."""

    line: int
    rows: int = 0
    start: float = np.inf
    end: float = -np.inf
    seconds: float = 0.0

    @property
    def content(self) -> tuple[float, ...]:
        """Equal where the rows are the same."""
        return self.rows, self.start, self.end, self.seconds


class Parts:
    """Takes parts that meet in time as one run, and refuses those of several runs."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._parts = [_Part(1)]

    def begin(self, line: int) -> None:
        """The header is repeated on this line."""
        self._parts.append(_Part(line))

    def add(self, starts: Floats, seconds: Floats, location: Callable[[int], str]) -> None:
        """Rows in the order of the file, Unix seconds and seconds."""
        part = self._parts[-1]
        ends = starts + seconds
        self._check_order(ends, part.end, location)

        part.rows += starts.size
        part.start = min(part.start, float(starts.min()))
        part.end = max(part.end, float(ends.max()))
        part.seconds += float(seconds.sum())

    def _check_order(self, ends: Floats, before: float, location: Callable[[int], str]) -> None:
        """Warns where the time goes back; `before` is the end of the rows before."""
        latest = np.maximum(np.maximum.accumulate(ends), before)
        behind = np.flatnonzero(ends < latest - _BACK)
        if behind.size:
            position = int(behind[0])
            back = f"{latest[position] - ends[position]:.0f} s"
            self._tally.warn(
                f"goes back by {back} on {location(position)}: a clock was set, or files were put together"
            )

    def end(self) -> None:
        """Raises SourceError where parts are of several runs, or the same one twice."""
        parts = [part for part in self._parts if part.rows]
        _refuse_repeated(parts)
        _refuse_apart(parts)
        if len(parts) > 1:
            self._tally.warn(f"has {len(parts)} parts, each with a header, and adjacent times: read as one run")


def _refuse_repeated(parts: Sequence[_Part]) -> None:
    contents = set[tuple[float, ...]]()
    for part in parts:
        if part.content in contents:
            raise SourceError("bad_data", f"line {part.line}: the header begins the same rows once more")
        contents.add(part.content)


def _refuse_apart(parts: Sequence[_Part]) -> None:
    if not parts:
        return

    first, *others = sorted(parts, key=lambda part: part.start)
    until = first.end
    for part in others:
        if part.start > until + _APART:
            line = max(part.line, first.line)
            apart = f"{part.start - until:.0f} s apart"
            raise SourceError("bad_data", f"line {line}: the header begins another run, {apart}; expected one run")
        until = max(until, part.end)
