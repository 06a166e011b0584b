"""The directory with a stack's data, for one stack at a time."""

from __future__ import annotations

import contextlib
import fcntl
import shutil
from collections.abc import Iterator
from pathlib import Path

from deploy.stack.errors import StackError

LOCK = "stack.lock"
"""Locked by the stack that uses the directory; the file stays, and marks the directory as a stack's."""


@contextlib.contextmanager
def reserved(data: Path, *, ours: bool = False) -> Iterator[None]:
    """Keep other stacks out of the directory. Changes nothing in it; with `ours` it need not have the lock yet."""
    data.mkdir(parents=True, exist_ok=True)
    names = {path.name for path in data.iterdir()}
    if names and LOCK not in names and not ours:
        raise StackError(f"{data} contains files that are not a stack's: use an empty directory")

    with (data / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StackError(f"{data} is in use by another stack") from None
        yield


def clear(data: Path) -> None:
    """Delete everything in the folder but the lock."""
    for path in data.iterdir():
        if path.name == LOCK:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
