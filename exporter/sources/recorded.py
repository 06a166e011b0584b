"""A JSON file as a source: what `report --format json` writes, or one observation by itself.

For sites whose servers cannot be asked, and for golden tests. The file is read at every poll, and its windows are kept
as they are: a recorded day stays the day it was.
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
    """A larger file is refused."""


def problems(options: Options) -> list[tuple[str, str]]:
    """What is wrong with the options beyond their types, as (key, text)."""
    return [] if options.file.is_file() else [("file", f"cannot read {options.file}: it is no file")]


def checks(options: Options, wanted: CheckContext) -> Iterator[Step]:
    """Is the file there, what does it hold, and how old is that?"""
    role = cast("Role", wanted.role)
    # The file may be large: it is read and decoded once for all steps.
    content = cache(partial(_content, options))
    observed = cache(lambda: load_observation(content(), role))

    def complete() -> Finding:
        return _complete(content(), observed, role)

    yield Step("found", f"read {options.file}", lambda: ok(_size(len(content()))))
    yield Step("format", "decode it as JSON", lambda: _format(content()), ("found",))
    yield Step("complete", f"look for what it holds of {role}", complete, ("format",))
    yield Step("fresh", "look when it was recorded", lambda: _fresh(observed(), wanted), ("complete",))


def _size(length: int) -> str:
    return f"{humanize.number(length / 1e6, 3)} MB" if length >= 1e6 else humanize.pluralize(length, "byte")


def _format(content: bytes) -> Finding:
    try:
        roles = recorded_roles(content)
    except SourceError as error:
        return failed(
            str(error),
            Cause("it was cut off, or read while it was written", "write FILE.new, then rename it: mv FILE.new FILE"),
            Cause("it is another file, such as a saved page", "set `file` to what report --format json wrote"),
        )
    if roles is None:
        return ok("one observation by itself")
    return ok(f"a report with observations of {humanize.join_words(roles)}")


def _complete(content: bytes, observed: Callable[[], Observation], role: Role) -> Finding:
    """The side is there, and has applications with what evidence rests on."""
    roles = recorded_roles(content)
    if roles is not None and role not in roles:
        cause = Cause(f"{role} did not answer when it was recorded", "record it anew, when report shows both sides")
        other = Cause("it is the file of another environment", "set `file` to the one of this side")
        return failed(f"has no observation of {role}, only of {humanize.join_words(roles) or 'no side'}", cause, other)

    applications = observed().applications
    if not applications:
        cause = Cause("nothing was seen when it was recorded", "record it anew, when report shows applications")
        return failed("holds no application", cause)

    more = f" and {len(applications) - 5} more" if len(applications) > 5 else ""
    names = ", ".join(sorted(applications)[:5]) + more
    text = f"{humanize.pluralize(len(applications), 'application')}: {names}"
    missing = _missing(applications.values(), role)
    if not missing:
        return ok(text)
    cause = Cause("the source it was recorded from does not tell", "see what report says of that source")
    return warning(f"{text}; of none of them: {humanize.join_words(missing)}", cause)


def _missing(applications: Collection[ApplicationObservation], role: Role) -> list[str]:
    """What a side's evidence rests on and none of its applications has."""
    parts = {
        "request rate": any("request_rate" in application.signals for application in applications),
        "latency": any(application.latency for application in applications),
        "endpoints": any(application.routes for application in applications),
    }
    if role == "production":
        parts["pattern"] = any(application.pattern for application in applications)
    return [part for part, present in parts.items() if not present]


def _fresh(observation: Observation, wanted: CheckContext) -> Finding:
    """No older than what a poll looks back: production is compared as it is now, a test run may be older."""
    end = max(map(_end, observation.applications.values()), default=observation.window.end)
    age = wanted.at - end
    longest = wanted.window.duration
    text = f"ended {humanize.format_time(end)}, {humanize.duration(max(0.0, age))} ago"
    if age <= longest:
        return ok(text)

    cause = Cause("nothing writes the file anew", "let a timer record it: pte-exporter report --format json > FILE")
    purpose = Cause("it is kept on purpose", "read every verdict as of that day")
    return warning(f"{text}: longer than the {humanize.duration(longest)} that a poll looks back", cause, purpose)


def _end(application: ApplicationObservation) -> float:
    return application.window.end if application.run is None else application.run.window.end


class Source:
    """Reads the file anew at every poll."""

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
        """Of each recorded window the part that lies in the window asked for, its events spread evenly over it.

        So a file counts once, when what it recorded ends after what was counted before; of a window that overlaps that
        only the new part counts, as that share of its events.
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
        """Nothing is held."""

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
    """The events of the observation inside the window; None where they do not meet."""
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
    """With its run: the recorded one, its minutes in the window, or all of it when it has no minutes."""
    if application.run is not None:
        return application
    if application.minutes is None:
        return replace(application, run=TestRun(application.window, "recorded"))
    if window is None:
        return None

    run = TestRun(window, "detected")
    if window == application.window:
        return replace(application, run=run)

    # What else was recorded covers more than the run, so only its minutes can speak for it.
    inside = [(time, value) for time, value in _pairs(application.minutes) if window.start < time <= window.end]
    minutes = _samples(inside)
    times, rates = measured(minutes)
    signals: dict[str, Summary] = {}
    if times.size:
        signals["request_rate"] = summarise_arrays(times, rates, steady_minutes(times, rates))
    return ApplicationObservation(window=window, signals=signals, minutes=minutes, run=run)
