"""What is thought of a load test's run: its grade, what changed since a baseline or the runs before, and the trend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from exporter.model.loadrun import LoadRun
from exporter.model.verdict import Severity, Verdict

GRADES = ("A+", "A", "B", "C", "D", "F")
"""The best first. The published value is the number of grades that are worse: 5 for A+, 0 for F."""

METRICS = ("latency_mean", "latency_p50", "latency_p95", "latency_p99", "request_rate", "error_ratio")
"""What is compared from run to run."""

Direction = Literal["improving", "degrading", "stable", "volatile"]
Against = Literal["baseline", "history"]
"""A saved run, or the runs before."""


@dataclass(frozen=True, slots=True)
class Change:
    """One metric of one name (empty: of the whole run), compared with its reference."""

    name: str
    metric: str
    against: Against
    value: float | None
    """Seconds, requests/s, ratio 0..1. Against history the level that the newest run belongs to, a median of runs."""
    reference: float | None
    """What it is compared with: the baseline's value, or the median of the level before."""
    ratio: float | None
    """(value - reference) / reference, signed; None where the reference is zero."""
    verdict: Verdict
    severity: Severity | None
    """Of a change for the worse; "none" for equal and better, None without evidence."""
    effect: float | None
    """Effect size, signed, above 0 where the value is higher. Against history: standard deviations between runs.

    Against a baseline: of latencies Cliff's delta of the requests (-1..1), of error ratios Cohen's h (-pi..pi).
    """
    samples: int
    """What the verdict rests on: runs against history; against a baseline requests of the side that has fewer."""
    least: float | None = None
    """The value's 95 % interval, which includes the reference's uncertainty; None without evidence of that."""
    most: float | None = None


@dataclass(frozen=True, slots=True)
class Trend:
    """Where one metric of one name (empty: of the whole run) has been going over the runs that are known."""

    name: str
    metric: str
    direction: Direction | None
    """None without evidence: too few runs."""
    slope: float | None
    """Change per run, as a ratio of the median."""
    variation: float | None
    """Robust coefficient of variation around the slope's line."""
    runs: int


@dataclass(frozen=True, slots=True)
class JudgedRun:
    """The newest run of an application, judged."""

    run: LoadRun
    grade: str | None
    """One of GRADES; None without evidence."""
    changes: tuple[Change, ...] = ()
    trends: tuple[Trend, ...] = ()
    left_out: int = 0
    """Names with few requests, beyond `max_endpoints`, that were not compared one by one."""
