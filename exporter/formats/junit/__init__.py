"""Reports of test runners: JUnit XML as pytest, Surefire, Playwright and many others write it.

No load run, so it has no FORMATS and the registry of result files passes it by. The XML is parsed without DTD and
entities (defusedxml), and its test cases are read by junitparser. Raises SourceError whose text begins with the place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, ParseError
from xml.parsers.expat import ErrorString

from defusedxml import DefusedXmlException, ElementTree

from exporter.errors import SourceError
from exporter.formats.junit.cases import Cases
from exporter.model.execution import Execution, Report

LARGEST = 64 * 1024 * 1024
"""Bytes; a report is read whole."""

MOST_TAGS = 2_000_000
"""Of the smallest ones a file would take twenty times its size in memory."""

_BOM = b"\xef\xbb\xbf"
_BEFORE = {b"<?": b"?>", b"<!--": b"-->", b"<!": b">"}
"""How what may stand before the first element begins, and how it ends."""

_ROOTS = ("testsuites", "testsuite")


def recognise(head: bytes) -> bool:
    """Whether a file that begins so is a report, by its first element."""
    text = head.removeprefix(_BOM).lstrip()
    while text.startswith((b"<?", b"<!")):
        end = next(end for start, end in _BEFORE.items() if text.startswith(start))
        text = text.partition(b"]" if text.startswith(b"<!DOCTYPE") and b"[" in text.partition(end)[0] else end)[2]
        text = text.lstrip(b"> \t\r\n")
    return text.startswith(tuple(f"<{root}{end}".encode() for root in _ROOTS for end in " \t\r\n/>"))


def read(path: Path, labels: Sequence[str], zone: tzinfo = UTC) -> Report:
    """The report in a file. `labels` are names of properties; times without a zone are in `zone`.

    A suite that tells no time ended when the file was last written. Raises SourceError.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
            modified = path.stat().st_mtime
        if len(content) > LARGEST:
            raise SourceError("too_large", f"is larger than {LARGEST} bytes")
        if content.count(b"<") > MOST_TAGS:
            raise SourceError("too_large", f"has more than {MOST_TAGS} tags")
        cases = Cases(labels, zone, modified, path.stem)
        cases.read(_parsed(content))
    except OSError as error:
        raise SourceError("unreadable", f"{path}: cannot be read: {error.strerror}") from None
    except SourceError as error:
        raise SourceError(error.reason, f"{path}: {error}") from None
    executions = tuple(_last(each, pytest=cases.pytest) for each in cases.found.values())
    return Report(path.stem, max((each.at for each in executions), default=cases.ended), executions)


def _parsed(content: bytes) -> Element:
    if not content.strip():
        raise SourceError("bad_data", "is empty")
    try:
        root: Any = ElementTree.fromstring(content, forbid_dtd=True)
    except ParseError as error:
        line, column = error.position
        text = ErrorString(error.code)
        raise SourceError("bad_data", f"line {line}, column {column + 1}: is no XML: {text}") from None
    except DefusedXmlException:
        raise SourceError("bad_data", "holds a document type or entities, wanted a report without") from None
    except (ValueError, LookupError) as error:
        raise SourceError("bad_data", f"line 1: is in an encoding that cannot be read: {error}") from None
    if root.tag not in _ROOTS:
        raise SourceError("bad_data", f"line 1: begins with <{root.tag}>, wanted <testsuites> or <testsuite>")
    found: Element = root
    return found


def _last(attempts: Sequence[Execution], *, pytest: bool) -> Execution:
    """One entry for a case that was run again: its last outcome, flaky when it passed after it had failed.

    What pytest names twice was run again since it failed: pytest-rerunfailures (16.6.1 to 16.7) writes such attempts as
    if they had passed. So of pytest a pass that is not the last was a failure; of others one proves nothing either.
    """
    failed = flaky = False
    for each in attempts:
        passed = each.outcome == "passed" and (not pytest or each is attempts[-1])
        flaky = flaky or (failed and passed)
        failed = failed or not (passed or each.outcome == "skipped")
    executed = [each for each in attempts if each.outcome != "skipped"]
    last = (executed or attempts)[-1]
    return replace(last, flaky=last.flaky or flaky)
