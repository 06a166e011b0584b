"""How long tests and devices pass, fail and take to be repaired. docs/explanation/method.md, section "Test executions".

Something fails while at least one of its tests does: a test on one device is a separate test, and keeps its last
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

    def advance(self, at: float) -> None:
        """All executions of a report have been applied: its state holds until the next report."""
        failing = bool(self.failing)
        if self.at is not None:
            self._account(failing, at, since=self.at)
        self.at = at
        self.was_failing = failing

    def _account(self, failing: bool, at: float, since: float) -> None:
        """Add the time since the report before, and the failures that begin or end with this report."""
        if not self.was_failing:
            self.passing += at - since
        if failing and not self.was_failing:
            self.failures += 1
            self.began = at
        elif self.was_failing and not failing and self.began is not None:
            self.repairing = self.repairing + at - self.began
            self.repairs += 1
            self.began = None


def application_outages(reports: Sequence[Report]) -> Outages:
    """Of all tests together; `reports` by time, in all functions here."""
    events = ((report.at, [("", execution) for execution in report.executions]) for report in reports)
    return _outages(events).get("", Outages())


def case_outages(reports: Sequence[Report]) -> Mapping[tuple[str, str], Outages]:
    """(suite, name) to its own, of those that ever failed."""
    failed = set()
    for report in reports:
        failed |= {_case(execution) for execution in report.executions if execution.outcome in FAILED}

    def events() -> Iterator[tuple[float, list[tuple[tuple[str, str], Execution]]]]:
        for report in reports:
            executions = ((_case(execution), execution) for execution in report.executions)
            yield report.at, [(case, execution) for case, execution in executions if case in failed]

    return _outages(events())


def _case(execution: Execution) -> tuple[str, str]:
    return execution.suite, execution.name


def property_outages(reports: Sequence[Report], most: int) -> tuple[ValueOutages, ...]:
    """Each property's values, those with the most executions."""
    frequency = Counter[tuple[str, str]]()
    for report in reports:
        for execution in report.executions:
            frequency.update(execution.labels.items())
    values = dict(frequency.most_common(most))

    def events() -> Iterator[tuple[float, list[tuple[tuple[str, str], Execution]]]]:
        for report in reports:
            pairs = []
            for execution in report.executions:
                pairs += [(value, execution) for value in execution.labels.items() if value in values]
            yield report.at, pairs

    return tuple(ValueOutages(*value, outages) for value, outages in sorted(_outages(events()).items()))


def _outages(events: Iterable[tuple[float, Sequence[tuple[Key, Execution]]]]) -> dict[Key, Outages]:
    """From (time, (thing, execution)...) by ascending time.

    Of one report first what passed is applied, then what failed: a test that did both in it counts as failing.
    """
    states: dict[Key, _State] = {}
    for at, executions in events:
        touched = dict.fromkeys(key for key, execution in executions if execution.outcome != "skipped")
        for key in touched:
            states.setdefault(key, _State())

        for key, execution in executions:
            if execution.outcome == "passed":
                states[key].failing.discard(_test(execution))
        for key, execution in executions:
            if execution.outcome in FAILED:
                states[key].failing.add(_test(execution))

        for key in touched:
            states[key].advance(at)
    return dict(_results(states))


def _results(states: Mapping[Key, _State]) -> Iterator[tuple[Key, Outages]]:
    for key, state in states.items():
        yield key, Outages(state.passing, state.failures, state.repairing, state.repairs, state.was_failing)


def _test(execution: Execution) -> Test:
    return execution.suite, execution.name, *execution.labels.items()
