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
from exporter.sources.appdynamics.checks.probe import HOUR, Probe, needs
from exporter.sources.appdynamics.conversion import step_totals
from exporter.sources.appdynamics.options import SAAS, Options
from exporter.sources.appdynamics.records import Answer, MetricQuery

AGES = (1 * HOUR, 5 * HOUR, 25 * HOUR, 8 * 24 * HOUR - HOUR)
"""How long ago the hours begin that are looked at: on premises minutes are kept for 4 hours, on SaaS for 8 days."""

_PIECES = 2
"""Of a window that takes several calls, so many are made: the newest."""

_NO_DATA = Cause(
    "nothing was called in the window, or the agents are down", "look at the application's page for that time"
)
_KEPT_BY_US = Cause(
    "minutes that a running exporter has seen are kept by it",
    "let it run for a day without a restart: the window fills with minutes",
)
_NO_TEST = Cause("no test was run in that time", "run one, or raise analysis.test_run.lookback")
_LOW = Cause("tests stay below the threshold", "lower analysis.test_run.threshold")
_OLD_RUN = Cause(
    "a run is found and judged by its minutes: this one is only where they were seen when they were new",
    "let the exporter run while tests do: it keeps their minutes, the controller does not for long",
)


@dataclass(frozen=True, slots=True)
class _Reach:
    """How far back there are minutes."""

    steps: Mapping[float, float | None]
    """Seconds of the steps that came, by age; None where nothing came."""

    @property
    def fine(self) -> float:
        """The greatest age at which minutes came; 0 where none did."""
        return max((age for age, step in self.steps.items() if step is not None and step <= MINUTE), default=0.0)

    @property
    def coarse(self) -> float | None:
        """The least age at which only means came."""
        return min((age for age, step in self.steps.items() if age > self.fine and step is not None), default=None)

    def describe(self) -> str:
        if all(step is None for step in self.steps.values()):
            return "how far back minutes are kept is not known, as there is nothing in those hours"

        parts = [f"minutes are kept for {_age(self.fine)} at least" if self.fine else "no minutes were seen"]
        if self.coarse is not None:
            means = duration(self.steps[self.coarse] or 0.0)
            parts.append(f"{_age(self.coarse)} back there are only means of {means}")
        silent = [_age(age) for age, step in self.steps.items() if step is None]
        if silent:
            parts.append(f"there is nothing {join_words(silent)} back")
        return "; ".join(parts)


def resolution_steps(probe: Probe) -> Iterator[Step]:
    """Of one application, as all are kept alike; of the PTE those with the latest and the oldest activity."""
    required = needs("metrics", well=probe.measured)
    if not probe.production:
        tried = "GET .../metric-data of calls over the look-back, and over the hours of its latest and oldest activity"
        yield Step("resolution", tried, partial(_runs, probe), required)
        return

    hours = join_words([_age(age) for age in _ages(probe)])
    tried = f"GET .../metric-data of calls{probe.of_example} as a poll does, and of hours that lie {hours} back"
    yield Step("resolution", tried, partial(_window, probe, probe.example), required)


def _ages(probe: Probe) -> Sequence[float]:
    """Those of interest, in seconds."""
    pattern = probe.context.pattern
    if pattern is None:
        return AGES
    return sorted({*AGES, pattern.duration})


def _age(age: float) -> str:
    if age < 48 * HOUR:
        return pluralize(age / HOUR, "hour")
    return duration(age)


def _coarsest(answers: Iterable[Answer]) -> float | None:
    """Seconds of a step; None without data."""
    return max((metric.resolution for answer in answers for metric in answer.metrics), default=None)


def _reach(probe: Probe, name: str) -> _Reach:
    ages = _ages(probe)
    windows = [Window(probe.end - age, probe.end - age + HOUR) for age in ages]
    answers = probe.query_calls(name, windows)
    return _Reach({age: _coarsest([answer]) for age, answer in zip(ages, answers, strict=True)})


def _window(probe: Probe, name: str) -> Finding:
    """Production: the baseline's window and the pattern's."""
    pieces = list(islice(spans.split(probe.context.window), _PIECES))
    answers = probe.query_calls(name, pieces)
    reach = _reach(probe, name)
    step = _coarsest(answers)
    if step is None:
        return warning(f"no data over the window; {reach.describe()}", _NO_DATA)

    length = sum(piece.duration for piece in pieces)
    times = [metric.times for answer in answers for metric in answer.metrics]
    number = np.unique(np.concatenate(times)).size
    values = f"{number} of {length / step:.0f} values of {duration(step)} each over {duration(length)}"
    found = f"{values}; {reach.describe()}"

    probe.coarse = step > MINUTE
    if probe.coarse:
        return warning(found, *no_minutes(probe.options, "the day"))
    pattern = probe.context.pattern
    if pattern is not None and reach.coarse is not None and reach.coarse <= pattern.duration:
        return warning(found, _no_pattern(pattern))
    return ok(found)


def _no_pattern(pattern: Window) -> Cause:
    length = duration(pattern.duration)
    return Cause(
        f"the pattern wants minutes of {length}: it has no evidence until they are gathered",
        f"let the exporter run for {length}: it keeps what it saw; or keep minutes for longer",
    )


def no_minutes(options: Options, what: str) -> list[Cause]:
    """Why there are no minutes, what follows, and what to do."""
    host = urlsplit(options.base).hostname or ""
    follows = f"peaks of {what} are then peaks of means, which verdicts do not take for evidence"
    if host.endswith(SAAS):
        text = f"SaaS keeps minutes for 8 days, and this account seems to have less: {follows}"
        return [Cause(text, "ask the vendor's support for the retention of one-minute metrics")]

    retention = Cause(
        f"a controller on premises keeps minutes for 4 hours unless told otherwise: {follows}",
        "in its Administration Console (/controller/admin.jsp, Controller Settings) set metrics.min.retention.period "
        "to 25 hours or more, with disk for it",
    )
    return [retention, _KEPT_BY_US]


@dataclass(frozen=True, slots=True, order=True)
class _Activity:
    """A step above the threshold, by its end."""

    end: float
    application: str


def _runs(probe: Probe) -> Finding:
    """Where test runs are searched: the latest activity there is, and whether it is had in minutes."""
    activities = _activities(probe)
    if not activities:
        threshold = f"{probe.context.threshold:g} req/s"
        length = duration(probe.context.window.duration)
        return warning(f"no activity above {threshold} in the look-back of {length}", _NO_TEST, _LOW)

    latest = max(activities)
    oldest = min(activities)
    latest_step, oldest_step = _steps(probe, [latest, oldest])
    found = (
        f"the latest activity, of {latest.application} at {format_time(latest.end)}, came {_came(latest_step)}; "
        f"the oldest, at {format_time(oldest.end)}, {_came(oldest_step)}"
    )
    if latest_step is not None and latest_step <= MINUTE:
        return ok(found)
    return warning(found, _OLD_RUN, *no_minutes(probe.options, "a run"))


def _activities(probe: Probe) -> list[_Activity]:
    """All of the look-back, in whatever steps they come."""
    path = probe.options.paths["calls"]
    window = probe.context.window
    answers = probe.query([MetricQuery(application.id, path, window) for application in probe.sample.values()])

    activities = []
    for name, answer in zip(probe.sample, answers, strict=True):
        for metric in answer.metrics:
            busy = metric.times[step_totals(metric) > probe.context.threshold * metric.resolution]
            activities += [_Activity(float(end), name) for end in busy]
    return activities


def _steps(probe: Probe, activities: Sequence[_Activity]) -> list[float | None]:
    """Seconds of the steps in which the hour before each activity's end comes."""
    path = probe.options.paths["calls"]
    queries = [
        MetricQuery(probe.applications[activity.application].id, path, Window(activity.end - HOUR, activity.end))
        for activity in activities
    ]
    return [_coarsest([answer]) for answer in probe.query(queries)]


def _came(step: float | None) -> str:
    if step is None:
        return "not at all"
    if step <= MINUTE:
        return "in minutes"
    return f"as means of {duration(step)}"
