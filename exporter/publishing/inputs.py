"""The inputs for judging a run or a report: settings, routes, the baseline, earlier runs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from exporter import config, formats
from exporter.analysis.loadrun import is_route, mapped
from exporter.config import Config
from exporter.config.conversion import convert
from exporter.errors import ConfigError, Problem, SourceError
from exporter.formats import junit
from exporter.model.execution import Report
from exporter.model.loadrun import LoadRun
from exporter.model.settings import AnalysisSettings
from exporter.publishing import baselines

if TYPE_CHECKING:
    from exporter.sources.junit import Options as JUnitOptions


@dataclass(frozen=True, slots=True)
class InputFiles:
    """Where the inputs of an application's run are read from."""

    application: str
    config_file: str | None
    """None: the default settings, and no routes."""
    routes: Mapping[str, str]
    """By name; they take precedence over those of the files."""
    routes_file: Path | None
    baseline: str | None
    """A saved run's name, or a file."""
    baselines: Path
    """The directory in which runs are saved by name."""
    history: Sequence[str]
    """Globs."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """The settings and the runs to compare with."""

    settings: AnalysisSettings
    routes: Mapping[str, str]
    baseline: LoadRun | None
    history: tuple[LoadRun, ...]
    """By end; this run itself may be among them."""
    warnings: tuple[str, ...]
    """Problems with files of the history."""


def read(files: InputFiles, until: float = math.inf) -> Inputs:
    """`until`: when the run that is judged ended, Unix seconds; inf: it has not begun.

    Raises PteError if an explicit input cannot be used; a broken file of the history only gives a warning.
    """
    settings, configured_routes = _configuration(files)
    routes = {**configured_routes, **_read_routes(files.routes_file), **files.routes}

    warnings: list[str] = []
    runs_before = baselines.history(files.history, warnings, until=until)
    history = tuple(mapped(run, routes) for run in runs_before)

    baseline = None
    if files.baseline:
        path = baselines.find(files.baselines, files.application, files.baseline)
        baseline = mapped(formats.read(path), routes)

    return Inputs(settings, routes, baseline, history, tuple(warnings))


def _configuration(files: InputFiles) -> tuple[AnalysisSettings, Mapping[str, str]]:
    """The settings, and the application's routes in the source of result files."""
    if files.config_file is None:
        return AnalysisSettings(), {}

    # It loads the steps of the doctor too, which `run` without a configuration does not need.
    from exporter import sources
    from exporter.sources.loadtest import Options

    configuration = sources.read(files.config_file)
    options = configuration.environment("pte").source
    if not isinstance(options, Options):
        return configuration.analysis, {}

    application = options.applications.get(files.application)
    if application is None:
        return configuration.analysis, options.routes
    return configuration.analysis, {**options.routes, **application.routes}


def _read_routes(path: Path | None) -> Mapping[str, str]:
    if path is None:
        return {}

    problems: list[Problem] = []
    routes = convert(config.read_yaml(path), dict[str, str], str(path), "", problems) or {}
    for name, route in routes.items():
        if not is_route(route):
            text = "is not a route, expected a method and a path, such as GET /cart"
            problems.append(Problem(str(path), name, text))

    if problems:
        raise ConfigError(problems)
    return routes


@dataclass(frozen=True, slots=True)
class Tests:
    """Reports of one test execution, and their settings."""

    settings: AnalysisSettings
    reports: tuple[Report, ...]


def is_junit(path: Path) -> bool:
    """Whether a file is a JUnit XML report."""
    try:
        with path.open("rb") as file:
            return junit.recognise(file.read(formats.HEAD))
    except OSError as error:
        raise SourceError.cannot_read(error).at(path) from None


def read_tests(paths: Sequence[Path], config_file: str | None) -> Tests:
    """The reports, with the properties and the time zone of the configured source of reports."""
    settings = AnalysisSettings()
    options = _junit_options(None)
    if config_file is not None:
        from exporter import sources

        configuration = sources.read(config_file)
        settings = configuration.analysis
        options = _junit_options(configuration)

    zone = ZoneInfo(options.timezone)
    reports = tuple(junit.read(path, options.properties, zone) for path in paths)
    return Tests(settings, reports)


def _junit_options(configuration: Config | None) -> JUnitOptions:
    """The options of the first source of reports; the default ones without a source."""
    from exporter.sources.junit import Options

    environments = configuration.environments if configuration is not None else ()
    for environment in environments:
        if isinstance(environment.source, Options):
            return environment.source
    return Options()
