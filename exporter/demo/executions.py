"""The made-up shop's test reports: one an hour and application, each following from (seed, application, hour) alone.

shop      steady; two tests that wait for each other's data are flaky, and now and then one breaks for some hours
checkout  a bad change twice a day breaks a third of its tests for two hours, on one browser for longer
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from exporter.demo.noise import Floats, uniform
from exporter.demo.shop import APPLICATIONS, Application
from exporter.model.execution import Execution, Outcome, Report
from exporter.model.observation import Window

HOUR = 3600
BROWSERS = ("chromium", "webkit")
SUITES = ("api", "pages")

_STRETCH = 6
"""Hours for which a broken test stays broken."""

_BAD_HOURS = {"checkout": (2, 3)}
"""Hours of each half day in which a bad change is in."""


@dataclass(frozen=True, slots=True)
class _Test:
    suite: str
    name: str
    flaky: float
    """How often it fails and passes within a report."""
    broken: float
    """In which part of all stretches it is broken."""
    skipped: bool
    weak: bool
    """A bad change breaks it."""


def reports(seed: int, window: Window) -> Iterator[tuple[str, tuple[Report, ...]]]:
    """Each tested application with its reports that ended in the window, the newest last."""
    for application in APPLICATIONS:
        tests = _tests(application)
        if tests:
            hours = range(int(window.start // HOUR), int(window.end // HOUR) + 1)
            made = (_report(seed, application.name, hour) for hour in hours)
            yield application.name, tuple(one for one in made if window.start < one.at <= window.end)


def _tests(application: Application) -> tuple[_Test, ...]:
    """A test for each route that the load test calls too."""
    routes = [route for route in application.routes if route.use == "tested"]
    return tuple(
        _Test(
            SUITES[position % 2],
            f"test_{route.method}{route.path}".lower().replace("/", "_").replace("{", "").replace("}", ""),
            flaky=0.12 if position % 17 == 2 else 0.0,
            broken=0.02 if position % 7 == 3 else 0.0,
            skipped=position % 29 == 11,
            weak=position % 3 == 0,
        )
        for position, route in enumerate(routes)
    )


@lru_cache(maxsize=4096)
def _report(seed: int, name: str, hour: int) -> Report:
    """Kept, so that the same hour is the same record and needs no new analysis."""
    application = next(one for one in APPLICATIONS if one.name == name)
    tests = _tests(application)
    at = (hour + 0.5) * HOUR + 60 * APPLICATIONS.index(application)
    flaky, broken, lasts = (
        _chances(seed, f"{name} {what}", index, len(tests) * len(BROWSERS))
        for what, index in (("flaky", hour), ("broken", hour // _STRETCH), ("lasts", hour))
    )
    executions = []
    for position, (test, browser) in enumerate((test, browser) for test in tests for browser in BROWSERS):
        outcome = _outcome(test, browser, name, hour, broken[position])
        seconds = 0.2 + float(lasts[position]) * (3.0 if test.suite == "pages" else 0.5)
        unsteady = outcome == "passed" and bool(flaky[position] < test.flaky)
        executions.append(
            Execution(
                test.suite,
                test.name,
                outcome,
                at,
                None if outcome == "skipped" else round(seconds, 3),
                unsteady,
                {"browser": browser},
            )
        )
    return Report(f"{name}-{hour}", at, tuple(executions))


def _outcome(test: _Test, browser: str, name: str, hour: int, chance: float) -> Outcome:
    if test.skipped:
        return "skipped"
    bad = _BAD_HOURS.get(name, ())
    if test.weak and (hour % 12 in bad or (bad and browser == "webkit" and hour % 12 == bad[-1] + 1)):
        return "failed"
    return "error" if chance < test.broken else "passed"


def _chances(seed: int, stream: str, index: int, number: int) -> Floats:
    """Independent values in 0..1."""
    found: Floats = (uniform(seed, stream, index * 1000 + np.arange(number)) + 1) / 2
    return found
