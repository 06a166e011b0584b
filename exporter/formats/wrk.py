"""What wrk and wrk2 print, with and without --latency. docs/reference/formats.md, section "wrk, hey, vegeta".

Every figure has its own unit. Sockets that failed are counted beside the requests, of which only those that were
answered are counted; we count each of them as a request that failed.
"""

from __future__ import annotations

import re

from exporter.errors import SourceError
from exporter.formats import File, Format
from exporter.formats.tally.summaries import count, duration, infer_times, latencies, size
from exporter.model.loadrun import QUANTILE_FIGURES, Figures, Latencies, LoadRun, RunEndpoint

_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_SIZES = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4, "P": 5}
_TIME = r"(\d+(?:\.\d+)?)(us|ms|s|m|h)"
_RUNNING = re.compile(r"^\s*Running \S+ test @ (\S+)\s*\n\s*\d+ threads and \d+ connections", re.MULTILINE)
_USERS = re.compile(r"^\s+\d+ threads and (\d+) connections\s*$", re.MULTILINE)
_LATENCY = re.compile(rf"^\s+Latency\s+{_TIME}\s+\S+\s+{_TIME}\s+\S+%\s*$", re.MULTILINE)
_QUANTILE = re.compile(rf"^\s*(\d+(?:\.\d+)?)%\s+{_TIME}\s*$", re.MULTILINE)
_REQUESTS = re.compile(rf"^\s+(\d+) requests in {_TIME}, (\d+(?:\.\d+)?)([KMGTP]?)B read\s*$", re.MULTILINE)
_RATE = re.compile(r"^Requests/sec:\s+(\d+(?:\.\d+)?)\s*$", re.MULTILINE)
_LAST = re.compile(r"^Transfer/sec:\s+\d+(?:\.\d+)?[KMGTP]?B\s*$", re.MULTILINE)
_SOCKETS = re.compile(r"^\s+Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)\s*$", re.MULTILINE)
_STATUS = re.compile(r"^\s+Non-2xx or 3xx responses: (\d+)\s*$", re.MULTILINE)


def recognise(head: bytes) -> bool:
    """A script's output may come before it."""
    return re.search(rb"(?m)^\s*Running \S+ test @ \S+\s*\n\s*\d+ threads and \d+ connections", head) is not None


def read(content: bytes, file: File) -> LoadRun:
    """The run; raises SourceError."""
    text = content.decode(errors="replace").replace("\r", "")
    urls = _RUNNING.findall(text)
    if len(urls) > 1:
        raise SourceError("bad_data", f"has {len(urls)} runs, expected one file per run")
    requests = _REQUESTS.search(text)
    if not urls or requests is None or not _LAST.search(text):
        expected = "expected '1000 requests in 30.00s, 1.20MB read' and at the end 'Transfer/sec: 1.20MB'"
        raise SourceError("bad_data", f"{expected}: was wrk stopped, or the file cut?")

    answered = count(int(requests[1]), "requests")
    total = _figures(text, answered, requests)
    if not total.requests:
        raise SourceError("bad_data", "has no requests")

    start, end, warning = infer_times(file, _took(text, answered, requests))
    warnings = [warning]
    unanswered = total.requests - answered
    if unanswered:
        warnings.append(f"{unanswered} socket errors count as failed requests, beside {answered} answered ones")
    return LoadRun(
        FORMAT.tool,
        FORMAT.name,
        start,
        end,
        total,
        (RunEndpoint(urls[0], total),),
        users=_users(text),
        dated=False,
        warnings=tuple(warnings),
    )


def _figures(text: str, answered: int, requests: re.Match[str]) -> Figures:
    unanswered = _unanswered(text)
    failed = _failed(text, answered)
    errors = {kind: number for kind, number in {**unanswered, **failed}.items() if number}

    latency = _latencies(text) if answered else Latencies()
    received = size(float(requests[4]) * 1024 ** _SIZES[requests[5]], "bytes read")
    return Figures(
        answered + sum(unanswered.values()),
        sum(unanswered.values()) + sum(failed.values()),
        errors,
        latency,
        received,
    )


def _users(text: str) -> float | None:
    connections = _USERS.search(text)
    return None if connections is None else float(count(int(connections[1]), "connections"))


def _sockets(text: str) -> dict[str, int]:
    """How often each of these went wrong with a socket; wrk prints no line where none did."""
    names = ("connect", "read", "write", "timeout")
    line = _SOCKETS.search(text)
    if line is None:
        return dict.fromkeys(names, 0)
    return dict(zip(names, map(int, line.groups()), strict=True))


def _unanswered(text: str) -> dict[str, int]:
    """Requests that were not answered, by kind."""
    return {kind: number for kind, number in _sockets(text).items() if kind != "timeout"}


def _failed(text: str, answered: int) -> dict[str, int]:
    """Answered requests that failed, by kind."""
    status = _STATUS.search(text)
    responses = int(status[1]) if status else 0
    if responses > answered:
        raise SourceError("bad_data", f"Non-2xx or 3xx responses: {responses}, expected at most {answered}")
    # A response later than the timeout is among the answered ones, and may be one that failed by its status, too.
    late = min(_sockets(text)["timeout"], answered - responses)
    return {"non-2xx or 3xx": responses, "timeout": late}


def _latencies(text: str) -> Latencies:
    """The first distribution: wrk2's second one, of --u_latency, leaves out what waited to be sent."""
    seconds: dict[str, float | None] = {}
    overall = _LATENCY.search(text)
    if overall is not None:
        seconds["mean"] = _seconds(overall[1], overall[2])
        seconds["max"] = _seconds(overall[3], overall[4])

    names = {quantile: name for name, quantile in QUANTILE_FIGURES.items()}
    for percent, value, unit in _QUANTILE.findall(text):
        name = names.get(round(float(percent) / 100, 9))
        if name is not None:
            seconds.setdefault(name, _seconds(value, unit))
        elif float(percent) == 100:
            # wrk2's histogram rounds up: a percentile may lie a little above the maximum.
            seconds["max"] = max(seconds.get("max") or 0.0, _seconds(value, unit))
    return latencies(seconds, "Latency")


def _took(text: str, answered: int, requests: re.Match[str]) -> float:
    """Seconds; the rate has more digits than the time, which may be in minutes."""
    took = duration(_seconds(requests[2], requests[3]), "duration")
    rate = _RATE.search(text)
    if answered and rate is not None and float(rate[1]) > 0:
        exact = answered / float(rate[1])
        if abs(exact - took) <= 0.02 * took:
            return exact
    return took


def _seconds(value: str, unit: str) -> float:
    return float(value) * _UNITS[unit]


FORMAT = Format("wrk", "wrk", recognise, read=read)
FORMATS = (FORMAT,)
