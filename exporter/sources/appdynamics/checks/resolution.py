"""Checks of how fine the controller's data is: over the window that a poll observes, and how far back minutes reach."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from urllib.parse import urlsplit

import numpy as np

from exporter.checkup import Step, ok, warning
from exporter.humanize import duration, format_time, join_words, pluralize
from exporter.model.checkup import Cause, Finding
from exporter.model.observation import MINUTE, Window
from exporter.sources.appdynamics import spans
from exporter.sources.appdynamics.checks.probe import HOUR, ControllerProbe, needs
from exporter.sources.appdynamics.conversion import step_totals
from exporter.sources.appdynamics.options import SAAS, Options
from exporter.sources.appdynamics.records import MetricQuery, MetricResult

AGES = (1 * HOUR, 5 * HOUR, 25 * HOUR, 8 * 24 * HOUR - HOUR)
"""Ages of the tested hours in seconds: minutes are kept for 4 hours on premises, for 8 days on SaaS."""

_PIECES = 2
"""Most calls for a window that takes several: its newest parts."""

_NO_DATA = Cause("the application had no calls in the window, or the agents are down", "check its page for that time")
_KEPT_BY_US = Cause(
    "a running exporter keeps the minutes that it has read",
    "let it run for a day without a restart: the window fills with minutes",
)
_NO_TEST = Cause("no test ran in that time", "run one, or raise analysis.test_run.lookback")
_LOW = Cause("tests stay below the threshold", "lower analysis.test_run.threshold")
_OLD_RUN = Cause(
    "detecting and judging a run needs its minutes; of this one there are only those that a running exporter kept",
    "let the exporter run during tests: it keeps their minutes, the controller drops them soon",
)


@dataclass(frozen=True, slots=True)
class _Reach:
    """How far back there are minutes."""

    steps: Mapping[float, float | None]
    """Seconds of a step by age; None without data."""

    @property
    def fine(self) -> float:
        """The greatest age with minutes; 0 without any."""
        return max((age for age, step in self.steps.items() if step is not None and step <= MINUTE), default=0.0)

    @property
    def coarse(self) -> float | None:
        """The least age with coarse means only."""
        return min((age for age, step in self.steps.items() if age > self.fine and step is not None), default=None)

    def describe(self) -> str:
        if all(step is None for step in self.steps.values()):
            return "the retention of minutes is unknown, because those hours have no data"

        parts = [f"minutes are kept for {_age(self.fine)} at least" if self.fine else "no hour had minutes"]
        if self.coarse is not None:
            means = duration(self.steps[self.coarse] or 0.0)
            parts.append(f"{_age(self.coarse)} back there are only means of {means}")
        silent = [_age(age) for age, step in self.steps.items() if step is None]
        if silent:
            parts.append(f"no data {join_words(silent)} back")
        return "; ".join(parts)


def resolution_steps(probe: ControllerProbe) -> Iterator[Step]:
    """Of one application, as retention is the same for all; of the PTE, those with the latest and oldest activity."""
    required = needs("metrics", well=probe.measured)
    if not probe.production:
        tried = "GET .../metric-data of calls over the look-back, and over the hours of its latest and oldest activity"
        yield Step("resolution", tried, partial(_runs, probe), required)
        return

    hours = join_words([_age(age) for age in _ages(probe)])
    tried = f"GET .../metric-data of calls{probe.of_example} as a poll does, and of the hours {hours} back"
    yield Step("resolution", tried, partial(_window, probe, probe.example), required)


def _ages(probe: ControllerProbe) -> Sequence[float]:
    """Tested ages in seconds."""
    pattern = probe.context.pattern
    if pattern is None:
        return AGES
    return sorted({*AGES, pattern.duration})


def _age(age: float) -> str:
    if age < 48 * HOUR:
        return pluralize(age / HOUR, "hour")
    return duration(age)


def _coarsest(results: Iterable[MetricResult]) -> float | None:
    """Seconds of a step; None without data."""
    return max((metric.resolution for result in results for metric in result.metrics), default=None)


def _reach(probe: ControllerProbe, name: str) -> _Reach:
    ages = _ages(probe)
    windows = [Window(probe.end - age, probe.end - age + HOUR) for age in ages]
    results = probe.query_calls(name, windows)
    return _Reach({age: _coarsest([result]) for age, result in zip(ages, results, strict=True)})


def _window(probe: ControllerProbe, name: str) -> Finding:
    """Production: the baseline's window and the pattern's."""
    pieces = list(islice(spans.split(probe.context.window), _PIECES))
    results = probe.query_calls(name, pieces)
    reach = _reach(probe, name)
    step = _coarsest(results)
    if step is None:
        return warning(f"no data over the window; {reach.describe()}", _NO_DATA)

    length = sum(piece.duration for piece in pieces)
    times = [metric.times for result in results for metric in result.metrics]
    number = np.unique(np.concatenate(times)).size
    values = f"{number} of {length / step:.0f} values of {duration(step)} each over {duration(length)}"
    summary = f"{values}; {reach.describe()}"

    probe.coarse = step > MINUTE
    if probe.coarse:
        return warning(summary, *no_minutes(probe.options, "the day"))
    pattern = probe.context.pattern
    if pattern is not None and reach.coarse is not None and reach.coarse <= pattern.duration:
        return warning(summary, _no_pattern(pattern))
    return ok(summary)


def _no_pattern(pattern: Window) -> Cause:
    length = duration(pattern.duration)
    return Cause(
        f"the pattern requires minutes of {length}: it has no evidence until then",
        f"let the exporter run for {length}: it keeps minutes; or raise the controller's retention of minutes",
    )


def no_minutes(options: Options, period: str) -> list[Cause]:
    """Why minutes are missing, with consequence and remedy."""
    host = urlsplit(options.base).hostname or ""
    follows = f"peaks of {period} are then peaks of means, which are not evidence for verdicts"
    if host.endswith(SAAS):
        text = f"SaaS keeps minutes for 8 days, this account apparently for less: {follows}"
        return [Cause(text, "ask the vendor's support for the retention of one-minute metrics")]

    retention = Cause(
        f"a controller on premises keeps minutes for 4 hours by default: {follows}",
        "in its Administration Console (/controller/admin.jsp, Controller Settings) set metrics.min.retention.period "
        "to 25 hours or more, and provide disk space",
    )
    return [retention, _KEPT_BY_US]


@dataclass(frozen=True, slots=True, order=True)
class _Activity:
    """A step above the threshold, by its end."""

    end: float
    application: str


def _runs(probe: ControllerProbe) -> Finding:
    """PTE: the latest and the oldest activity in the look-back, and whether it comes in minutes."""
    activities = _activities(probe)
    if not activities:
        threshold = f"{probe.context.threshold:g} req/s"
        length = duration(probe.context.window.duration)
        return warning(f"no activity above {threshold} in the look-back of {length}", _NO_TEST, _LOW)

    latest = max(activities)
    oldest = min(activities)
    latest_step, oldest_step = _steps(probe, [latest, oldest])
    summary = (
        f"the latest activity, of {latest.application} at {format_time(latest.end)}, came {_came(latest_step)}; "
        f"the oldest, at {format_time(oldest.end)}, {_came(oldest_step)}"
    )
    if latest_step is not None and latest_step <= MINUTE:
        return ok(summary)
    return warning(summary, _OLD_RUN, *no_minutes(probe.options, "a run"))


def _activities(probe: ControllerProbe) -> list[_Activity]:
    """All activity of the look-back, in steps of any length."""
    path = probe.options.paths["calls"]
    window = probe.context.window
    results = probe.query([MetricQuery(application.id, path, window) for application in probe.sample.values()])

    activities = []
    for name, result in zip(probe.sample, results, strict=True):
        for metric in result.metrics:
            busy = metric.times[step_totals(metric) > probe.context.threshold * metric.resolution]
            activities += [_Activity(float(end), name) for end in busy]
    return activities


def _steps(probe: ControllerProbe, activities: Sequence[_Activity]) -> list[float | None]:
    """Seconds of a step in the hour before each activity's end."""
    path = probe.options.paths["calls"]
    queries = [
        MetricQuery(probe.applications[activity.application].id, path, Window(activity.end - HOUR, activity.end))
        for activity in activities
    ]
    return [_coarsest([result]) for result in probe.query(queries)]


def _came(step: float | None) -> str:
    if step is None:
        return "not at all"
    if step <= MINUTE:
        return "in minutes"
    return f"as means of {duration(step)}"
