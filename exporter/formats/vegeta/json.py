"""vegeta's results as JSON, one in a line: `vegeta encode --to json`. docs/reference/formats.md, section "wrk, hey,
vegeta".

Times are RFC 3339 to the nanosecond, of a request's start; latencies are nanoseconds.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from exporter.errors import SourceError
from exporter.formats import Format
from exporter.formats.tally import Tally
from exporter.formats.tally.lines import LineSplitter
from exporter.formats.tally.urls import endpoint

_Count = Annotated[int, msgspec.Meta(ge=0)]

_MOST_ENDPOINTS = 8192
"""Names whose number is remembered; any further name is looked up each time."""


def recognise(head: bytes) -> bool:
    first = head.lstrip().split(b"\n", 1)[0]
    return first.startswith(b"{") and all(key in first for key in (b'"code":', b'"timestamp":', b'"latency":'))


class _Result(msgspec.Struct, gc=False):
    """Method and URL came with vegeta 12.9; older results have neither."""

    code: _Count
    timestamp: Annotated[datetime, msgspec.Meta(tz=True)]
    latency: int
    attack: str = ""
    bytes_out: _Count = 0
    bytes_in: _Count = 0
    error: str = ""
    method: str = ""
    url: str = ""


_RESULTS = msgspec.json.Decoder(_Result)


class Reader:
    """Reads results, line by line."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._lines = LineSplitter()
        self._endpoints: dict[tuple[str, str, str], int] = {}

    def feed(self, block: bytes) -> None:
        """The file's next bytes; raises SourceError."""
        for line in self._lines.feed(block):
            if line:
                self._add(_decoded(line, self._lines.location))

    def end(self) -> None:
        """A last line that is not a whole object was cut."""
        try:
            rest = self._lines.rest()
            if not rest.strip():
                return
            result = _decoded(rest, self._lines.location)
        except SourceError:
            self._tally.cut_off(self._lines.location, FORMAT.tool)
            return
        self._add(result)

    def _add(self, result: _Result) -> None:
        failed = bool(result.error) or not 200 <= result.code < 400
        kind = self._tally.kind(result.error or f"HTTP {result.code}") if failed else 0
        self._tally.add(
            self._endpoint(result),
            result.timestamp.timestamp(),
            result.latency / 1e9,
            failed=failed,
            kind=kind,
            received=result.bytes_in,
            sent=result.bytes_out,
            location=self._lines.location,
        )

    def _endpoint(self, result: _Result) -> int:
        key = (result.attack, result.method, result.url)
        number = self._endpoints.get(key)
        if number is None:
            names = (result.attack or FORMAT.tool, "", "")
            if result.url:
                names = endpoint(result.url, result.method)
            number = self._tally.endpoint(*names)
            if len(self._endpoints) < _MOST_ENDPOINTS:
                self._endpoints[key] = number
        return number


def _decoded(line: str, location: str) -> _Result:
    try:
        return _RESULTS.decode(line)
    except (msgspec.DecodeError, RecursionError) as error:
        raise SourceError("bad_data", f"{location}: is not a vegeta result: {error}") from None


FORMAT = Format("vegeta-json", "vegeta", recognise, reader=Reader)
