"""Publishes result files, and describes the publication."""

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
class PublicationRequest:
    """The names, inputs and destinations of one result."""

    files: InputFiles
    to: Sequence[tuple[str, str]]
    """Kinds of destinations with their URL or directory; none: the result is not published."""
    to_config_file: Path | None
    """Credentials and TLS of a Pushgateway."""
    run_id: str | None
    """None: the ID in the result."""
    commit: str | None

    @property
    def application(self) -> str:
        return self.files.application


def publish(run: LoadRun, request: PublicationRequest) -> str:
    """Judge the run and publish it to every destination; returns one line that names them, empty without any.

    Raises PteError if a destination failed; the other destinations have the run.
    """
    _, destination_line = _publish_run(run, request)
    return destination_line


def publish_files(paths: Sequence[Path], request: PublicationRequest) -> str:
    """As `publish`, for a result file or JUnit XML; returns a summary and the destinations."""
    are_junit = [inputs.is_junit(path) for path in paths]
    if all(are_junit):
        text, destination_line = _publish_tests(paths, request)
    elif len(paths) == 1:
        text, destination_line = _publish_run(formats.read(paths[0]), request)
    else:
        other = paths[are_junit.index(False)]
        problem = "is not JUnit XML: expected one load test result, or only JUnit XML files"
        raise PteError(f"{other}: {problem}")

    return "\n".join(part for part in (text, destination_line) if part)


def _publish_tests(paths: Sequence[Path], request: PublicationRequest) -> tuple[str, str]:
    """(summary, line about the destinations)."""
    chosen = destinations.read(request.to, request.to_config_file)
    tests = inputs.read_tests(paths, request.files.config_file)

    snapshot, body = page.of_tests(tests, request.application)
    text = summary.of_executions(snapshot.executions[request.application], request.application)
    return text, destinations.send(chosen, request.application, "tests", body)


def _publish_run(run: LoadRun, request: PublicationRequest) -> tuple[str, str]:
    """(summary, line about the destinations)."""
    chosen = destinations.read(request.to, request.to_config_file)
    run_inputs = inputs.read(request.files, run.end)
    if not run.total.requests:
        raise SourceError("bad_data", f"{run.run}: contains no requests, so there is nothing to publish")

    named_run = replace(run, run=request.run_id or run.run, commit=request.commit or run.commit)
    snapshot, body = page.of_run(named_run, request.application, run_inputs)
    text = summary.of_run(snapshot, request.application, run_inputs.warnings)
    return text, destinations.send(chosen, request.application, "load_run", body)
