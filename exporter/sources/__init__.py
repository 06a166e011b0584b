"""I/O IN: one file or folder per kind of source. A source has `KIND`, `Options` and `Source`; a folder has them in its
`source.py`.

    KIND = "demo"                                     the value of `kind:` in the configuration
    class Options(Settings, frozen=True): ...         its other keys
    class Source: ...                                 implements the protocol below
    MADE_UP = True                                    optional: the data is invented, and everything says so
    ROLES = ("pte",)                                  optional: the sides it can be; else production and pte
    Source.events                                     optional: implements `Counting` below
    def problems(options) -> [(key, problem)]: ...    optional: problems beyond types (files, secrets, queries)
    def reads(options) -> frozenset[Hashable]: ...    optional: the data that it reads, with OTHER_DATA (see below)
    def checks(options, context) -> [Step]: ...       optional: the steps of `doctor`
    def recordings(options, side) -> [Record]: ...    optional: recording rules that make polls cheaper

Production and the PTE must not read the same data; `OTHER_DATA` says what to change if they do.
The registry finds sources automatically; configuration errors, self-metrics and contract tests then cover them.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Hashable, Iterator, Mapping
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol, cast, runtime_checkable

from exporter import config
from exporter.checkup import Step
from exporter.config import Config, Environment
from exporter.config.conversion import child, convert, unknown
from exporter.errors import ConfigError, Problem, SourceError
from exporter.model.checkup import CheckContext
from exporter.model.observation import Events, Observation, Samples, Window
from exporter.model.rule import Record
from exporter.model.slo_settings import Side

Activity = Mapping[str, Samples]
"""Application to its active minutes: one-minute request rates above a threshold, sparse."""

OptionProblem = tuple[str, str | SourceError]
"""The key of an option, and its problem: a text, or the error of the attempt to use it."""

ChooseRuns = Callable[[Activity], Mapping[str, Window]]
"""From the activity in a look-back to the window of each application's test run; without idle applications."""


class Source(Protocol):
    """One environment's data. The constructor `Source(options, side)` opens no connection and reads no file.

    Both methods raise SourceError and nothing else, leave out applications and signals without data, and may be called
    again at any time, also after a failure. Windows end on a full minute.
    """

    def observe(self, window: Window, pattern: Window | None = None) -> Observation:
        """Summaries of all applications over `window`, and five-minute rates over `pattern` when given."""

    def observe_runs(self, lookback: Window, threshold: float, choose: ChooseRuns) -> Observation:
        """Each application over its own test run, which `choose` picks from minutes above `threshold` requests/s."""

    def close(self) -> None:
        """Close connections; the source is not used afterwards."""


@runtime_checkable
class Counting(Protocol):
    """A source that recording rules cannot read: its SLOs use counters that the exporter keeps."""

    def events(self, role: Side, windows: Mapping[str, Window]) -> Mapping[str, Events]:
        """The events of each application in its own window, which ends on full minutes; raises SourceError.

        `Events.window` is the counted part; the next poll continues from its end. An application without data in its
        window has no key. Adjacent windows add up, and no event counts in two of them.
        """


def kinds() -> Mapping[str, ModuleType]:
    """Every kind of source, by its name in the configuration."""
    modules = {}
    for entry in pkgutil.iter_modules(__path__):
        inside = ".source" if entry.ispkg else ""
        module = importlib.import_module(f"{__name__}.{entry.name}{inside}")
        if hasattr(module, "KIND"):
            modules[module.KIND] = module
    return modules


def options(raw: Mapping[str, Any], file: str, path: str, problems: list[Problem], *, checked: bool = True) -> Any:
    """A `source:` mapping as its kind's Options, or None after adding its errors to `problems`."""
    modules = kinds()
    kind = raw.get("kind")
    if not isinstance(kind, str) or kind not in modules:
        problems.append(Problem(file, child(path, "kind"), _no_kind(kind, tuple(modules))))
        return None

    rest = {key: value for key, value in raw.items() if key != "kind"}
    converted = convert(rest, modules[kind].Options, file, path, problems)
    if not checked or converted is None:
        return converted

    invalid = _beyond(modules[kind], converted)
    for key, problem in invalid:
        where = child(path, key) if key else path
        problems.append(Problem(file, where, str(problem)))
    return None if invalid else converted


def _no_kind(kind: object, names: tuple[str, ...]) -> str:
    if kind is None:
        return f"missing, expected one of {', '.join(names)}"
    return unknown(kind, names, "kind")


def problems(environment: Environment) -> list[OptionProblem]:
    """Problems of the source's options beyond their types (files, secrets)."""
    return _beyond(_module(environment), environment.source)


def _beyond(module: ModuleType, options: Any) -> list[OptionProblem]:
    if not hasattr(module, "problems"):
        return []
    return list(module.problems(options))


def read(path: str | Path, *, checked: bool = True) -> Config:
    """The configuration with each environment's source options; raises ConfigError with every problem.

    Unless `checked`, the caller runs `problems`: an unusable secret then affects only one source.
    """
    loaded = config.read(path, partial(options, checked=checked))

    misplaced = _misplaced_sources(loaded, str(path))
    if misplaced:
        raise ConfigError(misplaced)

    if checked:
        _refuse_one_side_twice(loaded, str(path))
    return loaded


def _misplaced_sources(loaded: Config, path: str) -> list[Problem]:
    problems = []
    for position, environment in enumerate(loaded.environments):
        if environment.role not in roles(_module(environment)):
            where = f"environments[{position}].source.kind"
            problems.append(Problem(path, where, _misplaced(environment.role)))
    return problems


def _refuse_one_side_twice(loaded: Config, path: str) -> None:
    for position, environment in enumerate(loaded.environments):
        problem = same_data(loaded, environment)
        if problem:
            raise ConfigError([Problem(path, f"environments[{position}].source", problem)])


def same_data(loaded: Config, environment: Environment) -> str:
    """The problem of a PTE that reads production's own data; empty if it does not.

    Production compared with itself would always hold.
    """
    if environment.role != "pte":
        return ""

    own = _reads(environment)
    for other in loaded.environments:
        if other.role == "production" and own & _reads(other):
            return f"reads the same data as {other.name}, expected {_module(environment).OTHER_DATA}"
    return ""


def _reads(environment: Environment) -> frozenset[Hashable]:
    module = _module(environment)
    if not hasattr(module, "reads"):
        return frozenset()
    return frozenset(module.reads(environment.source))


def roles(module: ModuleType) -> tuple[str, ...]:
    """The roles of environments that a kind of source can serve."""
    return getattr(module, "ROLES", config.REQUIRED)


def _misplaced(role: str) -> str:
    suitable = [kind for kind, module in kinds().items() if role in roles(module)]
    return f"not a source for the role {role}, expected one of {', '.join(suitable)}"


def build(environment: Environment) -> Source:
    """The source of an environment of a configuration from `read`."""
    return cast("Source", _module(environment).Source(environment.source, environment.name))


def made_up(environment: Environment) -> bool:
    """Whether the data of the environment's source is invented, as the demo's is."""
    return getattr(_module(environment), "MADE_UP", False)


def kind(environment: Environment) -> str:
    """The value of `kind:` in the configuration."""
    return cast("str", _module(environment).KIND)


def checks(environment: Environment, context: CheckContext) -> Iterator[Step]:
    """The steps of a check-up of the environment's source; none for a kind without checks."""
    module = _module(environment)
    if hasattr(module, "checks"):
        yield from module.checks(environment.source, context)


def recordings(environment: Environment) -> list[Record]:
    """The recording rules for the server of the environment's source; none for a kind without recordings."""
    module = _module(environment)
    if not hasattr(module, "recordings"):
        return []
    return list(module.recordings(environment.source, environment.name))


def counts(environment: Environment) -> bool:
    """Whether the environment's source reports events to count (`Counting`)."""
    return issubclass(_module(environment).Source, Counting)


def _module(environment: Environment) -> ModuleType:
    for module in kinds().values():
        if isinstance(environment.source, module.Options):
            return module
    raise TypeError("the environment's source has no options: read the configuration with exporter.sources.read")
