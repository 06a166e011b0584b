"""The last check: whether the calls of a poll fit its budget, and their time the interval between polls."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from exporter.checkup import Step, failed, ok, warning
from exporter.humanize import duration, percent, pluralize
from exporter.humanize import seconds as spent
from exporter.model.checkup import Cause, Finding, Wanted
from exporter.model.observation import Window
from exporter.sources.appdynamics import spans
from exporter.sources.appdynamics.checks.probe import LISTED, Probe
from exporter.sources.appdynamics.observing import KEYS, ROLLED_UP
from exporter.sources.appdynamics.options import Options
from exporter.sources.appdynamics.poll import SHORTER
from exporter.sources.appdynamics.reading import USED, stars

_RUNS = 2
"""Days of a look-back, beside the newest hours, whose minutes are asked for in a first poll: those with tests."""

_MARGIN = 0.2
"""Share of a poll's calls that is advised beyond them, as transactions, tests and applications come and go."""

_HALF = 0.5
"""Share of the interval that a poll may take without a warning."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Calls of a poll, those for tokens not among them."""

    first: int
    """Of the first poll, which knows nothing yet."""
    later: int
    """Of each poll after it."""


def plan(options: Options, wanted: Wanted, applications: int, *, coarse: bool = False) -> Plan:
    """The calls that polls make of so many applications, as the source makes them.

    `coarse`: minutes of the window are not kept; then the first poll also looks for where they begin, in so many steps
    at most.
    """
    paths = options.paths
    fixed = sum(key in paths for key in ROLLED_UP) + (2 if options.events else 1)
    fixed += any(stars(paths.get(key, "")) for key in USED)
    keys = sum(key in paths for key in KEYS)
    window = wanted.window
    if wanted.role == "production":
        whole = keys * _pieces(window)  # each in its own calls
        if wanted.pattern is not None:
            before = Window(wanted.pattern.start, max(wanted.pattern.start, window.start))
            whole += _pieces(before)
        whole += keys * len(SHORTER) if coarse else 0
        recent = keys
    else:
        whole = 1 + _RUNS + keys  # hours of the look-back, minutes of days and of the newest hours, signals of the run
        recent = keys  # while a run goes on; else calls alone
    return Plan(1 + applications * (whole + fixed), 1 + applications * (recent + fixed))


def _pieces(window: Window) -> int:
    return len(list(spans.split(window))) if window.duration > 0 else 0


def budget_steps(probe: Probe) -> Iterator[Step]:
    """Needs measured calls."""
    needs = ("token",) if probe.found else ("metrics",)
    tried = "add up the calls of a poll, and take the time of those above for each"
    yield Step("budget", tried, lambda: _budget(probe), needs)


def _budget(probe: Probe) -> Finding:
    calls, interval = probe.options.calls, probe.wanted.interval
    planned = plan(probe.options, probe.wanted, len(probe.options.applications), coarse=probe.coarse)
    each = max(probe.spent, default=0.0)
    first, later = (_time(number, each, probe.options) for number in (planned.first, planned.later))
    running = "" if probe.production else " while a test runs"
    about = "at most" if probe.coarse else "about"
    told = (
        f"{about} {planned.first} calls of the first poll and {planned.later} of each later one{running}, of "
        f"{calls.per_poll} (calls.per_poll); at {spent(each, 3)} a call, {probe.options.parallel} at a time, "
        f"{spent(first, 3)} and {spent(later, 3)} of {duration(interval)}; "
        f"this check-up took {pluralize(probe.calls, 'call')}"
    )
    if len(probe.found) > LISTED:
        told += f", and listed the transactions of the first {LISTED} applications only"
    failures = [*_never(probe, planned, later)]
    if failures:
        return failed(told, *failures)
    warnings = [*_hardly(probe, planned, later)]
    return warning(told, *warnings) if warnings else ok(told)


def _time(calls: int, each: float, options: Options) -> float:
    return math.ceil(calls / options.parallel) * each


def _never(probe: Probe, planned: Plan, later: float) -> Iterator[Cause]:
    per_poll, interval = probe.options.calls.per_poll, probe.wanted.interval
    if planned.later > per_poll:
        text = f"{per_poll} calls are never enough for a whole poll: something is left out of each"
        yield Cause(text, f"{_enough(planned)}; or fewer applications, or null in metrics")
    if later > interval:
        yield Cause(
            "a poll takes longer than the interval", f"interval: {duration(math.ceil(later / 30) * 60)} or more"
        )
        yield _slow(probe)


def _hardly(probe: Probe, planned: Plan, later: float) -> Iterator[Cause]:
    per_poll, interval = probe.options.calls.per_poll, probe.wanted.interval
    if planned.first > per_poll:
        spare = max(1, per_poll - planned.later)
        polls = 1 + math.ceil((planned.first - per_poll) / spare)
        text = f"the first poll is not complete: it takes about {pluralize(polls, 'poll')} until everything is known"
        yield Cause(text, f"nothing, if that may be; else {_enough(planned)}")
    if later > _HALF * interval:
        yield Cause("a poll takes more than half of the interval", f"interval: {duration(math.ceil(later / 30) * 60)}")
        yield _slow(probe)


def _slow(probe: Probe) -> Cause:
    text = "the controller is slow, or others use its ten threads for the API at the same time"
    return Cause(text, f"look at its load; calls.parallel is {probe.options.parallel}: more on SaaS only")


def _enough(planned: Plan) -> str:
    """The one number that is advised, whatever is missed of it now: then nothing more is said of the budget."""
    most = max(planned.first, planned.later)
    number = math.ceil(most * (1 + _MARGIN) / 10) * 10
    return f"calls.per_poll: {number}, which is {most} and {percent(_MARGIN)} more for what comes, rounded up"
