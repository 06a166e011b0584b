"""The made-up shop's test reports: one an hour and application, each following from (seed, application, hour) alone.

shop      steady; two tests that wait for each other's data are flaky, and now and then one breaks for some hours
checkout  a bad change twice a day breaks a third of its tests for two hours, on one browser for longer
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from exporter.demo.noise import Floats, uniform
from exporter.demo.shop import APPLICATIONS, ShopApplication, ShopRoute
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
            candidates = (_report(seed, application.name, hour) for hour in hours)
            yield application.name, tuple(report for report in candidates if window.start < report.at <= window.end)


def _tests(application: ShopApplication) -> tuple[_Test, ...]:
    """A test for each route that the load test calls too."""
    routes = [route for route in application.routes if route.use == "tested"]
    return tuple(_test(position, route) for position, route in enumerate(routes))


def _test(position: int, route: ShopRoute) -> _Test:
    """A few of the tests are flaky, break or are skipped: always the same ones, by their position."""
    flaky = 0.12 if position % 17 == 2 else 0.0
    broken = 0.02 if position % 7 == 3 else 0.0
    return _Test(
        SUITES[position % 2],
        f"test_{route.method}{route.path}".lower().replace("/", "_").replace("{", "").replace("}", ""),
        flaky=flaky,
        broken=broken,
        skipped=position % 29 == 11,
        weak=position % 3 == 0,
    )


@lru_cache(maxsize=4096)
def _report(seed: int, name: str, hour: int) -> Report:
    """Cached: the same hour is the same record and needs no new analysis."""
    application = next(application for application in APPLICATIONS if application.name == name)
    tests = _tests(application)
    at = (hour + 0.5) * HOUR + 60 * APPLICATIONS.index(application)

    number = len(tests) * len(BROWSERS)
    flaky = _chances(seed, f"{name} flaky", hour, number)
    broken = _chances(seed, f"{name} broken", hour // _STRETCH, number)
    durations = _chances(seed, f"{name} lasts", hour, number)

    executions = []
    for position, (test, browser) in enumerate(itertools.product(tests, BROWSERS)):
        outcome = _outcome(test, browser, name, hour, broken[position])
        seconds = None
        if outcome != "skipped":
            longest = 3.0 if test.suite == "pages" else 0.5
            seconds = round(0.2 + float(durations[position]) * longest, 3)
        is_flaky = outcome == "passed" and bool(flaky[position] < test.flaky)
        labels = {"browser": browser}
        executions.append(Execution(test.suite, test.name, outcome, at, seconds, is_flaky, labels))
    return Report(f"{name}-{hour}", at, tuple(executions))


def _outcome(test: _Test, browser: str, name: str, hour: int, chance: float) -> Outcome:
    if test.skipped:
        return "skipped"
    bad = _BAD_HOURS.get(name, ())
    if test.weak and (hour % 12 in bad or (bad and browser == "webkit" and hour % 12 == bad[-1] + 1)):
        return "failed"
    if chance < test.broken:
        return "error"
    return "passed"


def _chances(seed: int, stream: str, index: int, number: int) -> Floats:
    """Independent values in 0..1."""
    chances: Floats = (uniform(seed, stream, index * 1000 + np.arange(number)) + 1) / 2
    return chances
