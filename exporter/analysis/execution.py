"""What the reports of test runners say together. docs/explanation/method.md, section "Test executions"."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from statistics import median

from exporter.analysis.outages import FAILED, application_outages, case_outages, property_outages
from exporter.model.execution import Case, Counts, Executed, Execution, FailureSpike, Group, Report, Run
from exporter.model.settings import ExecutionSettings

HOUR = 3600.0
DAY = 86400.0

GroupKey = tuple[str, str, str]
"""Suite, property and value; the last two are empty for the suite as a whole."""


def executed(
    reports: Sequence[Report], settings: ExecutionSettings, at: float, last: Executed | None = None
) -> Executed:
    """The reports within the look-back of `at` (Unix seconds), together.

    `last` is what was made last of the same settings; without new reports all of it but times is kept.
    """
    recent = [report for report in reports if at - settings.lookback < report.at <= at]
    recent.sort(key=lambda report: report.at)
    if last is not None and _are_same(last.reports, recent):
        return replace(last, recent=_recent(last.runs, settings.lookback, at))

    grouped = list(_runs([report for report in recent if report.executions], settings.run_gap))
    runs = tuple(Run(reports[-1].at, counts(_executions(reports))) for reports in grouped)
    executions = list(_executions(itertools.chain(*grouped)))
    groups = _groups(grouped)
    suites = [group for group in groups if not group.property]
    properties = [group for group in groups if group.property]
    beyond_cap = [max(0, len(some) - settings.max_groups) for some in (suites, properties)]

    return Executed(
        reports=tuple(recent),
        runs=runs,
        total=counts(executions),
        recent=_recent(runs, settings.lookback, at),
        suites=_capped(suites, settings.max_groups),
        properties=_capped(properties, settings.max_groups),
        other=sum(beyond_cap),
        flakiest=_flakiest(executions, settings.max_tests),
        failing=_failing(recent, executions, settings.max_tests),
        outages=application_outages(recent),
        property_outages=property_outages(recent, settings.max_groups),
        spike=_spike(runs, settings),
    )


def _are_same(earlier: Sequence[Report], later: Sequence[Report]) -> bool:
    """The very same objects: sources hand out a report again as long as its file is unchanged."""
    return [id(report) for report in earlier] == [id(report) for report in later]


def _executions(reports: Iterable[Report]) -> Iterator[Execution]:
    for report in reports:
        yield from report.executions


def _recent(runs: Sequence[Run], lookback: float, at: float) -> dict[float, int]:
    """The last hour, the last day and the look-back, each to its runs."""
    windows = [window for window in (HOUR, DAY, lookback) if window <= lookback]
    return {window: sum(at - window < run.at for run in runs) for window in windows}


def counts(executions: Iterable[Execution]) -> Counts:
    """How they ended, counted."""
    outcomes = Counter[str]()
    flaky = 0
    seconds: list[float] = []
    for execution in executions:
        outcomes[execution.outcome] += 1
        flaky += execution.flaky
        if execution.seconds is not None:
            seconds.append(execution.seconds)

    duration = sum(seconds) if seconds else None
    return Counts(**outcomes, flaky=flaky, seconds=duration)


def _runs(reports: Sequence[Report], gap: float) -> Iterator[list[Report]]:
    """Reports that belong together: close to each other, and without a test in common."""
    run: list[Report] = []
    tests: set[tuple[object, ...]] = set()

    for report in reports:
        own = {(execution.suite, execution.name, *execution.labels.items()) for execution in report.executions}
        # A test that was executed already has been started again: that is the next run, however soon.
        if run and (report.at - run[-1].at > gap or not own.isdisjoint(tests)):
            yield run
            run = []
            tests = set()
        run.append(report)
        tests |= own

    if run:
        yield run


def _groups(runs: Sequence[Sequence[Report]]) -> list[Group]:
    """Each suite, and each of its property values, in the latest run that has it."""
    groups: dict[GroupKey, Group] = {}
    for run in reversed(runs):
        members: dict[GroupKey, list[Execution]] = {}
        for execution in _executions(run):
            for key in _group_keys(execution):
                if key not in groups:
                    members.setdefault(key, []).append(execution)

        for key, executions in members.items():
            suite, name, value = key
            groups[key] = Group(suite, run[-1].at, counts(executions), name, value)
    return list(groups.values())


def _group_keys(execution: Execution) -> Iterator[GroupKey]:
    yield execution.suite, "", ""
    for name, value in execution.labels.items():
        yield execution.suite, name, value


def _capped(groups: Sequence[Group], most: int) -> tuple[Group, ...]:
    """Those with failures first, then the largest; shown by name."""

    def weight(group: Group) -> tuple[object, ...]:
        failures = group.counts.failed + group.counts.error
        return -failures, -group.counts.executed, group.suite, group.property, group.value

    capped = sorted(groups, key=weight)[:most]
    return tuple(sorted(capped, key=lambda group: (group.suite, group.property, group.value)))


def _cases(executions: Iterable[Execution], tests: Collection[tuple[str, str]]) -> Iterator[Case]:
    """What was counted of these tests."""
    ran = Counter[tuple[str, str]]()
    flaky = Counter[tuple[str, str]]()
    failed = Counter[tuple[str, str]]()
    for execution in executions:
        test = (execution.suite, execution.name)
        if test in tests and execution.outcome != "skipped":
            ran[test] += 1
            flaky[test] += execution.flaky
            failed[test] += execution.outcome in FAILED

    for test in ran:
        yield Case(*test, ran[test], flaky[test], failed[test])


def _flakiest(executions: Sequence[Execution], most: int) -> tuple[Case, ...]:
    flaky = {(execution.suite, execution.name) for execution in executions if execution.flaky}
    cases = sorted(_cases(executions, flaky), key=lambda case: (-case.flaky, case.executed, case.suite, case.name))
    return tuple(cases[:most])


def _failing(reports: Sequence[Report], executions: Sequence[Execution], most: int) -> tuple[Case, ...]:
    """Those that failed, with how long they pass and fail."""
    outages = case_outages(reports)
    cases = [replace(case, outages=outages[case.suite, case.name]) for case in _cases(executions, outages.keys())]

    def weight(case: Case) -> tuple[object, ...]:
        return not case.outages.failing, -case.outages.failures, -case.failed, case.suite, case.name

    return tuple(sorted(cases, key=weight)[:most])


def _spike(runs: Sequence[Run], settings: ExecutionSettings) -> FailureSpike | None:
    """Whether the latest run failed far more than the runs before; None with too few of them."""
    ratios = [run.counts.failure_ratio for run in runs if run.counts.failure_ratio is not None]
    if not ratios or runs[-1].counts.failure_ratio is None or len(ratios) - 1 < max(1, settings.spike_runs):
        return None

    last = runs[-1].counts
    reference = median(ratios[:-1])
    # Both are needed: of few tests a single failure is a large part, and of many a few failures are a small one.
    additional_failures = last.failed + last.error - reference * last.executed
    is_spike = ratios[-1] >= settings.spike_magnitude * reference and additional_failures >= settings.spike_failures
    return FailureSpike(ratios[-1], reference, len(ratios) - 1, is_spike)
