"""What commands share: times and durations as arguments, and the line that tells of progress."""

from __future__ import annotations

import argparse
import re
import sys
import threading
import time
from datetime import UTC, datetime

_NUMBER = re.compile(r"[0-9]{9,}(\.[0-9]+)?")
"""Unix seconds; a shorter number such as 20261120 is a date."""


class Progress:
    """A line on stderr that tells what is waited for and how long; only where a person looks on."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._tell, daemon=True)

    def __enter__(self) -> None:
        if sys.stderr.isatty():
            self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._done.set()
        if self._thread.is_alive():
            self._thread.join()
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)

    def _tell(self) -> None:
        began = time.monotonic()
        while not self._done.wait(0.2):
            seconds = time.monotonic() - began
            print(f"\r\x1b[K{self._what} … {seconds:.0f} s", end="", file=sys.stderr, flush=True)


def moment(text: str) -> datetime:
    """A time of the past, for argparse; without a zone it is UTC."""
    try:
        at = datetime.fromtimestamp(float(text), UTC) if _NUMBER.fullmatch(text) else datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        wanted = "wanted one such as 2026-11-20T10:00:00Z, or Unix seconds"
        raise argparse.ArgumentTypeError(f"{text} is no time, {wanted}") from None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    if at > datetime.now(UTC):
        raise argparse.ArgumentTypeError(f"{text} is in the future, wanted a time of the past")
    return at


def duration(text: str) -> int:
    """Whole seconds of a Prometheus duration, for argparse."""
    from exporter.config import conversion  # it takes a while to load

    seconds = float(conversion.duration(text) or 0)
    if seconds <= 0 or seconds != int(seconds):
        raise argparse.ArgumentTypeError(f"{text} is no duration, wanted one such as 30s, 5m or 30d")
    return int(seconds)
