"""Checks of how fine the controller's data is: over the window that a poll observes, and how far back minutes reach."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from urllib.parse import urlsplit

import numpy as np

from exporter.checkup import Step, ok, warning
from exporter.humanize import duration, format_time, join_words, pluralize
from exporter.model.checkup import Cause, Finding
from exporter.model.observation import MINUTE, Window
from exporter.sources.appdynamics import spans
from exporter.sources.appdynamics.checks.probe import HOUR, Probe
from exporter.sources.appdynamics.options import SAAS, Options
from exporter.sources.appdynamics.reading import totals
from exporter.sources.appdynamics.records import Answer, Ask

AGES = (1 * HOUR, 5 * HOUR, 25 * HOUR, 8 * 24 * HOUR - HOUR)
"""How long ago the hours begin that are looked at: on premises minutes are kept for 4 hours, on SaaS for 8 days."""

_PIECES = 2
"""Of a window that takes several calls, so many are made: the newest."""


def resolution_steps(probe: Probe) -> Iterator[Step]:
    """Of one application, as all are kept alike; of the PTE those with the latest and the oldest activity."""
    name = next(iter([*probe.active, *probe.looked_at]), None)
    needs = "token" if probe.measured else "metrics"
    if probe.production:
        of = f" of {name}" if name is not None else ""
        tried = f"GET .../metric-data of calls{of} as a poll does, and of hours that lie {_ages(probe)} back"
        yield Step("resolution", tried, lambda: _window(probe, name or ""), (needs,))
    else:
        tried = "GET .../metric-data of calls over the look-back, and over the hours of its latest and oldest activity"
        yield Step("resolution", tried, lambda: _runs(probe), (needs,))


def _ages(probe: Probe) -> str:
    return join_words([_age(age) for age in ages(probe)])


def _age(age: float) -> str:
    return pluralize(age / HOUR, "hour") if age < 48 * HOUR else duration(age)


def ages(probe: Probe) -> Sequence[float]:
    """Those of interest, in seconds."""
    pattern = probe.wanted.pattern
    return sorted({*AGES, pattern.duration} if pattern is not None else AGES)


def _asked(probe: Probe, name: str, windows: Sequence[Window]) -> list[Answer]:
    path = probe.options.paths["calls"]
    return probe.asked_all([Ask(probe.found[name].id, path, window) for window in windows])


def _coarsest(answer: Answer) -> float | None:
    """Seconds of a step; None without data."""
    return max((one.resolution for one in answer.metrics), default=None)


def _reach(probe: Probe, name: str) -> tuple[float, float | None, dict[float, float | None]]:
    """How far back there are minutes, as far as it was looked; where coarser data begins; and what came, by age."""
    looked = ages(probe)
    windows = [Window(probe.end - age, probe.end - age + HOUR) for age in looked]
    came = {age: _coarsest(answer) for age, answer in zip(looked, _asked(probe, name, windows), strict=True)}
    fine = max((age for age, step in came.items() if step is not None and step <= MINUTE), default=0.0)
    coarse = min((age for age, step in came.items() if age > fine and step is not None), default=None)
    return fine, coarse, came


def _told(fine: float, coarse: float | None, came: dict[float, float | None]) -> str:
    """What was seen of the past, in words."""
    if all(step is None for step in came.values()):
        return "how far back minutes are kept is not known, as there is nothing in those hours"
    parts = [f"minutes are kept for {_age(fine)} at least" if fine else "no minutes were seen"]
    if coarse is not None:
        parts.append(f"{_age(coarse)} back there are only means of {duration(came[coarse] or 0.0)}")
    silent = [_age(age) for age, step in came.items() if step is None]
    if silent:
        parts.append(f"there is nothing {join_words(silent)} back")
    return "; ".join(parts)


def _window(probe: Probe, name: str) -> Finding:
    """Production: the baseline's window and the pattern's."""
    pieces = list(islice(spans.split(probe.wanted.window), _PIECES))
    answers = _asked(probe, name, pieces)
    times = [one.times for answer in answers for one in answer.metrics]
    fine, coarse, came = _reach(probe, name)
    past = _told(fine, coarse, came)
    if not times:
        text = "nothing was called in the window, or the agents are down"
        return warning(f"no data over the window; {past}", Cause(text, "look at the application's page for that time"))
    step = max(step for step in map(_coarsest, answers) if step is not None)
    length = sum(piece.duration for piece in pieces)
    number = np.unique(np.concatenate(times)).size
    told = f"{number} of {length / step:.0f} values of {duration(step)} each over {duration(length)}; {past}"
    probe.coarse = step > MINUTE
    if probe.coarse:
        return warning(told, *lost(probe.options, "the day"))
    pattern = probe.wanted.pattern
    if pattern is not None and coarse is not None and coarse <= pattern.duration:
        text = f"the pattern wants minutes of {duration(pattern.duration)}: it has no evidence until they are gathered"
        remedy = (
            f"let the exporter run for {duration(pattern.duration)}: it keeps what it saw; or keep minutes for longer"
        )
        return warning(told, Cause(text, remedy))
    return ok(told)


def lost(options: Options, what: str) -> list[Cause]:
    """Why there are no minutes, what follows, and what to do."""
    host = urlsplit(options.base).hostname or ""
    follows = f"peaks of {what} are then peaks of means, which verdicts do not take for evidence"
    if host.endswith(SAAS):
        text = f"SaaS keeps minutes for 8 days, and this account seems to have less: {follows}"
        return [Cause(text, "ask the vendor's support for the retention of one-minute metrics")]
    text = f"a controller on premises keeps minutes for 4 hours unless told otherwise: {follows}"
    remedy = (
        "in its Administration Console (/controller/admin.jsp, Controller Settings) set metrics.min.retention.period "
        "to 25 hours or more, with disk for it"
    )
    run = Cause(
        "minutes that a running exporter has seen are kept by it",
        "let it run for a day without a restart: the window fills with minutes",
    )
    return [Cause(text, remedy), run]


def _runs(probe: Probe) -> Finding:
    """Where test runs are searched: the latest activity there is, and whether it is had in minutes."""
    window, least = probe.wanted.window, probe.wanted.threshold
    path = probe.options.paths["calls"]
    found = probe.asked_all([Ask(one.id, path, window) for one in probe.looked_at.values()])
    busy = [
        (float(end), name)
        for name, answer in zip(probe.looked_at, found, strict=True)
        for one in answer.metrics
        for end in one.times[totals(one) > least * one.resolution]
    ]
    if not busy:
        test = Cause("no test was run in that time", "run one, or raise analysis.test_run.lookback")
        low = Cause("tests stay below the threshold", "lower analysis.test_run.threshold")
        return warning(f"no activity above {least:g} req/s in the look-back of {duration(window.duration)}", test, low)
    ends = [max(busy), min(busy)]
    asks = [Ask(probe.found[name].id, path, Window(end - HOUR, end)) for end, name in ends]
    latest, oldest = (_coarsest(answer) for answer in probe.asked_all(asks))
    told = f"the latest activity, of {ends[0][1]} at {format_time(ends[0][0])}, came {_came(latest)}"
    told += f"; the oldest, at {format_time(ends[1][0])}, {_came(oldest)}"
    if latest is not None and latest <= MINUTE:
        return ok(told)
    text = "a run is found and judged by its minutes: this one is only where they were seen when they were new"
    remedy = "let the exporter run while tests do: it keeps their minutes, the controller does not for long"
    return warning(told, Cause(text, remedy), *lost(probe.options, "a run"))


def _came(step: float | None) -> str:
    if step is None:
        return "not at all"
    return "in minutes" if step <= MINUTE else f"as means of {duration(step)}"
