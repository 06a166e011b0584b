"""Reports of test runners: JUnit XML as pytest, Surefire, Playwright and many others write it.

No load run, so it has no FORMATS and the registry of result files passes it by. The XML is parsed without DTD and
entities (defusedxml). Raises SourceError whose text begins with the location.
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
from exporter.formats import BOM
from exporter.formats.junit.cases import SUITES, Cases
from exporter.model.execution import Execution, Report

LARGEST = 64 * 1024 * 1024
"""Bytes; a report is read whole."""

MOST_TAGS = 2_000_000
"""Of the smallest ones a file would take twenty times its size in memory."""

_PROLOG = {b"<?": b"?>", b"<!--": b"-->", b"<!": b">"}
"""How comments and other text before the first element begin, and how they end."""

_FIRST_TAGS = tuple(f"<{suite}{end}".encode() for suite in SUITES for end in " \t\r\n/>")


def recognise(head: bytes) -> bool:
    """Whether a file that begins so is a report, by its first element."""
    text = head.removeprefix(BOM).lstrip()
    while text.startswith((b"<?", b"<!")):
        text = _after_prolog(text)
    return text.startswith(_FIRST_TAGS)


def _after_prolog(text: bytes) -> bytes:
    """What follows the instruction, comment or document type that the text begins with."""
    end = next(end for start, end in _PROLOG.items() if text.startswith(start))
    # Declarations in a document type's brackets have ends of their own.
    if text.startswith(b"<!DOCTYPE") and b"[" in text.partition(end)[0]:
        end = b"]"
    return text.partition(end)[2].lstrip(b"> \t\r\n")


def read(path: Path, labels: Sequence[str], zone: tzinfo = UTC) -> Report:
    """The report in a file. `labels` are names of properties; times without a zone are in `zone`.

    A suite without a time ended when the file was last written. Raises SourceError.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
            modified = path.stat().st_mtime
        cases = Cases(labels, zone, modified, path.stem)
        cases.read(_parsed(content))
    except OSError as error:
        raise SourceError.cannot_read(error).at(path) from None
    except SourceError as error:
        raise error.at(path) from None

    executions = tuple(_execution(attempts, pytest=cases.pytest) for attempts in cases.attempts.values())
    at = max((execution.at for execution in executions), default=cases.ended)
    return Report(path.stem, at, executions)


def _parsed(content: bytes) -> Element:
    if len(content) > LARGEST:
        raise SourceError("too_large", f"is larger than {LARGEST} bytes")
    if content.count(b"<") > MOST_TAGS:
        raise SourceError("too_large", f"has more than {MOST_TAGS} tags")
    if not content.strip():
        raise SourceError("bad_data", "is empty")

    root = _root(content)
    if root.tag not in SUITES:
        raise SourceError("bad_data", f"line 1: begins with <{root.tag}>, expected <testsuites> or <testsuite>")
    return root


def _root(content: bytes) -> Element:
    try:
        root: Any = ElementTree.fromstring(content, forbid_dtd=True)
    except ParseError as error:
        line, column = error.position
        text = ErrorString(error.code)
        raise SourceError("bad_data", f"line {line}, column {column + 1}: is not valid XML: {text}") from None
    except DefusedXmlException:
        raise SourceError("bad_data", "has a document type or entities, which are not allowed") from None
    except (ValueError, LookupError) as error:
        raise SourceError("bad_data", f"line 1: is in an encoding that cannot be read: {error}") from None

    element: Element = root
    return element


def _execution(attempts: Sequence[Execution], *, pytest: bool) -> Execution:
    """One entry for a case that was run again: its last outcome, flaky when it passed after it had failed."""
    executed = [attempt for attempt in attempts if attempt.outcome != "skipped"]
    last = (executed or attempts)[-1]
    return replace(last, flaky=last.flaky or _is_flaky(attempts, pytest=pytest))


def _is_flaky(attempts: Sequence[Execution], *, pytest: bool) -> bool:
    """Whether an attempt passed after another one had failed.

    What pytest names twice was run again since it failed: pytest-rerunfailures (16.6.1 to 16.7) writes such attempts as
    if they had passed. So of pytest a pass that is not the last was a failure; of others one proves nothing either.
    """
    failed = False
    for attempt in attempts:
        passed = attempt.outcome == "passed"
        if pytest and attempt is not attempts[-1]:
            passed = False

        if passed and failed:
            return True
        if not passed and attempt.outcome != "skipped":
            failed = True
    return False
