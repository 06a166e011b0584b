"""The made-up shop's history for the stack's Prometheus, and the moment it starts at.

    python -m deploy.stack.history DIRECTORY

writes DIRECTORY/history.om and DIRECTORY/start, unless `start` is there already: the history is then loaded, and
counters continue from the same start.
"""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from exporter.demo import openmetrics

DAYS = 16
"""Eight for the exporter's look-back, and eight for production's seven days before the oldest run."""

SEED = 1


def write(directory: Path, days: int = DAYS) -> str:
    """Write up to the last full minute; returns the start, as exporter.demo.server takes it."""
    start_file = directory / "start"
    if start_file.exists():
        return start_file.read_text(encoding="utf-8").strip()
    end = time.time() // 60 * 60
    begin = end - days * 86400
    with (directory / "history.om").open("w", encoding="utf-8") as out:
        openmetrics.write(out, begin, end, SEED)
    start = datetime.fromtimestamp(begin, UTC).isoformat()
    start_file.write_text(start + "\n", encoding="utf-8")
    return start


if __name__ == "__main__":
    print(write(Path(sys.argv[1])))
