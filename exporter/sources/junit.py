"""Reports of test runners (JUnit XML) as a source: a folder, or globs by application.

A report is read once it has been unchanged for `settle`. An invalid one gives a warning, and the others still count.
Other XML files beside the reports are ignored.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from exporter import humanize
from exporter.checkup import Step, ok, skipped, warning
from exporter.config.validation import check_timezone
from exporter.errors import SourceError
from exporter.formats import BOM, HEAD, junit, result_files
from exporter.formats.checks import Kind, applications, fresh, newest, of_application, waiting, waits
from exporter.formats.result_files import Globs
from exporter.model.checkup import Cause, CheckContext, Finding
from exporter.model.execution import Report
from exporter.model.observation import ApplicationObservation, Observation, Window
from exporter.model.settings import Duration, Settings
from exporter.sources import ChooseRuns

KIND = "junit"
ROLES = ("ci",)

_PATTERN = "**/*.xml"
"""The reports below an application's directory."""


class JunitApplication(Settings, frozen=True):
    """One application's reports."""

    files: tuple[Path, ...]
    """Globs; ** matches any number of directories."""


class Options(Settings, frozen=True):
    """Which reports, and which of their properties become a label."""

    folder: Path | None = None
    """Each directory in it is an application; all *.xml files below are its reports."""
    applications: dict[str, JunitApplication] = msgspec.field(default_factory=dict)
    properties: tuple[str, ...] = ("device",)
    """Properties (or attributes) of test cases and suites that distinguish executions."""
    timezone: str = "UTC"
    """IANA name, for times without a zone."""
    settle: Duration = Duration(10)
    """A more recently changed file is still being written."""
    history: int = 1000
    """Number of newest files to keep for each application."""


def problems(options: Options) -> Iterator[tuple[str, str]]:
    """Problems of the options beyond their types, as (key, text)."""
    yield from result_files.problems(options.folder, _files(options), options.history)
    for position, name in enumerate(options.properties):
        if not name.strip() or name in options.properties[:position]:
            yield f"properties[{position}]", "expected the name of a property, without duplicates"

    of_timezone: list[tuple[str, str]] = []
    check_timezone(options.timezone, "timezone", lambda key, text: of_timezone.append((key, text)))
    yield from of_timezone


def checks(options: Options, context: CheckContext) -> Iterator[Step]:
    """Each application's newest report: present, in a known format, complete, and in the look-back?"""
    kind = Kind("report", _PATTERN, options.settle, _is_other, _describe)
    steps, globs = applications(kind, options.folder, _files(options))
    yield from steps

    for name, files in globs.items():
        yield from of_application(kind, name, files)
        complete = partial(_complete, options, kind, files)
        yield Step("complete", "read the newest report", complete, ("format",), name)
        recent = partial(_recent, options, kind, files, context.window)
        yield Step("fresh", "check when the newest report ended", recent, ("complete",), name)


def _complete(options: Options, kind: Kind, files: Sequence[Path]) -> Finding:
    path = newest(kind, files)
    if path is None:
        raise SourceError("unreadable", "the newest file has been removed meanwhile")
    if waits(kind, path):
        return waiting(kind, path)

    report = _read(options, path)
    text = f"{path.name}: {humanize.pluralize(len(report.executions), 'test')}, ended {humanize.format_time(report.at)}"
    if report.executions:
        return ok(text)
    return warning(text, Cause("the runner found no test", "check the runner's test selection and its log"))


def _recent(options: Options, kind: Kind, files: Sequence[Path], window: Window) -> Finding:
    path = newest(kind, files, settled=True)
    if path is None:
        return skipped("no report is settled yet")
    return fresh("report", _read(options, path).at, window, "analysis.test_executions.lookback")


def _read(options: Options, path: Path) -> Report:
    return junit.read(path, options.properties, ZoneInfo(options.timezone))


def _describe(head: bytes) -> str:
    if not head:
        raise SourceError("bad_data", "is empty")
    if not junit.recognise(head):
        raise SourceError("bad_data", "is not JUnit XML")
    return "JUnit XML"


def _is_other(head: bytes) -> bool:
    """Other XML files, such as coverage reports beside the test reports."""
    is_xml = head.lstrip(BOM + b" \t\r\n").startswith(b"<") and len(head) > 1
    return is_xml and not junit.recognise(head)


def _files(options: Options) -> Globs:
    return {name: application.files for name, application in options.applications.items()}


class Source:
    """Caches the content of existing reports."""

    def __init__(self, options: Options, side: str) -> None:
        self._options = options
        self._side = side
        self._zone = ZoneInfo(options.timezone)
        self._files = result_files.Files(self._report, options.settle)

    def observe(self, window: Window, pattern: Window | None = None) -> Observation:
        """Each application's reports that ended in `window`, the newest last."""
        options = self._options
        warnings: list[str] = []
        globs = result_files.applications(options.folder, _files(options), _PATTERN)
        newest = {name: self._newest(name, patterns, window, warnings) for name, patterns in globs.items()}
        warnings += result_files.explain_missing(options.folder, globs, newest)
        self._files.forget({path for paths in newest.values() for path in paths})

        applications: dict[str, ApplicationObservation] = {}
        for name, paths in newest.items():
            reports = self._reports(name, paths, window, warnings)
            applications[name] = ApplicationObservation(window, reports=reports)
        return Observation(self._side, window, applications, tuple(warnings))

    def observe_runs(self, lookback: Window, threshold: float, choose: ChooseRuns) -> Observation:
        """Always an error: reports of test runners contain nothing about a PTE."""
        raise SourceError("bad_query", "reports of test runners contain nothing about a PTE")

    def close(self) -> None:
        """Nothing to close."""

    def _newest(self, name: str, globs: Sequence[Path], window: Window, warnings: list[str]) -> list[Path]:
        """The files to read; with a warning when the window has more, because counts are then too low."""
        most = self._options.history
        paths = result_files.newest(globs, most + 1)
        if len(paths) > most and result_files.modified(paths[most]) > window.start:
            warnings.append(f"{name}: the look-back has more than the {most} files that are read (history)")
        return paths[:most]

    def _reports(self, name: str, paths: Sequence[Path], window: Window, warnings: list[str]) -> tuple[Report, ...]:
        reports: list[Report] = []
        for path in paths:
            content = self._files.get(path)
            if isinstance(content, SourceError):
                warnings.append(f"{name}: {content}")
            elif content is not None and window.start < content.at <= window.end:
                reports.append(content)
        return tuple(sorted(reports, key=lambda report: report.at))

    def _report(self, path: Path) -> Report | None:
        """None for other XML."""
        with path.open("rb") as file:
            head = file.read(HEAD)
        if _is_other(head):
            return None
        return junit.read(path, self._options.properties, self._zone)
