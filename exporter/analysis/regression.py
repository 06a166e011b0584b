"""Has a run become worse than the runs before? docs/method.md, section "Regression".

The level that the newest run belongs to is compared with the best level that the runs before had, as far as they are
not too old; a level takes several runs, so that single spikes are none.
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
from exporter.model.verdict import Severity, Verdict

_LEAST_NOISE = 0.002
"""Ratio; half a bucket of the histograms. What scatters less between runs is rounding."""

_APART = 3.0
"""Standard deviations between runs, beyond which the newest run may be a spike, or the first of a new level."""

_SURE = 1.96
"""Standard errors of an interval of 95 %."""

_SMALLEST = 1e-9
"""Seconds or requests/s; below it logarithms would tell apart what nobody measures."""

_NONE = math.log(_SMALLEST) + 1e-6
"""As a logarithm: up to here it is none at all."""


@dataclass(frozen=True, slots=True)
class Point:
    """One metric in one run."""

    value: float
    requests: int


def metric(figures: Figures, name: str, seconds: float) -> float | None:
    """One of judgement.METRICS in a run that took so many seconds; None where it was not measured."""
    if name == "error_ratio":
        return None if figures.failures is None or not figures.requests else figures.failures / figures.requests
    if name == "request_rate":
        return figures.requests / seconds if seconds > 0 and figures.requests else None
    return finite(getattr(figures.latency, name.removeprefix("latency_")))


def scaled(values: Floats, name: str) -> Floats:
    """On a scale where scatter does not depend on the level: logarithms, and for error ratios the arc sine."""
    if name == "error_ratio":
        found: Floats = np.arcsin(np.sqrt(np.clip(values, 0.0, 1.0)))
        return found
    logarithms: Floats = np.log(np.maximum(values, _SMALLEST))
    return logarithms


def unscaled(value: float, name: str) -> float:
    """Back from that scale; what lies beyond its ends, as ends of intervals may, is at the end."""
    if name == "error_ratio":
        return math.sin(min(max(0.0, value), math.pi / 2)) ** 2
    return math.exp(value) if value > _NONE else 0.0


def moved(reference: float, value: float, name: str) -> float:
    """How far it moved, in the unit of its steps: a ratio, of error ratios the difference."""
    return value - reference if name == "error_ratio" else max(value, _SMALLEST) / max(reference, _SMALLEST) - 1


def matters(reference: float, value: float, name: str, settings: LoadRunSettings) -> bool:
    """Whether the change is beyond the tolerance; for error ratios both in itself and as a ratio."""
    if name == "error_ratio":
        away = abs(value - reference)
        return away >= settings.error_steps.low and away >= settings.steps.low * reference
    return abs(moved(reference, value, name)) >= settings.steps.low


def is_bad(change: float, name: str) -> bool:
    """Whether a change in this direction is one for the worse: less load served, else more of anything."""
    return change < 0 if name == "request_rate" else change > 0


def severity(change: float, name: str, settings: LoadRunSettings) -> Severity:
    """Of a change for the worse, as `moved` gives it."""
    steps = settings.error_steps if name == "error_ratio" else settings.steps
    away, found = abs(change), "none"
    for each in ("low", "medium", "high", "critical"):
        if away >= getattr(steps, each):
            found = each
    return found  # type: ignore[return-value]


def found_levels(points: Sequence[Point], name: str, settings: LoadRunSettings) -> Levels | None:
    """The levels of a metric over the runs, oldest first; None with too few of them."""
    if len(points) < max(settings.min_history, 2 * settings.confirm):
        return None
    requests = float(np.median([point.requests for point in points]))
    # The arc sine of a ratio of n requests scatters by 1 / (2 sqrt n), whatever the ratio is.
    floor = 0.5 / math.sqrt(max(1.0, requests)) if name == "error_ratio" else _LEAST_NOISE
    return levels(
        scaled(np.asarray([point.value for point in points]), name),
        lambda before, after: matters(unscaled(before, name), unscaled(after, name), name, settings),
        confirm=settings.confirm,
        significance=settings.significance,
        floor=floor,
    )


def against_history(points: Sequence[Point], name: str, settings: LoadRunSettings) -> tuple[Change, Levels | None]:
    """The newest run's level against those before, and the levels; the name of the change is left empty."""
    found = found_levels(points, name, settings)
    if found is None:
        return Change("", name, "history", points[-1].value, None, None, "no_evidence", None, None, len(points)), None
    now, before = found.steps[-1], _reference(found, name, settings)
    verdict: Verdict = "no_evidence"
    if before is None:  # nothing has changed for long, and the newest level is compared with itself
        recent = max(1, min(now.runs // 2, settings.settled // 2))
        before, now = found.level(now.start, now.end - recent), found.level(now.end - recent, now.end)
    elif abs(found.strength(before, now)) >= found.limit and _differ(before.value, now.value, name, settings):
        verdict = "worse" if is_bad(now.value - before.value, name) else "better"
    last = found.steps[-1]
    for runs in range(1, settings.confirm):
        bad = is_bad(float(found.values[-1]) - last.value, name)
        if (verdict == "no_evidence" or (verdict == "better" and bad)) and _stand_apart(found, runs, name, settings):
            rest = found.level(last.start, last.end - runs)
            return _change(found, name, settings, rest, _newest(found), "no_evidence"), found
    if verdict == "worse" and _is_mended(found, before, name, settings):
        return _change(found, name, settings, before, _newest(found), "no_evidence"), found
    reach = _SURE * found.error(before.runs, now.runs)
    ends = (now.value - reach, now.value + reach)
    if verdict == "no_evidence" and not any(_differ(before.value, end, name, settings) for end in ends):
        verdict = "equal"
    return _change(found, name, settings, before, now, verdict), found


def _newest(found: Levels) -> Level:
    """The newest run by itself."""
    return found.level(found.values.size - 1, found.values.size)


def _is_mended(found: Levels, before: Level, name: str, settings: LoadRunSettings) -> bool:
    """Whether the newest run is as good as before: who mends a regression is not stopped for it."""
    value = float(found.values[-1])
    return not (is_bad(value - before.value, name) and _differ(before.value, value, name, settings))


def _differ(before: float, after: float, name: str, settings: LoadRunSettings) -> bool:
    """As `matters`, on the scale of the series."""
    return matters(unscaled(before, name), unscaled(after, name), name, settings)


def _stand_apart(found: Levels, runs: int, name: str, settings: LoadRunSettings) -> bool:
    """Whether so many runs at the end are far from their level, on one side: spikes, or a new level that begins."""
    last = found.steps[-1]
    if last.runs <= runs:
        return False
    rest = found.level(last.start, last.end - runs).value
    away = found.values[-runs:] - rest
    far = (np.abs(away) > _APART * found.noise.deviation).all() and np.unique(np.sign(away)).size == 1
    return bool(far) and _differ(rest, float(found.values[-1]), name, settings)


def _change(  # noqa: PLR0917 - what a change is made from
    found: Levels, name: str, settings: LoadRunSettings, before: Level, now: Level, verdict: Verdict
) -> Change:
    reference, value = unscaled(before.value, name), unscaled(now.value, name)
    bad = {"worse": severity(moved(reference, value, name), name, settings), "no_evidence": None}
    how, runs = bad.get(verdict, "none"), before.runs + now.runs
    effect = (now.value - before.value) / found.noise.deviation
    reach = _SURE * found.error(before.runs, now.runs)
    least, most = (unscaled(now.value + side * reach, name) for side in (-1, 1))
    change = ratio(reference, value)
    return Change("", name, "history", value, reference, change, verdict, how, effect, runs, least, most)


def _reference(found: Levels, name: str, settings: LoadRunSettings) -> Level | None:
    """The best of the levels before that are not too old; None where the newest has settled."""
    now = found.steps[-1]
    oldest = now.end - settings.settled
    known = [each for each in found.steps[:-1] if each.end > oldest]
    if not known:
        return None
    sign = -1 if name == "request_rate" else 1
    return min(known, key=lambda each: sign * each.value)


def ratio(reference: float, value: float) -> float | None:
    return finite(value / reference - 1) if reference > _SMALLEST else None
