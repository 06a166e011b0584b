"""RESULT FILES: one file = one format that a load generator writes, one folder = a tool that has several formats.

A module, or a folder as a whole, says which formats it has. All give the same record, LoadRun:

    FORMATS = (Format("wrk", "wrk", recognise, read=read),)

The registry finds them by itself; the tests of bad input come with that. All raise SourceError and nothing else, whose
text gives the line, row or record of the problem, and the expected value.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Protocol

from exporter.errors import SourceError
from exporter.formats.tally import Tally
from exporter.model.loadrun import LoadRun

HEAD = 64 * 1024
"""Bytes of a file from which its format is detected."""

BLOCK = 4 * 1024 * 1024
"""Bytes that are read at once."""

LARGEST_SUMMARY = 32 * 1024 * 1024
"""Bytes; a summary is read whole."""

BOM = b"\xef\xbb\xbf"
"""What some editors put before UTF-8 text."""

_UTF16 = (b"\xff\xfe", b"\xfe\xff")

_NAMELESS = ("simulation",)
"""Names that a tool gives every result file: there the folder's name distinguishes runs."""


class UnknownFormatError(SourceError):
    """The file is not a result of any supported tool."""


@dataclass(frozen=True, slots=True)
class File:
    """Where a summary was read from."""

    path: Path
    modified: float
    """When it was last written, Unix seconds: the run's end, where the tool reports a duration and no times."""


class Reader(Protocol):
    """Reads requests while they come; constructed as `Reader(tally)`, to which it adds them."""

    def feed(self, block: bytes) -> None:
        """The file's next bytes, cut anywhere; an incomplete record is kept for the next call."""

    def end(self) -> None:
        """The end of the file. An incomplete last record is omitted, with a warning of the tally."""


Recognise = Callable[[bytes], bool]
"""Whether a file that begins with these bytes (HEAD of them, without a BOM) is meant: by content, never by name."""


@dataclass(frozen=True, slots=True)
class Format:
    """One format of result files. It has a `reader` where the file lists each request, and `read` where it sums up."""

    name: str
    """Such as jmeter-csv."""
    tool: str
    recognise: Recognise
    reader: Callable[[Tally], Reader] | None = None
    read: Callable[[bytes, File], LoadRun] | None = None
    companions: tuple[Recognise, ...] = ()
    """Other files of the same run, which are not runs themselves."""
    binary: bool = False
    """The file is binary and may contain NUL bytes."""

    def __post_init__(self) -> None:
        assert (self.reader is None) != (self.read is None), f"{self.name}: give it a reader, or read"


def formats() -> Mapping[str, Format]:
    """Every format there is, by its name."""
    by_name: dict[str, Format] = {}
    for module in pkgutil.iter_modules(__path__):
        loaded = importlib.import_module(f"{__name__}.{module.name}")
        for format in getattr(loaded, "FORMATS", ()):
            by_name[format.name] = format
    return by_name


def detect(head: bytes) -> Format:
    """The format of a file that begins so; raises SourceError."""
    by_name = formats()
    # Before anything that only text can be asked.
    for format in by_name.values():
        if format.binary and format.recognise(head):
            return format

    _check_encoding(head)
    text = head.removeprefix(BOM)
    matching = [format for format in by_name.values() if format.recognise(text)]
    if len(matching) == 1:
        return matching[0]

    if not text.strip():
        raise SourceError("bad_data", "is empty")
    raise UnknownFormatError("bad_data", f"has an unknown format, expected one of: {', '.join(by_name)}")


def accompanies(head: bytes) -> bool:
    """Whether a file that begins so belongs to another file, which has the run."""
    text = head.removeprefix(BOM)
    return any(recognise(text) for format in formats().values() for recognise in format.companions)


def read(path: Path) -> LoadRun:
    """The run in a result file; raises SourceError whose text begins with the file's name."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
            run = _read(detect(head), head, file, path)
    except OSError as error:
        raise SourceError.cannot_read(error).at(path) from None
    except SourceError as error:
        raise error.at(path) from None

    if run.run:
        return run
    name = path.absolute().parent.name if path.stem in _NAMELESS else path.stem
    return replace(run, run=name)


def _read(format: Format, head: bytes, file: BinaryIO, path: Path) -> LoadRun:
    if format.read is not None:
        return format.read(_whole(head, file), File(path, path.stat().st_mtime))

    assert format.reader is not None
    tally = Tally()
    reader = format.reader(tally)
    blocks = _bytes(head, file) if format.binary else _text(head, file)
    for block in blocks:
        reader.feed(block)
    reader.end()
    return tally.run(format.tool, format.name)


def _bytes(head: bytes, file: BinaryIO) -> Iterator[bytes]:
    block = head
    while block:
        yield block
        block = file.read(BLOCK)


def _text(head: bytes, file: BinaryIO) -> Iterator[bytes]:
    for block in _bytes(head.removeprefix(BOM), file):
        if b"\0" in block:
            raise SourceError("bad_data", "has NUL bytes, expected text")
        yield block


def _whole(head: bytes, file: BinaryIO) -> bytes:
    content = head.removeprefix(BOM) + file.read(LARGEST_SUMMARY + 1)
    if len(content) > LARGEST_SUMMARY:
        raise SourceError("too_large", f"is larger than {LARGEST_SUMMARY} bytes, expected a summary")
    return content


def _check_encoding(head: bytes) -> None:
    if head.startswith(_UTF16):
        raise SourceError("bad_data", "is UTF-16, expected UTF-8")
    if b"\0" in head:
        raise SourceError("bad_data", "has NUL bytes, expected text")
