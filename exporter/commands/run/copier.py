"""Copies the output of the load generator to ours and to a file. If either copy fails, the generator continues."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from typing import BinaryIO

_BLOCK = 65536


class Copier:
    """Copies to our standard output and to the file from now on, on its own thread."""

    def __init__(self, printed: BinaryIO, path: Path) -> None:
        self.failure: str | None = None
        """Why the file does not have the whole output."""
        self._printed = printed
        self._path = path
        self._output: int | None = sys.stdout.fileno()
        """None: its reader has gone."""

        # Written by the copying thread, read by `end`: how far it is, and whether it waits for the generator or for the
        # reader of our output.
        self._blocks = 0
        self._waiting = False
        self._thread = threading.Thread(target=self._copy, name="copy", daemon=True)
        self._thread.start()

    def end(self, grace: float) -> None:
        """After the generator has ended: wait for its output, but not for processes that hold the pipe open.

        A slow reader of our output is waited for, as the generator itself would wait.
        """
        blocks_before = -1
        while self._thread.is_alive() and not (self._waiting and self._blocks == blocks_before):
            blocks_before = self._blocks
            self._thread.join(grace)

    def _copy(self) -> None:
        file = self._open()
        while block := self._read():
            if file is not None:
                file = self._keep(file, block)
            self._pass_on(block)

        if file is not None:
            file.close()

    def _read(self) -> bytes:
        self._waiting = True
        block = os.read(self._printed.fileno(), _BLOCK)
        self._waiting = False
        self._blocks += 1
        return block

    def _open(self) -> BinaryIO | None:
        try:
            return self._path.open("wb", buffering=0)
        except OSError as error:
            self.failure = f"{self._path}: {error.strerror}"
            return None

    def _keep(self, file: BinaryIO, block: bytes) -> BinaryIO | None:
        """The file; None if it can no longer be written: generator and reader continue without it."""
        try:
            _write(file.fileno(), block)
        except OSError as error:
            self.failure = f"{self._path}: {error.strerror}"
            file.close()
            return None
        return file

    def _pass_on(self, block: bytes) -> None:
        if self._output is None:
            return
        try:
            _write(self._output, block)
        except OSError:  # the reader of our output has gone; the result is still needed
            self._output = None


def _write(descriptor: int, block: bytes) -> None:
    """Write all of it: the system may accept less at a time."""
    while block:
        block = block[os.write(descriptor, block) :]
