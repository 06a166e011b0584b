"""What an environment did in a window, for all applications at once.

Units are base units everywhere: seconds, bytes, ratios 0..1, Unix time. `None` or an absent key means "not measured";
it never means zero. Everything here is plain data, so msgspec reads and writes it as JSON (the `recorded` source and
`report --format json` rest on that).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from exporter.model.execution import Report
from exporter.model.incident import Incident
from exporter.model.loadrun import LoadRun

GAUGE_SIGNALS = ("request_rate", "error_ratio", "throughput", "concurrent_users", "cpu", "memory")
"""Signals summarised over a window from one-minute values. Units: requests/s, ratio, bytes/s, users, ratio, ratio."""

LATENCY_MEAN = "latency_mean"
"""The one-minute mean latencies in seconds, as a signal beside GAUGE_SIGNALS: they measure latency's noise."""

LATENCY_STATS = ("mean", "p50", "p95", "p99", "p999")
"""What is read from the latency histogram over the whole window, in seconds."""

QUANTILES = ("0.05", "0.1", "0.25", "0.5", "0.75", "0.9", "0.95", "0.99")
"""The quantiles of one-minute request rates that every source gives (key of Summary.quantiles)."""

MINUTE = 60.0
"""Resolution of one-minute signals, in seconds."""

NOISE_LAG = 600.0
"""What moves slower than this, in seconds, is pattern (day and night, ramp-up), not noise."""

PATTERN_STEP = 300.0
"""Resolution of the pattern series, in seconds."""

PhaseKind = Literal["ramp_up", "steady_state", "spike"]


@dataclass(frozen=True, slots=True)
class Window:
    """A half-open stretch of time (start, end], both in Unix seconds."""

    start: float
    end: float

    @property
    def duration(self) -> float:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Summary:
    """One signal over a window, from its one-minute values."""

    mean: float | None = None
    peak: float | None = None
    min: float | None = None
    stddev: float | None = None
    """Population standard deviation of the one-minute values."""
    noise: float | None = None
    """Standard deviation of the noise: the root of mean((x[t] - x[t - NOISE_LAG])²) / 2; None without such a pair.

    In a test run over pairs of minutes on the plateau (analysis.run.steady_minutes), if these are half of its minutes.
    """
    autocorrelation: float | None = None
    """Lag-1 autocorrelation of the noise: 1 - mean((x[t]-x[t-1min])²) / mean((x[t]-x[t-NOISE_LAG])²), within -1..1.

    None without pairs of either kind, and where the noise is zero.
    """
    samples: int | None = None
    """How many values the summary has; of a minute each, unless `resolution` says otherwise."""
    resolution: float = MINUTE
    """Seconds over which each value was taken. Coarser than a minute, peak and min are of means, and not compared."""
    quantiles: Mapping[str, float] = field(default_factory=dict)
    """Quantile ("0.95") to value; linear interpolation between ranks, as quantile_over_time does. Keys: QUANTILES."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Latency over the whole window, from one histogram; seconds. A quantile beyond the last finite bucket is None."""

    mean: float | None = None
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None
    p999: float | None = None
    requests: float | None = None
    """How many requests the histogram counted in the window."""
    buckets: tuple[tuple[float, float], ...] = ()
    """(upper bound in seconds, requests up to it), both ascending; finite bounds only, `requests` is that of +Inf."""


@dataclass(frozen=True, slots=True)
class RouteCount:
    """Requests to one (method, route) in the window. `route` is as the source names it: a template or a raw path."""

    method: str
    route: str
    requests: float
    successes: float | None = None


@dataclass(frozen=True, slots=True)
class Samples:
    """A sparse series: values[i] was measured over the step that ends at times[i] (Unix seconds, ascending)."""

    times: tuple[float, ...]
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Phase:
    """A recognised part of a test run."""

    kind: PhaseKind
    window: Window


@dataclass(frozen=True, slots=True)
class TestRun:
    """One execution of a test in the PTE."""

    __test__ = False  # not a pytest class

    window: Window
    origin: Literal["explicit", "detected", "recorded", "result_file"] = "recorded"
    phases: tuple[Phase, ...] = ()


@dataclass(frozen=True, slots=True)
class ApplicationObservation:
    """One application on one side. For a test run, `window` is the run's own."""

    window: Window
    signals: Mapping[str, Summary] = field(default_factory=dict)
    """Signal (one of GAUGE_SIGNALS, or LATENCY_MEAN) to its summary. A signal with no query or data has no key.

    The error ratio's mean is errors / requests of the whole window, never a mean of the minutes' ratios.
    """
    latency: Latency | None = None
    routes: tuple[RouteCount, ...] = ()
    minutes: Samples | None = None
    """One-minute request rates; given for test runs, whose windows are small."""
    pattern: Samples | None = None
    """Five-minute mean request rates (step PATTERN_STEP) over the pattern window; given when one was asked for."""
    run: TestRun | None = None
    """Given for test runs; phases are filled in by the analysis unless the source knows them."""
    load_runs: tuple[LoadRun, ...] = ()
    """The load tests in result files, the newest last: that is `run`, if the source reads result files."""
    load_baseline: LoadRun | None = None
    """The saved run that the newest is compared with."""
    reports: tuple[Report, ...] = ()
    """What test runners reported, the newest last; given by sources of the role ci."""
    incidents: tuple[Incident, ...] | None = None
    """What the source reported as trouble in the window, or that is still open; None where it was not asked."""


@dataclass(frozen=True, slots=True)
class Events:
    """What one application served in a stretch of time, to be added to counters."""

    window: Window
    """What was counted, which may be less than what was asked for."""
    requests: float | None
    errors: float | None
    """Failed requests."""
    latency: Latency | None = None


@dataclass(frozen=True, slots=True)
class Observation:
    """One side, all applications. An application that the source does not know has no key."""

    side: str
    window: Window
    """What was asked for: the baseline window, or the look-back in which test runs were searched."""
    applications: Mapping[str, ApplicationObservation]
    warnings: tuple[str, ...] = ()
    """What the source said beside its data: partial results, clamped values. For people."""
    queries: int = 0
    """How many queries the observation took."""
    clock_skew: float | None = None
    """The source's clock minus ours, in seconds, if the source reports it."""
    before: Mapping[str, ApplicationObservation] = field(default_factory=dict)
    """Production before each application's run, where a round looked: a recording cannot be asked about the past."""
