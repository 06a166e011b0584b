"""The content of a load test's result file, whatever tool wrote it. Base units: seconds, bytes, ratios 0..1, Unix time.

`None` means "not in the file"; it never means zero. Plain data: msgspec reads and writes it as JSON (saved
baselines are that).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

QUANTILE_FIGURES: Mapping[str, float] = {
    "p50": 0.5,
    "p90": 0.9,
    "p95": 0.95,
    "p99": 0.99,
    "p995": 0.995,
    "p999": 0.999,
}
"""Latencies' percentiles by the name of their field."""

LATENCY_FIGURES = ("min", "mean", *QUANTILE_FIGURES, "max")
"""Every field of Latencies that is a figure."""

OTHER = "other"
"""The name of what lies beyond a cap: sampler names, kinds of errors."""


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many requests took how long: log-linear buckets (analysis.histogram), only those that hold any."""

    indices: tuple[int, ...]
    """Ascending."""
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Latencies:
    """Seconds. With a histogram the percentiles are nearest-rank ones, within 0.4 %; else as the tool computed them."""

    min: float | None = None
    mean: float | None = None
    p50: float | None = None
    p90: float | None = None
    p95: float | None = None
    p99: float | None = None
    p995: float | None = None
    p999: float | None = None
    max: float | None = None
    histogram: Histogram | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured of some requests: those of one name, or of all."""

    requests: int
    failures: int | None = None
    errors: Mapping[str, int] = field(default_factory=dict)
    """Kind of error, as the tool names it, to how many requests failed so. Where kinds are known: all `failures`."""
    latency: Latencies = Latencies()
    """Of all requests, failed ones with them."""
    received: float | None = None
    """Bytes that responses had."""
    sent: float | None = None
    """Bytes that requests had."""

    @property
    def success_ratio(self) -> float | None:
        """Successes / requests; None without requests, or where failures are not reported."""
        return None if self.failures is None or not self.requests else 1 - self.failures / self.requests


@dataclass(frozen=True, slots=True)
class RunEndpoint:
    """One name in the result file, and its (method, route)."""

    name: str
    figures: Figures
    method: str = ""
    route: str = ""
    """Both empty: the route of the name is unknown (unmapped)."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """The run minute by minute: each tuple has one value for each of `ends`; None: not in the file.

    A request counts in the minute in which its response came.
    """

    ends: tuple[float, ...]
    """Ends of full minutes, Unix seconds, ascending; minutes without requests included."""
    requests: tuple[int, ...]
    seconds: tuple[float, ...] | None = None
    """Sums of latencies."""
    failures: tuple[int, ...] | None = None
    received: tuple[float, ...] | None = None
    users: tuple[float | None, ...] | None = None
    """Largest number of concurrent users in the minute; None in a minute without a report."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Resources that a process and its children used during the run, from samples every 100 ms."""

    samples: int
    cpu_mean: float
    """Cores."""
    cpu_max: float
    memory_max: float
    """Bytes of resident memory."""
    sockets_max: int | None = None


@dataclass(frozen=True, slots=True)
class LoadRun:
    """One load test, from its result file."""

    tool: str
    """jmeter, k6, locust, gatling, taurus, wrk, hey, vegeta."""
    format: str
    """Which of the tool's formats, such as jmeter-csv."""
    start: float
    """When the first request began; Unix seconds, not rounded."""
    end: float
    """When the last response came."""
    total: Figures
    endpoints: tuple[RunEndpoint, ...] = ()
    """By name."""
    timeline: Timeline | None = None
    users: float | None = None
    """Most concurrent users."""
    checks: Mapping[str, bool] = field(default_factory=dict)
    """The tool's own thresholds, and whether they were met."""
    usage: Mapping[str, Usage] = field(default_factory=dict)
    """Process to what it used, where `pte-exporter run` looked."""
    run: str = ""
    """What people call this run: the ID given, or the file's name."""
    commit: str = ""
    dated: bool = True
    """False: the file has a duration but no times; the end is the time when it was last written."""
    complete: bool = True
    """False: the file says, or shows by breaking off, that the test was ended early."""
    warnings: tuple[str, ...] = ()
    """What was left out or taken for granted. For people."""

    @property
    def duration(self) -> float:
        return self.end - self.start

    @property
    def requests_per_second(self) -> float | None:
        """Requests / duration; None for a run that took no time."""
        return self.total.requests / self.duration if self.duration > 0 else None
