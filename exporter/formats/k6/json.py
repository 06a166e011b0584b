"""k6's points as JSON, one in a line: `k6 run --out json=FILE`. docs/reference/formats.md, section "k6"."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated

import msgspec

from exporter.errors import SourceError
from exporter.formats import Format
from exporter.formats.k6.points import METRICS_READ, Points, Tags, refuse
from exporter.formats.tally import Tally
from exporter.formats.tally.lines import LineSplitter

_TYPE = re.compile(rb'"type":\s?"(Metric|Point)"')
_NO_TAGS = Tags()


class _Line(msgspec.Struct, gc=False):
    """A definition of a metric (type Metric) or a point. What a point holds is read only where needed."""

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
        self._tally = tally
        self._lines = LineSplitter()
        self._points = Points(tally)

    def feed(self, block: bytes) -> None:
        """The file's next bytes; raises SourceError."""
        for line in self._lines.feed(block):
            if line:
                self._add(*_decoded(line, self._lines.location))

    def end(self) -> None:
        """A last line that is not a whole object was cut."""
        try:
            rest = self._lines.rest()
            if not rest.strip():
                return
            metric, point = _decoded(rest, self._lines.location)
        except SourceError:
            self._tally.cut_off(self._lines.location, FORMAT.tool)
            return
        self._add(metric, point)

    def _add(self, metric: str, point: _Point | None) -> None:
        if point is None:
            self._points.skip(metric)
            return
        tags = point.tags or _NO_TAGS
        self._points.add(metric, point.time.timestamp(), point.value, tags, self._lines.location)


def _decoded(line: str, location: str) -> tuple[str, _Point | None]:
    """The metric and, where needed, the point; no metric if none is measured. Raises SourceError."""
    try:
        decoded = _LINES.decode(line)
        if decoded.type == "Point":
            point = _POINTS.decode(decoded.data) if decoded.metric in METRICS_READ else None
            return decoded.metric, point
    except (msgspec.DecodeError, RecursionError) as error:
        raise SourceError("bad_data", f"{location}: is not a k6 point: {error}") from None

    if decoded.type != "Metric":
        refuse(location, f"type is {decoded.type[:40]!r}, expected Metric or Point")
    return "", None


FORMAT = Format("k6-json", "k6", recognise, reader=Reader)
