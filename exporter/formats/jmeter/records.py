"""Rows of a JMeter CSV one by one: the line on which each begins, and its problems."""

from __future__ import annotations

import contextlib
import csv
import re
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from exporter.errors import SourceError
from exporter.formats.jmeter.header import INTEGERS, REQUIRED, Layout

Bytes = NDArray[np.uint8]
Ints = NDArray[np.int64]

QUOTE = ord('"')
LINE_END = ord("\n")

_EXPECTED = {
    "timeStamp": "milliseconds since 1970: set jmeter.save.saveservice.timestamp_format=ms, since a date has no zone",
    "elapsed": "milliseconds",
    "success": "true or false",
}
_INTEGER = re.compile(r"-?\d{1,18}")
_FLAGS = {"true": True, "false": False}


def records(block: bytes, layout: Layout, line: int) -> Iterator[tuple[int, list[str]]]:
    """The line on which each row begins, and its fields; raises SourceError."""
    reader = csv.reader(_lines(block, line), delimiter=layout.delimiter, strict=True)
    number = line
    try:
        for fields in reader:
            if fields:
                yield number, fields
            number = line + reader.line_num
    except csv.Error as error:
        raise SourceError("bad_data", f"line {number}: {error}") from None


def record_of(fields: Sequence[str], layout: Layout, line: int) -> dict[str, object]:
    """The values of a row by column; raises SourceError where one is not what its column is for."""
    if len(fields) != len(layout.columns):
        text = f"has {len(fields)} fields, expected {len(layout.columns)} as in the header"
        raise SourceError("bad_data", f"line {line}: {text}")

    record: dict[str, object] = {}
    for name, text in zip(layout.columns, fields, strict=True):
        value = _value(name, text)
        if value is None and (text or name in REQUIRED):
            expected = _EXPECTED.get(name, "a whole number")
            raise SourceError("bad_data", f"line {line}: {name} is {text[:40] or 'empty'}, expected {expected}")
        record[name] = value
    return record


def _value(column: str, text: str) -> object:
    """None where the text is not a value of the column."""
    if column == "success":
        return _FLAGS.get(text.lower())
    if column in INTEGERS:
        return int(text) if _INTEGER.fullmatch(text) else None
    return text


def line_of(block: bytes, layout: Layout, row: int, line: int) -> int:
    """On which line a row begins, where some may be of more than one line."""
    reader = csv.reader(_lines(block, line), delimiter=layout.delimiter)
    with contextlib.suppress(csv.Error):
        for _ in range(row):
            next(reader)
    return line + reader.line_num


def _lines(block: bytes, line: int) -> list[str]:
    try:
        return [text + "\n" for text in block.decode().split("\n")[:-1]]
    except UnicodeDecodeError as error:
        where = line + block.count(b"\n", 0, error.start)
        raise SourceError("bad_data", f"line {where}: is not UTF-8") from None


def refuse_stray_quotes(block: bytes, layout: Layout, line: int) -> None:
    """Raises SourceError for a quote inside a field; `block` begins with a row, on `line`."""
    values = np.frombuffer(block, dtype=np.uint8)
    wrong = stray_quote(values, np.flatnonzero(values == QUOTE), ord(layout.delimiter))
    if wrong is not None:
        where = line + block.count(b"\n", 0, wrong)
        raise SourceError("bad_data", f"line {where}: has a quote inside a field, expected the field in quotes")


def stray_quote(values: Bytes, quotes: Ints, delimiter: int) -> int | None:
    """The position of the first quote that neither begins nor ends a field, and is not escaped inside one."""
    opens = quotes[::2]
    closes = quotes[1::2]

    before = values[np.maximum(opens - 1, 0)]
    after = values[np.minimum(closes + 1, values.size - 1)]
    begins = (opens == 0) | np.isin(before, (delimiter, LINE_END, QUOTE))
    ends = (closes == values.size - 1) | np.isin(after, (delimiter, LINE_END, QUOTE, ord("\r")))

    wrong = np.concatenate([opens[~begins], closes[~ends]])
    return int(wrong.min()) if wrong.size else None
