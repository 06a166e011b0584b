"""Our rules with their minutes made shorter for tests. Nothing else is changed.

Every duration of a rules file is divided by FASTER: `interval`, `for`, `keep_firing_for` and the ranges in brackets, in
expressions as in templates. So a rule that waits 15 minutes over 10-minute ranges waits 3 seconds over 2-second ranges,
and every ratio between durations, on which the behaviour rests, stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

FASTER = 300
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATIONS = re.compile(r"((?:interval|for|keep_firing_for): |\[)(\d+)([smhd])(?=\]|$)", re.MULTILINE)


def hastened(text: str) -> str:
    """A rules file with all its durations divided by FASTER, in milliseconds."""

    def shorter(match: re.Match[str]) -> str:
        prefix, number, unit = match.groups()
        return f"{prefix}{int(number) * _SECONDS[unit] * 1000 // FASTER}ms"

    return _DURATIONS.sub(shorter, text)


def written(files: Mapping[str, bytes], directory: Path) -> list[Path]:
    """Generated rules files, hastened, below a directory."""
    lines = []
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(hastened(text.decode()), encoding="utf-8")
        lines.append(path)
    return lines
