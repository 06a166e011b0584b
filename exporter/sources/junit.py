"""Reports of test runners (JUnit XML) as a source: a folder, or globs by application.

A report is read once, when it has not been written to for `settle`. One that is broken is told as a warning, and the
others still count. XML of another kind beside the reports is passed by.
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
from exporter.formats import HEAD, junit, result_files
from exporter.formats.checks import Kind, applications, fresh, newest, of_application, waiting, waits
from exporter.model.checkup import Cause, Finding, Wanted
from exporter.model.execution import Report
from exporter.model.observation import ApplicationObservation, Observation, Window
from exporter.model.settings import Duration, Settings
from exporter.sources import ChooseRuns

KIND = "junit"
ROLES = ("ci",)


class Application(Settings, frozen=True):
    """Where one application's reports are."""

    files: tuple[Path, ...]
    """Globs; ** stands for any number of folders."""


class Options(Settings, frozen=True):
    """Which reports, and what of them becomes a label."""

    folder: Path | None = None
    """Each folder in it is an application, whose reports are all *.xml files below."""
    applications: dict[str, Application] = msgspec.field(default_factory=dict)
    properties: tuple[str, ...] = ("device",)
    """Properties (or attributes) of test cases and suites by which executions are told apart."""
    timezone: str = "UTC"
    """IANA name, for times that tell no zone."""
    settle: Duration = Duration(10)
    """A file that was written to more recently is still being written."""
    history: int = 1000
    """How many of an application's newest files are known at once."""


def problems(options: Options) -> Iterator[tuple[str, str]]:
    """What is wrong with the options beyond their types, as (key, text)."""
    files = {name: one.files for name, one in options.applications.items()}
    yield from result_files.problems(options.folder, files, options.history)
    for position, name in enumerate(options.properties):
        if not name.strip() or name in options.properties[:position]:
            yield f"properties[{position}]", "wanted the name of a property, each once"
    wrong: list[tuple[str, str]] = []
    check_timezone(options.timezone, "timezone", lambda key, text: wrong.append((key, text)))
    yield from wrong


def checks(options: Options, wanted: Wanted) -> Iterator[Step]:
    """Each application's newest report: is it there, known, whole, and in the look-back?"""
    kind = Kind("report", "**/*.xml", options.settle, _other, _described)
    steps, globs = applications(kind, options.folder, {name: one.files for name, one in options.applications.items()})
    yield from steps
    for name, files in globs.items():
        yield from of_application(kind, name, files)
        yield Step("complete", "read the newest report", partial(_whole, options, kind, files), ("format",), name)
        recent = partial(_recent, options, kind, files, wanted.window)
        yield Step("fresh", "look when the newest report ended", recent, ("complete",), name)


def _whole(options: Options, kind: Kind, files: Sequence[Path]) -> Finding:
    path = newest(kind, files)
    if path is None:
        raise SourceError("unreadable", "the newest file has gone meanwhile")
    if waits(kind, path):
        return waiting(kind, path)
    report = _read(options, path)
    text = f"{path.name}: {humanize.pluralize(len(report.executions), 'test')}, ended {humanize.format_time(report.at)}"
    if report.executions:
        return ok(text)
    return warning(text, Cause("the runner found no test", "look at what it was told to run, and at its log"))


def _recent(options: Options, kind: Kind, files: Sequence[Path], window: Window) -> Finding:
    path = newest(kind, files, settled=True)
    if path is None:
        return skipped("no report is settled yet")
    return fresh("report", _read(options, path).at, window, "analysis.test_executions.lookback")


def _read(options: Options, path: Path) -> Report:
    return junit.read(path, options.properties, ZoneInfo(options.timezone))


def _described(head: bytes) -> str:
    if not head:
        raise SourceError("bad_data", "is empty")
    if not junit.recognises(head):
        raise SourceError("bad_data", "is no JUnit XML")
    return "JUnit XML"


def _other(head: bytes) -> bool:
    """XML of another kind: coverage, for one, lies beside reports."""
    return not junit.recognises(head) and head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") and len(head) > 1


class Source:
    """Keeps what it has read of reports that are still there."""

    def __init__(self, options: Options, side: str) -> None:
        self._options, self._side = options, side
        self._zone = ZoneInfo(options.timezone)
        self._files = result_files.Files(self._report, options.settle)

    def observe(self, window: Window, pattern: Window | None = None) -> Observation:
        """Each application's reports that ended in `window`, the newest last."""
        options, warnings = self._options, list[str]()
        files = {name: one.files for name, one in options.applications.items()}
        globs = result_files.applications(options.folder, files, "**/*.xml")
        listed = {name: self._newest(name, each, window, warnings) for name, each in globs.items()}
        warnings += result_files.nothing(options.folder, globs, listed)
        self._files.forget({path for paths in listed.values() for path in paths})
        seen = {
            name: ApplicationObservation(window, reports=self._reports(name, paths, window, warnings))
            for name, paths in listed.items()
        }
        return Observation(self._side, window, seen, tuple(warnings))

    def observe_runs(self, lookback: Window, threshold: float, choose: ChooseRuns) -> Observation:
        """Never: reports of test runners tell nothing of a PTE."""
        raise SourceError("bad_query", "reports of test runners tell nothing of a PTE")

    def close(self) -> None:
        """Nothing is held open."""

    def _newest(self, name: str, globs: Sequence[Path], window: Window, warnings: list[str]) -> list[Path]:
        """The files that are read; it is told when the window has more, as counts are too low then."""
        most = self._options.history
        paths = result_files.newest(globs, most + 1)
        if len(paths) > most and result_files.written(paths[most]) > window.start:
            warnings.append(f"{name}: only the newest {most} files are read (history), of more in the look-back")
        return paths[:most]

    def _reports(self, name: str, paths: Sequence[Path], window: Window, warnings: list[str]) -> tuple[Report, ...]:
        found = [self._files.get(path) for path in paths]
        warnings += (f"{name}: {each}" for each in found if isinstance(each, SourceError))
        reports = [each for each in found if isinstance(each, Report) and window.start < each.at <= window.end]
        return tuple(sorted(reports, key=lambda report: report.at))

    def _report(self, path: Path) -> Report | None:
        """None for XML of another kind."""
        with path.open("rb") as file:
            head = file.read(HEAD)
        if _other(head):
            return None
        return junit.read(path, self._options.properties, self._zone)
