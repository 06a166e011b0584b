"""The made-up shop as a source: no server needed. `observe` is its production, `observe_runs` its PTE.

exporter.demo.openmetrics writes the same data for a real Prometheus, which then gives the same results.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from exporter.analysis.baseline import latency, summarise_arrays
from exporter.analysis.run import steady_minutes
from exporter.checkup import Step, ok
from exporter.demo.histogram import BOUNDS, sum_rate, totals
from exporter.demo.incidents import incidents
from exporter.demo.loadruns import load_runs
from exporter.demo.noise import Floats, MinuteNumbers
from exporter.demo.shop import APPLICATIONS, ShopApplication
from exporter.demo.traffic import Role, ShopTraffic, shares, traffic
from exporter.model.checkup import CheckContext
from exporter.model.observation import (
    LATENCY_MEAN,
    MINUTE,
    PATTERN_STEP,
    ApplicationObservation,
    Events,
    Latency,
    Observation,
    RouteCount,
    Samples,
    Summary,
    TestRun,
    Window,
)
from exporter.model.settings import Settings
from exporter.sources import ChooseRuns

KIND = "demo"
MADE_UP = True


class Options(Settings, frozen=True):
    """Which made-up shop."""

    seed: int = 1


def checks(options: Options, context: CheckContext) -> Iterator[Step]:
    """Nothing can fail; the step says that the data is invented."""
    yield Step("found", "generate the data", lambda: ok(f"all data is made up, from the seed {options.seed}"))


class Source:
    """Computes each request and keeps nothing."""

    def __init__(self, options: Options, side: str) -> None:
        self._seed = options.seed
        self._side = side

    def observe(self, window: Window, pattern: Window | None = None) -> Observation:
        """Production over `window`; any time exists, also before the epoch and in the future."""
        applications: dict[str, ApplicationObservation] = {}
        for application in APPLICATIONS:
            summary = self._summary("production", application, window, pattern)
            if summary is not None:
                applications[application.name] = summary
        return Observation(self._side, window, applications)

    def observe_runs(self, lookback: Window, threshold: float, choose: ChooseRuns) -> Observation:
        """The PTE over each application's test run."""
        windows = choose(self._activity(lookback, threshold))
        applications: dict[str, ApplicationObservation] = {}
        for application in APPLICATIONS:
            window = windows.get(application.name)
            if window is None:
                continue
            summary = self._summary("pte", application, window, None)
            if summary is not None:
                applications[application.name] = self._run(application, window, summary)
        return Observation(self._side, lookback, applications)

    def events(self, role: Role, windows: Mapping[str, Window]) -> Mapping[str, Events]:
        """The made-up requests, with failures and latencies."""
        events: dict[str, Events] = {}
        for application in APPLICATIONS:
            window = windows.get(application.name)
            if window is None:
                continue
            served = traffic(self._seed, role, application, _minutes(window))
            if served.minutes.size:
                requests = float(served.requests.sum()) * MINUTE
                errors = float(served.errors.sum()) * MINUTE
                events[application.name] = Events(window, requests, errors, _latency(served))
        return events

    def close(self) -> None:
        """Nothing to close."""

    def _activity(self, lookback: Window, threshold: float) -> Mapping[str, Samples]:
        activity: dict[str, Samples] = {}
        for application in APPLICATIONS:
            served = traffic(self._seed, "pte", application, _minutes(lookback))
            active = served.requests > threshold
            if active.any():
                activity[application.name] = _samples(served.times[active], served.requests[active])
        return activity

    def _run(
        self, application: ShopApplication, window: Window, summary: ApplicationObservation
    ) -> ApplicationObservation:
        """Adds the data that only a test run has, and the content of its result file and earlier ones."""
        files = load_runs(self._seed, application, window)
        return replace(
            summary,
            minutes=self._run_minutes(application, window),
            run=TestRun(window, "detected"),
            load_runs=files.runs,
            load_baseline=files.baseline,
        )

    def _run_minutes(self, application: ShopApplication, window: Window) -> Samples:
        served = traffic(self._seed, "pte", application, _minutes(window))
        return _samples(served.times, served.requests)

    def _summary(
        self, role: Role, application: ShopApplication, window: Window, pattern: Window | None
    ) -> ApplicationObservation | None:
        """None where the application did not exist in the window."""
        served = traffic(self._seed, role, application, _minutes(window))
        if not served.minutes.size:
            return None

        steady = steady_minutes(served.times, served.requests) if role == "pte" else None
        rates = None if pattern is None else self._pattern(role, application, pattern)
        return ApplicationObservation(
            window=window,
            signals=_signals(served, steady),
            latency=_latency(served),
            routes=self._routes(role, application, served),
            pattern=rates,
            incidents=incidents(self._seed, role, application, window),
        )

    def _routes(self, role: Role, application: ShopApplication, served: ShopTraffic) -> tuple[RouteCount, ...]:
        total_requests = float(served.requests.sum()) * MINUTE
        total_errors = float(served.errors.sum()) * MINUTE
        if not total_requests:
            return ()

        routes: list[RouteCount] = []
        for share in shares(self._seed, role, application):
            requests = share.requests * total_requests
            successes = requests - share.errors * total_errors
            routes.append(RouteCount(share.method, share.path, requests, successes))
        return tuple(routes)

    def _pattern(self, role: Role, application: ShopApplication, window: Window) -> Samples | None:
        """Means of five one-minute rates, in steps that end where the window ends."""
        step = int(PATTERN_STEP / MINUTE)
        minutes = _minutes(window)
        served = traffic(self._seed, role, application, minutes[minutes.size % step :])
        if not served.minutes.size:
            return None
        return _samples(served.times[step - 1 :: step], served.requests.reshape(-1, step).mean(axis=1))


def _minutes(window: Window) -> MinuteNumbers:
    """The full minutes inside (start, end]."""
    return np.arange(int(-(-window.start // MINUTE)) + 1, int(window.end // MINUTE) + 1)


def _samples(times: Floats, values: Floats) -> Samples:
    return Samples(tuple(times.tolist()), tuple(values.tolist()))


def _signals(served: ShopTraffic, steady: Floats | None) -> dict[str, Summary]:
    """Quantiles only for the request rate, as from every source."""
    gauges = {"throughput": served.bytes, "concurrent_users": served.users, "cpu": served.cpu, "memory": served.memory}
    signals = {name: summarise_arrays(served.times, values, steady) for name, values in gauges.items()}

    busy = served.requests > 0.0
    if busy.any():
        times = served.times[busy]
        requests = served.requests[busy]
        errors = served.errors[busy]
        failed = summarise_arrays(times, errors / requests, steady)
        # The mean of all requests, not of minutes.
        signals["error_ratio"] = replace(failed, mean=float(errors.sum() / requests.sum()))
        signals[LATENCY_MEAN] = summarise_arrays(times, sum_rate(served)[busy] / requests, steady)

    without = {name: replace(summary, quantiles={}) for name, summary in signals.items()}
    return {**without, "request_rate": summarise_arrays(served.times, served.requests, steady)}


def _latency(served: ShopTraffic) -> Latency | None:
    buckets, seconds, count = totals(served)
    return latency(BOUNDS, buckets, seconds, count) if count else None
