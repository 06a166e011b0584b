"""What is checked of a load test's newest run, when its file is known (checks.py): complete, mapped, fresh."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

from exporter import formats, humanize
from exporter.analysis import loadrun
from exporter.checkup import Step, failed, ok, skipped, warning
from exporter.errors import SourceError
from exporter.formats.checks import Kind, fresh, newest, waiting, waits
from exporter.model.checkup import Cause, Finding
from exporter.model.observation import Window


def of_newest_run(
    kind: Kind, name: str, files: Sequence[Path], routes: Mapping[str, str], window: Window
) -> Iterator[Step]:
    """Of one application. `routes`: the endpoints of names; `window`: the look-back of a poll."""
    complete = partial(_complete, kind, files)
    yield Step("complete", "read the newest run to its end", complete, ("format",), name)

    read = partial(_settled, kind, files)
    mapped = partial(_mapped, read, routes)
    yield Step("mapped", "find a route for each name in the newest run", mapped, ("complete",), name)
    recent = partial(_recent, read, window)
    yield Step("fresh", "check when the newest run ended", recent, ("complete",), name)


@dataclass(frozen=True, slots=True)
class _RunSummary:
    """What checks keep of a file: a run by itself may be large."""

    end: float
    requests: int
    complete: bool
    names: tuple[tuple[str, str, str], ...]
    """(name, method, route) as the tool reported them."""
    warnings: tuple[str, ...]


def _settled(kind: Kind, files: Sequence[Path]) -> _RunSummary | None:
    """The newest run that is not being written; None where there is none."""
    path = newest(kind, files, settled=True)
    return None if path is None else _summary(path)


def _summary(path: Path) -> _RunSummary:
    try:
        stat = path.stat()
    except OSError as error:
        raise SourceError.cannot_read(error).at(path) from None
    return _read(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=1000)
def _read(path: Path, modified: int, size: int) -> _RunSummary:
    """Once for each state of a file, as large ones take long and checks are made again and again."""
    run = formats.read(path)
    names = tuple((endpoint.name, endpoint.method, endpoint.route) for endpoint in run.endpoints)
    return _RunSummary(run.end, run.total.requests, run.complete, names, run.warnings)


def _complete(kind: Kind, files: Sequence[Path]) -> Finding:
    path = newest(kind, files)
    if path is None:
        raise SourceError("unreadable", "the newest file has disappeared")
    if waits(kind, path):
        return waiting(kind, path)

    run = _summary(path)
    if not run.complete:
        return failed(
            f"{path.name}: the run was ended early and does not count",
            Cause("a person or a time limit of the pipeline ended it", "run it again to its end"),
            Cause("the load generator was killed because memory ran out", "check its log and the host's kernel log"),
        )

    text = f"{path.name}: {humanize.pluralize(run.requests, 'request')}, ended {humanize.format_time(run.end)}"
    if run.warnings:
        cause = Cause("the tool is configured to write less, or the file is damaged", "fix the cause in each warning")
        return warning(f"{text}; {'; '.join(run.warnings[:5])}", cause)
    return ok(text)


def _mapped(read: Callable[[], _RunSummary | None], routes: Mapping[str, str]) -> Finding:
    """Names without a route cover nothing."""
    run = read()
    if run is None:
        return skipped("no run is settled yet")
    if not run.names:
        cause = Cause(
            "the tool writes totals only", "docs/reference/sources.md lists the options that make it write names"
        )
        return warning("the run has no request names: no endpoint counts as tested", cause)

    unmapped = _unmapped(run, routes)
    mapped = len(run.names) - len(unmapped)
    text = f"{mapped} of {humanize.pluralize(len(run.names), 'name')} have a route"
    if not unmapped:
        return ok(text)

    examples = ", ".join(" ".join(name.split()) for name in unmapped[:5])
    more = f" and {len(unmapped) - 5} more" if len(unmapped) > 5 else ""
    finding = warning if mapped else failed
    return finding(
        f"{text}; not {examples}{more}",
        Cause("the test names requests freely", f"add them to `routes`, such as {unmapped[0]!r}: GET /path"),
        Cause("they are transactions that contain other requests", "configure the tool to write the requests too"),
    )


def _unmapped(run: _RunSummary, routes: Mapping[str, str]) -> list[str]:
    unmapped: list[str] = []
    for name, method, route in run.names:
        by_tool = f"{method} {route}" if route else name
        if not loadrun.is_route(routes.get(name, by_tool)):
            unmapped.append(name)
    return unmapped


def _recent(read: Callable[[], _RunSummary | None], window: Window) -> Finding:
    run = read()
    if run is None:
        return skipped("no run is settled yet")
    return fresh("run", run.end, window, "analysis.test_run.lookback")
