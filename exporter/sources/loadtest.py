"""Result files of load tests as a source: a folder, or globs by application. Formats are told by content.

The newest complete run of an application is its test run; the runs before it are what it is judged against. A file is
read once, when it has not been written to for `settle`, and again only when it has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path

import msgspec

from exporter import formats, humanize
from exporter.analysis import loadrun
from exporter.checkup import Step, failed, ok, skipped, warning
from exporter.errors import SourceError
from exporter.formats import result_files
from exporter.formats.checks import Kind, applications, fresh, newest, of_application, waiting, waits
from exporter.model.checkup import Cause, Finding, Wanted
from exporter.model.loadrun import LoadRun
from exporter.model.observation import ApplicationObservation, Events, Observation, Window
from exporter.model.settings import Duration, Settings
from exporter.model.slo_settings import Side
from exporter.sources import ChooseRuns

KIND = "loadtest"
ROLES = ("pte",)


class Application(Settings, frozen=True):
    """Where one application's result files are, and what the names in them stand for."""

    files: tuple[Path, ...]
    """Globs; ** stands for any number of folders."""
    routes: dict[str, str] = msgspec.field(default_factory=dict)
    """A name in the result file to what it stands for: "Log in" to "POST /login"."""
    baseline: Path | None = None
    """A result file, or a saved run, that the newest run is compared with."""


class Options(Settings, frozen=True):
    """Which files."""

    folder: Path | None = None
    """Each folder in it is an application with its result files."""
    applications: dict[str, Application] = msgspec.field(default_factory=dict)
    routes: dict[str, str] = msgspec.field(default_factory=dict)
    """As an application's, for all of them."""
    settle: Duration = Duration(60)
    """A file that was written to more recently is still being written."""
    history: int = 30
    """How many of the newest runs are known at once."""


def problems(options: Options) -> Iterator[tuple[str, str]]:
    """What is wrong with the options beyond their types, as (key, text)."""
    files = {name: one.files for name, one in options.applications.items()}
    yield from result_files.problems(options.folder, files, options.history)
    tables = {f"applications.{name}.routes": one.routes for name, one in options.applications.items()}
    for path, routes in {"routes": options.routes, **tables}.items():
        for name, route in routes.items():
            if not loadrun.is_route(route):
                yield f"{path}.{name}", f"{route} is no route, wanted a method and a path, such as GET /cart"


def checks(options: Options, wanted: Wanted) -> Iterator[Step]:
    """Each application's newest run: is it there, known, whole, mapped to routes, and in the look-back?"""
    kind = Kind("run", "*", options.settle, formats.accompanies, _described)
    steps, globs = applications(kind, options.folder, {name: one.files for name, one in options.applications.items()})
    yield from steps
    for name, files in globs.items():
        yield from of_application(kind, name, files)
        routes = _routes(options, name)
        whole = partial(_whole, kind, files)
        yield Step("complete", "read the newest run to its end", whole, ("format",), name)
        read = partial(_settled, kind, files)
        mapped = partial(_mapped, read, routes)
        yield Step("mapped", "find a route for each name in the newest run", mapped, ("complete",), name)
        recent = partial(_recent, read, wanted.window)
        yield Step("fresh", "look when the newest run ended", recent, ("complete",), name)


@dataclass(frozen=True, slots=True)
class _Told:
    """What checks keep of a file: a run by itself may be large."""

    end: float
    requests: int
    complete: bool
    names: tuple[tuple[str, str, str], ...]
    """(name, method, route) as the tool told them."""
    warnings: tuple[str, ...]


def _settled(kind: Kind, files: Sequence[Path]) -> _Told | None:
    """The newest run that is not being written; None where there is none."""
    path = newest(kind, files, settled=True)
    return None if path is None else _told(path)


def _told(path: Path) -> _Told:
    try:
        stat = path.stat()
    except OSError as error:
        raise SourceError("unreadable", f"{path}: cannot be read: {error.strerror}") from None
    return _read(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=1000)
def _read(path: Path, modified: int, size: int) -> _Told:
    """Once for each state of a file, as large ones take long and checks are made again and again."""
    run = formats.read(path)
    names = tuple((one.name, one.method, one.route) for one in run.endpoints)
    return _Told(run.end, run.total.requests, run.complete, names, run.warnings)


def _described(head: bytes) -> str:
    return f"in the format {formats.detect(head).FORMAT}"


def _whole(kind: Kind, files: Sequence[Path]) -> Finding:
    path = newest(kind, files)
    if path is None:
        raise SourceError("unreadable", "the newest file has gone meanwhile")
    if waits(kind, path):
        return waiting(kind, path)
    told = _told(path)
    text = f"{path.name}: {humanize.pluralize(told.requests, 'request')}, ended {humanize.format_time(told.end)}"
    if not told.complete:
        return failed(
            f"{path.name}: the run was ended early and does not count",
            Cause("somebody, or a time limit of the pipeline, ended it", "run it again to its end"),
            Cause("the load generator was killed, for want of memory", "look at its log and at the host's kernel log"),
        )
    if told.warnings:
        cause = Cause("the tool was told to write less, or the file is damaged", "mend what each warning names")
        return warning(f"{text}; {'; '.join(told.warnings[:5])}", cause)
    return ok(text)


def _mapped(read: Callable[[], _Told | None], routes: Mapping[str, str]) -> Finding:
    """Names without a route cover nothing."""
    told = read()
    if told is None:
        return skipped("no run is settled yet")
    if not told.names:
        cause = Cause("the tool writes totals only", "docs/sources.md lists the options that make it tell names")
        return warning("the run tells no names of requests: no endpoint counts as tested", cause)
    known = [loadrun.is_route(routes.get(name, f"{verb} {path}" if path else name)) for name, verb, path in told.names]
    unmapped = [name for (name, _, _), has in zip(told.names, known, strict=True) if not has]
    text = f"{sum(known)} of {humanize.pluralize(len(known), 'name')} have a route"
    if not unmapped:
        return ok(text)
    shown = ", ".join(" ".join(name.split()) for name in unmapped[:5])
    more = f" and {len(unmapped) - 5} more" if len(unmapped) > 5 else ""
    return (warning if any(known) else failed)(
        f"{text}; not {shown}{more}",
        Cause("the test names requests freely", f"add them to `routes`, such as {unmapped[0]!r}: GET /path"),
        Cause("they are transactions that hold other requests", "let the tool write the requests too"),
    )


def _recent(read: Callable[[], _Told | None], window: Window) -> Finding:
    told = read()
    if told is None:
        return skipped("no run is settled yet")
    return fresh("run", told.end, window, "analysis.test_run.lookback")


def _routes(options: Options, name: str) -> Mapping[str, str]:
    """The application's own win over those of all."""
    return {**options.routes, **getattr(options.applications.get(name), "routes", {})}


class Source:
    """Keeps what it has read of files that are still there."""

    def __init__(self, options: Options, side: str) -> None:
        self._options, self._side = options, side
        self._files = result_files.Files(_run, options.settle)

    def observe(self, window: Window, pattern: Window | None = None) -> Observation:
        """Never: result files tell nothing of production."""
        raise SourceError("bad_query", "result files of load tests tell nothing of production")

    def observe_runs(self, lookback: Window, threshold: float, choose: ChooseRuns) -> Observation:
        """Each application's newest complete run that ended in the look-back; an explicit window wins."""
        explicit, warnings = choose({}), list[str]()
        seen: dict[str, ApplicationObservation] = {}
        for name, runs in self._runs(warnings).items():
            inside = [
                run for run in runs if lookback.start <= run.start and loadrun.full_minutes(run).end <= lookback.end
            ]
            if name in explicit:
                inside = [run for run in inside if _meet(loadrun.full_minutes(run), explicit[name])]
            if runs and not inside and name not in explicit:
                ended = humanize.format_time(runs[-1].end)
                warnings.append(f"{name}: the newest run, {runs[-1].run}, ended {ended}: outside the look-back")
            if inside:
                newest = inside[-1]
                before = tuple(loadrun.brief(run) for run in runs if run.end < newest.end)
                seen[name] = replace(
                    loadrun.as_observation(newest),
                    load_runs=(*before, newest),
                    load_baseline=self._baseline(name, warnings),
                )
                warnings += (f"{name}: {newest.run}: {text}" for text in newest.warnings)
        return Observation(self._side, lookback, seen, tuple(warnings))

    def events(self, role: Side, windows: Mapping[str, Window]) -> Mapping[str, Events]:
        """Of each run the part that lies in the window asked for."""
        known = self._runs([])
        found = {name: loadrun.events(known.get(name, ()), window) for name, window in windows.items()}
        return {name: events for name, events in found.items() if events is not None}

    def close(self) -> None:
        """Nothing is held open."""

    def _runs(self, warnings: list[str]) -> Mapping[str, Sequence[LoadRun]]:
        """Each application's complete runs, the newest last."""
        options = self._options
        files = {name: one.files for name, one in options.applications.items()}
        globs = result_files.applications(options.folder, files, "*")
        # More than are wanted, since some are no runs.
        listed = {name: result_files.newest(each, 4 * options.history) for name, each in globs.items()}
        warnings += result_files.nothing(options.folder, globs, listed)
        self._files.forget({path for paths in listed.values() for path in paths} | self._kept())
        return {name: self._complete(name, paths, warnings) for name, paths in listed.items()}

    def _kept(self) -> set[Path]:
        return {one.baseline for one in self._options.applications.values() if one.baseline is not None}

    def _complete(self, name: str, paths: Sequence[Path], warnings: list[str]) -> Sequence[LoadRun]:
        runs, unknown = list[LoadRun](), list[Path]()
        for path in paths:
            if len(runs) == self._options.history:
                break
            found = self._files.get(path)
            if isinstance(found, formats.UnknownFormatError):
                unknown.append(path)
            elif isinstance(found, SourceError):
                warnings.append(f"{name}: {found}")
            elif found is not None and not found.complete:
                warnings.append(f"{name}: {path}: the run was ended early and does not count")
            elif found is not None:
                runs.append(loadrun.mapped(found, _routes(self._options, name)))
            elif not runs and self._waits(path):
                warnings.append(f"{name}: {path.name} {result_files.waiting(self._options.settle)}")
        if unknown:
            files = "1 file is" if len(unknown) == 1 else f"{len(unknown)} files are"
            warnings.append(f"{name}: {files} in no known format, such as {unknown[0]}")
        return sorted(runs, key=lambda run: run.end)

    def _waits(self, path: Path) -> bool:
        """Whether it is a result that is left alone for now."""
        try:
            head = _head(path) if self._files.waits(path) else b""
            return bool(head) and not formats.accompanies(head) and bool(formats.detect(head))
        except (OSError, SourceError):  # gone, closed to us, or of no known format: told when it would be read
            return False

    def _baseline(self, name: str, warnings: list[str]) -> LoadRun | None:
        application = self._options.applications.get(name)
        if application is None or application.baseline is None:
            return None
        found = self._files.get(application.baseline, settled=True)
        if isinstance(found, LoadRun):
            return loadrun.mapped(found, {**self._options.routes, **application.routes})
        text = f"{application.baseline}: is not there" if found is None else str(found)
        warnings.append(f"{name}: nothing to compare with: {text}")
        return None


def _run(path: Path) -> LoadRun | None:
    return None if formats.accompanies(_head(path)) else formats.read(path)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(formats.HEAD)


def _meet(one: Window, other: Window) -> bool:
    return one.start < other.end and other.start < one.end
