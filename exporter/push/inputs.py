"""What the arguments of `publish` name: settings, routes, the baseline, the runs before."""

from __future__ import annotations

import argparse
import glob
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from exporter import config, formats, sources
from exporter.analysis.loadrun import is_route, mapped
from exporter.config.conversion import convert
from exporter.errors import ConfigError, Problem, PteError, SourceError
from exporter.formats import junit
from exporter.model.execution import Report
from exporter.model.loadrun import LoadRun
from exporter.model.settings import AnalysisSettings
from exporter.sources import junit as reports
from exporter.sources.loadtest import Options

MOST = 30
"""Runs before this one that are read, the newest."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a run is judged by and against."""

    settings: AnalysisSettings
    routes: Mapping[str, str]
    baseline: LoadRun | None
    history: tuple[LoadRun, ...]
    """By end; this run itself may be among them."""
    warnings: tuple[str, ...]
    """Files of the history that could not be used."""


def read(given: argparse.Namespace) -> Inputs:
    """Raises PteError when something that was named cannot be used; a broken file of the history is only told."""
    settings, routes = _configured(given)
    routes = {**routes, **_routes_file(given.routes), **dict(_routes_given(given.route))}
    warnings = list[str]()
    history = tuple(mapped(run, routes) for run in _history(given.history, warnings))
    baseline = mapped(run(_baseline(given)), routes) if given.baseline else None
    return Inputs(settings, routes, baseline, history, tuple(warnings))


def run(path: Path) -> LoadRun:
    """The run in a result file."""
    return formats.read(path)


def is_junit(path: Path) -> bool:
    """Whether a file is a report of a test runner."""
    try:
        with path.open("rb") as file:
            return junit.recognises(file.read(formats.HEAD))
    except OSError as error:
        raise SourceError("unreadable", f"{path}: cannot be read: {error.strerror}") from None


@dataclass(frozen=True, slots=True)
class Tests:
    """Reports of one run of tests, and what they are judged by."""

    settings: AnalysisSettings
    reports: tuple[Report, ...]


def read_tests(paths: Sequence[Path], given: argparse.Namespace) -> Tests:
    """The reports, with the properties and the time zone that a source of reports would have."""
    settings, options = AnalysisSettings(), reports.Options()
    if given.config_file is not None:
        found = sources.read(given.config_file)
        settings = found.analysis
        of_ci = [each.source for each in found.environments if isinstance(each.source, reports.Options)]
        options = of_ci[0] if of_ci else options
    zone = ZoneInfo(options.timezone)
    return Tests(settings, tuple(junit.read(path, options.properties, zone) for path in paths))


def _configured(given: argparse.Namespace) -> tuple[AnalysisSettings, Mapping[str, str]]:
    """Settings, and the routes that the source of result files has for the application."""
    if given.config_file is None:
        return AnalysisSettings(), {}
    found = sources.read(given.config_file)
    options = found.environment("pte").source
    if not isinstance(options, Options):
        return found.analysis, {}
    own = options.applications.get(given.application)
    return found.analysis, {**options.routes, **(own.routes if own else {})}


def _routes_file(path: Path | None) -> Mapping[str, str]:
    if path is None:
        return {}
    problems = list[Problem]()
    found = convert(config.read_yaml(path), dict[str, str], str(path), "", problems)
    for name, route in (found or {}).items():
        if not is_route(route):
            problems.append(Problem(str(path), name, "is no route, wanted a method and a path, such as GET /cart"))
    if problems:
        raise ConfigError(problems)
    return found or {}


def _routes_given(texts: list[str]) -> Iterator[tuple[str, str]]:
    for text in texts:
        name, _, route = text.rpartition("=")
        if "=" in route or not name or not is_route(route):
            raise PteError(f'--route {text}: wanted a name, = and a method and a path, such as "Log in=POST /login"')
        yield name, route


def _baseline(given: argparse.Namespace) -> Path:
    """A file by its path, or a saved run by its name."""
    path, folder, name = Path(given.baseline), Path(given.baselines), str(given.baseline)
    if path.is_file():
        return path
    saved = folder / str(given.application) / f"{name}.json"
    if "/" in name or not saved.is_file():
        raise PteError(f"--baseline {name}: no such file, and {saved} is not there")
    return saved


def _history(patterns: list[str], warnings: list[str]) -> Iterator[LoadRun]:
    """The newest complete runs, oldest first."""
    paths = {Path(path) for pattern in patterns for path in glob.iglob(pattern, recursive=True)}  # noqa: PTH207
    newest = sorted((path for path in paths if path.is_file()), key=lambda path: path.stat().st_mtime)[-MOST:]
    found = list[LoadRun]()
    for path in newest:
        try:
            with path.open("rb") as file:
                if formats.accompanies(file.read(formats.HEAD)):
                    continue
            one = run(path)
        except SourceError as error:
            warnings.append(str(error))
        else:
            found += [one] if one.complete and one.total.requests else []
    yield from sorted(found, key=lambda run: run.end)
