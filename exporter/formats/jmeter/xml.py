"""JMeter's JTL as XML: samples inside samples. docs/results.md, section "JMeter".

Pulled from the parser sample by sample; memory does not grow with the file.
A DTD is refused, with all it could declare.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

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
_LONGEST_TAG = 16 * 1024 * 1024
"""Bytes of a tag or a comment: the parser keeps it, and begins it anew with every block."""
_LONGEST_TEXT = 1000
"""Characters of an assertion's message that are looked at."""


def recognise(head: bytes) -> bool:
    return _ROOT.match(head) is not None


@dataclass(slots=True)
class _Sample:
    """An element that is open."""

    attributes: Mapping[str, str]
    place: str
    nested: int = 0
    """Samples inside."""
    failure: str = ""

    @property
    def transaction(self) -> bool:
        return self.attributes.get("rm", "").startswith(samples.TRANSACTION)


@dataclass(slots=True)
class _Target:
    """What the parser calls. Only open elements are remembered."""

    tally: Tally
    parser: Any = None
    depth: int = 0
    root_closed: bool = False
    open: list[_Sample] = field(default_factory=list)
    _failing: bool = False
    _text: list[str] | None = None
    _last: dict[str, int] = field(default_factory=dict)
    """Thread to the start of its last request, milliseconds."""

    @property
    def line(self) -> int:
        return int(self.parser.CurrentLineNumber)

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self.depth += 1
        if self.depth == 1 and tag != "testResults":
            raise SourceError("bad_data", f"line {self.line}: begins with {tag[:40]}, wanted testResults")
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
            text = "".join(self._text)[:_LONGEST_TEXT]
            if tag in ("failure", "error"):
                self._failing = self._failing or text.strip() == "true"
            elif tag == "failureMessage" and self._failing and self.open and not self.open[-1].failure:
                self.open[-1].failure = text
            self._text = None
        self.root_closed = self.depth == 0

    def close(self) -> None:
        """The document has ended."""

    def _sample(self, sample: _Sample) -> None:
        """Counts a sample that is a request: no part of one, and no transaction that has its requests in the file."""
        if any(not each.transaction for each in self.open):
            return
        start, elapsed = _number(sample, "ts", "milliseconds since 1970"), _number(sample, "t", "milliseconds")
        if "lb" not in sample.attributes or sample.attributes.get("s", "").lower() not in ("true", "false"):
            raise SourceError("bad_data", f"{sample.place}: a sample needs lb, its label, and s, true or false")
        if sample.transaction:
            if sample.nested or self._is_beside(sample, start):
                return
            self.tally.warn(samples.HIDDEN)
        self._add(sample, start, elapsed)

    def _is_beside(self, sample: _Sample, start: int) -> bool:
        """Whether the requests of a transaction stand in front of it, or it has none."""
        before = self._last.get(sample.attributes.get("tn", ""))
        if sample.attributes["rm"].startswith(samples.NO_SAMPLES):
            return True
        if before is None or before < start:
            return False
        self.tally.warn(samples.LEFT_OUT)
        return True

    def _add(self, sample: _Sample, start: int, elapsed: int) -> None:
        told = sample.attributes
        if (_optional(sample, "sc") or 1) > 1:
            text = f"sc, the number of samples, is {told['sc']}, wanted 1, since sums have no percentiles"
            raise SourceError("bad_data", f"{sample.place}: {text}: set mode=StrippedBatch")
        thread = told.get("tn", "")
        self._last.pop(thread, None)
        self._last[thread] = start
        if len(self._last) > 2 * _MOST_THREADS:
            self._last = dict(list(self._last.items())[_MOST_THREADS:])
        failed = told["s"].lower() == "false"
        code = told.get("rc", told.get("rs", ""))
        kind = self.tally.kind(samples.kind(code, sample.failure, told.get("rm", ""))) if failed else 0
        received, sent, users = (_optional(sample, name) for name in ("by", "sby", "na"))
        self.tally.add(
            self.tally.endpoint(told["lb"]),
            start / 1000,
            elapsed / 1000,
            failed=failed,
            kind=kind,
            received=float("nan") if received is None else received,
            sent=float("nan") if sent is None else sent,
            place=sample.place,
        )
        if users:
            self.tally.users((start + elapsed) / 1000, users)


def _number(sample: _Sample, name: str, wanted: str) -> int:
    found = _optional(sample, name)
    if found is None:
        raise SourceError("bad_data", f"{sample.place}: a sample has no {name}, wanted {wanted}")
    return found


def _optional(sample: _Sample, name: str) -> int | None:
    text = sample.attributes.get(name, "")
    if text and not _INTEGER.fullmatch(text):
        raise SourceError("bad_data", f"{sample.place}: {name} is {text[:40]}, wanted a whole number")
    return int(text) if text else None


class Reader:
    """Feeds the parser, which calls back for every element."""

    def __init__(self, tally: Tally) -> None:
        self._target, self._fed = _Target(tally), 0
        self._parser: Any = XMLParser(target=self._target, forbid_dtd=True, forbid_entities=True, forbid_external=True)
        self._target.parser = self._parser.parser

    def feed(self, block: bytes) -> None:
        self._fed += len(block)
        try:
            self._parser.feed(block)
        except DefusedXmlException:
            text = f"line {self._target.line}: declares a DTD or an entity, wanted neither"
            raise SourceError("bad_data", text) from None
        except ParseError as error:
            what = str(error).partition(":")[0]
            raise SourceError("bad_data", f"line {error.position[0]}: is no XML: {what}") from None
        except (ValueError, LookupError) as error:
            raise SourceError("bad_data", f"line {self._target.line}: is no XML: {error}") from None
        if self._fed - max(0, int(self._parser.parser.CurrentByteIndex)) > _LONGEST_TAG:
            raise SourceError(
                "bad_data", f"line {self._target.line}: has a tag or comment of more than {_LONGEST_TAG} bytes"
            )

    def end(self) -> None:
        if not self._target.root_closed:
            tally = self._target.tally
            tally.complete = False
            tally.warn(f"breaks off on line {self._target.line}: JMeter ends the file when the test ends")


FORMAT = Format("jmeter-xml", "jmeter", recognise, reader=Reader)
