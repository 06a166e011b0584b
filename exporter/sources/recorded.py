"""A JSON file as a source: what `report --format json` writes, or one observation by itself.

For sites whose servers cannot be asked, and for golden tests. The file is read at every poll, and its windows are kept
as they are: a recorded day stays the day it was.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator, Mapping
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
from exporter.formats.report_json import Role, decode, recorded
from exporter.model.checkup import Cause, Finding, Wanted
from exporter.model.observation import (
    ApplicationObservation,
    Events,
    Latency,
    Observation,
    Samples,
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


def checks(options: Options, wanted: Wanted) -> Iterator[Step]:
    """Is the file there, what does it hold, and how old is that?"""
    role = cast("Role", wanted.role)
    content = cache(partial(_content, options))
    observed = cache(lambda: decode(content(), role))  # it may be large: once for all steps
    yield Step("found", f"read {options.file}", lambda: ok(_size(len(content()))))
    yield Step("format", "decode it as JSON", lambda: _format(content()), ("found",))
    yield Step(
        "complete", f"look for what it holds of {role}", lambda: _complete(content(), observed, role), ("format",)
    )
    yield Step("fresh", "look when it was recorded", lambda: _fresh(observed(), wanted), ("complete",))


def _size(length: int) -> str:
    return f"{humanize.number(length / 1e6, 3)} MB" if length >= 1e6 else humanize.pluralize(length, "byte")


def _format(content: bytes) -> Finding:
    try:
        roles = recorded(content)
    except SourceError as error:
        return failed(
            str(error),
            Cause("it was cut off, or read while it was written", "write FILE.new, then rename it: mv FILE.new FILE"),
            Cause("it is another file, such as a saved page", "set `file` to what report --format json wrote"),
        )
    return ok(
        "one observation by itself" if roles is None else f"a report with observations of {humanize.join_words(roles)}"
    )


def _complete(content: bytes, observed: Callable[[], Observation], role: Role) -> Finding:
    """The side is there, and has applications with what evidence rests on."""
    roles = recorded(content)
    if roles is not None and role not in roles:
        cause = Cause(f"{role} did not answer when it was recorded", "record it anew, when report shows both sides")
        other = Cause("it is the file of another environment", "set `file` to the one of this side")
        return failed(f"has no observation of {role}, only of {humanize.join_words(roles) or 'no side'}", cause, other)
    found = observed().applications
    names = ", ".join(sorted(found)[:5]) + (f" and {len(found) - 5} more" if len(found) > 5 else "")
    if not found:
        cause = Cause("nothing was seen when it was recorded", "record it anew, when report shows applications")
        return failed("holds no application", cause)
    text = f"{humanize.pluralize(len(found), 'application')}: {names}"
    missing = [name for name in _parts(role) if not any(_holds(one, name) for one in found.values())]
    if not missing:
        return ok(text)
    cause = Cause("the source it was recorded from does not tell", "see what report says of that source")
    return warning(f"{text}; of none of them: {humanize.join_words(missing)}", cause)


def _parts(role: Role) -> tuple[str, ...]:
    """What a side's evidence rests on."""
    return ("request rate", "latency", "endpoints", *(("pattern",) if role == "production" else ()))


def _holds(one: ApplicationObservation, what: str) -> bool:
    parts = {"request rate": "request_rate" in one.signals, "latency": one.latency, "endpoints": one.routes}
    return bool(parts.get(what, one.pattern))


def _fresh(found: Observation, wanted: Wanted) -> Finding:
    """No older than what a poll looks back: production is compared as it is now, a test run may be older."""
    ends = [one.run.window.end if one.run is not None else one.window.end for one in found.applications.values()]
    end = max(ends, default=found.window.end)
    age, longest = wanted.at - end, wanted.window.duration
    text = f"ended {humanize.format_time(end)}, {humanize.duration(max(0.0, age))} ago"
    if age <= longest:
        return ok(text)
    cause = Cause("nothing writes the file anew", "let a timer record it: pte-exporter report --format json > FILE")
    kept = Cause("it is kept on purpose", "read every verdict as of that day")
    return warning(f"{text}: longer than the {humanize.duration(longest)} that a poll looks back", cause, kept)


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
        found = observation.applications
        return replace(observation, applications={name: replace(one, pattern=None) for name, one in found.items()})

    def observe_runs(self, lookback: Window, threshold: float, choose: ChooseRuns) -> Observation:
        """The test runs as they were recorded; `choose` looks only at minutes that have no run."""
        observation = self._read("pte")
        found = observation.applications
        activity = {
            name: active
            for name, one in found.items()
            if one.run is None and one.minutes and (active := _above(one.minutes, threshold)).times
        }
        chosen = choose(activity) if activity else {}
        runs = {name: _as_run(one, chosen.get(name)) for name, one in found.items()}
        return replace(observation, applications={name: run for name, run in runs.items() if run is not None})

    def events(self, role: Role, windows: Mapping[str, Window]) -> Mapping[str, Events]:
        """Of each recorded window the part that lies in the window asked for, its events spread evenly over it.

        So a file counts once, when what it recorded ends after what was counted before; of a window that overlaps that
        only the new part counts, as that share of its events.
        """
        found = self._read(role).applications
        parts = {name: _part(found[name], window) for name, window in windows.items() if name in found}
        return {name: part for name, part in parts.items() if part is not None}

    def close(self) -> None:
        """Nothing is held."""

    def _read(self, role: Role) -> Observation:
        try:
            observation = decode(_content(self._options), role)
        except SourceError as error:
            raise SourceError(error.reason, f"{self._options.file}: {error}") from None
        return replace(observation, side=self._side)


def _content(options: Options) -> bytes:
    try:
        if not stat.S_ISREG(options.file.stat().st_mode):
            raise SourceError("unreadable", "is not a regular file")
        with options.file.open("rb") as file:
            content = file.read(options.max_bytes + 1)
    except OSError as error:
        raise SourceError("unreadable", f"cannot be read: {error.strerror}") from None
    if len(content) > options.max_bytes:
        raise SourceError("too_large", f"is larger than max_bytes, {options.max_bytes}")
    return content


def _above(minutes: Samples, threshold: float) -> Samples:
    return _samples([(t, value) for t, value in zip(minutes.times, minutes.values, strict=True) if value > threshold])


def _samples(pairs: list[tuple[float, float]]) -> Samples:
    return Samples(tuple(time for time, _ in pairs), tuple(value for _, value in pairs))


def _part(one: ApplicationObservation, window: Window) -> Events | None:
    """The events of the observation inside the window; None where they do not meet."""
    inside = Window(max(one.window.start, window.start), min(one.window.end, window.end))
    if inside.end <= inside.start:
        return None
    share, whole = inside.duration / one.window.duration, events(one)

    def part(count: float | None) -> float | None:
        return None if count is None else count * share

    latency = whole.latency
    if latency is not None:
        buckets = tuple((bound, count * share) for bound, count in latency.buckets)
        latency = Latency(requests=part(latency.requests), buckets=buckets)
    return Events(inside, part(whole.requests), part(whole.errors), latency)


def _as_run(one: ApplicationObservation, chosen: Window | None) -> ApplicationObservation | None:
    """With its run: the recorded one, the chosen part of its minutes, or all of it when it has no minutes."""
    if one.run is not None:
        return one
    if one.minutes is None:
        return replace(one, run=TestRun(one.window, "recorded"))
    if chosen is None:
        return None
    run = TestRun(chosen, "detected")
    if chosen == one.window:
        return replace(one, run=run)
    pairs = zip(one.minutes.times, one.minutes.values, strict=True)
    minutes = _samples([(time, value) for time, value in pairs if chosen.start < time <= chosen.end])
    # What else was recorded covers more than the run, so only its minutes can speak for it.
    times, rates = measured(minutes)
    signals = {"request_rate": summarise_arrays(times, rates, steady_minutes(times, rates))} if times.size else {}
    return ApplicationObservation(window=chosen, signals=signals, minutes=minutes, run=run)
