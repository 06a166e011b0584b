"""Settings of the analysis: every threshold, weight and factor, with its default and its unit.

The defaults are those that lead from the two observations of the worked example to its results
(tests/golden/certification_sample.json). All numbers are ratios 0..1, seconds or requests unless a line says otherwise.
Every one of them is published as a series (catalogue/limits.py), so alerts compare series with series.
"""

from __future__ import annotations

from typing import Literal

import msgspec

COMPARED = (
    "request_rate",
    "error_ratio",
    "latency_mean",
    "latency_p50",
    "latency_p95",
    "latency_p99",
    "latency_p999",
    "throughput",
    "concurrent_users",
    "cpu",
    "memory",
)
"""The signals that are compared between the sides: peaks for gauges, window statistics for latency."""


class Duration(float):
    """Seconds. In YAML a Prometheus duration such as 90s, 5m, 1h30m, 7d; a bare number is refused."""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of every configuration record: an unknown key is an error."""


class GapRule(Settings, frozen=True):
    """How a signed gap of one signal becomes a severity."""

    bad: Literal["lower", "higher", "both"]
    """Which sign of (pte - production) / production is bad."""
    low: float | None = None
    medium: float | None = None
    high: float | None = None
    critical: float | None = None
    """From which absolute gap on (exclusive) the severity holds; an absent step is never reached."""
    limit: float | None = None
    """The PTE's own value above which the severity is at least high, whatever the gap (base unit)."""
    min_difference: float = 0.0
    """Differences up to this (base unit) do not count as a gap, however large the ratio."""


def _gap_rules() -> dict[str, GapRule]:
    latency = GapRule(bad="both", low=0.05, medium=0.10, high=0.25, critical=0.50, min_difference=0.001)
    volume = GapRule(bad="lower", low=0.05, medium=0.10, high=0.25, critical=0.50)
    return {
        "request_rate": GapRule(bad="lower", low=0.05, medium=0.10, high=0.15, critical=0.25),
        "error_ratio": GapRule(bad="higher", low=0.05, medium=0.10, high=0.25, critical=0.50, min_difference=0.0005),
        "latency_mean": latency,
        "latency_p50": latency,
        "latency_p95": latency,
        "latency_p99": latency,
        "latency_p999": latency,
        "throughput": volume,
        "concurrent_users": GapRule(bad="lower", low=0.10, medium=0.25, high=0.50, critical=0.75),
        "cpu": GapRule(bad="higher", low=0.10, medium=0.25, limit=0.80),
        "memory": GapRule(bad="higher", low=0.05, medium=0.25, limit=0.85),
    }


class TestRunSettings(Settings, frozen=True):
    """How a test run is found in the PTE's activity, and how its phases are distinguished."""

    __test__ = False  # not a pytest class

    lookback: Duration = Duration(35 * 86400)
    """Longer than certification.max_age, so a run is still found when it has become too old."""
    threshold: float = 1.0
    """Requests/s above which a minute counts as activity."""
    min_duration: Duration = Duration(600)
    max_gap: Duration = Duration(300)
    """A pause up to this long does not end a run."""
    steady_tolerance: float = 0.15
    """Minutes within this ratio of the run's plateau (median of its upper half) are steady state."""
    spike_factor: float = 1.3
    """Minutes above this multiple of the plateau are a spike."""
    sustained: Duration = Duration(600)
    """How long a rate must be held to count as sustained."""


class RouteSettings(Settings, frozen=True):
    """Endpoint coverage."""

    min_requests: float = 30.0
    """A route with fewer requests inside the run is not tested."""
    max_endpoints: int = 200
    """Cardinality cap per application and side; the rest is counted as `other`."""
    raw_path_heuristics: bool = True
    """Replace numbers, UUIDs and hashes in paths by a placeholder."""


PARTS = ("coverage", "load_coverage", "performance", "error_validation")
"""The parts of the efficacy score; each weight has its part's name."""


class EfficacySettings(Settings, frozen=True):
    """Weights (they are normalised by those that have evidence) and steps of the efficacy score."""

    coverage: float = 0.4
    load_coverage: float = 0.4
    performance: float = 0.2
    error_validation: float = 0.0
    full_within: float = 0.20
    """Parts within this absolute gap score 1."""
    half_within: float = 0.50
    """Parts within this absolute gap score 0.5; beyond it 0."""
    excellent: float = 0.90
    good: float = 0.75
    fair: float = 0.60
    """Ratings from these scores on; below `fair` it is poor."""


class NextCertificationSettings(Settings, frozen=True):
    """Factors on production's values that make the objectives of the next certification."""

    request_rate_factor: float = 1.5
    concurrent_users_factor: float = 1.5
    throughput_factor: float = 1.5
    latency_mean_factor: float = 1.2
    latency_p95_factor: float = 1.3
    latency_p99_factor: float = 1.5
    spike_multiplier: float = 2.0
    sustained: Duration = Duration(3600)
    timeout_ratio: float = 0.0005
    uptime_ratio: float = 0.999
    cpu: float = 0.80
    memory: float = 0.85
    db_connections_per_user: float = 2.0
    """An assumption: no source observes database connections."""
    recovery_time: Duration = Duration(30)
    failover_time: Duration = Duration(10)
    data_loss_tolerance: str = "zero"


class CertificationSettings(Settings, frozen=True):
    """When a certification still holds. Each line that fails is a reason."""

    max_age: Duration = Duration(30 * 86400)
    load_coverage: float = 0.90
    """Least peak/peak ratio of the test to production."""
    weighted_coverage: float = 0.80
    """Least share of production's traffic that goes to tested endpoints."""
    mix_total_variation: float = 0.20
    """Largest total variation distance between the endpoint shares of both sides."""
    efficacy: float = 0.60
    untested_share: float = 0.01
    """An untested endpoint with at least this share of production's traffic is named."""
    peak_growth: float = 0.20
    """Production's 7-day peak may have grown by this ratio since the run."""
    mix_moved: float = 0.20
    """Production's mix may have moved by this total variation since the run."""
    gap_severity: Literal["low", "medium", "high", "critical"] = "critical"
    """A gap of this severity or worse in latency or errors is a reason."""


class Grade(Settings, frozen=True):
    """What a load test's run must show for a grade: both, each strictly."""

    success_ratio: float
    """More than this share of requests succeeded."""
    latency_p95: float
    """P95 in seconds is less than this."""


def _grades() -> dict[str, Grade]:
    return {
        "A+": Grade(success_ratio=0.99, latency_p95=0.5),
        "A": Grade(success_ratio=0.95, latency_p95=1.0),
        "B": Grade(success_ratio=0.90, latency_p95=1.5),
        "C": Grade(success_ratio=0.85, latency_p95=2.5),
        "D": Grade(success_ratio=0.75, latency_p95=4.0),
    }


class ChangeSteps(Settings, frozen=True):
    """From which change for the worse on a severity holds. Below `low` nothing has changed: it is the tolerance."""

    low: float = 0.05
    medium: float = 0.10
    high: float = 0.25
    critical: float = 0.50


class ErrorSteps(ChangeSteps, frozen=True):
    """As the other steps, of differences between error ratios."""

    low: float = 0.001
    medium: float = 0.005
    high: float = 0.01
    critical: float = 0.05


class LoadRunSettings(Settings, frozen=True):
    """How the runs in result files are judged: grades, and the changes between runs that count."""

    grades: dict[str, Grade] = msgspec.field(default_factory=_grades)
    """What fulfils none is F. Named grades replace all of these."""
    steps: ChangeSteps = ChangeSteps()
    """Of latency and request rate: |value - reference| / reference."""
    error_steps: ErrorSteps = ErrorSteps()
    """Of the error ratio: value - reference, as its ratio to nearly nothing says nothing."""
    min_history: int = 8
    """Runs that a comparison with the runs before needs, the newest included."""
    confirm: int = 3
    """Runs in a row at a new level before it is taken for one; fewer are a spike."""
    settled: int = 20
    """Runs after which a level is the usual one, and no longer compared with the level before it."""
    significance: float = 0.001
    """Chance of a false change in a series in which nothing changes."""
    run_noise: float = 0.01
    """Standard deviation between runs, as a ratio, that is assumed where history does not show it."""
    volatile: float = 0.20
    """A series that varies more than this around its trend has none, unless it has moved further than that."""
    max_endpoints: int = 50
    """Those with the most requests are compared; the others only count in the total."""
    min_grade: Literal["A+", "A", "B", "C", "D", "F"] = "C"
    """A run with a worse grade raises an alert."""
    min_success_ratio: float = 0.99
    """So is one of whose requests fewer succeeded."""
    alert_severity: Literal["low", "medium", "high", "critical"] = "medium"
    """So is a change for the worse of this severity or more."""


class ExecutionSettings(Settings, frozen=True):
    """How reports of test runners are read together."""

    lookback: Duration = Duration(7 * 86400)
    """Reports older than this are left out."""
    run_gap: Duration = Duration(300)
    """Reports that end this close to each other and have no test in common are one run: Surefire writes one a class."""
    expected: dict[str, Duration] = msgspec.field(default_factory=dict)
    """Application to the longest time without a run of tests."""
    failure_ratio: float = 0.20
    """Largest share of the latest run's executed tests that may fail."""
    flaky_ratio: float = 0.05
    """Largest share of executed tests over the look-back that may be flaky."""
    spike_magnitude: float = 2.0
    """A spike is at least this multiple of the median failure ratio of the runs before."""
    spike_failures: int = 3
    """A spike has at least so many failures more than the median would have."""
    spike_runs: int = 3
    """With fewer runs before, a spike cannot be judged."""
    max_tests: int = 20
    """How many of the flakiest, and of the most often failing tests are named."""
    max_groups: int = 200
    """Cardinality cap: suites, and pairs of suite and property value, per application."""


class AnalysisSettings(Settings, frozen=True):
    """Everything the analysis reads beside the observations."""

    expected: tuple[str, ...] = ()
    """Applications for which evidence is expected; empty means every application that a source knows."""
    timezone: str = "UTC"
    """IANA name; hours and days of patterns are in it."""
    tolerance: float = 0.05
    """Verdict "equal" only when the confidence interval of the gap lies within this ratio."""
    confidence: float = 0.95
    min_effective_samples: float = 10.0
    """A verdict on less is not evidence."""
    clock_skew: Duration = Duration(60)
    """How far a source's clock may be from ours: we ask for windows by our own clock."""
    spike_magnitude: float = 1.5
    """A spike is at least this multiple of the same hour's median on the other days."""
    gaps: dict[str, GapRule] = msgspec.field(default_factory=_gap_rules)
    test_run: TestRunSettings = TestRunSettings()
    routes: RouteSettings = RouteSettings()
    efficacy: EfficacySettings = EfficacySettings()
    next_certification: NextCertificationSettings = NextCertificationSettings()
    certification: CertificationSettings = CertificationSettings()
    load_runs: LoadRunSettings = LoadRunSettings()
    test_executions: ExecutionSettings = ExecutionSettings()
