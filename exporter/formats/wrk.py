"""What wrk and wrk2 print, with and without --latency. docs/results.md, section "wrk, hey, vegeta".

Every figure has its own unit. Sockets that failed are counted beside the requests, of which only those that were
answered are counted; we count each of them as a request that failed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from exporter.errors import SourceError
from exporter.formats import File, Format
from exporter.formats.tally.summaries import count, duration, infer_times, latencies, size
from exporter.model.loadrun import QUANTILE_FIGURES, Endpoint, Figures, Latencies, LoadRun

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
    """What a script prints may stand before."""
    return re.search(rb"(?m)^\s*Running \S+ test @ \S+\s*\n\s*\d+ threads and \d+ connections", head) is not None


def read(content: bytes, file: File) -> LoadRun:
    """The run; raises SourceError."""
    text = content.decode(errors="replace").replace("\r", "")
    runs, requests = _RUNNING.findall(text), _REQUESTS.search(text)
    if len(runs) > 1:
        raise SourceError("bad_data", f"holds {len(runs)} runs, wanted a file for each")
    if not runs or requests is None or not _LAST.search(text):
        wanted = "wanted '1000 requests in 30.00s, 1.20MB read' and at the end 'Transfer/sec: 1.20MB'"
        raise SourceError("bad_data", f"{wanted}: was wrk stopped, or the file cut?")
    answered = count(int(requests[1]), "requests")
    lost, failed = _errors(text, answered)
    total = Figures(
        answered + sum(lost.values()),
        sum(lost.values()) + sum(failed.values()),
        {kind: number for kind, number in {**lost, **failed}.items() if number},
        _latencies(text) if answered else Latencies(),
        size(float(requests[4]) * 1024 ** _SIZES[requests[5]], "bytes read"),
    )
    if not total.requests:
        raise SourceError("bad_data", "holds no requests")
    start, end, warning = infer_times(file, _took(text, answered, requests))
    warnings = [warning]
    if sum(lost.values()):
        warnings.append(f"{sum(lost.values())} socket errors count as failed requests, beside {answered} answered ones")
    users = _USERS.search(text)
    return LoadRun(
        FORMAT.tool,
        FORMAT.name,
        start,
        end,
        total,
        (Endpoint(runs[0], total),),
        users=None if users is None else float(count(int(users[1]), "connections")),
        dated=False,
        warnings=tuple(warnings),
    )


def _errors(text: str, answered: int) -> tuple[Mapping[str, int], Mapping[str, int]]:
    """Requests that were lost, and answered ones that failed, both by kind."""
    sockets, status = _SOCKETS.search(text), _STATUS.search(text)
    connect, read_, write, timeout = (int(number) for number in sockets.groups()) if sockets else (0, 0, 0, 0)
    responses = int(status[1]) if status else 0
    if responses > answered:
        raise SourceError("bad_data", f"Non-2xx or 3xx responses: {responses}, wanted at most the {answered} requests")
    lost = {"connect": connect, "read": read_, "write": write}
    # A response later than the timeout is among the answered ones, and may be one that failed by its status, too.
    return lost, {"non-2xx or 3xx": responses, "timeout": min(timeout, answered - responses)}


def _latencies(text: str) -> Latencies:
    """The first distribution: wrk2's second one, of --u_latency, leaves out what waited to be sent."""
    seconds: dict[str, float | None] = {}
    overall = _LATENCY.search(text)
    if overall is not None:
        seconds = {"mean": _seconds(overall[1], overall[2]), "max": _seconds(overall[3], overall[4])}
    names = {value: name for name, value in QUANTILE_FIGURES.items()}
    for told, value, unit in _QUANTILE.findall(text):
        name = names.get(round(float(told) / 100, 9))
        if name is not None:
            seconds.setdefault(name, _seconds(value, unit))
        elif float(told) == 100:
            # wrk2's histogram rounds up, so that a percentile may lie a little above the largest of all.
            seconds["max"] = max(seconds.get("max") or 0.0, _seconds(value, unit))
    return latencies(seconds, "Latency")


def _took(text: str, answered: int, requests: re.Match[str]) -> float:
    """Seconds; the rate has more digits than the time, which may be in minutes."""
    told, rate = duration(_seconds(requests[2], requests[3]), "duration"), _RATE.search(text)
    if answered and rate is not None and float(rate[1]) > 0:
        exact = answered / float(rate[1])
        if abs(exact - told) <= 0.02 * told:
            return exact
    return told


def _seconds(value: str, unit: str) -> float:
    return float(value) * _UNITS[unit]


FORMAT = Format("wrk", "wrk", recognise, read=read)
FORMATS = (FORMAT,)
