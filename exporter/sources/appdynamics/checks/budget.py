"""The last check: whether the calls of a poll fit its budget, and their time the interval between polls."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from exporter.checkup import Step, failed, ok, warning
from exporter.humanize import duration, percent, pluralize, seconds
from exporter.model.checkup import Cause, CheckContext, Finding
from exporter.model.observation import Window
from exporter.sources.appdynamics import spans
from exporter.sources.appdynamics.checks.probe import LISTED, ControllerProbe, needs
from exporter.sources.appdynamics.conversion import UTILISATION, wildcards
from exporter.sources.appdynamics.observations import KEYS, ROLLED_UP
from exporter.sources.appdynamics.options import Options
from exporter.sources.appdynamics.poll import SHORTER

_RUNS = 2
"""Days of a look-back, beside the newest hours, whose minutes are asked for in a first poll: those with tests."""

_MARGIN = 0.2
"""Share of a poll's calls that is advised as reserve for new transactions, tests and applications."""

_HALF = 0.5
"""Share of the interval that a poll may take without a warning."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Calls of a poll, without those for tokens."""

    first: int
    """Of the first poll, with an empty cache."""
    later: int
    """Of each poll after it."""


def plan(options: Options, context: CheckContext, applications: int, *, coarse: bool = False) -> Plan:
    """The calls that polls make of so many applications, as the source makes them.

    `coarse`: minutes of the window are not kept; then the first poll also searches for the oldest ones, in at most so
    many steps.
    """
    keys = sum(key in options.paths for key in KEYS)
    every_poll = keys + _fixed_calls(options)  # of the PTE during a run; else of calls alone
    first_poll = _fixed_calls(options)

    if context.role == "production":
        first_poll += _history_calls(context, keys, coarse=coarse)
    else:
        first_poll += 1 + _RUNS + keys  # hours of the look-back, minutes of days and of the newest hours, signals

    return Plan(1 + applications * first_poll, 1 + applications * every_poll)


def _fixed_calls(options: Options) -> int:
    """Never cached: rollups, violations and events, tiers."""
    calls = 1 + sum(key in options.paths for key in ROLLED_UP)
    if options.events:
        calls += 1
    if any(wildcards(options.paths.get(key, "")) for key in UTILISATION):
        calls += 1
    return calls


def _history_calls(context: CheckContext, keys: int, *, coarse: bool) -> int:
    """Of production, with an empty cache."""
    calls = keys * _pieces(context.window)  # each in its own calls
    if context.pattern is not None:
        start = context.pattern.start
        calls += _pieces(Window(start, max(start, context.window.start)))
    if coarse:
        calls += keys * len(SHORTER)
    return calls


def _pieces(window: Window) -> int:
    """Calls that the minutes of a window take."""
    return len(list(spans.split(window)))


def budget_steps(probe: ControllerProbe) -> Iterator[Step]:
    """Needs measured calls."""
    tried = "add up the calls of a poll, and multiply by the time of the calls above"
    yield Step("budget", tried, partial(_budget, probe), needs("metrics", well=bool(probe.applications)))


def _budget(probe: ControllerProbe) -> Finding:
    planned = plan(probe.options, probe.context, len(probe.options.applications), coarse=probe.coarse)
    summary = _describe(probe, planned)
    later = _poll_seconds(probe, planned.later)

    failures = list(_never(probe, planned, later))
    if failures:
        return failed(summary, *failures)
    warnings = list(_hardly(probe, planned, later))
    if warnings:
        return warning(summary, *warnings)
    return ok(summary)


def _describe(probe: ControllerProbe, planned: Plan) -> str:
    about = "at most" if probe.coarse else "about"
    running = "" if probe.production else " while a test runs"
    first = seconds(_poll_seconds(probe, planned.first), 3)
    later = seconds(_poll_seconds(probe, planned.later), 3)

    text = (
        f"{about} {planned.first} calls of the first poll and {planned.later} of each later one{running}, of "
        f"{probe.options.calls.per_poll} (calls.per_poll); at {seconds(_call_seconds(probe), 3)} a call, "
        f"{probe.options.parallel} at a time, {first} and {later} of {duration(probe.context.interval)}; "
        f"this check-up took {pluralize(probe.calls, 'call')}"
    )
    if len(probe.applications) > LISTED:
        text += f", and listed the transactions of the first {LISTED} applications only"
    return text


def _call_seconds(probe: ControllerProbe) -> float:
    return max(probe.call_seconds, default=0.0)


def _poll_seconds(probe: ControllerProbe, calls: int) -> float:
    return math.ceil(calls / probe.options.parallel) * _call_seconds(probe)


def _never(probe: ControllerProbe, planned: Plan, later: float) -> Iterator[Cause]:
    """Why no poll can be complete, or in time."""
    per_poll = probe.options.calls.per_poll
    if planned.later > per_poll:
        text = f"{per_poll} calls are never enough for a whole poll: each poll omits something"
        yield Cause(text, f"{_enough(planned)}; or fewer applications, or null in metrics")
    if later > probe.context.interval:
        yield Cause("a poll takes longer than the interval", f"interval: {_longer_interval(later)} or more")
        yield _slow(probe)


def _hardly(probe: ControllerProbe, planned: Plan, later: float) -> Iterator[Cause]:
    """Why the first poll is incomplete, or others are barely in time."""
    per_poll = probe.options.calls.per_poll
    if planned.first > per_poll:
        # The calls that each later poll has for the data missing from the first one.
        spare = max(1, per_poll - planned.later)
        polls = 1 + math.ceil((planned.first - per_poll) / spare)
        text = f"the first poll is incomplete: all data is there after about {pluralize(polls, 'poll')}"
        yield Cause(text, f"nothing, if that is acceptable; else {_enough(planned)}")

    if later > _HALF * probe.context.interval:
        yield Cause("a poll takes more than half of the interval", f"interval: {_longer_interval(later)}")
        yield _slow(probe)


def _longer_interval(poll: float) -> str:
    """Twice what a poll takes, in full minutes."""
    return duration(math.ceil(poll / 30) * 60)


def _slow(probe: ControllerProbe) -> Cause:
    text = "the controller is slow, or other clients use its ten API threads at the same time"
    return Cause(text, f"check its load; calls.parallel is {probe.options.parallel}: raise it on SaaS only")


def _enough(planned: Plan) -> str:
    """One advice that is enough for every poll."""
    most = max(planned.first, planned.later)
    number = math.ceil(most * (1 + _MARGIN) / 10) * 10
    return f"calls.per_poll: {number}, which is {most} plus {percent(_MARGIN)} reserve, rounded up"
