"""YAML -> validated records. Every problem is reported, with file and path, before anything starts.

A source's own options are unknown here (sources/ is a lower layer): `read` takes a function that converts them, and
`exporter.sources.read` combines the two. The form of all problems: exporter/config/conversion.py.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec

from exporter.config.conversion import convert
from exporter.config.slos import check_slos
from exporter.config.validation import Wrong, check_analysis
from exporter.config.yaml import read_yaml
from exporter.errors import ConfigError, Problem
from exporter.model.observation import MINUTE, Window
from exporter.model.settings import AnalysisSettings, Duration, Settings
from exporter.model.slo_settings import SloSettings

__all__ = ["Config", "ConfiguredRun", "Environment", "LinkSettings", "convert", "read", "read_links", "read_yaml"]

T = TypeVar("T")

ROLES = ("production", "pte", "ci")
REQUIRED = ("production", "pte")
"""Roles that exactly one environment must have; the others are optional."""

_LONGEST_RUN = timedelta(days=7)
"""Every poll requests each minute of a run; a typo in a year would keep it busy for long."""

_LONGEST_AGE = 366 * 86400.0
"""Seconds; a longer age is a mistake, and no clock can wait for centuries."""

_LINK = re.compile(r"""https?://[^\s{}<>"'`\\]+""")
"""A URL that an alert's template and a page can contain unescaped."""

ReadOptions = Callable[[Mapping[str, Any], str, str, list[Problem]], Any]
"""(raw `source:` mapping, file, path, problems) to the source's options; adds to `problems`."""


class ConfiguredRun(Settings, frozen=True):
    """A test run with an explicit window, for one application."""

    application: str
    start: datetime
    end: datetime

    @property
    def window(self) -> Window:
        """The full minutes that the run touched."""
        first = math.floor(self.start.timestamp() / MINUTE)
        last = math.ceil(self.end.timestamp() / MINUTE)
        return Window(first * MINUTE, last * MINUTE)


class Environment(Settings, frozen=True):
    """One side: where its data comes from and how often it is fetched."""

    role: Literal["production", "pte", "ci"]
    """ci: reports of test runners."""
    source: Any
    """The options record of the source's kind after `exporter.sources.read`; the raw mapping after `read` alone."""
    name: str = ""
    """Value of the labels `side` and `source`; the role by default."""
    interval: Duration = Duration(300)
    max_age: Duration = Duration(3600)
    """Series older than this are withdrawn."""
    check_interval: Duration = Duration(3600)
    """How often the source is checked for all data that the exporter needs (pte_source_check)."""
    runs: tuple[ConfiguredRun, ...] = ()
    """Explicit test runs, the latest of each application; they win over runs detected in the PTE's activity."""

    def __post_init__(self) -> None:
        if not self.name:
            msgspec.structs.force_setattr(self, "name", self.role)

    @property
    def windows(self) -> Mapping[str, Window]:
        """Application to the window of its latest explicit test run."""
        return {run.application: run.window for run in sorted(self.runs, key=lambda run: run.end)}


class LinkSettings(Settings, frozen=True):
    """Base URLs of the links in alerts; None: the generator's default."""

    runbook: str | None = None
    """URL of the runbook page; an alert's heading is appended as #anchor."""
    dashboards: str | None = None
    """Base URL of Grafana."""


class Config(Settings, frozen=True):
    """The whole configuration."""

    environments: tuple[Environment, ...]
    analysis: AnalysisSettings = AnalysisSettings()
    links: LinkSettings = LinkSettings()
    slos: tuple[SloSettings, ...] = ()

    def environment(self, role: str) -> Environment:
        """The environment of a role."""
        return next(environment for environment in self.environments if environment.role == role)


def read(path: str | Path, options: ReadOptions | None = None) -> Config:
    """The configuration in a YAML file; raises ConfigError with every problem."""
    file = str(path)
    problems = list[Problem]()
    raw = _with_default_gaps(read_yaml(path))
    config = convert(raw, Config, file, "", problems)
    sources = _sources(raw, options, file, problems) if options else {}
    _check(raw, file, problems)
    if config is None or problems:
        raise ConfigError(problems)

    environments = tuple(
        msgspec.structs.replace(environment, source=sources.get(position, environment.source))
        for position, environment in enumerate(config.environments)
    )
    return msgspec.structs.replace(config, environments=environments)


def read_links(path: str | Path) -> Config | None:
    """A configuration with `links` alone, for commands that need no source; None if the file has other keys.

    Raises ConfigError with every problem.
    """
    file = str(path)
    raw = read_yaml(path)
    if not isinstance(raw, Mapping) or set(raw) != {"links"}:
        return None

    problems = list[Problem]()
    links = convert(raw["links"], LinkSettings, file, "links", problems)
    _check(raw, file, problems, whole=False)
    if links is None or problems:
        raise ConfigError(problems)
    return Config(environments=(), links=links)


def _with_default_gaps(raw: Any) -> Any:
    """`analysis.gaps` contains only differences: merge each signal's rule into the default rule, key by key."""
    analysis = _mapping(raw, "analysis")
    gaps = _mapping(analysis, "gaps")
    if analysis is None or gaps is None:
        return raw

    merged: dict[Any, Any] = {name: msgspec.to_builtins(rule) for name, rule in AnalysisSettings().gaps.items()}
    for name, rule in gaps.items():
        # An invalid rule, or a rule of an unknown signal, stays unchanged: the checks report it.
        if isinstance(rule, Mapping) and name in merged:
            merged[name] = {**merged[name], **rule}
        else:
            merged[name] = rule
    return {**raw, "analysis": {**analysis, "gaps": merged}}


def _mapping(raw: Any, key: str) -> Mapping[Any, Any] | None:
    value = raw.get(key) if isinstance(raw, Mapping) else None
    if isinstance(value, Mapping):
        return value
    return None


def _list(raw: Any, key: str) -> list[Any]:
    value = raw.get(key) if isinstance(raw, Mapping) else None
    if isinstance(value, list):
        return value
    return []


def _sources(raw: Any, options: ReadOptions, file: str, problems: list[Problem]) -> dict[int, Any]:
    """Each environment's source options, by position."""
    sources = dict[int, Any]()
    for position, environment in enumerate(_list(raw, "environments")):
        if not isinstance(environment, Mapping):
            continue

        source = environment.get("source")
        path = f"environments[{position}].source"
        if isinstance(source, Mapping):
            sources[position] = options(source, file, path, problems)
        elif "source" in environment:
            problems.append(Problem(file, path, "expected a mapping with the key kind"))
    return sources


def _check(raw: Any, file: str, problems: list[Problem], *, whole: bool = True) -> None:
    """Checks of several fields together. Each part is read alone: a problem elsewhere hides nothing here.

    `whole`: both sides are required.
    """

    def wrong(path: str, text: str) -> None:
        problems.append(Problem(file, path, text))

    def readable(raw_part: Any, type: type[T]) -> T | None:
        # Problems of its types have been reported already.
        return convert(raw_part, type, file, "", [])

    if whole:
        _check_roles(_list(raw, "environments"), wrong)
    for position, raw_environment in enumerate(_list(raw, "environments")):
        environment = readable(raw_environment, Environment)
        if environment is not None:
            _check_environment(environment, f"environments[{position}]", wrong)

    parts = raw if isinstance(raw, Mapping) else {}
    analysis = readable(parts.get("analysis", {}), AnalysisSettings)
    if analysis is not None:
        check_analysis(analysis, wrong)
    check_slos([readable(slo, SloSettings) for slo in _list(raw, "slos")], wrong)
    links = readable(parts.get("links", {}), LinkSettings)
    if links is not None:
        _check_links(links, wrong)


def _check_links(links: LinkSettings, wrong: Wrong) -> None:
    for key in links.__struct_fields__:
        url = getattr(links, key)
        if url is not None and not _LINK.fullmatch(url):
            wrong(
                f"links.{key}", "expected a URL that starts with https:// or http://, without spaces, quotes or braces"
            )


def _check_roles(environments: Sequence[Any], wrong: Wrong) -> None:
    """On the raw values: a problem in one environment must not hide that two share a name."""
    raw = [environment if isinstance(environment, Mapping) else {} for environment in environments]
    roles = [environment.get("role") for environment in raw]
    # With an unknown role, it is unclear which of the other roles is missing.
    if all(role in ROLES for role in roles):
        for role in ROLES:
            _check_role(role, roles.count(role), wrong)
    _check_names(raw, wrong)


def _check_names(environments: Sequence[Mapping[Any, Any]], wrong: Wrong) -> None:
    first = dict[str, int]()
    for position, environment in enumerate(environments):
        name = environment.get("name") or environment.get("role")
        if not isinstance(name, str):
            continue

        before = first.setdefault(name, position)
        if before != position:
            text = f'duplicate name "{name}" (also environments[{before}])'
            wrong(f"environments[{position}].name", text)


def _check_role(role: str, count: int, wrong: Wrong) -> None:
    if role in REQUIRED and count != 1:
        wrong("environments", f"expected exactly one environment with role {role}, got {count}")
    elif count > 1:
        wrong("environments", f"expected at most one environment with role {role}, got {count}")


def _check_environment(environment: Environment, path: str, wrong: Wrong) -> None:
    if environment.interval < 1:
        wrong(f"{path}.interval", "must be at least 1s")
    if environment.max_age <= environment.interval:
        wrong(f"{path}.max_age", f"must be above the interval ({environment.interval:g}s)")
    if not MINUTE <= environment.check_interval <= _LONGEST_AGE:
        wrong(f"{path}.check_interval", f"must be between 1m and {_LONGEST_AGE / 86400:g}d")
    if environment.max_age > _LONGEST_AGE:
        wrong(f"{path}.max_age", f"must be at most {_LONGEST_AGE / 86400:g}d")

    if environment.runs and environment.role != "pte":
        wrong(f"{path}.runs", "test runs belong to the environment with role pte")
    for position, run in enumerate(environment.runs):
        _check_run(run, f"{path}.runs[{position}]", wrong)


def _check_run(run: ConfiguredRun, path: str, wrong: Wrong) -> None:
    length = run.end - run.start
    if run.end <= run.start:
        wrong(f"{path}.end", "must be after start")
    elif length > _LONGEST_RUN:
        wrong(path, f"must last at most {_LONGEST_RUN.days} days, got {length}")
    if run.end > datetime.now(UTC):
        wrong(f"{path}.end", "is in the future, expected a run that has ended")
