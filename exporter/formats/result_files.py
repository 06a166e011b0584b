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


def problems(folder: Path | None, files: Mapping[str, Sequence[Path]], history: int) -> Iterator[tuple[str, str]]:
    """What is wrong with the options that say which files, as (key, text)."""
    if folder is None and not files:
        yield "folder", "missing, wanted a folder, or `applications` with their files"
    if folder is not None and not folder.is_dir():
        yield "folder", f"{folder} is no folder"
    if history < 1:
        yield "history", "wanted 1 or more"
    for name, globs in files.items():
        if not globs:
            yield f"applications.{name}.files", "is empty, wanted globs"


def applications(folder: Path | None, files: Mapping[str, Sequence[Path]], wanted: str) -> Mapping[str, Sequence[Path]]:
    """Application to its globs: each folder in `folder` is one, with `wanted` as its glob, and `files` go before them.

    Raises SourceError when the folder cannot be read.
    """
    found: dict[str, Sequence[Path]] = {}
    if folder is not None:
        try:
            folders = sorted(each for each in folder.iterdir() if each.is_dir())
        except OSError as error:
            raise SourceError.cannot_read(error).at(folder) from None
        found = {each.name: (Path(glob.escape(str(each))) / wanted,) for each in folders if each.name[0] != "."}
    return {**found, **files}


def nothing(
    folder: Path | None, globs: Mapping[str, Sequence[Path]], files: Mapping[str, Sequence[Path]]
) -> Iterator[str]:
    """Where no file was found, which is often a slip in a path, for people."""
    if folder is not None and not globs:
        yield f"{folder} holds no folder: each application's files belong in a folder of its own"
    for name, patterns in globs.items():
        if not files.get(name):
            yield f"{name}: no file is like {', '.join(map(str, patterns))}"


def newest(globs: Sequence[Path], most: int) -> list[Path]:
    """At most so many of the regular files, the newest first; one that vanishes meanwhile is left out."""
    stamped: list[tuple[int, Path]] = []
    for path in {path for pattern in globs for path in matching(pattern)}:
        try:
            if path.is_file():
                stamped.append((path.stat().st_mtime_ns, path))
        except OSError:
            continue
    return [path for _, path in sorted(stamped, reverse=True)][:most]


def matching(pattern: Path) -> Iterator[Path]:
    """What a glob names. Below ** each folder is looked into once: links that lead back would never end."""
    parts = pattern.parts
    if "**" not in parts:
        yield from (Path(path) for path in glob.iglob(str(pattern)))  # noqa: PTH207  absolute ones too
        return
    at = parts.index("**")
    for base in matching(Path(*parts[:at])):
        for folder in _folders(base):
            yield from matching(Path(glob.escape(folder), *parts[at + 1 :] or "*"))


def _folders(base: Path) -> Iterator[str]:
    """The folder and all below it but hidden ones, links too."""
    known = set[tuple[int, int]]()
    for folder, below, _ in os.walk(base, followlinks=True):
        kept = sorted(each for each in below if not each.startswith("."))
        below.clear()
        with contextlib.suppress(OSError):
            stat = Path(folder).stat()
            if (stat.st_dev, stat.st_ino) not in known:
                known.add((stat.st_dev, stat.st_ino))
                below.extend(kept)
                yield folder


def written(path: Path) -> float:
    """When the file was last written, Unix seconds; of one that is gone, before all time."""
    try:
        return path.stat().st_mtime
    except OSError:
        return float("-inf")


def waiting(settle: float) -> str:
    """What is said of a file that waits."""
    return f"waits until it was not written to for {humanize.duration(settle)} (settle), and the next poll after that"


@dataclass(frozen=True, slots=True)
class _Known(Generic[T]):
    """What a file held when it was as long and as old as this."""

    stamp: tuple[int, int]
    content: T | SourceError | None


def _passing(content: object) -> bool:
    """What was wrong with the disk and not with the file may be over by the next poll."""
    return isinstance(content, SourceError) and content.reason == "unreadable"


class Files(Generic[T]):
    """What has been read of files, until they change. `read` gives None for a file that is of another kind."""

    def __init__(self, read: Callable[[Path], T | None], settle: float) -> None:
        self._read, self._settle = read, settle
        self._known: dict[Path, _Known[T]] = {}

    def forget(self, present: Collection[Path]) -> None:
        """Forget all files but these."""
        self._known = {path: known for path, known in self._known.items() if path in present}

    def waits(self, path: Path) -> bool:
        """Whether the file was written to within `settle`."""
        return abs(time.time() - written(path)) < self._settle

    def get(self, path: Path, *, settled: bool = False) -> T | SourceError | None:
        """What the file holds, or what is wrong with it; None for what is of another kind, gone, or being written.

        With `settled` the file is not waited for.
        """
        try:
            stat = path.stat()
            if not settled and abs(time.time() - stat.st_mtime) < self._settle:
                return None
            stamp = (stat.st_mtime_ns, stat.st_size)
            known = self._known.get(path)
            if known is None or known.stamp != stamp or _passing(known.content):
                known = self._known[path] = _Known(stamp, self._content(path))
        except FileNotFoundError:
            return None
        except OSError as error:
            return SourceError.cannot_read(error).at(path)
        return known.content

    def _content(self, path: Path) -> T | SourceError | None:
        try:
            return self._read(path)
        except SourceError as error:
            return error
