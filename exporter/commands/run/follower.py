"""Reads a result while the load generator writes it, by its name or by a glob if the tool chooses the name."""

from __future__ import annotations

import glob
from pathlib import Path
from typing import Protocol

from exporter.commands.run.file_follower import FileFollower
from exporter.commands.run.glob_follower import GlobFollower
from exporter.model.loadrun import LoadRun


class Follower(Protocol):
    """A result that is being written."""

    path: Path

    @property
    def is_stale(self) -> bool:
        """Whether a file of an earlier run exists there."""

    def step(self, seconds: float) -> None:
        """Read new data for about so many seconds."""

    def run(self) -> LoadRun | None:
        """The run as far as it was read."""

    def finish(self) -> LoadRun:
        """The whole run; raises SourceError."""

    def close(self) -> None:
        """Stop reading."""


def follow(path: Path) -> Follower:
    """Follow a file by its name, or the new file that matches a glob; raises SourceError."""
    if glob.has_magic(str(path)) and not path.exists():
        return GlobFollower(path)
    return FileFollower(path)
