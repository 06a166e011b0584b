"""The points of k6, from its JSON or its CSV. docs/reference/formats.md, section "k6".

`http_req_duration` is a request; its time is the request's end, its value is milliseconds without the time that
connecting took. Its own tags say whether it failed: no join with `http_req_failed` is needed.
"""

from __future__ import annotations

from typing import NoReturn

import msgspec

from exporter.errors import SourceError
from exporter.formats.tally import Tally
from exporter.formats.tally.limits import MOST
from exporter.formats.tally.urls import endpoint

REQUEST = "http_req_duration"

METRICS_READ = frozenset((REQUEST, "vus", "data_received", "data_sent"))
"""Metrics that are read; a run's record has no field for any other."""

OTHER_PROTOCOLS = frozenset(("grpc_req_duration", "ws_session_duration"))
"""Metrics of requests other than HTTP: not counted, but reported as a warning."""

_MOST_ENDPOINTS = 8192
"""Names whose number is remembered; any further name is looked up each time."""


class Tags(msgspec.Struct, gc=False):
    """Those of a point's tags that are read; k6 leaves out what is switched off (option systemTags)."""

    name: str = ""
    url: str = ""
    method: str = ""
    status: str = ""
    error: str = ""
    error_code: str = ""
    expected_response: str = ""


class Points:
    """Adds points to a tally."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._endpoints: dict[tuple[str, str], int] = {}

    def add(self, metric: str, at: float, value: float, tags: Tags, location: str) -> None:
        """A point of one of METRICS_READ; `at` in Unix seconds. Raises SourceError."""
        if metric == REQUEST:
            self._request(at, value / 1000, tags, location)
        elif not 0 <= value <= MOST:
            refuse(location, f"{metric} of {value:.12g}, expected 0 or more")
        elif metric == "vus":
            self._tally.users(at, value)
        else:
            self._tally.transferred(at, metric.removeprefix("data_"), value)

    def skip(self, metric: str) -> None:
        """A point of a metric outside METRICS_READ."""
        if metric in OTHER_PROTOCOLS:
            self._tally.warn(f"{metric} is omitted: only HTTP requests are counted")

    def _request(self, end: float, seconds: float, tags: Tags, location: str) -> None:
        failed = _failed(tags, location)
        kind = self._tally.kind(tags.error or _status(tags)) if failed else 0
        number = self._endpoint(tags.name or tags.url, tags.method)
        self._tally.add(number, end - seconds, seconds, failed=failed, kind=kind, location=location)

    def _endpoint(self, name: str, method: str) -> int:
        number = self._endpoints.get((name, method))
        if number is None:
            number = self._tally.endpoint(*endpoint(name, method))
            if len(self._endpoints) < _MOST_ENDPOINTS:
                self._endpoints[name, method] = number
        return number


def _failed(tags: Tags, location: str) -> bool:
    """As k6 sees it; a status of 0 means no response."""
    if tags.expected_response in ("true", "false"):
        return tags.expected_response == "false"
    if tags.expected_response:
        refuse(location, f"expected_response is {tags.expected_response[:40]!r}, expected true or false")

    # Without that tag: a test may have switched it off.
    if tags.error_code or tags.error:
        return True
    if not (tags.status.isascii() and tags.status.isdecimal()):
        refuse(location, "a request with neither expected_response nor status: add these tags to k6's systemTags")
    return not 0 < int(tags.status[:4]) < 400


def _status(tags: Tags) -> str:
    if tags.status not in ("", "0"):
        return f"HTTP {tags.status}"
    return f"error {tags.error_code}" if tags.error_code else "no response"


def refuse(location: str, text: str) -> NoReturn:
    raise SourceError("bad_data", f"{location}: {text}")
