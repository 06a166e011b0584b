"""Test executions: what test runners report. Base units: seconds, Unix time, ratios 0..1."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Outcome = Literal["passed", "failed", "error", "skipped"]


@dataclass(frozen=True, slots=True)
class Execution:
    """One test case in one report. A case that was run again in the same report has one entry, its last outcome's."""

    suite: str
    name: str
    outcome: Outcome
    at: float
    """When it ended, Unix seconds."""
    seconds: float | None = None
    flaky: bool = False
    """Failed and passed within the report."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Configured properties of the report, such as device."""


@dataclass(frozen=True, slots=True)
class Report:
    """One report file: one run of tests."""

    name: str
    at: float
    """When it ended, Unix seconds."""
    executions: tuple[Execution, ...]


@dataclass(frozen=True, slots=True)
class Counts:
    """How executions ended."""

    passed: int = 0
    failed: int = 0
    error: int = 0
    skipped: int = 0
    flaky: int = 0
    """Failed and passed within one report; counted as well as what they were at last."""
    seconds: float | None = None
    """Their durations, added up; None where none was reported."""

    @property
    def executed(self) -> int:
        """All but the skipped ones."""
        return self.passed + self.failed + self.error

    @property
    def pass_ratio(self) -> float | None:
        return self.passed / self.executed if self.executed else None

    @property
    def failure_ratio(self) -> float | None:
        return (self.failed + self.error) / self.executed if self.executed else None

    @property
    def flaky_ratio(self) -> float | None:
        return self.flaky / self.executed if self.executed else None


@dataclass(frozen=True, slots=True)
class Run:
    """One run of tests: a report, or several that belong together."""

    at: float
    """When its last report ended, Unix seconds."""
    counts: Counts


@dataclass(frozen=True, slots=True)
class Group:
    """A suite's executions in the latest run that has any; of those with one value of one property, or all of them."""

    suite: str
    at: float
    counts: Counts
    property: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class Outages:
    """How long something passed and failed, from its first execution to its last. Seconds."""

    passing: float = 0.0
    failures: int = 0
    """How often it went from passing to failing."""
    repairing: float = 0.0
    """From the first failed execution to the one that passed, of failures that ended."""
    repairs: int = 0
    failing: bool = False
    """What it was at last."""

    @property
    def mtbf(self) -> float | None:
        """Mean time between failures: passing time by failures."""
        return self.passing / self.failures if self.failures else None

    @property
    def mttr(self) -> float | None:
        """Mean time to repair."""
        return self.repairing / self.repairs if self.repairs else None


@dataclass(frozen=True, slots=True)
class ValueOutages:
    """Of one value of a property, such as one device."""

    property: str
    value: str
    outages: Outages


@dataclass(frozen=True, slots=True)
class Case:
    """One test over the look-back, on all devices together."""

    suite: str
    name: str
    executed: int
    flaky: int
    failed: int
    """Executions that failed or ended in an error."""
    outages: Outages = Outages()


@dataclass(frozen=True, slots=True)
class FailureSpike:
    """The latest run's failures against the runs before it."""

    ratio: float
    reference: float
    """Median failure ratio of the runs before."""
    runs: int
    """How many runs that is."""
    is_spike: bool


@dataclass(frozen=True, slots=True)
class Executed:
    """What one assessment says about an application's test executions."""

    reports: tuple[Report, ...] = ()
    """The newest last."""
    runs: tuple[Run, ...] = ()
    """The newest last."""
    total: Counts = Counts()
    """All runs together."""
    recent: Mapping[float, int] = field(default_factory=dict)
    """Seconds back to the runs that ended since."""
    suites: tuple[Group, ...] = ()
    properties: tuple[Group, ...] = ()
    other: int = 0
    """Groups beyond the cap."""
    flakiest: tuple[Case, ...] = ()
    """Those that were flaky most often first, capped."""
    failing: tuple[Case, ...] = ()
    """Those that failed: first those that still do, then those that failed most often; capped."""
    outages: Outages = Outages()
    """Of the application: it fails while one of its tests does."""
    property_outages: tuple[ValueOutages, ...] = ()
    """Of each value of each property, what its tests say together."""
    spike: FailureSpike | None = None
    """None without evidence: too few runs before."""

    @property
    def last(self) -> Run | None:
        return self.runs[-1] if self.runs else None
