"""The made-up shop's test reports as a source: no files needed.

A separate kind beside `demo`: only `demo` can be production.
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
MADE_UP = True
ROLES = ("ci",)


class Options(Settings, frozen=True):
    """Which made-up shop."""

    seed: int = 1


def checks(options: Options, context: CheckContext) -> Iterator[Step]:
    """Nothing can fail; the step says that the data is invented."""
    yield Step("found", "generate the data", lambda: ok(f"all data is made up, from the seed {options.seed}"))


class Source:
    """Computes each request."""

    def __init__(self, options: Options, side: str) -> None:
        self._seed = options.seed
        self._side = side

    def observe(self, window: Window, pattern: Window | None = None) -> Observation:
        """The reports that ended in `window`."""
        applications = {
            name: ApplicationObservation(window, reports=of_application)
            for name, of_application in reports(self._seed, window)
        }
        return Observation(self._side, window, applications)

    def observe_runs(self, lookback: Window, threshold: float, choose: ChooseRuns) -> Observation:
        """Always an error: reports of test runners contain nothing about a PTE."""
        raise SourceError("bad_query", "reports of test runners contain nothing about a PTE")

    def close(self) -> None:
        """Nothing to close."""
