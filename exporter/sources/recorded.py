"""A JSON file as a source: the output of `report --format json`, or one observation alone.

For sites with unreachable servers, and for golden tests. The file is read at every poll, and its windows stay
unchanged: a recorded day keeps its date.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Annotated, cast

import msgspec

from exporter import humanize
from exporter.analysis.arithmetic import measured
from exporter.analysis.baseline import summarise_arrays
from exporter.analysis.run import steady_minutes
from exporter.analysis.slo import events
from exporter.checkup import Step, failed, ok, warning
from exporter.errors import SourceError
from exporter.formats.report_json import Role, load_observation, recorded_roles
from exporter.model.checkup import Cause, CheckContext, Finding
from exporter.model.observation import (
    ApplicationObservation,
    Events,
    Latency,
    Observation,
    Samples,
    Summary,
    TestRun,
    Window,
)
from exporter.model.settings import Settings
from exporter.sources import ChooseRuns

KIND = "recorded"


class Options(Settings, frozen=True):
    """Which file."""

    file: Path
    max_bytes: Annotated[int, msgspec.Meta(gt=0)] = 64 * 1024 * 1024
    """A larger file is rejected."""


def problems(options: Options) -> list[tuple[str, str]]:
    """Problems of the options beyond their types, as (key, text)."""
    return [] if options.file.is_file() else [("file", f"cannot read {options.file}: not a regular file")]


def checks(options: Options, context: CheckContext) -> Iterator[Step]:
    """The file: does it exist, what does it contain, and how old is that?"""
    role = cast("Role", context.role)
    # The file may be large: it is read and decoded once for all steps.
    content = cache(partial(_content, options))
    observed = cache(lambda: load_observation(content(), role))

    def complete() -> Finding:
        return _complete(content(), observed, role)

    yield Step("found", f"read {options.file}", lambda: ok(_size(len(content()))))
    yield Step("format", "decode it as JSON", lambda: _format(content()), ("found",))
    yield Step("complete", f"search it for data of {role}", complete, ("format",))
    yield Step("fresh", "check when it was recorded", lambda: _fresh(observed(), context), ("complete",))


def _size(length: int) -> str:
    return f"{humanize.number(length / 1e6, 3)} MB" if length >= 1e6 else humanize.pluralize(length, "byte")


def _format(content: bytes) -> Finding:
    try:
        roles = recorded_roles(content)
    except SourceError as error:
        return failed(
            str(error),
            Cause("it was cut off, or read during a write", "write FILE.new, then rename it: mv FILE.new FILE"),
            Cause("it is another file, such as a saved page", "set `file` to the output of report --format json"),
        )
    if roles is None:
        return ok("one observation")
    return ok(f"a report with observations of {humanize.join_words(roles)}")


def _complete(content: bytes, observed: Callable[[], Observation], role: Role) -> Finding:
    """The side exists, and has applications with the data for evidence."""
    roles = recorded_roles(content)
    if roles is not None and role not in roles:
        cause = Cause(f"{role} did not respond during the recording", "record it again when report shows both sides")
        other = Cause("the file belongs to another environment", "set `file` to the one of this side")
        return failed(f"has no observation of {role}, only of {humanize.join_words(roles) or 'no side'}", cause, other)

    applications = observed().applications
    if not applications:
        cause = Cause("the recorded source had no data", "record it again when report shows applications")
        return failed("contains no application", cause)

    more = f" and {len(applications) - 5} more" if len(applications) > 5 else ""
    names = ", ".join(sorted(applications)[:5]) + more
    text = f"{humanize.pluralize(len(applications), 'application')}: {names}"
    missing = _missing(applications.values(), role)
    if not missing:
        return ok(text)
    cause = Cause("the recorded source does not report them", "see the output of report for that source")
    return warning(f"{text}; missing for all of them: {humanize.join_words(missing)}", cause)


def _missing(applications: Collection[ApplicationObservation], role: Role) -> list[str]:
    """Data for evidence that no application has."""
    parts = {
        "request rate": any("request_rate" in application.signals for application in applications),
        "latency": any(application.latency for application in applications),
        "endpoints": any(application.routes for application in applications),
    }
    if role == "production":
        parts["pattern"] = any(application.pattern for application in applications)
    return [part for part, present in parts.items() if not present]


def _fresh(observation: Observation, context: CheckContext) -> Finding:
    """Not older than the look-back of a poll: production must be current, a test run may be older."""
    end = max(map(_end, observation.applications.values()), default=observation.window.end)
    age = context.at - end
    longest = context.window.duration
    text = f"ended {humanize.format_time(end)}, {humanize.duration(max(0.0, age))} ago"
    if age <= longest:
        return ok(text)

    cause = Cause("nothing rewrites the file", "let a timer record it: pte-exporter report --format json > FILE")
    purpose = Cause("it is old on purpose", "read every verdict as of that day")
    return warning(f"{text}: longer than a poll's look-back of {humanize.duration(longest)}", cause, purpose)


def _end(application: ApplicationObservation) -> float:
    return application.window.end if application.run is None else application.run.window.end


class Source:
    """Reads the file again at every poll."""

    def __init__(self, options: Options, side: str) -> None:
        self._options = options
        self._side = side

    def observe(self, window: Window, pattern: Window | None = None) -> Observation:
        """Production as it was recorded, whatever the window."""
        observation = self._read("production")
        if pattern is not None:
            return observation

        without_pattern = {
            name: replace(application, pattern=None) for name, application in observation.applications.items()
        }
        return replace(observation, applications=without_pattern)

    def observe_runs(self, lookback: Window, threshold: float, choose: ChooseRuns) -> Observation:
        """The test runs as they were recorded; `choose` looks only at minutes that have no run."""
        observation = self._read("pte")
        activity: dict[str, Samples] = {}
        for name, application in observation.applications.items():
            if application.run is None and application.minutes:
                active = _above(application.minutes, threshold)
                if active.times:
                    activity[name] = active

        windows = choose(activity) if activity else {}
        runs: dict[str, ApplicationObservation] = {}
        for name, application in observation.applications.items():
            run = _as_run(application, windows.get(name))
            if run is not None:
                runs[name] = run
        return replace(observation, applications=runs)

    def events(self, role: Role, windows: Mapping[str, Window]) -> Mapping[str, Events]:
        """The part of each recorded window in the requested one, with its events spread evenly over it.

        So a file counts once, when it ends after the events counted before; of an overlapping window only the new part
        counts, as its share of the events.
        """
        applications = self._read(role).applications
        parts: dict[str, Events] = {}
        for name, window in windows.items():
            if name in applications:
                part = _part(applications[name], window)
                if part is not None:
                    parts[name] = part
        return parts

    def close(self) -> None:
        """Nothing to close."""

    def _read(self, role: Role) -> Observation:
        try:
            observation = load_observation(_content(self._options), role)
        except SourceError as error:
            raise error.at(self._options.file) from None
        return replace(observation, side=self._side)


def _content(options: Options) -> bytes:
    try:
        if not stat.S_ISREG(options.file.stat().st_mode):
            raise SourceError("unreadable", "is not a regular file")
        with options.file.open("rb") as file:
            content = file.read(options.max_bytes + 1)
    except OSError as error:
        raise SourceError.cannot_read(error) from None

    if len(content) > options.max_bytes:
        raise SourceError("too_large", f"is larger than max_bytes, {options.max_bytes}")
    return content


def _above(minutes: Samples, threshold: float) -> Samples:
    return _samples([(time, value) for time, value in _pairs(minutes) if value > threshold])


def _pairs(samples: Samples) -> Iterator[tuple[float, float]]:
    return zip(samples.times, samples.values, strict=True)


def _samples(pairs: Sequence[tuple[float, float]]) -> Samples:
    return Samples(tuple(time for time, _ in pairs), tuple(value for _, value in pairs))


def _part(application: ApplicationObservation, window: Window) -> Events | None:
    """The events of the observation inside the window; None if they do not overlap."""
    start = max(application.window.start, window.start)
    end = min(application.window.end, window.end)
    if end <= start:
        return None

    inside = Window(start, end)
    share = inside.duration / application.window.duration
    whole = events(application)

    def part(count: float | None) -> float | None:
        return None if count is None else count * share

    latency = whole.latency
    if latency is not None:
        buckets = tuple((bound, count * share) for bound, count in latency.buckets)
        latency = Latency(requests=part(latency.requests), buckets=buckets)
    return Events(inside, part(whole.requests), part(whole.errors), latency)


def _as_run(application: ApplicationObservation, window: Window | None) -> ApplicationObservation | None:
    """With its run: the recorded one, its minutes in the window, or everything if it has no minutes."""
    if application.run is not None:
        return application
    if application.minutes is None:
        return replace(application, run=TestRun(application.window, "recorded"))
    if window is None:
        return None

    run = TestRun(window, "detected")
    if window == application.window:
        return replace(application, run=run)

    # Other recorded data covers more than the run, so only its minutes are evidence.
    inside = [(time, value) for time, value in _pairs(application.minutes) if window.start < time <= window.end]
    minutes = _samples(inside)
    times, rates = measured(minutes)
    signals: dict[str, Summary] = {}
    if times.size:
        signals["request_rate"] = summarise_arrays(times, rates, steady_minutes(times, rates))
    return ApplicationObservation(window=window, signals=signals, minutes=minutes, run=run)
