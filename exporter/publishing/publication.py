"""From result files to what is published, and where it went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from exporter import formats
from exporter.errors import PteError, SourceError
from exporter.model.loadrun import LoadRun
from exporter.publishing import destinations, inputs, page, summary
from exporter.publishing.inputs import InputFiles


@dataclass(frozen=True, slots=True)
class Request:
    """What a result is called, what it is judged by, and where it goes."""

    files: InputFiles
    to: Sequence[tuple[str, str]]
    """Kinds of destinations, and which one of the kind; none: the result is not published."""
    to_config_file: Path | None
    """Credentials and TLS of a Pushgateway."""
    run_id: str | None
    """None: as the result has it."""
    commit: str | None

    @property
    def application(self) -> str:
        return self.files.application


def publish(run: LoadRun, request: Request) -> str:
    """Judge the run and publish it at every destination; one line that tells where it went, empty without any.

    Raises PteError when it could not be published somewhere; the other destinations have it.
    """
    _, where = _publish_run(run, request)
    return where


def publish_files(paths: Sequence[Path], request: Request) -> str:
    """As `publish`, for a result file, or for JUnit XML; what was published in short, and where it went."""
    are_junit = [inputs.is_junit(path) for path in paths]
    if all(are_junit):
        shown, where = _publish_tests(paths, request)
    elif len(paths) == 1:
        shown, where = _publish_run(formats.read(paths[0]), request)
    else:
        other = paths[are_junit.index(False)]
        text = "is no JUnit XML: wanted one result of a load test, or JUnit XML alone"
        raise PteError(f"{other}: {text}")

    return "\n".join(part for part in (shown, where) if part)


def _publish_tests(paths: Sequence[Path], request: Request) -> tuple[str, str]:
    """(what was published, where)."""
    chosen = destinations.read(request.to, request.to_config_file)
    tests = inputs.read_tests(paths, request.files.config_file)

    snapshot, body = page.of_tests(tests, request.application)
    shown = summary.of_executions(snapshot.executions[request.application], request.application)
    return shown, destinations.send(chosen, request.application, "tests", body)


def _publish_run(run: LoadRun, request: Request) -> tuple[str, str]:
    """(what was published, where)."""
    chosen = destinations.read(request.to, request.to_config_file)
    run_inputs = inputs.read(request.files, run.end)
    if not run.total.requests:
        raise SourceError("bad_data", f"{run.run}: holds no requests: there is nothing to publish")

    named = replace(run, run=request.run_id or run.run, commit=request.commit or run.commit)
    snapshot, body = page.of_run(named, request.application, run_inputs)
    shown = summary.of_run(snapshot, request.application, run_inputs.warnings)
    return shown, destinations.send(chosen, request.application, "load_run", body)
