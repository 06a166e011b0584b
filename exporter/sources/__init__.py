"""I/O IN: one file = one kind of source. A module here is a source when it has `KIND`, `Options` and `Source`.

    KIND = "demo"                                     what `kind:` says in the configuration
    class Options(Settings, frozen=True): ...         its other keys
    class Source: ...                                 what the protocol below asks for

The registry finds them by itself; configuration errors, self-metrics and the contract tests come with that.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Protocol

from exporter.model.observation import Observation, Samples, Window

Activity = Mapping[str, Samples]
"""Application to its active minutes: one-minute request rates above a threshold, sparse."""

ChooseRuns = Callable[[Activity], Mapping[str, Window]]
"""From the activity in a look-back to the window of each application's test run; an idle application has no key."""


class Source(Protocol):
    """One environment's data. Constructed as `Source(options, side)`; opening no connection and reading no file yet.

    Both methods raise SourceError and nothing else, leave out applications and signals without data, and may be called
    again at any time, also after a failure. Windows end on a full minute.
    """

    def observe(self, window: Window, pattern: Window | None = None) -> Observation:
        """Summaries of all applications over `window`, and five-minute rates over `pattern` when given."""

    def observe_runs(self, lookback: Window, threshold: float, choose: ChooseRuns) -> Observation:
        """Each application over its own test run, which `choose` picks from the minutes above `threshold` requests/s."""

    def close(self) -> None:
        """Give back connections; the source is not used afterwards."""


def kinds() -> Mapping[str, ModuleType]:
    """Every kind of source there is, by the name it has in the configuration."""
    found = {}
    for module in pkgutil.iter_modules(__path__):
        loaded = importlib.import_module(f"{__name__}.{module.name}")
        if hasattr(loaded, "KIND"):
            found[loaded.KIND] = loaded
    return found
