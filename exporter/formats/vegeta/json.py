"""vegeta's results as JSON, one in a line: `vegeta encode --to json`. docs/results.md, section "wrk, hey, vegeta".

Times are RFC 3339 to the nanosecond and tell a request's start; latencies are nanoseconds.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from exporter.errors import SourceError
from exporter.formats import Format
from exporter.formats.tally import Tally
from exporter.formats.tally.lines import Lines
from exporter.formats.tally.urls import endpoint

_Count = Annotated[int, msgspec.Meta(ge=0)]


def recognise(head: bytes) -> bool:
    first = head.lstrip().split(b"\n", 1)[0]
    return first.startswith(b"{") and all(key in first for key in (b'"code":', b'"timestamp":', b'"latency":'))


class _Result(msgspec.Struct, gc=False):
    """Method and URL came with vegeta 12.9; before, a result does not tell what was asked for."""

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
        self._tally, self._lines = tally, Lines()
        self._endpoints: dict[tuple[str, str, str], int] = {}

    def feed(self, block: bytes) -> None:
        """The file's next bytes; raises SourceError."""
        for line in self._lines.feed(block):
            if line:
                self._add(_decoded(line, self._lines.place))

    def end(self) -> None:
        """A last line that is no whole object was cut."""
        try:
            rest = self._lines.rest()
            result = _decoded(rest, self._lines.place) if rest.strip() else None
        except SourceError:
            self._tally.warn(f"{self._lines.place}: breaks off and was left out: vegeta was stopped, or the file cut")
            self._tally.complete = False
            return
        if result is not None:
            self._add(result)

    def _add(self, one: _Result) -> None:
        failed = bool(one.error) or not 200 <= one.code < 400
        self._tally.add(
            self._endpoint(one),
            one.timestamp.timestamp(),
            one.latency / 1e9,
            failed=failed,
            kind=self._tally.kind(one.error or f"HTTP {one.code}") if failed else 0,
            received=one.bytes_in,
            sent=one.bytes_out,
            place=self._lines.place,
        )

    def _endpoint(self, one: _Result) -> int:
        key = (one.attack, one.method, one.url)
        found = self._endpoints.get(key)
        if found is None:
            names = endpoint(one.url, one.method) if one.url else (one.attack or FORMAT.tool, "", "")
            found = self._tally.endpoint(*names)
            if len(self._endpoints) < 8192:
                self._endpoints[key] = found
        return found


def _decoded(line: str, place: str) -> _Result:
    try:
        return _RESULTS.decode(line)
    except (msgspec.DecodeError, RecursionError) as error:
        raise SourceError("bad_data", f"{place}: is no result of vegeta: {error}") from None


FORMAT = Format("vegeta-json", "vegeta", recognise, reader=Reader)
