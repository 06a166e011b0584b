"""The first line of a JMeter CSV: its columns and its delimiter."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from exporter.errors import SourceError

INTEGERS = ("timeStamp", "elapsed", "bytes", "sentBytes", "allThreads", "SampleCount", "IdleTime")
TEXTS = ("label", "responseCode", "responseMessage", "threadName", "failureMessage")
REQUIRED = ("timeStamp", "elapsed", "label", "success")

_NAMES = frozenset((*TEXTS, *INTEGERS, "success", "dataType", "grpThreads", "URL", "Latency", "Connect", "Hostname"))
_DELIMITERS = ",;\t|"
_NO_HEADER = re.compile(rb"(\d{13}|\d{4}[/-]\d\d[/-]\d\d [\d:.]+)([,;\t|])\d+\2[^\r\n]*\2(true|false)\b")


# As long as a row may be: messages of assertions hold whole responses.
csv.field_size_limit(1024 * 1024)


@dataclass(frozen=True, slots=True)
class Layout:
    """How the rows of a file are cut into fields."""

    delimiter: str
    columns: tuple[str, ...]

    def has(self, column: str) -> bool:
        return column in self.columns


def fields_of(row: str, delimiter: str) -> Sequence[str]:
    """The fields of one row; none if it is not a row."""
    try:
        return next(csv.reader([row], delimiter=delimiter), [])
    except csv.Error:
        return []


def recognise(head: bytes) -> bool:
    return len(_known_names(_layout(head))) >= 3 or _NO_HEADER.match(head) is not None


def read(line: bytes, warn: Callable[[str], None]) -> Layout:
    """Raises SourceError; `warn` is called with what a missing column makes impossible."""
    if _NO_HEADER.match(line):
        text = "line 1: is not a header: set jmeter.save.saveservice.print_field_names=true"
        raise SourceError("bad_data", f"{text}; required are the columns {', '.join(REQUIRED)}")

    layout = _layout(line)
    missing = [name for name in REQUIRED if not layout.has(name)]
    if missing:
        text = f"line 1: the header has no {', '.join(missing)}; required are the columns {', '.join(REQUIRED)}"
        raise SourceError("bad_data", text)

    duplicates = [name for name in _NAMES if layout.columns.count(name) > 1]
    if duplicates:
        raise SourceError("bad_data", f"line 1: duplicate column {min(duplicates)}")

    if not layout.has("responseMessage"):
        warn("has no column responseMessage: transactions cannot be distinguished from requests and may count twice")
    if not layout.has("threadName"):
        warn("has no column threadName: sub-results cannot be distinguished from requests and may count twice")
    return layout


def _layout(line: bytes) -> Layout:
    """The delimiter that gives most of JMeter's names, and the columns; names of variables are quoted."""
    text = line.partition(b"\n")[0].decode("utf-8", "replace").rstrip("\r")
    layouts = [Layout(delimiter, tuple(fields_of(text, delimiter))) for delimiter in _DELIMITERS]
    return max(layouts, key=lambda layout: len(_known_names(layout)))


def _known_names(layout: Layout) -> frozenset[str]:
    return _NAMES.intersection(layout.columns)
