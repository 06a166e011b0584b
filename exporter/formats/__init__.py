"""RESULT FILES: one file = one format that a load generator writes. All give the same record, LoadRun.

    FORMAT, TOOL = "jmeter-csv", "jmeter"
    def recognises(head: bytes) -> bool: ...      by content, never by name: the file's first HEAD bytes, without a BOM
    class Reader: ...                             a sequence of requests: what the protocol below asks for
    def read(content: bytes, file: File) -> LoadRun: ...    a summary: read at once; a module has the one or the other
    def accompanies(head: bytes) -> bool: ...     optional: another file of the same run, which is no run by itself
    BINARY = True                                 optional: the file is no text, so that NUL bytes may stand in it

The registry finds them by itself; the tests of bad input come with that. All raise SourceError and nothing else, whose
text says on which line, row or record something is wrong and what was wanted there.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import BinaryIO, Protocol

from exporter.errors import SourceError
from exporter.formats.tally import Tally
from exporter.model.loadrun import LoadRun

HEAD = 64 * 1024
"""Bytes of a file that its format is told from."""

BLOCK = 4 * 1024 * 1024
"""Bytes that are read at once."""

LARGEST_SUMMARY = 32 * 1024 * 1024
"""Bytes; a summary is read whole."""

_BOM = b"\xef\xbb\xbf"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


_NAMELESS = ("simulation",)
"""Names that a tool gives every result file: there the folder's name tells runs apart."""


class UnknownFormatError(SourceError):
    """The file is no result of any tool that is known."""


@dataclass(frozen=True, slots=True)
class File:
    """Where a summary was read from."""

    path: Path
    modified: float
    """When it was last written, Unix seconds: the run's end, where the tool tells a duration and no times."""


class Reader(Protocol):
    """Reads requests while they come; constructed as `Reader(tally)`, to which it adds them."""

    def feed(self, block: bytes) -> None:
        """The file's next bytes, cut anywhere; what is not yet a whole record is kept for the next call."""

    def end(self) -> None:
        """Nothing follows. A last record that breaks off is left out and told as a warning of the tally."""


def formats() -> Mapping[str, ModuleType]:
    """Every format there is, by its name."""
    found = {}
    for module in pkgutil.iter_modules(__path__):
        loaded = importlib.import_module(f"{__name__}.{module.name}")
        if hasattr(loaded, "FORMAT"):
            found[loaded.FORMAT] = loaded
    return found


def detect(head: bytes) -> ModuleType:
    """The module of the format of a file that begins so; raises SourceError."""
    for module in formats().values():
        if hasattr(module, "BINARY") and module.recognises(head):
            return module
    _check_encoding(head)
    text = head.removeprefix(_BOM)
    found = [module for module in formats().values() if module.recognises(text)]
    if len(found) == 1:
        return found[0]
    if not text.strip():
        raise SourceError("bad_data", "is empty")
    raise UnknownFormatError("bad_data", f"is in no known format, known: {', '.join(formats())}")


def accompanies(head: bytes) -> bool:
    """Whether a file that begins so belongs to another one, which tells the run."""
    text = head.removeprefix(_BOM)
    return any(module.accompanies(text) for module in formats().values() if hasattr(module, "accompanies"))


def read(path: Path) -> LoadRun:
    """The run that a result file tells; raises SourceError whose text begins with the file's name."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
            module = detect(head)
            run = _events(module, head, file) if hasattr(module, "Reader") else _summary(module, head, file, path)
    except OSError as error:
        raise SourceError.cannot_read(error).at(path) from None
    except SourceError as error:
        raise error.at(path) from None
    return run if run.run else replace(run, run=path.absolute().parent.name if path.stem in _NAMELESS else path.stem)


def _events(module: ModuleType, head: bytes, file: BinaryIO) -> LoadRun:
    tally = Tally()
    reader: Reader = module.Reader(tally)
    for block in _bytes(head, file) if hasattr(module, "BINARY") else _blocks(head, file):
        reader.feed(block)
    reader.end()
    return tally.run(module.TOOL, module.FORMAT)


def _bytes(head: bytes, file: BinaryIO) -> Iterator[bytes]:
    block = head
    while block:
        yield block
        block = file.read(BLOCK)


def _blocks(head: bytes, file: BinaryIO) -> Iterator[bytes]:
    for block in _bytes(head.removeprefix(_BOM), file):
        if b"\0" in block:
            raise SourceError("bad_data", "holds NUL bytes, wanted text")
        yield block


def _summary(module: ModuleType, head: bytes, file: BinaryIO, path: Path) -> LoadRun:
    content = head.removeprefix(_BOM) + file.read(LARGEST_SUMMARY + 1)
    if len(content) > LARGEST_SUMMARY:
        raise SourceError("too_large", f"is larger than {LARGEST_SUMMARY} bytes, wanted a summary")
    run: LoadRun = module.read(content, File(path, path.stat().st_mtime))
    return run


def _check_encoding(head: bytes) -> None:
    if head.startswith(_UTF16):
        raise SourceError("bad_data", "is UTF-16, wanted UTF-8")
    if b"\0" in head:
        raise SourceError("bad_data", "holds NUL bytes, wanted text")
