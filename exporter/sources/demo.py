"""The made-up shop as a source: no server needed. `observe` is its production, `observe_runs` its PTE.

The same data can be written for a real Prometheus (exporter.demo.openmetrics), which then gives the same results.
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
from exporter.demo.noise import Floats, Minutes
from exporter.demo.shop import APPLICATIONS, Application
from exporter.demo.traffic import Role, Traffic, shares, traffic
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


class Options(Settings, frozen=True):
    """Which made-up shop."""

    seed: int = 1


def checks(options: Options, wanted: CheckContext) -> Iterator[Step]:
    """Nothing can be wrong with it; it is said that nothing of it is true."""
    yield Step("found", "make it up", lambda: ok(f"all of it is made up, from the seed {options.seed}"))


class Source:
    """Computes what it is asked for and keeps nothing."""

    def __init__(self, options: Options, side: str) -> None:
        self._seed = options.seed
        self._side = side

    def observe(self, window: Window, pattern: Window | None = None) -> Observation:
        """Production over `window`; its days before the epoch exist as well as those to come."""
        seen = {
            application.name: self._summary("production", application, window, pattern) for application in APPLICATIONS
        }
        return Observation(self._side, window, {name: one for name, one in seen.items() if one is not None})

    def observe_runs(self, lookback: Window, threshold: float, choose: ChooseRuns) -> Observation:
        """The PTE over each application's test run."""
        runs = choose(self._activity(lookback, threshold))
        seen: dict[str, ApplicationObservation] = {}
        for application in APPLICATIONS:
            window = runs.get(application.name)
            one = self._summary("pte", application, window, None) if window is not None else None
            if window is not None and one is not None:
                seen[application.name] = self._run(application, window, one)
        return Observation(self._side, lookback, seen)

    def events(self, role: Role, windows: Mapping[str, Window]) -> Mapping[str, Events]:
        """The made-up requests themselves, failures and latencies with them."""
        found = {}
        for application in APPLICATIONS:
            window = windows.get(application.name)
            if window is not None:
                seen = traffic(self._seed, role, application, _minutes(window))
                if seen.minutes.size:
                    requests, errors = (float(rates.sum()) * MINUTE for rates in (seen.requests, seen.errors))
                    found[application.name] = Events(window, requests, errors, _latency(seen))
        return found

    def close(self) -> None:
        """Nothing is held."""

    def _activity(self, lookback: Window, threshold: float) -> Mapping[str, Samples]:
        activity = {}
        for application in APPLICATIONS:
            seen = traffic(self._seed, "pte", application, _minutes(lookback))
            active = seen.requests > threshold
            if active.any():
                activity[application.name] = _samples(seen.times[active], seen.requests[active])
        return activity

    def _run(self, application: Application, window: Window, seen: ApplicationObservation) -> ApplicationObservation:
        """With what only a test's run has, and what its result file and those before it would tell."""
        files = load_runs(self._seed, application, window)
        return replace(
            seen,
            minutes=self._run_minutes(application, window),
            run=TestRun(window, "detected"),
            load_runs=files.runs,
            load_baseline=files.baseline,
        )

    def _run_minutes(self, application: Application, window: Window) -> Samples:
        seen = traffic(self._seed, "pte", application, _minutes(window))
        return _samples(seen.times, seen.requests)

    def _summary(
        self, role: Role, application: Application, window: Window, pattern: Window | None
    ) -> ApplicationObservation | None:
        """None where the application did not exist in the window."""
        seen = traffic(self._seed, role, application, _minutes(window))
        if not seen.minutes.size:
            return None
        return ApplicationObservation(
            window=window,
            signals=_signals(seen, steady_minutes(seen.times, seen.requests) if role == "pte" else None),
            latency=_latency(seen),
            routes=self._routes(role, application, seen),
            pattern=self._pattern(role, application, pattern) if pattern is not None else None,
            incidents=incidents(self._seed, role, application, window),
        )

    def _routes(self, role: Role, application: Application, seen: Traffic) -> tuple[RouteCount, ...]:
        requests, errors = float(seen.requests.sum()) * MINUTE, float(seen.errors.sum()) * MINUTE
        if not requests:
            return ()
        return tuple(
            RouteCount(
                share.method, share.path, share.requests * requests, share.requests * requests - share.errors * errors
            )
            for share in shares(self._seed, role, application)
        )

    def _pattern(self, role: Role, application: Application, window: Window) -> Samples | None:
        """Means of five one-minute rates, in steps that end where the window ends."""
        step = int(PATTERN_STEP / MINUTE)
        minutes = _minutes(window)
        seen = traffic(self._seed, role, application, minutes[minutes.size % step :])
        if not seen.minutes.size:
            return None
        return _samples(seen.times[step - 1 :: step], seen.requests.reshape(-1, step).mean(axis=1))


def _minutes(window: Window) -> Minutes:
    """The full minutes inside (start, end]."""
    return np.arange(int(-(-window.start // MINUTE)) + 1, int(window.end // MINUTE) + 1)


def _samples(times: Floats, values: Floats) -> Samples:
    return Samples(tuple(times.tolist()), tuple(values.tolist()))


def _signals(seen: Traffic, steady: Floats | None) -> dict[str, Summary]:
    """Quantiles only for the request rate, which is what every source gives."""
    rest = {"throughput": seen.bytes, "concurrent_users": seen.users, "cpu": seen.cpu, "memory": seen.memory}
    signals = {name: summarise_arrays(seen.times, values, steady) for name, values in rest.items()}
    served = seen.requests > 0.0
    if served.any():
        times, requests, errors = seen.times[served], seen.requests[served], seen.errors[served]
        failed = summarise_arrays(times, errors / requests, steady)
        signals["error_ratio"] = replace(failed, mean=float(errors.sum() / requests.sum()))
        signals[LATENCY_MEAN] = summarise_arrays(times, sum_rate(seen)[served] / requests, steady)
    without = {name: replace(summary, quantiles={}) for name, summary in signals.items()}
    return {**without, "request_rate": summarise_arrays(seen.times, seen.requests, steady)}


def _latency(seen: Traffic) -> Latency | None:
    buckets, seconds, count = totals(seen)
    return latency(BOUNDS, buckets, seconds, count) if count else None
