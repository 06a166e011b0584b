"""Result files of load tests as a source: a folder, or globs by application. Formats are detected by content.

The newest complete run of an application is its test run; it is judged against the runs before it. A file is read
once it has been unchanged for `settle`, and again only after a change.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from exporter import formats, humanize
from exporter.analysis import loadrun
from exporter.checkup import Step
from exporter.errors import SourceError
from exporter.formats import result_files
from exporter.formats.checks import Kind, applications, of_application
from exporter.formats.result_files import Globs
from exporter.formats.run_checks import of_newest_run
from exporter.model.checkup import CheckContext
from exporter.model.loadrun import LoadRun
from exporter.model.observation import ApplicationObservation, Events, Observation, Window
from exporter.model.settings import Duration, Settings
from exporter.model.slo_settings import Side
from exporter.sources import ChooseRuns

KIND = "loadtest"
ROLES = ("pte",)


class LoadTestApplication(Settings, frozen=True):
    """One application's result files, and the routes of the names in them."""

    files: tuple[Path, ...]
    """Globs; ** matches any number of directories."""
    routes: dict[str, str] = msgspec.field(default_factory=dict)
    """Name in the result file to its route: "Log in" to "POST /login"."""
    baseline: Path | None = None
    """A result file or a saved run to compare the newest run with."""


class Options(Settings, frozen=True):
    """Which files."""

    folder: Path | None = None
    """Each directory in it is an application with its result files."""
    applications: dict[str, LoadTestApplication] = msgspec.field(default_factory=dict)
    routes: dict[str, str] = msgspec.field(default_factory=dict)
    """Like an application's, for all of them."""
    settle: Duration = Duration(60)
    """A more recently changed file is still being written."""
    history: int = 30
    """Number of newest runs to keep."""


def problems(options: Options) -> Iterator[tuple[str, str]]:
    """Problems of the options beyond their types, as (key, text)."""
    yield from result_files.problems(options.folder, _files(options), options.history)

    tables = {"routes": options.routes}
    for name, application in options.applications.items():
        tables[f"applications.{name}.routes"] = application.routes
    for path, routes in tables.items():
        for name, route in routes.items():
            if not loadrun.is_route(route):
                yield f"{path}.{name}", f"{route} is not a route, expected a method and a path such as GET /cart"


def checks(options: Options, context: CheckContext) -> Iterator[Step]:
    """Each application's newest run: present, in a known format, complete, mapped to routes, and in the look-back?"""
    kind = Kind("run", "*", options.settle, formats.accompanies, _describe)
    steps, globs = applications(kind, options.folder, _files(options))
    yield from steps

    for name, files in globs.items():
        yield from of_application(kind, name, files)
        yield from of_newest_run(kind, name, files, _routes(options, name), context.window)


def _describe(head: bytes) -> str:
    return f"in the format {formats.detect(head).name}"


def _files(options: Options) -> Globs:
    return {name: application.files for name, application in options.applications.items()}


def _routes(options: Options, name: str) -> Mapping[str, str]:
    """The application's own routes win over those of all."""
    application = options.applications.get(name)
    if application is None:
        return options.routes
    return {**options.routes, **application.routes}


class Source:
    """Caches the content of existing files."""

    def __init__(self, options: Options, side: str) -> None:
        self._options = options
        self._side = side
        self._files = result_files.Files(_run, options.settle)

    def observe(self, window: Window, pattern: Window | None = None) -> Observation:
        """Always an error: result files contain nothing about production."""
        raise SourceError("bad_query", "result files of load tests contain nothing about production")

    def observe_runs(self, lookback: Window, threshold: float, choose: ChooseRuns) -> Observation:
        """Each application's newest complete run that ended in the look-back; an explicit window wins."""
        explicit = choose({})
        warnings: list[str] = []
        applications: dict[str, ApplicationObservation] = {}
        for name, runs in self._runs(warnings).items():
            inside = _inside(runs, lookback, explicit.get(name))
            if inside:
                applications[name] = self._application(name, inside[-1], runs, warnings)
            elif runs and name not in explicit:
                ended = humanize.format_time(runs[-1].end)
                warnings.append(f"{name}: the newest run, {runs[-1].run}, ended {ended}: outside the look-back")
        return Observation(self._side, lookback, applications, tuple(warnings))

    def events(self, role: Side, windows: Mapping[str, Window]) -> Mapping[str, Events]:
        """The part of each run in the requested window."""
        runs = self._runs([])
        counted: dict[str, Events] = {}
        for name, window in windows.items():
            events = loadrun.events(runs.get(name, ()), window)
            if events is not None:
                counted[name] = events
        return counted

    def close(self) -> None:
        """Nothing to close."""

    def _application(
        self, name: str, newest: LoadRun, runs: Sequence[LoadRun], warnings: list[str]
    ) -> ApplicationObservation:
        """The newest run, with the earlier runs and the baseline to judge it against."""
        before = tuple(loadrun.brief(run) for run in runs if run.end < newest.end)
        observation = replace(
            loadrun.as_observation(newest),
            load_runs=(*before, newest),
            load_baseline=self._baseline(name, warnings),
        )
        warnings += (f"{name}: {newest.run}: {text}" for text in newest.warnings)
        return observation

    def _runs(self, warnings: list[str]) -> Mapping[str, Sequence[LoadRun]]:
        """Each application's complete runs, the newest last."""
        options = self._options
        globs = result_files.applications(options.folder, _files(options), "*")
        # More than `history`, because some files are not runs.
        newest = {name: result_files.newest(patterns, 4 * options.history) for name, patterns in globs.items()}
        warnings += result_files.explain_missing(options.folder, globs, newest)

        present = {path for paths in newest.values() for path in paths}
        self._files.forget(present | self._baselines())
        return {name: self._complete(name, paths, warnings) for name, paths in newest.items()}

    def _baselines(self) -> set[Path]:
        applications = self._options.applications.values()
        return {application.baseline for application in applications if application.baseline is not None}

    def _complete(self, name: str, paths: Sequence[Path], warnings: list[str]) -> Sequence[LoadRun]:
        """The runs in these files (newest first), with warnings for other files."""
        runs: list[LoadRun] = []
        unknown: list[Path] = []
        for path in paths:
            if len(runs) == self._options.history:
                break
            content = self._files.get(path)
            if isinstance(content, formats.UnknownFormatError):
                unknown.append(path)
            elif isinstance(content, LoadRun) and content.complete:
                runs.append(loadrun.mapped(content, _routes(self._options, name)))
            elif content is not None:
                warnings.append(f"{name}: {_why_not(path, content)}")
            elif not runs and self._waits(path):
                warnings.append(f"{name}: {path.name} {result_files.describe_waiting(self._options.settle)}")

        if unknown:
            files = "1 file has" if len(unknown) == 1 else f"{len(unknown)} files have"
            warnings.append(f"{name}: {files} an unknown format, such as {unknown[0]}")
        return sorted(runs, key=lambda run: run.end)

    def _waits(self, path: Path) -> bool:
        """Whether it is a result file that is not settled yet."""
        if not self._files.waits(path):
            return False
        try:
            head = _head(path)
            if not head or formats.accompanies(head):
                return False
            formats.detect(head)
        except (OSError, SourceError):  # missing, unreadable or of an unknown format: reported when it is read
            return False
        return True

    def _baseline(self, name: str, warnings: list[str]) -> LoadRun | None:
        application = self._options.applications.get(name)
        if application is None or application.baseline is None:
            return None

        content = self._files.get(application.baseline, settled=True)
        if isinstance(content, LoadRun):
            return loadrun.mapped(content, _routes(self._options, name))
        text = f"{application.baseline}: no such file" if content is None else str(content)
        warnings.append(f"{name}: no baseline: {text}")
        return None


def _inside(runs: Sequence[LoadRun], lookback: Window, explicit: Window | None) -> list[LoadRun]:
    """The runs in the look-back; with an explicit window, those that overlap it."""
    inside: list[LoadRun] = []
    for run in runs:
        minutes = loadrun.full_minutes(run)
        if run.start < lookback.start or minutes.end > lookback.end:
            continue
        if explicit is None or _meet(minutes, explicit):
            inside.append(run)
    return inside


def _why_not(path: Path, content: LoadRun | SourceError) -> str:
    """Why a file does not count."""
    if isinstance(content, SourceError):
        return str(content)
    return f"{path}: the run was stopped early and does not count"


def _run(path: Path) -> LoadRun | None:
    """None for a file that accompanies another one with the run."""
    if formats.accompanies(_head(path)):
        return None
    return formats.read(path)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(formats.HEAD)


def _meet(first: Window, second: Window) -> bool:
    return first.start < second.end and second.start < first.end
