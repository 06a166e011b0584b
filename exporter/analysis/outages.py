"""How long tests and devices pass, fail and take to be repaired. docs/method.md, section "Test executions".

Something fails while at least one of its tests does: a test on one device is a test of its own, and keeps its last
outcome until it is executed again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from exporter.model.execution import Execution, Outages, Report, ValueOutages

Test = tuple[object, ...]
"""Suite, name and labels of an execution."""

Key = TypeVar("Key", bound=Hashable)

FAILED = frozenset({"failed", "error"})


@dataclass(slots=True)
class _State:
    """What is known of one thing up to now."""

    failing: set[Test] = field(default_factory=set)
    at: float | None = None
    """When something was last known of it."""
    was_failing: bool = False
    began: float | None = None
    """When the failure that lasts began; None where it was there from the first."""
    passing: float = 0.0
    failures: int = 0
    repairing: float = 0.0
    repairs: int = 0

    def seen(self, at: float) -> None:
        """All executions of a report have been told: what it is now, it is until the next."""
        failing = bool(self.failing)
        if self.at is not None:
            if not self.was_failing:
                self.passing += at - self.at
            if failing and not self.was_failing:
                self.failures, self.began = self.failures + 1, at
            elif self.was_failing and not failing and self.began is not None:
                self.repairing, self.repairs = self.repairing + at - self.began, self.repairs + 1
                self.began = None
        self.at, self.was_failing = at, failing


def application_outages(reports: Sequence[Report]) -> Outages:
    """Of all tests together; `reports` by time, in all functions here."""
    return _outages((report.at, [("", each) for each in report.executions]) for report in reports).get("", Outages())


def case_outages(reports: Sequence[Report]) -> Mapping[tuple[str, str], Outages]:
    """(suite, name) to its own, of those that ever failed."""
    ever = {(each.suite, each.name) for report in reports for each in report.executions if each.outcome in FAILED}
    return _outages(
        (
            report.at,
            [((each.suite, each.name), each) for each in report.executions if (each.suite, each.name) in ever],
        )
        for report in reports
    )


def property_outages(reports: Sequence[Report], most: int) -> tuple[ValueOutages, ...]:
    """Each property's values, those with the most executions."""
    known = Counter(item for report in reports for each in report.executions for item in each.labels.items())
    kept = dict(known.most_common(most))
    found = _outages(
        (report.at, [(item, each) for each in report.executions for item in each.labels.items() if item in kept])
        for report in reports
    )
    return tuple(ValueOutages(*item, outages) for item, outages in sorted(found.items()))


def _outages(told: Iterable[tuple[float, Sequence[tuple[Key, Execution]]]]) -> dict[Key, Outages]:
    """From (time, (thing, execution)...) by ascending time."""
    states: dict[Key, _State] = {}
    for at, executions in told:
        failed = {(key, _test(each)) for key, each in executions if each.outcome in FAILED}
        touched = dict.fromkeys(key for key, each in executions if each.outcome != "skipped")
        for key in touched:
            states.setdefault(key, _State())
        for key, each in executions:
            if each.outcome == "passed" and states[key].failing:
                states[key].failing.discard(_test(each))
        for key, test in failed:
            states[key].failing.add(test)
        for key in touched:
            states[key].seen(at)
    return dict(_results(states))


def _results(states: Mapping[Key, _State]) -> Iterator[tuple[Key, Outages]]:
    for key, state in states.items():
        yield key, Outages(state.passing, state.failures, state.repairing, state.repairs, state.was_failing)


def _test(execution: Execution) -> Test:
    return execution.suite, execution.name, *execution.labels.items()
