"""What is checked of files that others write (result_files.py): found, format, complete, fresh.

Each application's newest file is looked at: it is what the next verdict rests on.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from glob import has_magic
from pathlib import Path

from exporter import humanize
from exporter.checkup import Step, failed, ok, warning
from exporter.checkup.causes import FORBIDDEN
from exporter.errors import SourceError
from exporter.formats import HEAD, result_files
from exporter.model.checkup import Cause, Finding
from exporter.model.observation import Window

_LOOKED = 50
"""Of so many of an application's newest files the first that is a result is looked at."""

_SLIP = Cause("a slip in the path or glob", "try it with ls, as the exporter's user and on its host")
_ELSEWHERE = Cause(
    "nothing was written yet, or elsewhere", "look where the load generator or runner writes its results"
)
_FOLDERS = Cause("files lie in the folder itself", "give each application a folder of its own, named as it")
_OTHERS = Cause("only logs or other files lie there", "narrow the globs to results, or write them elsewhere")


@dataclass(frozen=True, slots=True)
class Kind:
    """What a kind of source takes for a result."""

    what: str
    """run, report."""
    wanted: str
    """The glob below an application's folder."""
    settle: float
    passes: Callable[[bytes], bool]
    """Whether a file that begins so is passed by, as it belongs to another or is of another kind."""
    format: Callable[[bytes], str]
    """What a file that begins so is; raises SourceError."""


def applications(
    kind: Kind, folder: Path | None, files: Mapping[str, Sequence[Path]]
) -> tuple[list[Step], Mapping[str, Sequence[Path]]]:
    """The step that looks into the folder, where there is one, and the applications' globs as far as they are known."""
    try:
        globs = result_files.applications(folder, files, kind.wanted)
    except SourceError:
        globs = files  # the step tells what is wrong

    def look() -> Finding:
        names = [*result_files.applications(folder, {}, kind.wanted)]
        if names:
            return ok(f"{humanize.pluralize(len(names), 'folder')}: {_few(sorted(names))}")
        causes = (_FOLDERS, _ELSEWHERE) if folder is not None and any(folder.iterdir()) else (_ELSEWHERE, _FOLDERS)
        return (warning if files else failed)("holds no folder of an application", *causes)

    return ([Step("found", f"ls -d {folder}/*/", look)] if folder is not None else []), globs


def of_application(kind: Kind, name: str, globs: Sequence[Path]) -> Iterator[Step]:
    """Found and format of one application."""
    patterns = " ".join(map(str, globs))
    yield Step("found", f"ls -t {patterns}", lambda: _found(globs), subject=name)
    yield Step("format", "tell the newest file's format", lambda: _format(kind, globs), ("found",), name)


def newest(kind: Kind, globs: Sequence[Path], *, settled: bool = False) -> Path | None:
    """The newest file that is not passed by; when `settled`, of those that are not being written any more."""
    for path in result_files.newest(globs, _LOOKED):
        if (not settled or not waits(kind, path)) and not kind.passes(_head(path)):
            return path
    return None


def waits(kind: Kind, path: Path) -> bool:
    """Whether the file was written to within `settle`."""
    return abs(time.time() - result_files.written(path)) < kind.settle


def waiting(kind: Kind, path: Path) -> Finding:
    """It is waited for."""
    age = time.time() - result_files.written(path)
    when = f"{humanize.duration(age)} ago" if age >= 0 else f"{humanize.duration(-age)} in the future"
    text = f"{path.name} was written to {when}: it waits until that is {humanize.duration(kind.settle)} ago (settle)"
    return warning(
        text,
        Cause("it is still being written", f"wait; until then the {kind.what} before it counts"),
        Cause("something touches it again and again", "let it be written once, and left alone"),
        Cause("the clocks of both hosts differ", "set them by NTP"),
    )


def fresh(what: str, end: float, window: Window, longer: str) -> Finding:
    """Whether something that ended at `end` (Unix seconds) is in the window that a poll looks at."""
    text = f"the newest {what} ended {humanize.format_time(end)}, {humanize.duration(max(0.0, window.end - end))} ago"
    if window.start < end <= window.end + 60:
        return ok(text)
    if end > window.end:
        cause = Cause("the clock of the host that wrote it goes ahead", "set both clocks by NTP")
        zone = Cause("its times tell no time zone, and were taken in another", "set the zone, where the kind has one")
        return warning(f"the newest {what} ended {humanize.format_time(end)}: in the future", cause, zone)
    return failed(
        f"{text}: outside the look-back of {humanize.duration(window.duration)}",
        Cause("nothing ran since", "run it again"),
        Cause("newer results are written elsewhere", "look at the check found: is that where they should be?"),
        Cause("it runs more seldom than the look-back is long", f"raise {longer}"),
    )


def _found(globs: Sequence[Path]) -> Finding:
    paths = result_files.newest(globs, 10**6)
    if not paths:
        closed = (FORBIDDEN,) if any(map(_closed, globs)) else ()
        return failed("no file is like that", *closed, _SLIP, _ELSEWHERE)
    age = humanize.duration(max(0.0, time.time() - result_files.written(paths[0])))
    return ok(f"{humanize.pluralize(len(paths), 'file')}, the newest {paths[0].name}, {age} old")


def _closed(pattern: Path) -> bool:
    """Whether our user may not look into a folder on the way to the files."""
    plain = [each for each in reversed(pattern.parents) if not has_magic(str(each)) and os.access(each, os.F_OK)]
    return any(not os.access(each, os.X_OK) for each in plain) or not os.access(plain[-1], os.R_OK)


def _format(kind: Kind, globs: Sequence[Path]) -> Finding:
    path = newest(kind, globs)
    if path is None:
        return failed(f"none of the newest files is a {kind.what}", _OTHERS)
    try:
        return ok(f"{path.name} is {kind.format(_head(path))}")
    except SourceError as error:
        beside = Cause(
            f"it is no {kind.what}, but a log or a file beside it", "narrow the globs, or write it elsewhere"
        )
        tool = Cause("the tool writes it in another format", "docs/sources.md lists the options to give the tool")
        empty = Cause("it is being written, or was cut off", "wait for the next; look at the disk's free space")
        causes = (beside, tool, empty) if path.stat().st_size else (empty, beside)
        return failed(f"{path.name} {error}", *causes)


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(HEAD)
    except OSError as error:
        raise SourceError("unreadable", f"{path}: cannot be read: {error.strerror}") from None


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
