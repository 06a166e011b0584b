"""The made-up shop's history in a TSDB directory, filled once and kept under .cache/ until the demo changes.

    with servers.prometheus("3", tmp_path, blocks=seed.tsdb()) as server: ...

The directory is shared by all tests: servers work on a copy (tests.servers makes one of hard links).
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
from pathlib import Path

from exporter.demo import openmetrics
from tests import servers

CACHE = servers.TOP / ".cache" / "seed"
DEMO = servers.TOP / "exporter" / "demo"

END = 1795176000.0
"""2026-11-20T12:00:00Z, a Friday."""

DAYS = 16.0
"""Covers the seven days before every application's latest run as well."""

SEED = 1


def tsdb(days: float = DAYS, end: float = END, seed: int = SEED) -> Path:
    """A TSDB directory holding `days` days of history up to `end` (Unix seconds, a full minute)."""
    directory = CACHE / _key(days, end, seed)
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{directory.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not directory.exists():
            _build(directory, end - days * 86400.0, end, seed)
    return directory


def _key(days: float, end: float, seed: int) -> str:
    digest = hashlib.sha256(f"{days} {end} {seed}".encode())
    for file in sorted(DEMO.glob("*.py")):
        if file.name not in {"live.py", "executions.py"}:
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _build(directory: Path, start: float, end: float, seed: int) -> None:
    """Fill beside and move into place: an interrupted run leaves nothing half filled."""
    work = directory.with_suffix(".part")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    history = work / "history.om"
    with history.open("w") as out:
        openmetrics.write(out, start, end, seed)
    servers.create_blocks("2.42", history, work / "tsdb")
    history.unlink()
    (work / "tsdb").rename(directory)
    work.rmdir()
