"""Files that others write and sources read: found by folder or globs, left alone while written, read once.

A file is read when it has not been written to for `settle`, and again only when it has changed.
"""

from __future__ import annotations

import contextlib
import glob
import os
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from exporter import humanize
from exporter.errors import SourceError

T = TypeVar("T")


Globs = Mapping[str, Sequence[Path]]
"""Application to the globs of its files."""


def problems(folder: Path | None, files: Globs, history: int) -> Iterator[tuple[str, str]]:
    """What is wrong with the options that say which files, as (key, text)."""
    if folder is None and not files:
        yield "folder", "missing, expected a directory, or `applications` with their files"
    if folder is not None and not folder.is_dir():
        yield "folder", f"{folder} is not a directory"

    if history < 1:
        yield "history", "must be at least 1"
    for name, globs in files.items():
        if not globs:
            yield f"applications.{name}.files", "is empty, expected globs"


def applications(folder: Path | None, files: Globs, pattern: str) -> Globs:
    """Each folder in `folder` is an application, with `pattern` as its glob, and `files` go before them.

    Raises SourceError when the folder cannot be read.
    """
    if folder is None:
        return files
    try:
        folders = sorted(path for path in folder.iterdir() if path.is_dir())
    except OSError as error:
        raise SourceError.cannot_read(error).at(folder) from None

    globs: dict[str, Sequence[Path]] = {}
    for path in folders:
        if not path.name.startswith("."):
            globs[path.name] = (Path(glob.escape(str(path))) / pattern,)
    return {**globs, **files}


def explain_missing(folder: Path | None, globs: Globs, files: Globs) -> Iterator[str]:
    """Where no file was found, which is often a typo in a path, for people."""
    if folder is not None and not globs:
        yield f"{folder} has no directories: each application's files belong in its own directory"
    for name, patterns in globs.items():
        if not files.get(name):
            yield f"{name}: no file matches {', '.join(map(str, patterns))}"


def newest(globs: Sequence[Path], most: int) -> list[Path]:
    """At most so many of the regular files, the newest first; one that vanishes meanwhile is left out."""
    paths = {path for pattern in globs for path in matching(pattern)}
    stamped: list[tuple[int, Path]] = []
    for path in paths:
        try:
            if path.is_file():
                stamped.append((path.stat().st_mtime_ns, path))
        except OSError:
            continue

    stamped.sort(reverse=True)
    return [path for _, path in stamped[:most]]


def matching(pattern: Path) -> Iterator[Path]:
    """What a glob names. Below ** each folder is looked into once: links that lead back would never end."""
    parts = pattern.parts
    if "**" not in parts:
        yield from (Path(path) for path in glob.iglob(str(pattern)))  # noqa: PTH207  absolute ones too
        return

    at = parts.index("**")
    rest = parts[at + 1 :] or ("*",)
    for base in matching(Path(*parts[:at])):
        for folder in _folders(base):
            yield from matching(Path(glob.escape(folder), *rest))


def _folders(base: Path) -> Iterator[str]:
    """The folder and all below it but hidden ones, links too."""
    visited = set[tuple[int, int]]()
    for folder, below, _ in os.walk(base, followlinks=True):
        names = sorted(name for name in below if not name.startswith("."))
        below.clear()  # os.walk goes only where this list says
        with contextlib.suppress(OSError):
            stat = Path(folder).stat()
            identity = (stat.st_dev, stat.st_ino)
            if identity not in visited:
                visited.add(identity)
                below.extend(names)
                yield folder


def modified(path: Path) -> float:
    """When the file was last written, Unix seconds; of one that is gone, before all time."""
    try:
        return path.stat().st_mtime
    except OSError:
        return float("-inf")


def describe_waiting(settle: float) -> str:
    """What is said of a file that waits."""
    return f"is read at the first poll after {humanize.duration(settle)} without a write (settle)"


@dataclass(frozen=True, slots=True)
class _Entry(Generic[T]):
    """What a file held when it was as old and as long as this."""

    stamp: tuple[int, int]
    content: T | SourceError | None

    @property
    def is_final(self) -> bool:
        """What was wrong with the disk and not with the file may be over by the next poll."""
        return not (isinstance(self.content, SourceError) and self.content.reason == "unreadable")


class Files(Generic[T]):
    """What has been read of files, until they change. `read` gives None for a file that is of another kind."""

    def __init__(self, read: Callable[[Path], T | None], settle: float) -> None:
        self._read = read
        self._settle = settle
        self._entries: dict[Path, _Entry[T]] = {}

    def forget(self, present: Collection[Path]) -> None:
        """Forget all files but these."""
        self._entries = {path: entry for path, entry in self._entries.items() if path in present}

    def waits(self, path: Path) -> bool:
        """Whether the file was written to within `settle`."""
        return _waits(modified(path), self._settle)

    def get(self, path: Path, *, settled: bool = False) -> T | SourceError | None:
        """The file's content, or its problem; None if the file is of another kind, gone, or being written.

        With `settled` the file is not waited for.
        """
        try:
            stat = path.stat()
            if not settled and _waits(stat.st_mtime, self._settle):
                return None
            return self._content(path, (stat.st_mtime_ns, stat.st_size))
        except FileNotFoundError:
            return None
        except OSError as error:
            return SourceError.cannot_read(error).at(path)

    def _content(self, path: Path, stamp: tuple[int, int]) -> T | SourceError | None:
        entry = self._entries.get(path)
        if entry is None or entry.stamp != stamp or not entry.is_final:
            entry = self._entries[path] = _Entry(stamp, self._fresh(path))
        return entry.content

    def _fresh(self, path: Path) -> T | SourceError | None:
        try:
            return self._read(path)
        except SourceError as error:
            return error


def _waits(written: float, settle: float) -> bool:
    """By the file's age; a clock that is ahead counts as well."""
    return abs(time.time() - written) < settle
