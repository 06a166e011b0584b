"""Waits for a result file whose name the tool chooses, such as Gatling's results/*/simulation.log, and follows it."""

from __future__ import annotations

from pathlib import Path

from exporter.commands.run.file_follower import FileFollower
from exporter.errors import SourceError
from exporter.formats import result_files
from exporter.model.loadrun import LoadRun


class GlobFollower:
    """The new file that matches a glob. Globs match files; ** matches any number of directories."""

    is_stale = False

    def __init__(self, path: Path) -> None:
        self.path = path
        self._before = set(self._matching())
        self._follower: FileFollower | None = None

    def step(self, seconds: float) -> None:
        if self._follower is None:
            files = self._new()
            if len(files) != 1:  # none yet, or several: `finish` reports that, when it is certain
                return
            self._follower = FileFollower(files[0], fresh=True)

        self._follower.step(seconds)

    def run(self) -> LoadRun | None:
        return self._follower.run() if self._follower is not None else None

    def finish(self) -> LoadRun:
        files = self._new()
        if not files:
            raise SourceError("unreadable", f"{self.path}: no new file matches")
        if len(files) > 1:
            names = ", ".join(map(str, files))
            raise SourceError("bad_data", f"{self.path}: {len(files)} new files match, expected one: {names}")

        if self._follower is None or self._follower.path != files[0]:
            self.close()
            self._follower = FileFollower(files[0], fresh=True)
        return self._follower.finish()

    def close(self) -> None:
        if self._follower is not None:
            self._follower.close()

    def _new(self) -> list[Path]:
        return sorted(set(self._matching()) - self._before)

    def _matching(self) -> list[Path]:
        return [path for path in result_files.matching(self.path) if path.is_file()]
