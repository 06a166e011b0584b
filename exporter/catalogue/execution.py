"""Test executions: the reports of test runners. They rest on Snapshot.executions alone, and `publish` has them too.

The limits have the label `application`, as pages on a Pushgateway share one job.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Literal

from exporter.catalogue.series import Row, Series, Values
from exporter.model.execution import Case, Counts, Executed, FailureSpike, Group, Outages
from exporter.model.results import Snapshot
from exporter.model.settings import ExecutionSettings

OUTCOMES = ("passed", "failed", "error", "skipped")
WINDOWS = {3600.0: "1h", 86400.0: "24h"}
"""Seconds to the value of the label `window`."""
LOOKBACK = "look-back"
"""Value of the label `window` for the whole look-back."""

_LAST = "in the latest run of tests. Polled."
_ALL = "over the look-back. Polled."


def _series(name: str, help: str, labels: Sequence[str], read: Callable[[Executed], Values]) -> Series:
    """A series with the label `application` first; None has no evidence and is left out."""

    def rows(snapshot: Snapshot) -> Iterator[Row]:
        for application, executed in snapshot.executions.items():
            for values, value in read(executed):
                if value is not None:
                    yield (application, *values), float(value)

    return Series(f"pte_test_execution_{name}", help, ("application", *labels), rows)


def _scalar(name: str, help: str, read: Callable[[Executed], float | None]) -> Series:
    return _series(name, help, (), lambda executed: [((), read(executed))])


def _last(name: str, help: str, read: Callable[[Counts], float | None]) -> Series:
    """Of the latest run; nothing without one."""

    def value(executed: Executed) -> float | None:
        return read(executed.last.counts) if executed.last else None

    return _scalar(f"last_{name}", f"{help} {_LAST}", value)


def _total(name: str, help: str, read: Callable[[Counts], float | None]) -> Series:
    """Of all runs in the look-back; nothing without one."""

    def value(executed: Executed) -> float | None:
        return read(executed.total) if executed.runs else None

    return _scalar(name, f"{help} {_ALL}", value)


def _of_spike(name: str, help: str, read: Callable[[FailureSpike], float | None]) -> Series:
    """Nothing if there are too few runs to compare the latest with."""

    def value(executed: Executed) -> float | None:
        return read(executed.spike) if executed.spike else None

    return _scalar(name, help, value)


def _outcomes(counts: Counts) -> list[tuple[tuple[str, ...], float | None]]:
    return [((outcome,), getattr(counts, outcome)) for outcome in OUTCOMES]


def _last_outcomes(executed: Executed) -> Values:
    return _outcomes(executed.last.counts) if executed.last else ()


def _total_outcomes(executed: Executed) -> Values:
    return _outcomes(executed.total) if executed.runs else ()


def limits(settings: ExecutionSettings) -> Mapping[str, float]:
    """The limits of executions, by the value of the label `limit`; the name says the unit: seconds, ratio or number."""
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


def _windows(*, per_hour: bool) -> Callable[[Executed], Values]:
    def read(executed: Executed) -> Values:
        for window, runs in executed.recent.items():
            label = WINDOWS.get(window, LOOKBACK)
            yield (label,), runs / window * 3600 if per_hour else runs

    return read


def _of_groups(of: Literal["suite", "property"], whose: str) -> tuple[Series, ...]:
    """Of each suite, or of each suite's property values."""
    latest = f"in the latest run that has {whose}. Polled."
    labels = ("suite",) if of == "suite" else ("suite", "property", "value")

    def groups(executed: Executed) -> Iterator[tuple[tuple[str, ...], Group]]:
        if of == "suite":
            for group in executed.suites:
                yield (group.suite,), group
        else:
            for group in executed.properties:
                yield (group.suite, group.property, group.value), group

    def outcomes(executed: Executed) -> Values:
        for values, group in groups(executed):
            for outcome, count in _outcomes(group.counts):
                yield (*values, *outcome), count

    def scalar(name: str, help: str, read: Callable[[Group], float | None]) -> Series:
        def rows(executed: Executed) -> Values:
            return [(values, read(group)) for values, group in groups(executed)]

        return _series(f"{of}_{name}", f"{help} {latest}", labels, rows)

    return (
        _series(f"{of}_tests", f"Tests by outcome {latest}", (*labels, "outcome"), outcomes),
        scalar("pass_ratio", "Passed / executed tests", lambda group: group.counts.pass_ratio),
        scalar("flaky", "Tests that failed and passed", lambda group: group.counts.flaky),
        scalar("duration_seconds", "Total duration of the tests", lambda group: group.counts.seconds),
        scalar("timestamp_seconds", "End of the report", lambda group: group.at),
    )


def _cases(
    name: str, help: str, cases: Callable[[Executed], Iterable[Case]], read: Callable[[Case], float | None]
) -> Series:
    def rows(executed: Executed) -> Values:
        return [((case.suite, case.name), read(case)) for case in cases(executed)]

    return _series(name, help, ("suite", "test"), rows)


def _flakiest(name: str, help: str, read: Callable[[Case], float | None]) -> Series:
    return _cases(f"flakiest_{name}", f"{help}, of the flakiest tests {_ALL}", lambda executed: executed.flakiest, read)


def _failing(name: str, help: str, read: Callable[[Case], float | None]) -> Series:
    return _cases(f"test_{name}", f"{help}, of tests that failed {_ALL}", lambda executed: executed.failing, read)


def _of_outages(name: str, help: str, read: Callable[[Outages], float | None]) -> tuple[Series, ...]:
    """Of the application, of tests and of properties' values."""

    def of_application(executed: Executed) -> float | None:
        return read(executed.outages) if executed.runs else None

    def of_values(executed: Executed) -> Values:
        return [((value.property, value.value), read(value.outages)) for value in executed.property_outages]

    return (
        _scalar(name, f"{help}, of the application {_ALL}", of_application),
        _failing(name, help, lambda case: read(case.outages)),
        _series(f"value_{name}", f"{help}, of a property's value {_ALL}", ("property", "value"), of_values),
    )


def _outage_inputs(name: str, help: str, read: Callable[[Outages], float | None]) -> tuple[Series, ...]:
    """The inputs of the mean times."""
    return tuple(series.as_input() for series in _of_outages(name, help, read))


SERIES: tuple[Series, ...] = (
    _scalar(
        "evidence", "1 when a run of tests ended within the look-back. Polled.", lambda executed: bool(executed.runs)
    ),
    Series(
        "pte_test_execution_expected_seconds",
        "Maximum expected time between runs of tests. Configured.",
        ("application",),
        _expected,
    ).as_input(),
    Series(
        "pte_test_execution_limit",
        "Limit; its name says what it limits and in which unit. Configured.",
        ("application", "limit"),
        _limits,
    ).as_input(),
    _scalar(
        "last_timestamp_seconds",
        f"End of the last report {_LAST}",
        lambda executed: executed.last.at if executed.last else None,
    ),
    _series("last_tests", f"Tests by outcome {_LAST}", ("outcome",), _last_outcomes),
    _last("executed", "Tests that were not skipped", lambda counts: counts.executed).as_input(),
    _last("flaky", "Tests that failed and passed within a report", lambda counts: counts.flaky),
    _last("pass_ratio", "Passed / executed tests", lambda counts: counts.pass_ratio),
    _last("failure_ratio", "Failed tests and errors / executed tests", lambda counts: counts.failure_ratio),
    _last("duration_seconds", "Total duration of the tests", lambda counts: counts.seconds),
    _series("tests", f"Executions by outcome {_ALL}", ("outcome",), _total_outcomes),
    _total("executed", "Executions that were not skipped", lambda counts: counts.executed).as_input(),
    _total("flaky", "Executions that failed and passed within a report", lambda counts: counts.flaky),
    _total("pass_ratio", "Passed / executed tests", lambda counts: counts.pass_ratio),
    _total("flaky_ratio", "Flaky / executed tests", lambda counts: counts.flaky_ratio),
    _series("runs", "Runs of tests that ended in the window. Polled.", ("window",), _windows(per_hour=False)),
    _series("runs_per_hour", "Runs of tests in the window / its hours. Polled.", ("window",), _windows(per_hour=True)),
    _of_spike("failure_spike", f"1 when far more failed than before, {_LAST}", lambda spike: spike.is_spike),
    _scalar(
        "failure_spike_evidence",
        "1 when there are enough runs to detect a failure spike. Polled.",
        lambda executed: executed.spike is not None,
    ),
    _of_spike(
        "failure_reference_ratio",
        "Median failure ratio of the runs before the latest one. Polled.",
        lambda spike: spike.reference,
    ),
    _of_spike(
        "failure_reference_runs",
        "Number of earlier runs behind the median. Polled.",
        lambda spike: spike.runs,
    ).as_input(),
    *_of_groups("suite", "the suite"),
    *_of_groups("property", "the suite with this value"),
    _scalar(
        "other_groups", "Suites and suites' property values beyond the cap. Polled.", lambda executed: executed.other
    ),
    _flakiest("flaky", "Executions that were flaky", lambda case: case.flaky),
    _flakiest("executed", "Executions that were not skipped", lambda case: case.executed).as_input(),
    _flakiest("ratio", "Flaky / executed", lambda case: case.flaky / case.executed if case.executed else None),
    _failing("failed", "Executions that failed", lambda case: case.failed),
    _failing("executed", "Executions that were not skipped", lambda case: case.executed).as_input(),
    *_of_outages("mtbf_seconds", "Mean time between failures: passing time / failures", lambda outages: outages.mtbf),
    *_of_outages("mttr_seconds", "Mean time to repair: from failing to passing again", lambda outages: outages.mttr),
    *_outage_inputs("passing_seconds", "Passing time", lambda outages: outages.passing),
    *_outage_inputs(
        "failures",
        "Changes from passing to failing",
        lambda outages: outages.failures,
    ),
    *_outage_inputs(
        "repairing_seconds",
        "Total time to repair, of failures that began and ended",
        lambda outages: outages.repairing,
    ),
    *_outage_inputs("repairs", "Failures that began and ended", lambda outages: outages.repairs),
    *_of_outages("failing", "1 while failing", lambda outages: outages.failing),
)
