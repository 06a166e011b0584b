"""Saves baselines as DIR/APPLICATION/NAME.json, in our own format, with a line per endpoint for git diffs.

Files are replaced atomically.
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
"""Earlier runs that are read, the newest."""

_MOST_FILES = 4 * MOST
"""Files to open for so many runs: some have other formats, or are of incomplete or later runs."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+@-]{0,99}")
_SUFFIX = ".json"


@dataclass(frozen=True, slots=True)
class Baseline:
    """A saved run."""

    application: str
    name: str
    run: LoadRun


def path_of(folder: Path, application: str, name: str) -> Path:
    """Its path; raises PteError for an invalid name, such as one with a slash."""
    for subject, text in (("--application", application), ("the baseline's name", name)):
        if not _NAME.fullmatch(text):
            expected = "expected up to 100 letters, digits and . _ + @ -, not beginning with . + @ or -"
            raise PteError(f"{subject} is {text[:100]!r}: {expected}")
    return folder / application / f"{name}{_SUFFIX}"


def save(path: Path, run: LoadRun, *, force: bool) -> None:
    """Save atomically; raises PteError if the baseline exists already, unless forced, and OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)

    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        temporary = Path(file.name)
        try:
            file.write(encode(run))
            file.flush()
            os.fsync(file.fileno())
            temporary.chmod(0o644)

            if force:
                temporary.replace(path)
            else:
                os.link(temporary, path)  # unlike a rename it fails if the file exists, without a race
        except FileExistsError:
            raise PteError(f"{path}: exists already; --force replaces it") from None
        finally:
            with contextlib.suppress(FileNotFoundError):
                temporary.unlink()


def encode(run: LoadRun) -> bytes:
    """As `saved.write`, with a line per field and per endpoint."""
    result = msgspec.json.decode(saved.write(run))["result"]
    lines = []
    for key, value in result.items():
        text = _lines(value) if key == "endpoints" else _json(value)
        lines.append(f"{_json(key)}:{text}")
    return b'{"pte_load_run":1,\n"result":{\n' + ",\n".join(lines).encode() + b"\n}}\n"


def _lines(values: Sequence[object]) -> str:
    if not values:
        return "[]"
    inside = ",\n".join(_json(value) for value in values)
    return f"[\n{inside}\n]"


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def read_all(folder: Path, application: str | None, problems: list[str]) -> Iterator[Baseline]:
    """All baselines, by application and name; `problems` gets a line for each unreadable file."""
    if not folder.is_dir():
        reason = "is not a directory" if folder.exists() else "no such directory"
        raise PteError(f"{folder}: {reason}; save a baseline with: pte-exporter baseline save")

    for path in sorted(folder.glob(f"*/[!.]*{_SUFFIX}")):
        if application not in (None, path.parent.name):
            continue
        try:
            yield Baseline(path.parent.name, path.stem, formats.read(path))
        except SourceError as error:
            problems.append(str(error))


def find(folder: Path, application: str, name: str) -> Path:
    """The file of a name or a path; raises PteError if it does not exist."""
    if Path(name).is_file():
        return Path(name)
    if "/" in name or name.endswith(_SUFFIX):
        raise PteError(f"{name}: no such file")

    path = path_of(folder, application, name)
    if not path.is_file():
        text = f"no such baseline of {application}, and no such file: {path} does not exist"
        raise PteError(f"{name}: {text}")
    return path


def history(
    patterns: Sequence[str], warnings: list[str], *, until: float = math.inf, apart: Path | None = None
) -> list[LoadRun]:
    """The newest complete runs that ended before `until` (Unix seconds), oldest first, but not the file `apart`.

    `warnings` gets a line for each file that cannot be used.
    """
    runs: list[LoadRun] = []
    for path in _newest_files(patterns, apart):
        try:
            if _is_companion(path):
                continue
            run = formats.read(path)
        except SourceError as error:
            warnings.append(f"ignored: {error}")
            continue

        if not run.complete:
            warnings.append(f"ignored: {path}: the run was ended early")
        elif run.end < until and run.total.requests:
            runs.append(run)

    return sorted(runs, key=lambda run: run.end)[-MOST:]


def _newest_files(patterns: Sequence[str], apart: Path | None) -> list[Path]:
    """By modification time: the end of a run is known only after reading."""
    paths = {path for pattern in patterns for path in result_files.matching(Path(pattern))}
    excluded = apart.resolve() if apart is not None else None
    files = [path for path in paths if path.is_file() and path.resolve() != excluded]
    return sorted(files, key=lambda path: (path.stat().st_mtime_ns, path))[-_MOST_FILES:]


def _is_companion(path: Path) -> bool:
    """Whether a load generator wrote the file beside its result: it is not a run."""
    with path.open("rb") as file:
        return formats.accompanies(file.read(formats.HEAD))
