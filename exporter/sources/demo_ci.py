"""The made-up shop's test reports as a source: no files needed.

A kind of its own, beside `demo`, so that the configuration tells apart who can be production and who cannot.
"""

from __future__ import annotations

from collections.abc import Iterator

from exporter.checkup import Step, ok
from exporter.demo.executions import reports
from exporter.errors import SourceError
from exporter.model.checkup import CheckContext
from exporter.model.observation import ApplicationObservation, Observation, Window
from exporter.model.settings import Settings
from exporter.sources import ChooseRuns

KIND = "demo-ci"
ROLES = ("ci",)


class Options(Settings, frozen=True):
    """Which made-up shop."""

    seed: int = 1


def checks(options: Options, wanted: CheckContext) -> Iterator[Step]:
    """Nothing can be wrong with it; it is said that nothing of it is true."""
    yield Step("found", "make it up", lambda: ok(f"all of it is made up, from the seed {options.seed}"))


class Source:
    """Computes what it is asked for."""

    def __init__(self, options: Options, side: str) -> None:
        self._seed, self._side = options.seed, side

    def observe(self, window: Window, pattern: Window | None = None) -> Observation:
        """The reports that ended in `window`."""
        seen = {name: ApplicationObservation(window, reports=found) for name, found in reports(self._seed, window)}
        return Observation(self._side, window, seen)

    def observe_runs(self, lookback: Window, threshold: float, choose: ChooseRuns) -> Observation:
        """Never: reports of test runners tell nothing of a PTE."""
        raise SourceError("bad_query", "reports of test runners tell nothing of a PTE")

    def close(self) -> None:
        """Nothing is held."""
