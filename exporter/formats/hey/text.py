"""What hey prints. docs/reference/formats.md, section "wrk, hey, vegeta".

Latencies are those of requests that were answered. The text has neither the URL nor the run's time.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from exporter.errors import SourceError
from exporter.formats import File, Format
from exporter.formats.tally.summaries import count, duration, infer_times, latencies, size
from exporter.model.loadrun import Figures, Latencies, LoadRun, RunEndpoint

MOST_ROWS = 1_000_000
"""Answered requests that hey remembers."""

_SECONDS = r"\s*(\S+) secs\s*$"
_LATENCIES = {
    "max": re.compile(r"^\s+Slowest:" + _SECONDS, re.MULTILINE),
    "min": re.compile(r"^\s+Fastest:" + _SECONDS, re.MULTILINE),
    "mean": re.compile(r"^\s+Average:" + _SECONDS, re.MULTILINE),
    "p50": re.compile(r"^\s+50%%? in" + _SECONDS, re.MULTILINE),
    "p90": re.compile(r"^\s+90%%? in" + _SECONDS, re.MULTILINE),
    "p95": re.compile(r"^\s+95%%? in" + _SECONDS, re.MULTILINE),
    "p99": re.compile(r"^\s+99%%? in" + _SECONDS, re.MULTILINE),
}
_LINES = {
    "total": re.compile(r"^\s+Total:" + _SECONDS, re.MULTILINE),
    "rate": re.compile(r"^\s+Requests/sec:\s*(\S+)\s*$", re.MULTILINE),
    **_LATENCIES,
}
_BYTES = re.compile(r"^\s+Total data:\s+(\d+) bytes\s*$", re.MULTILINE)
_STATUS = re.compile(r"^\s+\[(\d+)\]\s+(\d+) responses\s*$", re.MULTILINE)
_ERROR = re.compile(r"^\s+\[(\d+)\]\s+(?!\d+ responses\s*$)(?!\|)(\S.*)$", re.MULTILINE)


def recognise(head: bytes) -> bool:
    return re.match(rb"\s*Summary:\r?\n\s+Total:\s+\S+ secs", head) is not None


def read(content: bytes, file: File) -> LoadRun:
    """The run; raises SourceError."""
    text = content.decode(errors="replace").replace("\r", "")
    _, marker, distribution = text.partition("Status code distribution:")
    if not marker:
        raise SourceError("bad_data", "has no line 'Status code distribution:': was hey stopped, or the file cut?")

    statuses = _statuses(distribution)
    answered = sum(statuses.values())
    total = _figures(text, statuses, _unanswered(distribution))
    if not total.requests:
        raise SourceError("bad_data", "has no requests")

    took = duration(_number(text, "total"), "Total")
    _check_sum(took, _number(text, "rate"), answered, total.requests)
    start, end, warning = infer_times(file, took)
    warnings = [warning]
    if answered > MOST_ROWS:
        warnings.append(f"latencies are those of the first {MOST_ROWS} requests: hey remembers no more")
    return LoadRun(
        FORMAT.tool,
        FORMAT.name,
        start,
        end,
        total,
        (RunEndpoint(FORMAT.tool, total),),
        dated=False,
        warnings=tuple(warnings),
    )


def _statuses(distribution: str) -> dict[str, int]:
    """Requests that were answered, by status."""
    return {code: count(int(number), f"[{code}] responses") for code, number in _STATUS.findall(distribution)}


def _unanswered(distribution: str) -> dict[str, int]:
    """Requests that were not answered, by what happened instead."""
    unanswered: dict[str, int] = {}
    for number, line in _ERROR.findall(distribution):
        error = line.strip()
        unanswered[error] = unanswered.get(error, 0) + count(int(number), f"[{number}]")
    return unanswered


def _figures(text: str, statuses: Mapping[str, int], unanswered: Mapping[str, int]) -> Figures:
    answered = sum(statuses.values())
    failed = {f"HTTP {code}": number for code, number in statuses.items() if number and int(code[:6]) >= 400}

    latency = _latencies(text, answered) if answered else Latencies()
    line = _BYTES.search(text)
    received = None if line is None else size(float(line[1]), "Total data")
    return Figures(
        answered + sum(unanswered.values()),
        sum(unanswered.values()) + sum(failed.values()),
        {**unanswered, **failed},
        latency,
        received,
    )


def _check_sum(took: float, rate: float, answered: int, requests: int) -> None:
    """hey reports no number of requests, only a rate: old versions of those it remembers, newer ones of all.

    Both have four decimals, and the number is exact up to their rounding.
    """
    computed = took * rate
    rounded = 0.5 + (took + rate) * 5e-5
    remembered = min(answered, MOST_ROWS)
    if min(abs(computed - requests), abs(computed - remembered)) > rounded:
        text = f"status codes and errors are {requests} requests, expected {computed:.0f} by rate and time"
        raise SourceError("bad_data", f"{text}: was the file cut?")


def _latencies(text: str, answered: int) -> Latencies:
    seconds: dict[str, float | None] = {}
    for name, line in _LATENCIES.items():
        if line.search(text):
            seconds[name] = _number(text, name)

    # The mean is wrong: hey divides the sum of all by the number that it remembers.
    if answered > MOST_ROWS:
        seconds["mean"] = None
    return latencies(seconds, "latency")


def _number(text: str, name: str) -> float:
    """NaN without that line; raises SourceError."""
    line = _LINES[name].search(text)
    if line is None:
        return math.nan
    try:
        return float(line[1])
    except ValueError:
        raise SourceError("bad_data", f"{name} is {line[1][:40]!r}, expected seconds") from None


FORMAT = Format("hey", "hey", recognise, read=read)
