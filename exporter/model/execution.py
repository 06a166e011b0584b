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
class Executed:
    """What one round says about an application's test executions."""

    reports: tuple[Report, ...]
    """The newest last."""
