"""Test executions: what test runners report. Read from Snapshot.executions alone, so that `publish` has these too.

The limits have the label `application`, as pages on a Pushgateway share one job.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from exporter.catalogue.series import Row, Series
from exporter.model.execution import Case, Counts, Executed, Group, Outages
from exporter.model.results import Snapshot
from exporter.model.settings import ExecutionSettings

OUTCOMES = ("passed", "failed", "error", "skipped")
WINDOWS = {3600.0: "1h", 86400.0: "24h"}
"""Seconds to the value of the label `window`."""
LOOKBACK = "look-back"
"""Value of the label `window` for all that is known."""

Values = Iterable[tuple[tuple[str, ...], float | None]]
_LAST = "of the latest run of tests. Polled."
_ALL = "over the look-back. Polled."


def _series(name: str, help: str, labels: Sequence[str], read: Callable[[Executed], Values]) -> Series:
    """A series with the label `application` first; None has no evidence and is left out."""

    def rows(snapshot: Snapshot) -> Iterator[Row]:
        for application, executed in snapshot.executions.items():
            for values, value in read(executed):
                if value is not None:
                    yield (application, *values), float(value)

    return Series(f"pte_test_execution_{name}", help, ("application", *labels), rows)


def _one(name: str, help: str, read: Callable[[Executed], float | None]) -> Series:
    return _series(name, help, (), lambda executed: [((), read(executed))])


def _last(name: str, help: str, read: Callable[[Counts], float | None]) -> Series:
    """Of the latest run; nothing without one."""
    return _one(f"last_{name}", f"{help} {_LAST}", lambda one: read(one.last.counts) if one.last else None)


def _total(name: str, help: str, read: Callable[[Counts], float | None]) -> Series:
    """Of all runs in the look-back; nothing without one."""
    return _one(name, f"{help} {_ALL}", lambda one: read(one.total) if one.runs else None)


def _outcomes(counts: Counts | None) -> Values:
    return [((outcome,), getattr(counts, outcome)) for outcome in OUTCOMES] if counts else []


def limits(settings: ExecutionSettings) -> Mapping[str, float]:
    """What executions are judged by, by the value of the label `limit`; seconds, ratios or numbers as the name says."""
    return {
        "failure_ratio": settings.failure_ratio,
        "flaky_ratio": settings.flaky_ratio,
        "lookback_seconds": settings.lookback,
        "run_gap_seconds": settings.run_gap,
        "spike_magnitude_ratio": settings.spike_magnitude,
        "spike_failures": float(settings.spike_failures),
        "spike_runs": float(settings.spike_runs),
    }


def _limits(snapshot: Snapshot) -> Iterator[Row]:
    for application in snapshot.executions:
        for name, value in limits(snapshot.settings.test_executions).items():
            yield (application, name), float(value)


def _expected(snapshot: Snapshot) -> Iterator[Row]:
    for application, longest in snapshot.settings.test_executions.expected.items():
        if application in snapshot.executions:
            yield (application,), float(longest)


def _windows(per_hour: bool) -> Callable[[Executed], Values]:
    def read(executed: Executed) -> Values:
        for window, runs in executed.recent.items():
            yield (WINDOWS.get(window, LOOKBACK),), runs / window * 3600 if per_hour else runs

    return read


def _groups(of: str, name: str, help: str, read: Callable[[Group], Values], more: Sequence[str] = ()) -> Series:
    """Of each suite, or of each suite's property values."""

    def rows(executed: Executed) -> Values:
        for group in executed.suites if of == "suite" else executed.properties:
            labels = (group.suite,) if of == "suite" else (group.suite, group.property, group.value)
            for values, value in read(group):
                yield (*labels, *values), value

    own = ("suite",) if of == "suite" else ("suite", "property", "value")
    return _series(f"{of}_{name}", help, (*own, *more), rows)


def _of_groups(of: str, whose: str) -> tuple[Series, ...]:
    latest = f"in the latest run that has {whose}. Polled."
    return (
        _groups(of, "tests", f"Tests by how they ended, {latest}", lambda one: _outcomes(one.counts), ("outcome",)),
        _groups(of, "pass_ratio", f"Passed / executed tests {latest}", lambda one: [((), one.counts.pass_ratio)]),
        _groups(of, "flaky", f"Tests that failed and passed {latest}", lambda one: [((), one.counts.flaky)]),
        _groups(
            of, "duration_seconds", f"Durations of tests, summed, {latest}", lambda one: [((), one.counts.seconds)]
        ),
        _groups(of, "timestamp_seconds", f"When it ended, {latest}", lambda one: [((), one.at)]),
    )


def _cases(
    name: str, help: str, of: Callable[[Executed], Iterable[Case]], read: Callable[[Case], float | None]
) -> Series:
    def rows(executed: Executed) -> Values:
        return [((case.suite, case.name), read(case)) for case in of(executed)]

    return _series(name, help, ("suite", "test"), rows)


def _flakiest(name: str, help: str, read: Callable[[Case], float | None]) -> Series:
    return _cases(f"flakiest_{name}", f"{help}, of the flakiest tests {_ALL}", lambda one: one.flakiest, read)


def _failing(name: str, help: str, read: Callable[[Case], float | None]) -> Series:
    return _cases(f"test_{name}", f"{help}, of tests that failed {_ALL}", lambda one: one.failing, read)


def _of_outages(name: str, help: str, read: Callable[[Outages], float | None]) -> tuple[Series, ...]:
    """Of the application, of tests and of properties' values."""

    def values(executed: Executed) -> Values:
        return [((one.property, one.value), read(one.outages)) for one in executed.property_outages]

    return (
        _one(name, f"{help}, of the application {_ALL}", lambda one: read(one.outages) if one.runs else None),
        _failing(name, help, lambda case: read(case.outages)),
        _series(f"value_{name}", f"{help}, of a property's value {_ALL}", ("property", "value"), values),
    )


SERIES: tuple[Series, ...] = (
    _one("evidence", "1 when a run of tests is known within the look-back. Polled.", lambda one: bool(one.runs)),
    Series(
        "pte_test_execution_expected_seconds",
        "Longest time without a run of tests that is expected. Configured.",
        ("application",),
        _expected,
    ).as_input(),
    Series(
        "pte_test_execution_limit",
        "Configured limit; its name says what it limits and in which unit.",
        ("application", "limit"),
        _limits,
    ).as_input(),
    _one(
        "last_timestamp_seconds", f"When the last report ended {_LAST}", lambda one: one.last.at if one.last else None
    ),
    _series(
        "last_tests",
        f"Tests by how they ended {_LAST}",
        ("outcome",),
        lambda one: _outcomes(one.last.counts if one.last else None),
    ),
    _last("executed", "Tests that were not skipped", lambda one: one.executed).as_input(),
    _last("flaky", "Tests that failed and passed within a report", lambda one: one.flaky),
    _last("pass_ratio", "Passed / executed tests", lambda one: one.pass_ratio),
    _last("failure_ratio", "Failed tests and errors / executed tests", lambda one: one.failure_ratio),
    _last("duration_seconds", "Durations of tests, summed,", lambda one: one.seconds),
    _series(
        "tests",
        f"Executions by how they ended {_ALL}",
        ("outcome",),
        lambda one: _outcomes(one.total if one.runs else None),
    ),
    _total("executed", "Executions that were not skipped", lambda one: one.executed).as_input(),
    _total("flaky", "Executions that failed and passed within a report", lambda one: one.flaky),
    _total("pass_ratio", "Passed / executed tests", lambda one: one.pass_ratio),
    _total("flaky_ratio", "Flaky / executed tests", lambda one: one.flaky_ratio),
    _series("runs", "Runs of tests that ended in the window. Polled.", ("window",), _windows(per_hour=False)),
    _series("runs_per_hour", "Runs of tests in the window / its hours. Polled.", ("window",), _windows(per_hour=True)),
    _one(
        "failure_spike",
        f"1 when far more failed than before, {_LAST}",
        lambda one: one.spike.is_spike if one.spike else None,
    ),
    _one(
        "failure_spike_evidence",
        "1 when there are runs enough to tell whether failures spiked. Polled.",
        lambda one: one.spike is not None,
    ),
    _one(
        "failure_reference_ratio",
        "Median failure ratio of the runs before the latest. Polled.",
        lambda one: one.spike.reference if one.spike else None,
    ),
    _one(
        "failure_reference_runs",
        "How many runs before the latest the median rests on. Polled.",
        lambda one: one.spike.runs if one.spike else None,
    ).as_input(),
    *_of_groups("suite", "the suite"),
    *_of_groups("property", "the suite with this value"),
    _one("other_groups", "Suites and suites' property values beyond the cap. Polled.", lambda one: one.other),
    _flakiest("flaky", "Executions that were flaky", lambda case: case.flaky),
    _flakiest("executed", "Executions that were not skipped", lambda case: case.executed).as_input(),
    _flakiest("ratio", "Flaky / executed", lambda case: case.flaky / case.executed if case.executed else None),
    _failing("failed", "Executions that failed", lambda case: case.failed),
    _failing("executed", "Executions that were not skipped", lambda case: case.executed).as_input(),
    *_of_outages("mtbf_seconds", "Mean time between failures: passing time / failures", lambda one: one.mtbf),
    *_of_outages("mttr_seconds", "Mean time to repair: from failing to passing again", lambda one: one.mttr),
    *map(Series.as_input, _of_outages("passing_seconds", "How long it passed", lambda one: one.passing)),
    *map(
        Series.as_input, _of_outages("failures", "How often it went from passing to failing", lambda one: one.failures)
    ),
    *map(
        Series.as_input,
        _of_outages("repairing_seconds", "How long failures took that began and ended", lambda one: one.repairing),
    ),
    *map(Series.as_input, _of_outages("repairs", "How many failures began and ended", lambda one: one.repairs)),
    *_of_outages("failing", "1 while it fails", lambda one: one.failing),
)
