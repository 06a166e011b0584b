"""Where baselines are saved: FOLDER/APPLICATION/NAME.json, our own format, a line for each endpoint for git's sake.

A file is replaced as a whole or not at all.
"""

from __future__ import annotations

import contextlib
import math
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from exporter import formats
from exporter.errors import PteError, SourceError
from exporter.formats import result_files, saved
from exporter.model.loadrun import LoadRun

MOST = 30
"""Runs before a run that are read, the newest."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+@-]{0,99}")
_SUFFIX = ".json"


@dataclass(frozen=True, slots=True)
class Baseline:
    """One that is saved."""

    application: str
    name: str
    run: LoadRun


def place(folder: Path, application: str, name: str) -> Path:
    """Where it is saved; raises PteError for a name that is none, such as one that leads elsewhere."""
    for what, text in (("--application", application), ("the baseline's name", name)):
        if not _NAME.fullmatch(text):
            wanted = "wanted up to 100 letters, digits and . _ + @ -, not beginning with one of . + @ -"
            raise PteError(f"{what}: found {text[:100]!r}, {wanted}")
    return folder / application / f"{name}{_SUFFIX}"


def save(path: Path, run: LoadRun, *, force: bool) -> None:
    """Atomically; raises PteError where there is one already, unless forced, and OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        try:
            file.write(written(run))
            file.flush()
            os.fsync(file.fileno())
            Path(file.name).chmod(0o644)
            if force:
                Path(file.name).replace(path)
            else:
                os.link(file.name, path)  # unlike a rename it fails where something is, without a moment in between
        except FileExistsError:
            raise PteError(f"{path}: is there already; --force replaces it") from None
        finally:
            with contextlib.suppress(FileNotFoundError):
                Path(file.name).unlink()


def written(run: LoadRun) -> bytes:
    """What `saved.write` gives, with a line for each field and each endpoint."""
    result = msgspec.json.decode(saved.write(run))["result"]
    lines = [f"{_json(key)}:{_lines(value) if key == 'endpoints' else _json(value)}" for key, value in result.items()]
    return b'{"pte_load_run":1,\n"result":{\n' + ",\n".join(lines).encode() + b"\n}}\n"


def _lines(values: Sequence[object]) -> str:
    inside = ",\n".join(_json(value) for value in values)
    return f"[\n{inside}\n]" if values else "[]"


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def listed(folder: Path, application: str | None, wrong: list[str]) -> Iterator[Baseline]:
    """All that are saved, by application and name; what cannot be read is told in `wrong`."""
    if not folder.is_dir():
        raise PteError(f"{folder}: is no folder; baselines are made with pte-exporter baseline save")
    for path in sorted(folder.glob(f"*/[!.]*{_SUFFIX}")):
        if application in (None, path.parent.name):
            try:
                yield Baseline(path.parent.name, path.stem, formats.read(path))
            except SourceError as error:
                wrong.append(str(error))


def find(folder: Path, application: str, name: str) -> Path:
    """The file that a name or a path stands for; raises PteError where there is none."""
    if Path(name).is_file():
        return Path(name)
    if "/" in name or name.endswith(_SUFFIX):
        raise PteError(f"{name}: no such file")
    path = place(folder, application, name)
    if not path.is_file():
        raise PteError(f"{name}: no such baseline of {application}: {path} is not there, nor is a file of that name")
    return path


def history(
    patterns: Sequence[str], warnings: list[str], *, until: float = math.inf, apart: Path | None = None
) -> list[LoadRun]:
    """The newest complete runs that ended before `until` (Unix seconds), oldest first, but not the file `apart`.

    What cannot be read is told in `warnings`.
    """
    paths = {path for pattern in patterns for path in result_files.matching(Path(pattern))}
    left_out = apart.resolve() if apart is not None else None
    files = [path for path in paths if path.is_file() and path.resolve() != left_out]
    newest = sorted(files, key=lambda path: (path.stat().st_mtime_ns, path))[-4 * MOST :]
    found = list[LoadRun]()
    for path in newest:
        try:
            with path.open("rb") as file:
                if formats.accompanies(file.read(formats.HEAD)):
                    continue
            run = formats.read(path)
        except SourceError as error:
            warnings.append(f"left out: {error}")
            continue
        if not run.complete:
            warnings.append(f"left out: {path}: the run was ended early")
        elif run.end < until and run.total.requests:
            found.append(run)
    return sorted(found, key=lambda run: run.end)[-MOST:]
