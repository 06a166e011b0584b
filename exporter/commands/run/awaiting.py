"""A result file whose name the tool makes up, such as Gatling's results/*/simulation.log: waited for, then followed."""

from __future__ import annotations

import glob
from pathlib import Path
from typing import Protocol

from exporter.commands.run.following import Following
from exporter.errors import SourceError
from exporter.formats import result_files
from exporter.model.loadrun import LoadRun


class Followed(Protocol):
    """A result that is being written."""

    path: Path

    @property
    def is_stale(self) -> bool:
        """Whether a file of an earlier run lies there."""

    def step(self, seconds: float) -> None:
        """Read what is new, for about so many seconds."""

    def run(self) -> LoadRun | None:
        """The run as far as it was read."""

    def finish(self) -> LoadRun:
        """The whole run; raises SourceError."""

    def close(self) -> None:
        """No more."""


def followed(path: Path) -> Followed:
    """A file by its name, or the one that will match a glob; raises SourceError."""
    return Awaiting(path) if glob.has_magic(str(path)) and not path.exists() else Following(path)


class Awaiting:
    """The one file that matches a glob and was not there before. Globs name files, ** any number of folders."""

    is_stale = False

    def __init__(self, path: Path) -> None:
        self.path = path
        self._before = set(self._matching())
        self._following: Following | None = None

    def step(self, seconds: float) -> None:
        if self._following is None:
            found = self._new()
            if len(found) != 1:
                return
            self._following = Following(found[0], fresh=True)
        self._following.step(seconds)

    def run(self) -> LoadRun | None:
        return self._following.run() if self._following is not None else None

    def finish(self) -> LoadRun:
        found = self._new()
        if not found:
            raise SourceError("unreadable", f"{self.path}: no such file was written that was not there before")
        if len(found) > 1:
            names = ", ".join(str(each) for each in found)
            raise SourceError("bad_data", f"{self.path}: {len(found)} such files were written, wanted one: {names}")
        if self._following is None or self._following.path != found[0]:
            self.close()
            self._following = Following(found[0], fresh=True)
        return self._following.finish()

    def close(self) -> None:
        if self._following is not None:
            self._following.close()

    def _new(self) -> list[Path]:
        return sorted(set(self._matching()) - self._before)

    def _matching(self) -> list[Path]:
        return [each for each in result_files.matching(self.path) if each.is_file()]
