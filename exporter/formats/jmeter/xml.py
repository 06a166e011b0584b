"""JMeter's JTL as XML: samples inside samples. docs/reference/formats.md, section "JMeter".

Pulled from the parser sample by sample; memory does not grow with the file.
A DTD is refused, with all it could declare.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.parsers.expat import ErrorString

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, XMLParser

from exporter.errors import SourceError
from exporter.formats import Format
from exporter.formats.jmeter import samples
from exporter.formats.tally import Tally

_ROOT = re.compile(
    rb"\s*(<\?xml[^>]*\?>)?\s*((<!--.*?-->|<\?.*?\?>|<!DOCTYPE[^>\[]*(\[.*?\]\s*)?>)\s*)*<testResults\b", re.DOTALL
)
_SAMPLES = ("sample", "httpSample")
_INTEGER = re.compile(r"-?\d{1,18}")
_DEEPEST = 100
_MOST_THREADS = 25_000
"""When twice as many are known, those that did nothing for longest are forgotten."""

_LONGEST_TAG = 16 * 1024 * 1024
"""Bytes of a tag or a comment: the parser keeps it, and starts again with every block."""

_LONGEST_TEXT = 1000
"""Characters of an assertion's message that are looked at."""


def recognise(head: bytes) -> bool:
    return _ROOT.match(head) is not None


@dataclass(slots=True)
class _Sample:
    """An element that is open."""

    attributes: Mapping[str, str]
    location: str
    nested: int = 0
    """Samples inside."""
    failure: str = ""

    @property
    def transaction(self) -> bool:
        return self.attributes.get("rm", "").startswith(samples.TRANSACTION)

    def integer(self, name: str) -> int | None:
        """None where the sample does not report it; raises SourceError."""
        text = self.attributes.get(name, "")
        if not text:
            return None
        if not _INTEGER.fullmatch(text):
            raise SourceError("bad_data", f"{self.location}: {name} is {text[:40]}, expected a whole number")
        return int(text)

    def required_integer(self, name: str, meaning: str) -> int:
        """Raises SourceError, also where the sample does not report it."""
        value = self.integer(name)
        if value is None:
            raise SourceError("bad_data", f"{self.location}: a sample has no {name}, expected {meaning}")
        return value

    def size(self, name: str) -> float:
        """Bytes; NaN where the sample does not report them. Raises SourceError."""
        value = self.integer(name)
        return float("nan") if value is None else value


@dataclass(slots=True)
class _Target:
    """What the parser calls. Only open elements are remembered."""

    tally: Tally
    parser: Any = None
    depth: int = 0
    root_closed: bool = False
    open: list[_Sample] = field(default_factory=list)
    _failing: bool = False
    """Whether the assertion that is open failed."""
    _text: list[str] | None = None
    _last: dict[str, int] = field(default_factory=dict)
    """Thread to the start of its last request, milliseconds."""

    @property
    def line(self) -> int:
        return int(self.parser.CurrentLineNumber)

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self.depth += 1
        if self.depth == 1 and tag != "testResults":
            raise SourceError("bad_data", f"line {self.line}: begins with {tag[:40]}, expected testResults")
        if self.depth > _DEEPEST:
            raise SourceError("bad_data", f"line {self.line}: has elements {self.depth} deep")

        if tag in _SAMPLES:
            if self.open:
                self.open[-1].nested += 1
            self.open.append(_Sample(dict(attributes), f"line {self.line}"))
        elif tag == "assertionResult":
            self._failing = False
        elif tag in ("failure", "error", "failureMessage"):
            self._text = []

    def data(self, text: str) -> None:
        if self._text is not None and len(self._text) < _LONGEST_TEXT:
            self._text.append(text[:_LONGEST_TEXT])

    def end(self, tag: str) -> None:
        self.depth -= 1
        if tag in _SAMPLES and self.open:
            self._sample(self.open.pop())
        elif self._text is not None:
            self._assertion(tag, "".join(self._text)[:_LONGEST_TEXT])
            self._text = None
        self.root_closed = self.depth == 0

    def close(self) -> None:
        """The document has ended."""

    def _assertion(self, tag: str, text: str) -> None:
        """What an assertion says, by one of its elements; the message of the first that failed is kept."""
        if tag in ("failure", "error"):
            self._failing = self._failing or text.strip() == "true"
        elif tag == "failureMessage" and self._failing and self.open and not self.open[-1].failure:
            self.open[-1].failure = text

    def _sample(self, sample: _Sample) -> None:
        """Counts a sample that is a request: no part of one, and no transaction that has its requests in the file."""
        if not all(outer.transaction for outer in self.open):
            return

        start = sample.required_integer("ts", "milliseconds since 1970")
        elapsed = sample.required_integer("t", "milliseconds")
        if "lb" not in sample.attributes or sample.attributes.get("s", "").lower() not in ("true", "false"):
            raise SourceError("bad_data", f"{sample.location}: a sample needs lb, its label, and s, true or false")

        if sample.transaction:
            if sample.nested or self._is_beside(sample, start):
                return
            self.tally.warn(samples.HIDDEN)
        self._add(sample, start, elapsed)

    def _is_beside(self, sample: _Sample, start: int) -> bool:
        """Whether the requests of a transaction come before it, or it has none."""
        if sample.attributes["rm"].startswith(samples.NO_SAMPLES):
            return True

        before = self._last.get(sample.attributes.get("tn", ""))
        if before is None or before < start:
            return False
        self.tally.warn(samples.LEFT_OUT)
        return True

    def _add(self, sample: _Sample, start: int, elapsed: int) -> None:
        attributes = sample.attributes
        if (sample.integer("sc") or 1) > 1:
            text = f"sc, the number of samples, is {attributes['sc']}, expected 1 (sums have no percentiles)"
            raise SourceError("bad_data", f"{sample.location}: {text}: set mode=StrippedBatch")

        self._remember(attributes.get("tn", ""), start)
        failed = attributes["s"].lower() == "false"
        kind = self._kind(sample) if failed else 0
        received = sample.size("by")
        sent = sample.size("sby")
        users = sample.integer("na")
        self.tally.add(
            self.tally.endpoint(attributes["lb"]),
            start / 1000,
            elapsed / 1000,
            failed=failed,
            kind=kind,
            received=received,
            sent=sent,
            location=sample.location,
        )
        if users:
            self.tally.users((start + elapsed) / 1000, users)

    def _kind(self, sample: _Sample) -> int:
        code = sample.attributes.get("rc", sample.attributes.get("rs", ""))
        return self.tally.kind(samples.kind(code, sample.failure, sample.attributes.get("rm", "")))

    def _remember(self, thread: str, start: int) -> None:
        self._last.pop(thread, None)  # moves it to the end; the first ones are forgotten
        self._last[thread] = start
        if len(self._last) > 2 * _MOST_THREADS:
            self._last = dict(list(self._last.items())[_MOST_THREADS:])


class Reader:
    """Feeds the parser, which calls back for every element."""

    def __init__(self, tally: Tally) -> None:
        self._target = _Target(tally)
        self._parser: Any = XMLParser(target=self._target, forbid_dtd=True, forbid_entities=True, forbid_external=True)
        self._target.parser = self._parser.parser
        self._fed = 0

    def feed(self, block: bytes) -> None:
        """The file's next bytes; raises SourceError."""
        self._fed += len(block)
        try:
            self._parser.feed(block)
        except DefusedXmlException:
            text = f"line {self._target.line}: declares a DTD or an entity, which is not allowed"
            raise SourceError("bad_data", text) from None
        except ParseError as error:
            problem = ErrorString(error.code)
            raise SourceError("bad_data", f"line {error.position[0]}: is not valid XML: {problem}") from None
        except (ValueError, LookupError) as error:
            raise SourceError("bad_data", f"line {self._target.line}: is not valid XML: {error}") from None

        unread = self._fed - max(0, int(self._parser.parser.CurrentByteIndex))
        if unread > _LONGEST_TAG:
            text = f"line {self._target.line}: has a tag or comment of more than {_LONGEST_TAG} bytes"
            raise SourceError("bad_data", text)

    def end(self) -> None:
        """JMeter closes the root when the test ends."""
        if not self._target.root_closed:
            text = f"is incomplete, it ends on line {self._target.line}: JMeter closes the file when the test ends"
            self._target.tally.breaks_off(text)


FORMAT = Format("jmeter-xml", "jmeter", recognise, reader=Reader)
