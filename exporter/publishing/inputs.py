"""What the arguments of `publish` name: settings, routes, the baseline, the runs before."""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from exporter import config, formats
from exporter.analysis.loadrun import is_route, mapped
from exporter.config.conversion import convert
from exporter.errors import ConfigError, Problem, SourceError
from exporter.formats import junit
from exporter.model.execution import Report
from exporter.model.loadrun import LoadRun
from exporter.model.settings import AnalysisSettings
from exporter.publishing import baselines as files


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


def read(given: argparse.Namespace, until: float = math.inf) -> Inputs:
    """`until`: when the run that is judged ended, Unix seconds; inf: it has not begun.

    Raises PteError when something that was named cannot be used; a broken file of the history is only told."""
    settings, routes = _configured(given)
    routes = {**routes, **_routes_file(given.routes), **dict(given.route)}
    warnings = list[str]()
    history = tuple(mapped(run, routes) for run in files.history(given.history, warnings, until=until))
    baseline = None
    if given.baseline:
        baseline = mapped(run(files.find(given.baselines, given.application, given.baseline)), routes)
    return Inputs(settings, routes, baseline, history, tuple(warnings))


def run(path: Path) -> LoadRun:
    """The run in a result file."""
    return formats.read(path)


def is_junit(path: Path) -> bool:
    """Whether a file is a report of a test runner."""
    try:
        with path.open("rb") as file:
            return junit.recognise(file.read(formats.HEAD))
    except OSError as error:
        raise SourceError.cannot_read(error).at(path) from None


@dataclass(frozen=True, slots=True)
class Tests:
    """Reports of one run of tests, and what they are judged by."""

    settings: AnalysisSettings
    reports: tuple[Report, ...]


def read_tests(paths: Sequence[Path], given: argparse.Namespace) -> Tests:
    """The reports, with the properties and the time zone that a source of reports would have."""
    from exporter import sources  # it brings the doctor's steps along, which `run` has no use for
    from exporter.sources import junit as reports

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

    from exporter import sources  # only where a configuration is given: `run` without one stays small
    from exporter.sources.loadtest import Options

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
