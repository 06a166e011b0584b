"""vegeta's report as JSON: `vegeta report --type json`. docs/reference/formats.md, section "wrk, hey, vegeta".

Latencies are nanoseconds. `errors` names errors and does not count them; the status codes do.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

import msgspec

from exporter import decoding
from exporter.errors import SourceError
from exporter.formats import File, Format
from exporter.formats.tally.summaries import count, duration, latencies, moment, size, text
from exporter.model.loadrun import Figures, Latencies, LoadRun, RunEndpoint

_Time = Annotated[datetime, msgspec.Meta(tz=True)]

_LATENCIES = {
    "min": "min",
    "mean": "mean",
    "50th": "p50",
    "90th": "p90",
    "95th": "p95",
    "99th": "p99",
    "max": "max",
}


def recognise(head: bytes) -> bool:
    keys = (b'"latencies"', b'"earliest"', b'"bytes_in"')
    return head.lstrip().startswith(b"{") and all(key in head for key in keys)


class _Bytes(msgspec.Struct):
    total: float


class _Report(msgspec.Struct):
    latencies: dict[str, float]
    earliest: _Time
    end: _Time
    requests: float
    bytes_in: _Bytes | None = None
    bytes_out: _Bytes | None = None
    status_codes: dict[str, float] | None = None


def read(content: bytes, file: File) -> LoadRun:
    """The run; raises SourceError."""
    try:
        report = decoding.decode(text(content), _Report)
    except (msgspec.DecodeError, RecursionError) as error:
        raise SourceError("bad_data", f"is not a vegeta report: {error}") from None

    requests = count(report.requests, "requests")
    if not requests:
        raise SourceError("bad_data", "has no requests")
    start = moment(report.earliest.timestamp(), "earliest")
    end = moment(report.end.timestamp(), "end")
    duration(end - start, "end - earliest")
    total = _figures(report, requests)
    return LoadRun(FORMAT.tool, FORMAT.name, start, end, total, (RunEndpoint(FORMAT.tool, total),))


def _figures(report: _Report, requests: int) -> Figures:
    failures = None
    errors: dict[str, int] = {}
    if report.status_codes is not None:
        errors = _errors(report.status_codes, requests)
        failures = sum(errors.values())
    return Figures(
        requests,
        failures,
        errors,
        _latencies(report.latencies, requests),
        _bytes(report.bytes_in, "bytes_in"),
        _bytes(report.bytes_out, "bytes_out"),
    )


def _bytes(bytes_: _Bytes | None, what: str) -> float | None:
    return None if bytes_ is None else size(bytes_.total, what)


def _errors(codes: Mapping[str, float], requests: int) -> dict[str, int]:
    """Requests by the status that made them fail; vegeta counts 200 to 399 as success, and no response as 0."""
    statuses = {code: count(number, f"status_codes: {code}") for code, number in codes.items()}
    if sum(statuses.values()) != requests:
        text = f"status_codes: {sum(statuses.values())} in all, expected as many as requests, {requests}"
        raise SourceError("bad_data", text)
    for code in statuses:
        if not (code.isascii() and code.isdecimal() and len(code) <= 5):
            raise SourceError("bad_data", f"status_codes: {code[:40]!r} is not a status code")

    errors: dict[str, int] = {}
    for code, number in sorted(statuses.items()):
        if number and not 200 <= int(code) < 400:
            kind = "no response" if code == "0" else f"HTTP {code}"
            errors[kind] = number
    return errors


def _latencies(nanoseconds: Mapping[str, float], requests: int) -> Latencies:
    """A report made before vegeta's metrics were closed has 0 for figures not computed yet: these are omitted."""
    seconds = {ours: nanoseconds[theirs] / 1e9 for theirs, ours in _LATENCIES.items() if theirs in nanoseconds}
    if nanoseconds.get("total", 0) > 0:
        seconds["mean"] = nanoseconds["total"] / requests / 1e9
        if nanoseconds.get("mean", 0) == 0:
            seconds = {name: value for name, value in seconds.items() if value > 0}
    return latencies(seconds, "latencies")


FORMAT = Format("vegeta-report", "vegeta", recognise, read=read)
