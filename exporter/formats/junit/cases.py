"""The test cases of a parsed JUnit XML report, suite by suite, suites within suites."""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from xml.etree.ElementTree import Element

from exporter.errors import SourceError
from exporter.formats.tally.names import cut
from exporter.model.execution import Execution, Outcome

SUITES = ("testsuites", "testsuite")
"""Elements that hold suites and cases."""

_SECONDS = re.compile(r"(\d+|[1-9]\d{0,2}(,\d{3})+)(\.\d*)?([eE][-+]?\d{1,3})?|\.\d+")
"""With or without thousands separators, as Surefire writes them. 0,5 is invalid, and would be read as 5."""

_MOST_SECONDS = 366 * 86400.0

_FARTHEST_ZONE = 14 * 3600.0
"""How far a clock can be ahead of UTC."""

_FLAKY = {"flakyFailure", "flakyError"}
"""What Surefire and Playwright put into a case that failed and then passed."""

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
        self.attempts: dict[tuple[object, ...], list[Execution]] = {}
        """Of each case, all executions."""
        self._labels = labels
        self._zone = zone
        self._modified = modified
        self._name = name
        self._number = 0

    def read(self, root: Element) -> None:
        """Every case below `root`; raises SourceError that names the case or suite."""
        outside = _Suite(root, (), self._modified, {})
        first = self._suite(root, outside)
        self.ended = first.ended
        self._walk(root, first)

        if not self._number and root.get("tests", "0").strip() not in {"", "0"}:
            raise SourceError("bad_data", f"reports {root.get('tests')} tests but lists no test case")

    def _walk(self, root: Element, first: _Suite) -> None:
        # With a stack of our own: suites may be nested deeper than functions can be called.
        stack: list[tuple[_Suite, Iterator[Element]]] = [(first, iter(root))]
        while stack:
            suite, children = stack[-1]
            child = next(children, None)
            if child is None:
                stack.pop()
            elif child.tag in SUITES:
                inner = self._suite(child, suite)
                stack.append((inner, iter(child)))
            elif child.tag == "testcase":
                self._case(child, suite)

    def _suite(self, element: Element, outer: _Suite) -> _Suite:
        if element.get("name") in _PYTEST:
            self.pytest = True

        names = outer.names
        if element.tag == "testsuite":
            name = _text(element, "name")
            if name and name not in names:
                names = (*names, name)
        return _Suite(element, names, self._end(element, outer.ended), self._labelled(element, outer.labels))

    def _end(self, element: Element, otherwise: float) -> float:
        if not _text(element, "timestamp"):
            return otherwise

        location = f"suite {cut(_text(element, 'name'))}".strip()
        start = self._start(element, location)
        took = _seconds(element, location)
        if not took:
            took = sum(_seconds(case, location) or 0.0 for case in element.iter("testcase"))
        end = start + took

        # Nothing ended after it was written: times of cases that ran side by side were added up, or the clock that
        # has no zone is ahead of this host's. If no zone explains the file's age, somebody else set its date.
        return self._modified if end > self._modified >= start - _FARTHEST_ZONE else end

    def _start(self, element: Element, location: str) -> float:
        text = _text(element, "timestamp")
        try:
            moment = datetime.fromisoformat(text)
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=self._zone)
            return moment.timestamp()
        except (ValueError, OverflowError):
            raise SourceError(
                "bad_data", f"{location}: timestamp is {text}, expected a time such as 2025-11-20T10:00:00Z"
            ) from None

    def _labelled(self, element: Element, outer: Mapping[str, str]) -> Mapping[str, str]:
        """The configured labels: a property's value, or an attribute's (Playwright: hostname is its project)."""
        if not self._labels:
            return outer

        properties = {entry.get("name"): entry.get("value") or entry.text for entry in _properties(element)}
        labels = dict(outer)
        for label in self._labels:
            value = " ".join((properties.get(label) or element.get(label) or "").split())
            if value:
                labels[label] = sys.intern(cut(value))

        # Most cases have those of their suite: one mapping for all of them.
        return outer if labels == outer else labels

    def _case(self, element: Element, suite: _Suite) -> None:
        self._number += 1
        location = f"test case {self._number}"
        name = ".".join(filter(None, (_text(element, "classname"), _text(element, "name"))))
        if not name:
            raise SourceError("bad_data", f"{location}: has no name")

        inside = {child.tag for child in element}
        outcome = _outcome(inside, element)
        execution = Execution(
            sys.intern(cut(" / ".join(suite.names) or self._name)),
            sys.intern(cut(name)),
            outcome,
            suite.ended,
            _seconds(element, f"{location} ({cut(name)})"),
            outcome == "passed" and not _FLAKY.isdisjoint(inside),
            self._labelled(element, suite.labels),
        )
        # Playwright's suites of two projects differ in nothing but the hostname.
        key = (suite.names, suite.element.get("hostname"), name, tuple(sorted(execution.labels.items())))
        self.attempts.setdefault(key, []).append(execution)


def _outcome(inside: Collection[str], element: Element) -> Outcome:
    """By the elements inside a case; without a decisive one, by its attributes."""
    if "error" in inside:
        return "error"
    if "failure" in inside:
        return "failed"
    if "skipped" in inside:
        return "skipped"

    states = {element.get(name, "").lower() for name in ("status", "result")}
    return "passed" if states.isdisjoint(_NOT_RUN) else "skipped"


def _properties(element: Element) -> Iterable[Element]:
    """A property's value is an attribute, or its text."""
    inside = element.find("properties")
    return () if inside is None else inside.iterfind("property")


def _seconds(element: Element, location: str) -> float | None:
    """A duration; None where none is reported."""
    text = _text(element, "time")
    if not text:
        return None

    value = float(text.replace(",", "")) if _SECONDS.fullmatch(text) else -1.0
    if not 0 <= value <= _MOST_SECONDS:
        raise SourceError("bad_data", f"{location}: time is {cut(text)}, expected seconds, such as 1,234.5")
    return value


def _text(element: Element, attribute: str) -> str:
    """An attribute's text on one line."""
    return " ".join(element.get(attribute, "").split())
