"""What is checked of files that others write (result_files.py): found, format, complete, fresh.

Each application's newest file is looked at: it is what the next verdict rests on.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from glob import has_magic
from pathlib import Path

from exporter import humanize
from exporter.checkup import Step, failed, ok, warning
from exporter.checkup.causes import FORBIDDEN
from exporter.errors import SourceError
from exporter.formats import HEAD, result_files
from exporter.formats.result_files import Globs
from exporter.model.checkup import Cause, Finding
from exporter.model.observation import Window

_NEWEST = 50
"""Of so many of an application's newest files the first that is a result is looked at."""

_TYPO = Cause("a typo in the path or glob", "try it with ls, as the exporter's user and on its host")
_ELSEWHERE = Cause(
    "nothing was written yet, or elsewhere", "check where the load generator or runner writes its results"
)
_FOLDERS = Cause("files are in the directory itself", "give each application its own directory, with its name")
_OTHERS = Cause("only logs or other files are there", "narrow the globs to results, or write them elsewhere")


@dataclass(frozen=True, slots=True)
class Kind:
    """What a kind of source takes for a result."""

    what: str
    """run, report."""
    pattern: str
    """The glob below an application's folder."""
    settle: float
    ignores: Callable[[bytes], bool]
    """Whether a file that begins so is passed by, as it belongs to another or is of another kind."""
    describe: Callable[[bytes], str]
    """What a file that begins so is; raises SourceError."""


def applications(kind: Kind, folder: Path | None, files: Globs) -> tuple[list[Step], Globs]:
    """The step that looks into the folder, where there is one, and the applications' globs as far as they are known."""
    if folder is None:
        return [], files

    try:
        globs = result_files.applications(folder, files, kind.pattern)
    except SourceError:
        globs = files  # the step reports the problem
    return [Step("found", f"ls -d {folder}/*/", partial(_folders, kind, folder, files))], globs


def _folders(kind: Kind, folder: Path, files: Globs) -> Finding:
    names = sorted(result_files.applications(folder, {}, kind.pattern))
    if names:
        return ok(f"{humanize.pluralize(len(names), 'folder')}: {_few(names)}")

    causes = (_FOLDERS, _ELSEWHERE) if any(folder.iterdir()) else (_ELSEWHERE, _FOLDERS)
    finding = warning if files else failed
    return finding("has no directory of an application", *causes)


def of_application(kind: Kind, name: str, globs: Sequence[Path]) -> Iterator[Step]:
    """Found and format of one application."""
    patterns = " ".join(map(str, globs))
    yield Step("found", f"ls -t {patterns}", partial(_files_found, globs), subject=name)
    yield Step("format", "detect the newest file's format", partial(_format, kind, globs), ("found",), name)


def newest(kind: Kind, globs: Sequence[Path], *, settled: bool = False) -> Path | None:
    """The newest file that is not passed by; when `settled`, of those that are not being written any more."""
    for path in result_files.newest(globs, _NEWEST):
        if settled and waits(kind, path):
            continue
        if not kind.ignores(_head(path)):
            return path
    return None


def waits(kind: Kind, path: Path) -> bool:
    """Whether the file was written to within `settle`."""
    return abs(time.time() - result_files.modified(path)) < kind.settle


def waiting(kind: Kind, path: Path) -> Finding:
    """It is waited for."""
    age = time.time() - result_files.modified(path)
    when = f"{humanize.duration(age)} ago" if age >= 0 else f"{humanize.duration(-age)} in the future"
    text = f"{path.name} was written to {when}: it is read {humanize.duration(kind.settle)} after that (settle)"

    return warning(
        text,
        Cause("it is still being written", f"wait; until then the {kind.what} before it counts"),
        Cause("a program modifies it again and again", "write it once, and do not modify it"),
        Cause("the clocks of both hosts differ", "set them by NTP"),
    )


def fresh(what: str, end: float, window: Window, longer: str) -> Finding:
    """Whether something that ended at `end` (Unix seconds) is in the window that a poll looks at."""
    text = f"the newest {what} ended {humanize.format_time(end)}, {humanize.duration(max(0.0, window.end - end))} ago"
    if window.start < end <= window.end + 60:
        return ok(text)

    if end > window.end:
        return warning(
            f"the newest {what} ended {humanize.format_time(end)}: in the future",
            Cause("the clock of the host that wrote it is ahead", "set both clocks by NTP"),
            Cause("its times have no time zone, and were read in another", "set the zone, where the kind has one"),
        )

    return failed(
        f"{text}: outside the look-back of {humanize.duration(window.duration)}",
        Cause("nothing ran since", "run it again"),
        Cause("newer results are written elsewhere", "check the step found: is this the right path?"),
        Cause("it runs less often than once per look-back", f"raise {longer}"),
    )


def _files_found(globs: Sequence[Path]) -> Finding:
    paths = result_files.newest(globs, 10**6)
    if paths:
        age = humanize.duration(max(0.0, time.time() - result_files.modified(paths[0])))
        return ok(f"{humanize.pluralize(len(paths), 'file')}, the newest {paths[0].name}, {age} old")

    causes = [_TYPO, _ELSEWHERE]
    if any(map(_is_closed, globs)):
        causes.insert(0, FORBIDDEN)
    return failed("no file matches", *causes)


def _is_closed(pattern: Path) -> bool:
    """Whether our user has no permission to read a folder above the files."""
    folders = [path for path in reversed(pattern.parents) if not has_magic(str(path)) and os.access(path, os.F_OK)]
    return not all(os.access(folder, os.X_OK) for folder in folders) or not os.access(folders[-1], os.R_OK)


def _format(kind: Kind, globs: Sequence[Path]) -> Finding:
    path = newest(kind, globs)
    if path is None:
        return failed(f"none of the newest files is a {kind.what}", _OTHERS)
    try:
        return ok(f"{path.name} is {kind.describe(_head(path))}")
    except SourceError as error:
        return failed(f"{path.name} {error}", *_why_unknown(kind, path))


def _why_unknown(kind: Kind, path: Path) -> Sequence[Cause]:
    beside = Cause(f"it is not a {kind.what} but a log or another file", "narrow the globs, or write it elsewhere")
    tool = Cause("the tool writes it in another format", "docs/reference/sources.md lists the options of the tool")
    empty = Cause("it is being written, or was cut off", "wait for the next one; check the disk's free space")
    return (beside, tool, empty) if path.stat().st_size else (empty, beside)


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(HEAD)
    except OSError as error:
        raise SourceError.cannot_read(error).at(path) from None


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more
