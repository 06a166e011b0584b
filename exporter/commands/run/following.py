"""Reads a result file while the load generator writes it.

What an earlier run left there is never taken for this one's result: a file counts once it was written anew.
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
"""Bytes that are read at once: little, so that signals and samples do not wait."""

_TAIL = 4096
"""Bytes at the end of an earlier file that tell whether it was written anew or appended to."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """The file as it was before the start."""

    size: int
    modified: int
    inode: int
    tail: bytes


def earlier(path: Path) -> Earlier | None:
    """What lies there now; None: nothing. Raises SourceError where it cannot be read."""
    try:
        _check_kind(path.stat())
        with path.open("rb") as file:
            there = os.fstat(file.fileno())
            return Earlier(there.st_size, there.st_mtime_ns, there.st_ino, _tail(file, there.st_size))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SourceError.cannot_read(error).at(path) from None


class Following:
    """One result file that is being written. `fresh`: what is there already is of this run."""

    def __init__(self, path: Path, *, fresh: bool = False) -> None:
        self.path = path
        self._earlier = None if fresh else earlier(path)
        self._file: BinaryIO | None = None
        self._given_up = False
        self._start()

    @property
    def is_stale(self) -> bool:
        """Whether a file of an earlier run lies there."""
        return self._earlier is not None

    def step(self, seconds: float) -> None:
        """Read what is new, for about so many seconds; what is wrong with it is told by `finish`."""
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
        followed = self._format is not None and self._reader is not None and self._open() and not self._given_up
        try:
            while followed and self._feed():
                pass
            if followed and self._reader is not None and self._format is not None:
                self._reader.end()
                run = self._tally.run(self._format.tool, self._format.name)
                return run if run.run else replace(run, run=self.path.stem)
        except (SourceError, OSError):
            pass  # told below, with its place
        return formats.read(self.path)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _start(self) -> None:
        """From the beginning of whatever file is there."""
        self.close()
        self._tally = Tally()
        self._format: Format | None = None
        self._reader: Reader | None = None
        self._head = b""
        self._read = 0
        self._given_up = False

    def _open(self) -> bool:
        """Whether there is a file of this run; begins anew where it is another than before, or was emptied."""
        try:
            there = self.path.stat()
            _check_kind(there)
            if self._file is not None:
                ours = os.fstat(self._file.fileno())
                if (ours.st_ino, ours.st_dev) == (there.st_ino, there.st_dev) and there.st_size >= self._read:
                    return True
                self._start()
            if self._is_earlier(there):
                return False
            self._file = self.path.open("rb")
        except OSError:
            return False
        return True

    def _is_earlier(self, there: os.stat_result) -> bool:
        """Whether it is the earlier run's file still, or that one with more behind it."""
        before = self._earlier
        if before is None or there.st_ino != before.inode or there.st_size < before.size:
            return False
        if (there.st_mtime_ns, there.st_size) == (before.modified, before.size):
            return True
        with self.path.open("rb") as file:
            return bool(before.size) and _tail(file, before.size) == before.tail

    def _check_written(self) -> None:
        before = self._earlier
        try:
            there = self.path.stat()
            _check_kind(there)
            stale = self._is_earlier(there)
        except FileNotFoundError:
            raise SourceError("unreadable", "was not written").at(self.path) from None
        except OSError as error:
            raise SourceError.cannot_read(error).at(self.path) from None
        if before is not None and stale and there.st_size > before.size:
            text = "holds an earlier run's result, and this one's was appended: remove it before the start"
            raise SourceError("bad_data", text).at(self.path)
        if stale:
            text = "was not written, what it holds is an earlier run's"
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
        """Once the first line is there: who writes the file may be in the middle of it."""
        if b"\n" not in self._head and len(self._head) < formats.HEAD:
            return
        self._format = formats.detect(self._head[: formats.HEAD])
        if self._format.reader is not None:
            self._reader = self._format.reader(self._tally)
            self._give(self._reader, self._head.removeprefix(formats.BOM))
        self._head = b""

    def _give(self, reader: Reader, block: bytes) -> None:
        if b"\0" in block and self._format is not None and not self._format.binary:
            raise SourceError("bad_data", "holds NUL bytes, wanted text")
        reader.feed(block)


def _check_kind(there: os.stat_result) -> None:
    """Raises OSError for what is no file: a pipe would be waited for, whoever else opened it or nobody."""
    if not (stat.S_ISREG(there.st_mode) or stat.S_ISDIR(there.st_mode)):  # a folder tells so itself
        raise OSError(errno.EINVAL, "is no file")


def _tail(file: BinaryIO, size: int) -> bytes:
    start = max(0, size - _TAIL)
    file.seek(start)
    return file.read(size - start)
