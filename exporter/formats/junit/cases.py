"""The test cases of a parsed JUnit XML report, suite by suite, suites within suites."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, tzinfo
from xml.etree.ElementTree import Element

from junitparser import Error, Failure, Skipped, xunit2

from exporter.errors import SourceError
from exporter.formats.tally.names import cut
from exporter.model.execution import Execution, Outcome

_SECONDS = re.compile(r"(\d+|[1-9]\d{0,2}(,\d{3})+)(\.\d*)?([eE][-+]?\d{1,3})?|\.\d+")
"""With or without thousands separators, as Surefire writes them. 0,5 is no such number, and would be read as 5."""

_MOST_SECONDS = 366 * 86400.0
_FARTHEST_ZONE = 14 * 3600.0
"""How far a clock can be ahead of UTC."""

_FLAKY = (xunit2.FlakyFailure, xunit2.FlakyError)

_PYTEST = {"pytest", "pytest tests"}
"""What pytest calls its suite (where no other name is configured) and, since 8.0, its root."""

_NOT_RUN = {"notrun", "skipped", "disabled", "ignored"}
"""How some tools (GoogleTest, NUnit) say in `status` or `result` that a case was not run, without <skipped>."""


@dataclass(frozen=True, slots=True)
class _Suite:
    """What holds for the cases of a suite, its own or of a suite around it."""

    element: Element
    names: tuple[str, ...]
    ended: float
    labels: Mapping[str, str]


class Cases:
    """Collects the executions of each case of a report, in the order of the file."""

    def __init__(self, labels: Sequence[str], zone: tzinfo, modified: float, name: str) -> None:
        self.ended = modified
        """When the outermost suite ended; Unix seconds."""
        self.pytest = False
        """Whether pytest wrote the report."""
        self.found: dict[tuple[object, ...], list[Execution]] = {}
        self._labels, self._zone, self._modified, self._name = labels, zone, modified, name
        self._number = 0

    def read(self, root: Element) -> None:
        """Every case below `root`; raises SourceError that tells the case or suite."""
        outside = _Suite(root, (), self._modified, {})
        first = self._suite(root, outside)
        self.ended = first.ended
        stack: list[tuple[_Suite, Iterator[Element]]] = [(first, iter(root))]
        while stack:  # suites may be nested deeper than functions can be
            suite, children = stack[-1]
            child = next(children, None)
            if child is None:
                stack.pop()
            elif child.tag in {"testsuite", "testsuites"}:
                inner = self._suite(child, suite)
                stack.append((inner, iter(child)))
            elif child.tag == "testcase":
                self._case(child, suite)
        if not self._number and root.get("tests", "0").strip() not in {"", "0"}:
            raise SourceError("bad_data", f"tells {root.get('tests')} tests and lists no test case")

    def _suite(self, element: Element, outer: _Suite) -> _Suite:
        self.pytest = self.pytest or element.get("name") in _PYTEST
        name = _text(element, "name") if element.tag == "testsuite" else ""
        names = (*outer.names, name) if name and name not in outer.names else outer.names
        return _Suite(element, names, self._end(element, outer.ended), self._labelled(element, outer.labels))

    def _end(self, element: Element, otherwise: float) -> float:
        text = _text(element, "timestamp")
        if not text:
            return otherwise
        place = f"suite {cut(_text(element, 'name'))}".strip()
        try:
            moment = datetime.fromisoformat(text)
            start = (moment if moment.tzinfo else moment.replace(tzinfo=self._zone)).timestamp()
        except (ValueError, OverflowError):
            raise SourceError(
                "bad_data", f"{place}: timestamp is {text}, wanted such as 2025-11-20T10:00:00Z"
            ) from None
        end = start + (
            _seconds(element, place) or sum(_seconds(each, place) or 0.0 for each in element.iter("testcase"))
        )
        # Nothing ended after it was written: times of cases that ran side by side were added up, or the clock that
        # tells no zone is ahead of ours. A file that is older than any zone could explain was dated by somebody else.
        return self._modified if end > self._modified >= start - _FARTHEST_ZONE else end

    def _labelled(self, element: Element, outer: Mapping[str, str]) -> Mapping[str, str]:
        """The configured labels: a property's value, or an attribute's (Playwright: hostname is its project)."""
        if not self._labels:
            return outer
        found = dict(outer)
        properties = {each.get("name"): each.get("value") or each.text for each in _properties(element)}
        for label in self._labels:
            value = " ".join((properties.get(label) or element.get(label) or "").split())
            if value:
                found[label] = sys.intern(cut(value))
        return outer if found == outer else found

    def _case(self, element: Element, suite: _Suite) -> None:
        self._number += 1
        place = f"test case {self._number}"
        name = ".".join(filter(None, (_text(element, "classname"), _text(element, "name"))))
        if not name:
            raise SourceError("bad_data", f"{place}: has no name")
        case = xunit2.TestCase.fromelem(element)
        inside = {type(each) for each in case}
        outcome = _outcome(inside, element)
        execution = Execution(
            sys.intern(cut(" / ".join(suite.names) or self._name)),
            sys.intern(cut(name)),
            outcome,
            suite.ended,
            _seconds(element, f"{place} ({cut(name)})"),
            outcome == "passed" and not inside.isdisjoint(_FLAKY),
            self._labelled(element, suite.labels),
        )
        # Playwright's suites of two projects differ in nothing but the hostname.
        key = (suite.names, suite.element.get("hostname"), name, tuple(sorted(execution.labels.items())))
        self.found.setdefault(key, []).append(execution)


def _outcome(results: Set[type], element: Element) -> Outcome:
    if Error in results:
        return "error"
    if Failure in results:
        return "failed"
    not_run = {element.get(name, "").lower() for name in ("status", "result")} & _NOT_RUN
    return "skipped" if Skipped in results or not_run else "passed"


def _properties(element: Element) -> Iterable[Element]:
    """A property's value is an attribute, or its text."""
    inside = element.find("properties")
    return () if inside is None else inside.iterfind("property")


def _seconds(element: Element, place: str) -> float | None:
    """A duration; None where none is told."""
    text = _text(element, "time")
    if not text:
        return None
    value = float(text.replace(",", "")) if _SECONDS.fullmatch(text) else -1.0
    if not 0 <= value <= _MOST_SECONDS:
        raise SourceError("bad_data", f"{place}: time is {cut(text)}, wanted seconds, such as 1,234.5")
    return value


def _text(element: Element, attribute: str) -> str:
    """An attribute's text on one line."""
    return " ".join(element.get(attribute, "").split())
