"""The folder that holds a stack's data: of one stack at a time, and of nobody else."""

from __future__ import annotations

import contextlib
import fcntl
import shutil
from collections.abc import Iterator
from pathlib import Path

from deploy.stack.errors import StackError

LOCK = "stack.lock"
"""Held by the stack that uses the folder; the file stays, and shows that the folder is a stack's."""


@contextlib.contextmanager
def reserved(data: Path, *, ours: bool = False) -> Iterator[None]:
    """Keep other stacks out of the folder. Nothing in it is touched, and with `ours` it need not have the lock yet."""
    data.mkdir(parents=True, exist_ok=True)
    names = {path.name for path in data.iterdir()}
    if names and LOCK not in names and not ours:
        raise StackError(f"{data} holds something that is no stack's: give an empty folder")

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
