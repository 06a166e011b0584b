"""Reads a result file while the load generator writes it.

The file of an earlier run is never mistaken for this run's result: a file counts once it is rewritten.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from exporter import formats
from exporter.errors import SourceError
from exporter.formats import Format, Reader
from exporter.formats.tally import Tally
from exporter.model.loadrun import LoadRun

_BLOCK = 256 * 1024
"""Bytes per read: few, because signals and samples must not wait."""

_TAIL = 4096
"""Bytes at the end of an earlier file that show whether it was rewritten or appended to."""


@dataclass(frozen=True, slots=True)
class Leftover:
    """An earlier run's file, as it was before the start."""

    size: int
    modified: int
    inode: int
    tail: bytes


def leftover(path: Path) -> Leftover | None:
    """The existing file; None: there is none. Raises SourceError if it cannot be read."""
    try:
        _check_kind(path.stat())
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            return Leftover(status.st_size, status.st_mtime_ns, status.st_ino, _tail(file, status.st_size))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SourceError.cannot_read(error).at(path) from None


class FileFollower:
    """One result file that is being written. `fresh`: its content is of this run already."""

    def __init__(self, path: Path, *, fresh: bool = False) -> None:
        self.path = path
        self._leftover = None if fresh else leftover(path)
        self._file: BinaryIO | None = None
        self._given_up = False
        self._start()

    @property
    def is_stale(self) -> bool:
        """Whether a file of an earlier run exists there."""
        return self._leftover is not None

    def step(self, seconds: float) -> None:
        """Read new data for about so many seconds; `finish` reports any problem with it."""
        if self._given_up or not self._open():
            return

        deadline = time.monotonic() + seconds
        try:
            while self._feed() and time.monotonic() < deadline:
                pass
        except (SourceError, OSError):
            self._given_up = True

    def run(self) -> LoadRun | None:
        """The run as far as it was read; None: nothing yet, or its format is a summary that comes at the end."""
        if self._format is None or self._given_up or not self._tally.requests:
            return None
        try:
            return self._tally.run(self._format.tool, self._format.name)
        except SourceError:
            self._given_up = True
            return None

    def finish(self) -> LoadRun:
        """The whole run; raises SourceError whose text begins with the file's name."""
        self._check_written()
        try:
            run = self._finish_reading()
        except (SourceError, OSError):
            run = None

        # A summary is read as a whole. So is a file that could not be followed: the error then names the line.
        return formats.read(self.path) if run is None else run

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _finish_reading(self) -> LoadRun | None:
        """The run, by reading the rest of the file; None: this file cannot be read in parts."""
        if self._format is None or self._reader is None or not self._open() or self._given_up:
            return None

        while self._feed():
            pass
        if self._format is None or self._reader is None:
            return None
        self._reader.end()
        run = self._tally.run(self._format.tool, self._format.name)
        return run if run.run else replace(run, run=self.path.stem)

    def _start(self) -> None:
        """Start from the beginning of the file."""
        self.close()
        self._tally = Tally()
        self._format: Format | None = None
        self._reader: Reader | None = None
        self._head = b""
        self._read = 0
        self._given_up = False

    def _open(self) -> bool:
        """Whether there is a file of this run; starts again if it was replaced or emptied."""
        try:
            status = self.path.stat()
            _check_kind(status)
            if self._file is not None:
                if self._is_the_open_one(self._file, status):
                    return True
                self._start()

            if self._is_leftover(status):
                return False
            self._file = self.path.open("rb")
        except OSError:
            return False
        return True

    def _is_the_open_one(self, file: BinaryIO, status: os.stat_result) -> bool:
        """A tool may replace its file, or empty it and start again: data read before then no longer counts."""
        ours = os.fstat(file.fileno())
        return (ours.st_ino, ours.st_dev) == (status.st_ino, status.st_dev) and status.st_size >= self._read

    def _is_leftover(self, status: os.stat_result) -> bool:
        """Whether it is still the earlier run's file, unchanged or with more appended."""
        before = self._leftover
        if before is None or status.st_ino != before.inode or status.st_size < before.size:
            return False
        if (status.st_mtime_ns, status.st_size) == (before.modified, before.size):
            return True

        # Same file, and not smaller: its former end shows whether it was appended to, or rewritten and is longer.
        with self.path.open("rb") as file:
            return bool(before.size) and _tail(file, before.size) == before.tail

    def _check_written(self) -> None:
        """Raises SourceError unless this run wrote the file."""
        try:
            status = self.path.stat()
            _check_kind(status)
            stale = self._is_leftover(status)
        except FileNotFoundError:
            raise SourceError("unreadable", "was not written").at(self.path) from None
        except OSError as error:
            raise SourceError.cannot_read(error).at(self.path) from None

        if stale and self._leftover is not None and status.st_size > self._leftover.size:
            text = "has the result of an earlier run, and this run appended to it: remove it before the start"
            raise SourceError("bad_data", text).at(self.path)
        if stale:
            text = "was not written: it still has the result of an earlier run"
            raise SourceError("bad_data", text).at(self.path)

    def _feed(self) -> bool:
        """Read a block; False: there is none."""
        assert self._file is not None
        block = self._file.read(_BLOCK)
        if not block:
            return False

        self._read += len(block)
        if self._format is None:
            self._head += block
            self._detect()
        elif self._reader is not None:
            self._give(self._reader, block)
        return self._format is None or self._reader is not None

    def _detect(self) -> None:
        """After the first line is complete: the tool may be in the middle of writing it."""
        if b"\n" not in self._head and len(self._head) < formats.HEAD:
            return

        self._format = formats.detect(self._head[: formats.HEAD])
        if self._format.reader is not None:
            self._reader = self._format.reader(self._tally)
            self._give(self._reader, self._head.removeprefix(formats.BOM))
        self._head = b""

    def _give(self, reader: Reader, block: bytes) -> None:
        if b"\0" in block and self._format is not None and not self._format.binary:
            raise SourceError("bad_data", "contains NUL bytes, expected text")
        reader.feed(block)


def _check_kind(status: os.stat_result) -> None:
    """Raise OSError unless it is a file: opening a pipe would block."""
    if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):  # opening a directory fails by itself
        raise OSError(errno.EINVAL, "is not a regular file")


def _tail(file: BinaryIO, size: int) -> bytes:
    start = max(0, size - _TAIL)
    file.seek(start)
    return file.read(size - start)
