"""k6's points as JSON, one in a line: `k6 run --out json=FILE`. docs/results.md, section "k6"."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated

import msgspec

from exporter.errors import SourceError
from exporter.formats import Format
from exporter.formats.k6.points import WANTED, Points, Tags
from exporter.formats.tally import Tally
from exporter.formats.tally.lines import Lines

_TYPE = re.compile(rb'"type":\s?"(Metric|Point)"')
_NONE = Tags()


class _Line(msgspec.Struct, gc=False):
    """A definition of a metric (type Metric) or a point. What a point holds is read only where it is wanted."""

    metric: str
    type: str
    data: msgspec.Raw


class _Point(msgspec.Struct, gc=False):
    time: Annotated[datetime, msgspec.Meta(tz=True)]
    value: float
    tags: Tags | None = None


_LINES = msgspec.json.Decoder(_Line)
_POINTS = msgspec.json.Decoder(_Point)


def recognise(head: bytes) -> bool:
    first = head.lstrip().split(b"\n", 1)[0]
    return first.startswith(b"{") and b'"metric"' in first and _TYPE.search(first) is not None


class Reader:
    """Reads points, line by line."""

    def __init__(self, tally: Tally) -> None:
        self._tally, self._lines, self._points = tally, Lines(), Points(tally)

    def feed(self, block: bytes) -> None:
        """The file's next bytes; raises SourceError."""
        for line in self._lines.feed(block):
            self._take(line)

    def end(self) -> None:
        """A last line that is no whole object was cut."""
        try:
            rest = self._lines.rest()
            point = _decoded(rest, self._lines.place) if rest.strip() else None
        except SourceError:
            self._tally.warn(f"{self._lines.place}: breaks off and was left out: k6 was stopped, or the file cut")
            self._tally.complete = False
            return
        if point is not None:
            self._add(*point)

    def _take(self, line: str) -> None:
        if line:
            found = _decoded(line, self._lines.place)
            if found is not None:
                self._add(*found)

    def _add(self, metric: str, point: _Point | None) -> None:
        if point is None:
            self._points.skip(metric)
        else:
            place = self._lines.place
            self._points.add(metric, point.time.timestamp(), point.value, point.tags or _NONE, place)


def _decoded(line: str, place: str) -> tuple[str, _Point | None] | None:
    """The metric and, where it is wanted, the point; None for what is no point. Raises SourceError."""
    try:
        found = _LINES.decode(line)
        if found.type == "Point":
            return found.metric, _POINTS.decode(found.data) if found.metric in WANTED else None
    except (msgspec.DecodeError, RecursionError) as error:
        raise SourceError("bad_data", f"{place}: is no point of k6: {error}") from None
    if found.type != "Metric":
        raise SourceError("bad_data", f"{place}: type is {found.type[:40]!r}, wanted Metric or Point")
    return None


FORMAT = Format("k6-json", "k6", recognise, reader=Reader)
