"""What the reports of test runners say together. docs/method.md, section "Test executions"."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from statistics import median

from exporter.analysis.outages import FAILED, application_outages, case_outages, property_outages
from exporter.model.execution import Case, Counts, Executed, Execution, Group, Report, Run, Spike
from exporter.model.settings import ExecutionSettings

HOUR, DAY = 3600.0, 86400.0


def executed(
    reports: Sequence[Report], settings: ExecutionSettings, at: float, last: Executed | None = None
) -> Executed:
    """The reports within the look-back of `at` (Unix seconds), together.

    `last` is what the round before made of the same settings; without new reports all of it but times is kept.
    """
    known = sorted((one for one in reports if at - settings.lookback < one.at <= at), key=lambda one: one.at)
    if last is not None and [id(one) for one in last.reports] == [id(one) for one in known]:
        return replace(last, recent=_recent(last.runs, settings.lookback, at))
    runs = list(_runs([one for one in known if one.executions], settings.run_gap))
    everything = [each for run in runs for report in run for each in report.executions]
    groups = _groups(runs)
    suites, properties = ([one for one in groups if bool(one.property) is wanted] for wanted in (False, True))
    told = tuple(Run(run[-1].at, counts(each for report in run for each in report.executions)) for run in runs)
    return Executed(
        reports=tuple(known),
        runs=told,
        total=counts(everything),
        recent=_recent(told, settings.lookback, at),
        suites=_capped(suites, settings.max_groups),
        properties=_capped(properties, settings.max_groups),
        other=sum(max(0, len(each) - settings.max_groups) for each in (suites, properties)),
        flakiest=_flakiest(everything, settings.max_tests),
        failing=_failing(known, everything, settings.max_tests),
        outages=application_outages(known),
        property_outages=property_outages(known, settings.max_groups),
        spike=_spike(told, settings),
    )


def _recent(runs: Sequence[Run], lookback: float, at: float) -> dict[float, int]:
    """The last hour, the last day and the look-back, each to its runs."""
    windows = [window for window in (HOUR, DAY, lookback) if window <= lookback]
    return {window: sum(at - window < run.at for run in runs) for window in windows}


def counts(executions: Iterable[Execution]) -> Counts:
    """How they ended, counted."""
    outcomes, flaky, seconds = Counter[str](), 0, list[float]()
    for each in executions:
        outcomes[each.outcome] += 1
        flaky += each.flaky
        if each.seconds is not None:
            seconds.append(each.seconds)
    return Counts(**outcomes, flaky=flaky, seconds=sum(seconds) if seconds else None)


def _runs(reports: Sequence[Report], gap: float) -> Iterator[list[Report]]:
    """Reports that belong together: close to each other, and without a test in common."""
    run, tests = list[Report](), set[tuple[object, ...]]()
    for report in reports:
        own = {(each.suite, each.name, *each.labels.items()) for each in report.executions}
        if run and (report.at - run[-1].at > gap or not own.isdisjoint(tests)):
            yield run
            run, tests = [], set()
        run.append(report)
        tests |= own
    if run:
        yield run


def _groups(runs: Sequence[Sequence[Report]]) -> list[Group]:
    """Each suite, and each of its property values, in the latest run that has it."""
    found: dict[tuple[str, str, str], Group] = {}
    for run in reversed(runs):
        inside: dict[tuple[str, str, str], list[Execution]] = {}
        for each in (each for report in run for each in report.executions):
            for key, value in (("", ""), *each.labels.items()):
                group = (each.suite, key, value)
                if group not in found:
                    inside.setdefault(group, []).append(each)
        for (suite, key, value), executions in inside.items():
            found[suite, key, value] = Group(suite, run[-1].at, counts(executions), key, value)
    return list(found.values())


def _capped(groups: Sequence[Group], most: int) -> tuple[Group, ...]:
    """Those with failures first, then the largest; shown by name."""

    def weight(group: Group) -> tuple[object, ...]:
        failures = group.counts.failed + group.counts.error
        return -failures, -group.counts.executed, group.suite, group.property, group.value

    kept = sorted(groups, key=weight)[:most]
    return tuple(sorted(kept, key=lambda group: (group.suite, group.property, group.value)))


def _cases(executions: Iterable[Execution], wanted: set[tuple[str, str]]) -> Iterator[Case]:
    """What was counted of these tests."""
    ran, flaky, failed = (Counter[tuple[str, str]]() for _ in range(3))
    for each in executions:
        case = (each.suite, each.name)
        if case in wanted and each.outcome != "skipped":
            ran[case] += 1
            flaky[case] += each.flaky
            failed[case] += each.outcome in FAILED
    return (Case(*case, ran[case], flaky[case], failed[case]) for case in ran)


def _flakiest(executions: Sequence[Execution], most: int) -> tuple[Case, ...]:
    found = _cases(executions, {(each.suite, each.name) for each in executions if each.flaky})
    return tuple(sorted(found, key=lambda case: (-case.flaky, case.executed, case.suite, case.name))[:most])


def _failing(reports: Sequence[Report], executions: Sequence[Execution], most: int) -> tuple[Case, ...]:
    """Those that failed, with how long they pass and fail."""
    outages = case_outages(reports)
    found = [replace(case, outages=outages[case.suite, case.name]) for case in _cases(executions, set(outages))]

    def weight(case: Case) -> tuple[object, ...]:
        return not case.outages.failing, -case.outages.failures, -case.failed, case.suite, case.name

    return tuple(sorted(found, key=weight)[:most])


def _spike(runs: Sequence[Run], settings: ExecutionSettings) -> Spike | None:
    """Whether the latest run failed far more than the runs before; None with too few of them."""
    ratios = [run.counts.failure_ratio for run in runs if run.counts.failure_ratio is not None]
    if not ratios or runs[-1].counts.failure_ratio is None or len(ratios) - 1 < max(1, settings.spike_runs):
        return None
    last, reference = runs[-1].counts, median(ratios[:-1])
    more = last.failed + last.error - reference * last.executed
    is_spike = ratios[-1] >= settings.spike_magnitude * reference and more >= settings.spike_failures
    return Spike(ratios[-1], reference, len(ratios) - 1, is_spike)
