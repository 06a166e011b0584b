"""Checks of the analysis settings beyond their types. Problems have the form of exporter/config/conversion.py."""

from __future__ import annotations

import itertools
import zoneinfo
from collections.abc import Callable
from typing import Any

import msgspec

from exporter.config.conversion import unknown
from exporter.model.loadrun_judgement import GRADES
from exporter.model.settings import (
    COMPARED,
    PARTS,
    AnalysisSettings,
    ChangeSteps,
    Duration,
    EfficacySettings,
    ExecutionSettings,
    GapRule,
    Grade,
    LoadRunSettings,
)
from exporter.model.verdict import SEVERITIES

Wrong = Callable[[str, str], None]

_RATIOS = {
    "analysis.tolerance",
    "analysis.confidence",
    "analysis.test_run.steady_tolerance",
    "analysis.efficacy.excellent",
    "analysis.efficacy.good",
    "analysis.efficacy.fair",
    "analysis.next_certification.timeout_ratio",
    "analysis.next_certification.uptime_ratio",
    "analysis.next_certification.cpu",
    "analysis.next_certification.memory",
    "analysis.certification.weighted_coverage",
    "analysis.certification.mix_total_variation",
    "analysis.certification.efficacy",
    "analysis.certification.untested_share",
    "analysis.certification.mix_moved",
    "analysis.load_runs.min_success_ratio",
    "analysis.load_runs.run_noise",
    "analysis.test_executions.failure_ratio",
    "analysis.test_executions.flaky_ratio",
}
"""Within 0..1; every other number is at least 0."""

_MOST_LOAD = 10.0
"""No test needs more than ten times production's load."""

_MAY_BE_ZERO = {"analysis.test_run.max_gap", "analysis.test_executions.run_gap"}
"""Durations that make sense at 0s."""

_ABOVE_ONE = {
    "analysis.spike_magnitude",
    "analysis.test_run.spike_factor",
    "analysis.test_executions.spike_magnitude",
}
"""Multiples of something ordinary."""


def check_analysis(settings: AnalysisSettings, wrong: Wrong) -> None:
    """Calls wrong(path, text) for each setting that is out of range or contradicts another."""
    _numbers(settings, "analysis", wrong)
    check_timezone(settings.timezone, "analysis.timezone", wrong)
    if not 0 < settings.confidence < 1:
        wrong("analysis.confidence", f"must be above 0 and below 1, got {settings.confidence:g}")
    _load_coverage(settings.certification.load_coverage, wrong)
    if settings.routes.max_endpoints < 1:
        wrong("analysis.routes.max_endpoints", "must be at least 1")

    for signal, rule in settings.gaps.items():
        _gap(signal, rule, wrong)
    _efficacy(settings.efficacy, wrong)
    _test_run(settings, wrong)
    _load_runs(settings.load_runs, wrong)
    _executions(settings.test_executions, wrong)


def _load_coverage(load: float, wrong: Wrong) -> None:
    if load > _MOST_LOAD:
        text = f"must be between 0 and {_MOST_LOAD:g}, got {load:g}; did you mean {load / 100:g}?"
        wrong("analysis.certification.load_coverage", text)


def _efficacy(efficacy: EfficacySettings, wrong: Wrong) -> None:
    if not any(getattr(efficacy, weight) for weight in PARTS):
        wrong("analysis.efficacy", f"all weights are 0, at least one must be above 0: {', '.join(PARTS)}")
    if efficacy.full_within > efficacy.half_within:
        wrong("analysis.efficacy.half_within", f"must be at least full_within ({efficacy.full_within:g})")
    if not efficacy.fair < efficacy.good < efficacy.excellent:
        wrong("analysis.efficacy", "expected fair < good < excellent")


def _test_run(settings: AnalysisSettings, wrong: Wrong) -> None:
    lookback = settings.test_run.lookback
    if settings.test_run.min_duration > lookback:
        wrong("analysis.test_run.min_duration", "must be at most lookback")
    if lookback <= settings.certification.max_age:
        text = "must be above certification.max_age, or a run that is too old would not be found"
        wrong("analysis.test_run.lookback", text)


def _executions(settings: ExecutionSettings, wrong: Wrong) -> None:
    for name, longest in settings.expected.items():
        if longest >= settings.lookback:
            wrong(f"analysis.test_executions.expected.{name}", "must be below analysis.test_executions.lookback")


def _numbers(record: msgspec.Struct, path: str, wrong: Wrong) -> None:
    """The range of every number in the record and in the records below it."""
    for name in record.__struct_fields__:
        value: Any = getattr(record, name)
        below = f"{path}.{name}"
        if isinstance(value, dict):
            for key, entry in value.items():
                _value(entry, f"{below}.{key}", wrong)
        else:
            _value(value, below, wrong)


def _value(value: Any, path: str, wrong: Wrong) -> None:
    if isinstance(value, msgspec.Struct):
        _numbers(value, path, wrong)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        _number(value, path, wrong)


def _number(value: float, path: str, wrong: Wrong) -> None:
    if path in _RATIOS and not 0 <= value <= 1:
        wrong(path, f"must be between 0 and 1, got {value:g}")
    elif path in _ABOVE_ONE and value <= 1:
        wrong(path, f"must be above 1, got {value:g}")
    elif value < 0:
        wrong(path, f"must be at least 0, got {value:g}")
    elif isinstance(value, Duration) and not value and path not in _MAY_BE_ZERO:
        wrong(path, "must be above 0s")


def check_timezone(name: str, path: str, wrong: Wrong) -> None:
    """Calls wrong(path, text) if the time zone does not exist."""
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        wrong(path, f'unknown time zone "{name}", expected an IANA name such as Europe/Berlin or UTC')


def _gap(signal: str, rule: GapRule, wrong: Wrong) -> None:
    path = f"analysis.gaps.{signal}"
    if signal not in COMPARED:
        wrong(path, unknown(signal, COMPARED, "signal"))

    steps = [(name, getattr(rule, name)) for name in SEVERITIES[1:] if getattr(rule, name) is not None]
    for (lower, below), (name, step) in itertools.pairwise(steps):
        if step <= below:
            wrong(f"{path}.{name}", f"must be above {lower} ({below:g}), got {step:g}")


def _load_runs(settings: LoadRunSettings, wrong: Wrong) -> None:
    path = "analysis.load_runs"
    _grades(settings, wrong)
    _steps(settings.steps, f"{path}.steps", wrong)
    _steps(settings.error_steps, f"{path}.error_steps", wrong)

    if not 0 < settings.significance < 0.5:
        wrong(f"{path}.significance", f"must be above 0 and below 0.5, got {settings.significance:g}")
    if settings.confirm < 2:
        wrong(f"{path}.confirm", f"must be at least 2, got {settings.confirm}: a single run does not make a level")
    least = 2 * settings.confirm
    if settings.min_history < least:
        wrong(f"{path}.min_history", f"must be at least 2 x confirm ({least}), got {settings.min_history}")
    if settings.settled < settings.min_history:
        wrong(f"{path}.settled", f"must be at least min_history ({settings.min_history}), got {settings.settled}")


def _steps(steps: ChangeSteps, path: str, wrong: Wrong) -> None:
    if steps.low <= 0:
        wrong(f"{path}.low", f"must be above 0, got {steps.low:g}")
    for lower, name in itertools.pairwise(SEVERITIES[1:]):
        step = getattr(steps, name)
        below = getattr(steps, lower)
        if step <= below:
            wrong(f"{path}.{name}", f"must be above {lower} ({below:g}), got {step:g}")


def _grades(settings: LoadRunSettings, wrong: Wrong) -> None:
    path = "analysis.load_runs.grades"
    names = GRADES[:-1]
    if not settings.grades:
        wrong(path, f"is empty, expected at least one of: {', '.join(names)}")
    for name, grade in settings.grades.items():
        _grade(name, grade, f"{path}.{name}", wrong)

    # Each grade must require less than the better grade, or no run could get it.
    ordered = [name for name in names if name in settings.grades]
    for better, name in itertools.pairwise(ordered):
        above = settings.grades[better]
        below = settings.grades[name]
        if below.success_ratio > above.success_ratio:
            wrong(f"{path}.{name}.success_ratio", f"must be at most that of {better}, got {below.success_ratio:g}")
        if below.latency_p95 < above.latency_p95:
            wrong(f"{path}.{name}.latency_p95", f"must be at least that of {better}, got {below.latency_p95:g}")


def _grade(name: str, grade: Grade, path: str, wrong: Wrong) -> None:
    *names, worst = GRADES
    if name == worst:
        wrong(path, "cannot be set: it is the grade of runs that meet no other")
    elif name not in names:
        wrong(path, unknown(name, names, "grade"))

    if not 0 <= grade.success_ratio < 1:
        text = f"must be at least 0 and below 1, got {grade.success_ratio:g}: a run's success ratio must exceed it"
        wrong(f"{path}.success_ratio", text)
    if grade.latency_p95 <= 0:
        wrong(f"{path}.latency_p95", f"must be above 0 seconds, got {grade.latency_p95:g}")
