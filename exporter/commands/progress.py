"""The progress line."""

from __future__ import annotations

import sys
import threading
import time


class Progress:
    """A line on stderr that says what the command waits for and how long; only on a terminal."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._show, daemon=True)

    def __enter__(self) -> None:
        if sys.stderr.isatty():
            self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._done.set()
        if self._thread.is_alive():
            self._thread.join()
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)

    def _show(self) -> None:
        began = time.monotonic()
        # Steps of less than a fifth of a second show nothing.
        while not self._done.wait(0.2):
            seconds = time.monotonic() - began
            print(f"\r\x1b[K{self._what} … {seconds:.0f} s", end="", file=sys.stderr, flush=True)
