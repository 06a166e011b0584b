"""Rows of a JMeter CSV as columns: polars reads a block; where it stumbles, every row is looked at for the reason.

Which library, and why: docs/adr/0013-*.md.
"""

from __future__ import annotations

import contextlib
import csv
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from exporter.analysis.arithmetic import Floats
from exporter.errors import SourceError

if TYPE_CHECKING:  # 40 MiB that an exporter without JMeter's files does without
    import polars as pl

Bytes = NDArray[np.uint8]
Ints = NDArray[np.int64]

INTEGERS = ("timeStamp", "elapsed", "bytes", "sentBytes", "allThreads", "SampleCount", "IdleTime")
TEXTS = ("label", "responseCode", "responseMessage", "threadName", "failureMessage")
CODES = ("label", "threadName")
REQUIRED = ("timeStamp", "elapsed", "label", "success")

_WANTED = {
    "timeStamp": "milliseconds since 1970: set jmeter.save.saveservice.timestamp_format=ms, since a date has no zone",
    "elapsed": "milliseconds",
    "success": "true or false",
}
_INTEGER = re.compile(r"-?\d{1,18}")
_QUOTE, _LINE_END = ord('"'), ord("\n")
_FLAGS = {"true": True, "false": False}

csv.field_size_limit(1024 * 1024)  # as long as a row may be: messages of assertions hold whole responses


@dataclass(frozen=True, slots=True)
class Layout:
    """How the rows of a file are cut into fields."""

    delimiter: str
    columns: tuple[str, ...]

    def has(self, column: str) -> bool:
        return column in self.columns


def fields_of(row: str, delimiter: str) -> Sequence[str]:
    """The fields of one row; none where it is no row."""
    try:
        return next(csv.reader([row], delimiter=delimiter), [])
    except csv.Error:
        return []


@dataclass(frozen=True, slots=True)
class Codes:
    """A column of texts as numbers: row to number, number to text."""

    numbers: Ints
    texts: Sequence[str]


class Rows:
    """Whole rows, in the order of the file. `place` tells of a row on which line it begins."""

    def __init__(self, frame: pl.DataFrame, layout: Layout, place: Callable[[int], str]) -> None:
        self._frame, self._layout, self.place = frame, layout, place

    def __len__(self) -> int:
        return len(self._frame)

    def integers(self, column: str) -> Floats | None:
        """None where the file has no such column; NaN where a row has nothing there."""
        return self._frame[column].to_numpy().astype(np.float64) if self._layout.has(column) else None

    def flags(self) -> NDArray[np.bool_]:
        return self._frame["success"].to_numpy()

    def codes(self, column: str) -> Codes:
        texts = self._frame[column]
        numbers = texts.to_physical().to_numpy().astype(np.int64)
        first = np.zeros(int(numbers.max()) + 1, dtype=np.int64)
        first[numbers[::-1]] = np.arange(numbers.size)[::-1]
        return Codes(numbers, texts.gather(first).to_list())

    def begins(self, column: str, text: str) -> Ints:
        """The rows whose text begins so, ascending; none without the column."""
        if not self._layout.has(column):
            return np.zeros(0, dtype=np.int64)
        return np.flatnonzero(self._frame[column].str.starts_with(text).to_numpy())

    def texts(self, column: str, rows: Ints) -> list[str]:
        """Of these rows; empty texts without the column."""
        return self._frame[column].gather(rows).to_list() if self._layout.has(column) else [""] * rows.size


@dataclass(frozen=True, slots=True)
class Parsed:
    """Whole rows; `frame` is None where anything in them is not as it should be, or two were put together."""

    block: bytes
    frame: pl.DataFrame | None
    lines: int


def parse(block: bytes, layout: Layout) -> Parsed:
    """What can be done with a block without knowing those before it."""
    values = np.frombuffer(block, dtype=np.uint8)
    lines = int(np.count_nonzero(values == _LINE_END))
    return Parsed(block, _fast(block, values, lines, layout), lines)


def rows_of(parsed: Parsed, layout: Layout, line: int) -> Iterator[Rows | int]:
    """The rows of a block that begins on `line`; the line's number for a header that stands there once more."""
    if parsed.frame is not None:
        block = parsed.block
        yield Rows(parsed.frame, layout, lambda row: f"line {_line_of(block, layout, row, line)}")
    else:
        yield from _slowly(parsed.block, layout, line)


def _types(layout: Layout) -> dict[str, pl.DataType]:
    import polars as pl

    types: dict[str, pl.DataType] = dict.fromkeys(layout.columns, pl.String())
    types.update({name: pl.Int64() for name in INTEGERS if layout.has(name)})
    return {**types, "success": pl.Boolean()}


def _used(layout: Layout) -> list[str]:
    return [name for name in layout.columns if name in INTEGERS or name in TEXTS or name == "success"]


def _fast(block: bytes, values: Bytes, lines: int, layout: Layout) -> pl.DataFrame | None:
    """None where anything is not as it should be. A row of more fields than the header's is cut by the library."""
    import polars as pl

    sign = layout.delimiter.encode()
    delimiters, rows = int(np.count_nonzero(values == sign[0])), lines
    if b'"' in block:
        quotes = np.flatnonzero(values == _QUOTE)
        if _stray(values, quotes, sign[0]) is not None:
            return None
        pairs = zip(quotes[::2].tolist(), quotes[1::2].tolist(), strict=True)
        quoted = b"".join([block[opens:closes] for opens, closes in pairs])
        delimiters, rows = delimiters - quoted.count(sign), rows - quoted.count(b"\n")
    used = _used(layout)
    try:
        frame = pl.read_csv(
            block,
            has_header=False,
            separator=layout.delimiter,
            schema=_types(layout),
            columns=[layout.columns.index(name) for name in used],
            empty_string_is_null=False,
            missing_columns="raise",
            extra_columns="raise",
        )
    except pl.exceptions.PolarsError:
        return None
    if len(frame) != rows or delimiters != rows * (len(layout.columns) - 1):
        return None
    return None if any(frame[name].null_count() for name in used) else _coded(frame, layout)


def _coded(frame: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """Texts that repeat as categories: after the reading, whose threads would wait for each other."""
    import polars as pl

    codes = [frame[name].cast(pl.Categorical(pl.Categories.random())) for name in CODES if layout.has(name)]
    return frame.with_columns(codes)


def refuse_stray_quotes(block: bytes, layout: Layout, line: int) -> None:
    """Raises SourceError for a quote inside a field; `block` begins with a row, on `line`."""
    values = np.frombuffer(block, dtype=np.uint8)
    wrong = _stray(values, np.flatnonzero(values == _QUOTE), ord(layout.delimiter))
    if wrong is not None:
        where = line + block.count(b"\n", 0, wrong)
        raise SourceError("bad_data", f"line {where}: has a quote inside a field, wanted the field in quotes")


def _stray(values: Bytes, quotes: Ints, delimiter: int) -> int | None:
    """The position of the first quote that neither begins nor ends a field nor stands for one inside."""
    opens, closes = quotes[::2], quotes[1::2]
    before = values[np.maximum(opens - 1, 0)]
    after = values[np.minimum(closes + 1, values.size - 1)]
    begins = (opens == 0) | np.isin(before, (delimiter, _LINE_END, _QUOTE))
    ends = (closes == values.size - 1) | np.isin(after, (delimiter, _LINE_END, _QUOTE, ord("\r")))
    wrong = np.concatenate([opens[~begins], closes[~ends]])
    return int(wrong.min()) if wrong.size else None


def _lines(block: bytes, line: int) -> list[str]:
    try:
        return [each + "\n" for each in block.decode().split("\n")[:-1]]
    except UnicodeDecodeError as error:
        where = line + block.count(b"\n", 0, error.start)
        raise SourceError("bad_data", f"line {where}: is no UTF-8") from None


def _line_of(block: bytes, layout: Layout, row: int, line: int) -> int:
    """On which line a row begins, where some may be of more than one line."""
    reader = csv.reader(_lines(block, line), delimiter=layout.delimiter)
    with contextlib.suppress(csv.Error):
        for _ in range(row):
            next(reader)
    return line + reader.line_num


def _slowly(block: bytes, layout: Layout, line: int) -> Iterator[Rows | int]:
    import polars as pl

    refuse_stray_quotes(block, layout, line)
    types, used = _types(layout), _used(layout)
    kept: dict[str, list[object]] = {name: [] for name in used}
    lines: list[int] = []

    def rows() -> Rows:
        frame = pl.DataFrame(kept, schema={name: types[name] for name in used})
        return Rows(_coded(frame, layout), layout, lambda row, at=tuple(lines): f"line {at[row]}")  # type: ignore[misc]

    for number, fields in _records(block, layout, line):
        if tuple(fields) == layout.columns:
            if lines:
                yield rows()
            kept, lines = {name: [] for name in used}, []
            yield number
            continue
        record = record_of(fields, layout, number)
        lines.append(number)
        for name in used:
            kept[name].append(record[name])
    if lines:
        yield rows()


def _records(block: bytes, layout: Layout, line: int) -> Iterator[tuple[int, list[str]]]:
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
        text = f"has {len(fields)} fields, wanted {len(layout.columns)} as in the header"
        raise SourceError("bad_data", f"line {line}: {text}")
    found: dict[str, object] = {}
    for name, text in zip(layout.columns, fields, strict=True):
        value: object = text
        if name == "success":
            value = _FLAGS.get(text.lower())
        elif name in INTEGERS:
            value = int(text) if _INTEGER.fullmatch(text) else None
        if value is None and (text or name in REQUIRED):
            wanted = _WANTED.get(name, "a whole number")
            raise SourceError("bad_data", f"line {line}: {name} is {text[:40] or 'empty'}, wanted {wanted}")
        found[name] = value
    return found
