"""What one assessment says, per application. `None` means no evidence, never zero."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from exporter.model.execution import Executed
from exporter.model.loadrun_judgement import JudgedRun
from exporter.model.observation import ApplicationObservation, Observation, TestRun
from exporter.model.settings import AnalysisSettings
from exporter.model.verdict import Severity, Verdict


@dataclass(frozen=True, slots=True)
class Gap:
    """One signal compared: (pte - production) / production, signed."""

    signal: str
    production: float | None
    pte: float | None
    ratio: float | None
    severity: Severity | None
    verdict: Verdict
    """The PTE against production: worse or better by what is bad for the signal, equal inside the tolerance."""
    effective_samples: Mapping[str, float]
    """Side ("production", "pte": the role) to effective sample size n(1-r)/(1+r), where known."""
    recommendation: str | None
    """One sentence for people, written from signal, sign and severity; None where severity is none or unknown."""


@dataclass(frozen=True, slots=True)
class LoadCoverage:
    """Did the test reach production's load? Four figures, because one misleads."""

    peak_ratio: float | None
    peak_percentile: float | None
    """Fraction (0..1) of production's minutes whose rate the test's peak reached or exceeded."""
    sustained_rate: float | None
    """Highest rate that every minute of some `sustained` stretch reached; requests/s."""
    sustained_percentile: float | None
    above_p95_seconds: float | None
    """How long the test ran at or above production's P95."""


@dataclass(frozen=True, slots=True)
class Spike:
    """A five-minute stretch far above the same hour of the other days."""

    time: float
    rate: float
    magnitude: float
    """rate / median of the same five minutes' hour on the other days."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """What is normal in production over seven days. Hours 0..23 and days 0 (Monday)..6 in the configured time zone."""

    hours: Mapping[int, float]
    days: Mapping[int, float]
    peak_hour: int
    low_hour: int
    volatility: float | None
    """Coefficient of variation of the hourly means; None when the mean is zero."""
    peak: float
    """Largest five-minute rate; requests/s."""
    spikes: tuple[Spike, ...]
    """Largest magnitude first."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One (method, normalised route) on either side."""

    method: str
    route: str
    production_requests: float | None
    pte_requests: float | None
    production_share: float | None
    pte_share: float | None
    tested: bool | None
    """At least min_requests with some success inside the run; None without evidence of the PTE."""
    heuristic: bool = False
    """The route was made from raw paths by heuristics."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """Which of production's endpoints the test exercised, and the mix of both sides."""

    endpoints: tuple[Endpoint, ...]
    """Largest production share first."""
    production_endpoints: int | None
    tested_endpoints: int | None
    ratio: float | None
    """tested / production endpoints."""
    weighted_ratio: float | None
    """Share of production's requests that went to tested endpoints."""
    untested: tuple[Endpoint, ...]
    """Production's endpoints that were not tested, largest production share first."""
    only_pte: tuple[Endpoint, ...]
    """Tested endpoints that production does not have."""
    other_share: Mapping[str, float]
    """Role to the share of requests that fell beyond the cardinality cap."""
    total_variation: float | None
    jensen_shannon: float | None
    """In bits, 0..1."""


@dataclass(frozen=True, slots=True)
class Capacity:
    """CPU utilisation at peak per request/s at peak, by role."""

    cpu_per_request: Mapping[str, float]
    ratio: float | None
    """PTE / production."""


@dataclass(frozen=True, slots=True)
class Efficacy:
    """The weighted score with its parts, 0..1."""

    parts: Mapping[str, float]
    """Part (coverage, load_coverage, performance, error_validation) to its score; only parts with evidence."""
    weights: Mapping[str, float]
    score: float | None
    rating: Literal["excellent", "good", "fair", "poor"] | None


@dataclass(frozen=True, slots=True)
class Criterion:
    """One line of the next certification."""

    metric: str
    objective: float | str
    met: bool | None
    """The state of the present run; None if it was not observed."""
    assumption: bool = False
    """The objective rests on an assumption, not on an observation."""


@dataclass(frozen=True, slots=True)
class Growth:
    """How production moved since the run: seven days before it against the last seven days."""

    peak_then: float | None
    peak_now: float | None
    peak_ratio: float | None
    """now / then."""
    mix_moved: float | None
    """Total variation between production's mix then and now."""


AT_LEAST = (
    "request_rate",
    "concurrent_users",
    "throughput",
    "spike_multiplier",
    "sustained",
    "uptime_ratio",
    "db_connections",
)
"""Metrics of the next certification whose objective is to be reached."""

AT_MOST = (
    "latency_mean",
    "latency_p95",
    "latency_p99",
    "error_ratio",
    "cpu",
    "memory",
    "timeout_ratio",
    "recovery_time",
    "failover_time",
)
"""Metrics of the next certification that have to stay at or below their objective."""

REASONS = (
    "no_test_run",
    "too_old",
    "outgrown_peak",
    "outgrown_mix",
    "load_coverage",
    "weighted_coverage",
    "mix",
    "latency",
    "errors",
    "objective",
    "efficacy",
)
"""Why a certification may not hold; the label `reason` of pte_certification_reason."""


@dataclass(frozen=True, slots=True)
class Objective:
    """One service level objective, and the test run's result for it."""

    name: str
    objective: float
    """Share of good requests, 0..1."""
    budget: float
    """Share of requests that may be bad: 1 - objective, by decimal arithmetic."""
    threshold: float | None
    """Seconds above which a request is bad; None where failed requests are."""
    baseline_error_ratio: float | None
    """Production's bad requests / requests over the baseline."""
    run_error_ratio: float | None
    run_requests: float | None
    met: bool | None
    """Would the run have met it; None without data, and with fewer requests than 1 / budget."""


@dataclass(frozen=True, slots=True)
class Certification:
    """Does the certification still hold?"""

    holds: bool | None
    """None: no evidence (production or PTE not observed)."""
    reasons: Mapping[str, bool]
    """Reason (one of REASONS) to whether it applies; a reason that could not be judged has no key."""
    sentence: str
    """The verdict in words and numbers."""


@dataclass(frozen=True, slots=True)
class ApplicationResult:
    """Everything one assessment says about one application."""

    application: str
    production: ApplicationObservation | None
    pte: ApplicationObservation | None
    run: TestRun | None
    run_age: float | None
    """Seconds from the run's end to the assessment."""
    pattern: Pattern | None
    gaps: tuple[Gap, ...]
    load: LoadCoverage
    coverage: Coverage
    capacity: Capacity
    efficacy: Efficacy
    next_certification: tuple[Criterion, ...]
    growth: Growth
    objectives: tuple[Objective, ...]
    """Those configured for the application that rest on errors or latencies."""
    certification: Certification
    load_run: JudgedRun | None = None
    """The newest load test's run in a result file."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All results of one round, and the observations they rest on (None: not observed, or too old)."""

    at: float
    production: Observation | None
    pte: Observation | None
    applications: Mapping[str, ApplicationResult]
    sides: Mapping[str, str]
    """Role ("production", "pte") to the environment's configured name, the value of the label `side`."""
    settings: AnalysisSettings
    """What the results were judged by; published beside them."""
    executions: Mapping[str, Executed] = field(default_factory=dict)
    """Application to what test runners reported of it."""
