"""Has a run become worse than the runs before? docs/explanation/method.md, section "Regression".

The level that the newest run belongs to is compared with the best level that the runs before had, as far as they are
not too old; a level takes several runs, which excludes single spikes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from exporter.analysis.arithmetic import Floats, finite
from exporter.analysis.changepoint import Level, Levels, levels
from exporter.model.loadrun import Figures
from exporter.model.loadrun_judgement import Change
from exporter.model.settings import LoadRunSettings
from exporter.model.verdict import SEVERITIES, Severity, Verdict

_LEAST_NOISE = 0.002
"""Ratio; half a bucket of the histograms. What scatters less between runs is rounding."""

_APART = 3.0
"""Standard deviations between runs, beyond which the newest run may be a spike, or the first of a new level."""

_SURE = 1.96
"""Standard errors of an interval of 95 %."""

_SMALLEST = 1e-9
"""Seconds or requests/s; below it logarithms would distinguish values that cannot be measured."""

_NONE = math.log(_SMALLEST) + 1e-6
"""As a logarithm: up to here it is none at all."""


@dataclass(frozen=True, slots=True)
class Point:
    """One metric in one run."""

    value: float
    requests: int


def metric(figures: Figures, name: str, seconds: float) -> float | None:
    """One of loadrun_judgement.METRICS in a run that took so many seconds; None where it was not measured."""
    if name == "error_ratio":
        if figures.failures is None or not figures.requests:
            return None
        return figures.failures / figures.requests
    if name == "request_rate":
        if seconds <= 0 or not figures.requests:
            return None
        return figures.requests / seconds
    return finite(getattr(figures.latency, name.removeprefix("latency_")))


def scaled(values: Floats, name: str) -> Floats:
    """On a scale where scatter does not depend on the level: logarithms, and for error ratios the arc sine."""
    result: Floats
    if name == "error_ratio":
        result = np.arcsin(np.sqrt(np.clip(values, 0.0, 1.0)))
    else:
        result = np.log(np.maximum(values, _SMALLEST))
    return result


def unscaled(value: float, name: str) -> float:
    """Back from that scale; what lies beyond its ends, as ends of intervals may, is at the end."""
    if name == "error_ratio":
        return math.sin(min(max(0.0, value), math.pi / 2)) ** 2
    if value <= _NONE:
        return 0.0
    return math.exp(value)


def moved(reference: float, value: float, name: str) -> float:
    """How far it moved, in the unit of its steps: a ratio, of error ratios the difference."""
    if name == "error_ratio":
        return value - reference
    return max(value, _SMALLEST) / max(reference, _SMALLEST) - 1


def matters(reference: float, value: float, name: str, settings: LoadRunSettings) -> bool:
    """Whether the change is beyond the tolerance; for error ratios both in itself and as a ratio."""
    if name == "error_ratio":
        away = abs(value - reference)
        return away >= settings.error_steps.low and away >= settings.steps.low * reference
    return abs(moved(reference, value, name)) >= settings.steps.low


def is_bad(change: float, name: str) -> bool:
    """Whether a change in this direction is one for the worse: less load served, else more of anything."""
    if name == "request_rate":
        return change < 0
    return change > 0


def severity_of(
    verdict: Verdict, reference: float, value: float, name: str, settings: LoadRunSettings
) -> Severity | None:
    """Of a change for the worse the largest step that it reaches; "none" for other verdicts, None without evidence."""
    if verdict == "no_evidence":
        return None
    if verdict != "worse":
        return "none"
    return severity(moved(reference, value, name), name, settings)


def severity(change: float, name: str, settings: LoadRunSettings) -> Severity:
    """Of a change for the worse, as `moved` gives it."""
    steps = settings.error_steps if name == "error_ratio" else settings.steps
    result: Severity = "none"
    for step in SEVERITIES[1:]:
        if abs(change) >= getattr(steps, step):
            result = step
    return result


def levels_of(points: Sequence[Point], name: str, settings: LoadRunSettings) -> Levels | None:
    """The levels of a metric over the runs, oldest first; None with too few of them."""
    if len(points) < max(settings.min_history, 2 * settings.confirm):
        return None

    floor = _LEAST_NOISE
    if name == "error_ratio":
        # The arc sine of a ratio of n requests scatters by 1 / (2 sqrt n), whatever the ratio is.
        requests = float(np.median([point.requests for point in points]))
        floor = 0.5 / math.sqrt(max(1.0, requests))

    return levels(
        scaled(np.asarray([point.value for point in points]), name),
        lambda before, after: _differ(before, after, name, settings),
        confirm=settings.confirm,
        significance=settings.significance,
        floor=floor,
    )


def against_history(points: Sequence[Point], name: str, settings: LoadRunSettings) -> tuple[Change, Levels | None]:
    """The newest run's level against those before, and the levels; the name of the change is left empty."""
    levels = levels_of(points, name, settings)
    if levels is None:
        return Change("", name, "history", points[-1].value, None, None, "no_evidence", None, None, len(points)), None
    before, now, verdict = _compare_levels(levels, name, settings)

    # The last one or two runs may be a spike, or the first of a level that is not confirmed yet.
    rest = _rest_of_level(levels, name, settings, verdict)
    if rest is not None:
        return _change(levels, name, settings, rest, _newest(levels), "no_evidence"), levels
    if verdict == "worse" and _is_fixed(levels, before, name, settings):
        return _change(levels, name, settings, before, _newest(levels), "no_evidence"), levels

    if verdict == "no_evidence" and _is_equal(levels, before, now, name, settings):
        verdict = "equal"
    return _change(levels, name, settings, before, now, verdict), levels


def _compare_levels(levels: Levels, name: str, settings: LoadRunSettings) -> tuple[Level, Level, Verdict]:
    """The reference, the newest level, and whether it is worse or better; else no evidence so far."""
    now = levels.steps[-1]
    before = _reference(levels, name, settings)
    if before is None:  # nothing has changed for long, and the newest level is compared with itself
        recent = max(1, min(now.runs // 2, settings.settled // 2))
        earlier_half = levels.level(now.start, now.end - recent)
        later_half = levels.level(now.end - recent, now.end)
        return earlier_half, later_half, "no_evidence"

    is_significant = abs(levels.strength(before, now)) >= levels.limit
    if not (is_significant and _differ(before.value, now.value, name, settings)):
        return before, now, "no_evidence"
    if is_bad(now.value - before.value, name):
        return before, now, "worse"
    return before, now, "better"


def _rest_of_level(levels: Levels, name: str, settings: LoadRunSettings, verdict: Verdict) -> Level | None:
    """The newest level without the last runs, where so few of them differ from it; None where none do.

    Of a level that is worse they change nothing: it is worse with and without them. And a better level is only put in
    doubt by runs that are worse than it.
    """
    last = levels.steps[-1]
    newest_is_bad = is_bad(float(levels.values[-1]) - last.value, name)
    in_doubt = verdict == "no_evidence" or (verdict == "better" and newest_is_bad)
    if not in_doubt:
        return None

    for runs in range(1, settings.confirm):
        if _stand_apart(levels, runs, name, settings):
            return levels.level(last.start, last.end - runs)
    return None


def _newest(levels: Levels) -> Level:
    """The newest run by itself."""
    return levels.level(levels.values.size - 1, levels.values.size)


def _is_fixed(levels: Levels, before: Level, name: str, settings: LoadRunSettings) -> bool:
    """Whether the newest run is as good as before: a fix of a regression must not be held up by it."""
    value = float(levels.values[-1])
    return not (is_bad(value - before.value, name) and _differ(before.value, value, name, settings))


def _is_equal(levels: Levels, before: Level, now: Level, name: str, settings: LoadRunSettings) -> bool:
    """Whether the whole interval of the newest level lies within the tolerance."""
    reach = _SURE * levels.error(before.runs, now.runs)
    ends = (now.value - reach, now.value + reach)
    return not any(_differ(before.value, end, name, settings) for end in ends)


def _differ(before: float, after: float, name: str, settings: LoadRunSettings) -> bool:
    """As `matters`, on the scale of the series."""
    return matters(unscaled(before, name), unscaled(after, name), name, settings)


def _stand_apart(levels: Levels, runs: int, name: str, settings: LoadRunSettings) -> bool:
    """Whether so many runs at the end are far from their level, on one side: spikes, or a new level that begins."""
    last = levels.steps[-1]
    if last.runs <= runs:
        return False

    rest = levels.level(last.start, last.end - runs).value
    away = levels.values[-runs:] - rest
    are_far = (np.abs(away) > _APART * levels.noise.deviation).all()
    on_one_side = np.unique(np.sign(away)).size == 1
    return bool(are_far and on_one_side) and _differ(rest, float(levels.values[-1]), name, settings)


def _change(  # noqa: PLR0917 - what a change is made from
    levels: Levels, name: str, settings: LoadRunSettings, before: Level, now: Level, verdict: Verdict
) -> Change:
    reference = unscaled(before.value, name)
    value = unscaled(now.value, name)
    reach = _SURE * levels.error(before.runs, now.runs)
    return Change(
        name="",
        metric=name,
        against="history",
        value=value,
        reference=reference,
        ratio=ratio(reference, value),
        verdict=verdict,
        severity=severity_of(verdict, reference, value, name, settings),
        effect=(now.value - before.value) / levels.noise.deviation,
        samples=before.runs + now.runs,
        least=unscaled(now.value - reach, name),
        most=unscaled(now.value + reach, name),
    )


def _reference(levels: Levels, name: str, settings: LoadRunSettings) -> Level | None:
    """The best of the levels before that are not too old; None where the newest has settled.

    The best and not the last: a ramp looks like stairs, and each step alone may be too small to matter.
    """
    now = levels.steps[-1]
    oldest = now.end - settings.settled
    candidates = [level for level in levels.steps[:-1] if level.end > oldest]
    if not candidates:
        return None
    if name == "request_rate":
        return max(candidates, key=lambda level: level.value)
    return min(candidates, key=lambda level: level.value)


def ratio(reference: float, value: float) -> float | None:
    if reference <= _SMALLEST:
        return None
    return finite(value / reference - 1)
