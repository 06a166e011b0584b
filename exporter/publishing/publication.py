"""From result files and arguments to what is published, and where it went."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from exporter.errors import PteError, SourceError
from exporter.model.loadrun import LoadRun
from exporter.publishing import inputs, page, places, summary


def check(given: argparse.Namespace) -> None:
    """Raises PteError when the arguments cannot be used: before a test of hours begins, not after it."""
    places.read(given)
    inputs.read(given)


def publish(run: LoadRun, given: argparse.Namespace) -> str:
    """Judge the run and publish it wherever `--to` says; one line that tells where it went, empty without a `--to`.

    Raises PteError when it could not be published somewhere; the other places have it.
    """
    _, text = _published(run, given)
    return text


def publish_files(paths: Sequence[Path], given: argparse.Namespace) -> str:
    """As `publish`, for a result file, or for JUnit XML; what was published in short, and where it went."""
    tests = [inputs.is_junit(path) for path in paths]
    if all(tests):
        shown, where = _published_reports(paths, given)
    elif len(paths) == 1:
        shown, where = _published(inputs.run(paths[0]), given)
    else:
        other = paths[tests.index(False)]
        raise PteError(f"{other}: is no JUnit XML: wanted one result of a load test, or JUnit XML alone")
    return "\n".join(part for part in (shown, where) if part)


def _published_reports(paths: Sequence[Path], given: argparse.Namespace) -> tuple[str, str]:
    chosen, told = places.read(given), inputs.read_tests(paths, given)
    snapshot, body = page.of_reports(told, given.application)
    shown = summary.of_executions(snapshot.executions[given.application], given.application)
    return shown, places.send(chosen, given.application, "tests", body)


def _published(run: LoadRun, given: argparse.Namespace) -> tuple[str, str]:
    """(what was published, where)."""
    chosen, told = places.read(given), inputs.read(given, run.end)
    if not run.total.requests:
        raise SourceError("bad_data", f"{run.run}: holds no requests: there is nothing to publish")
    named = replace(run, run=given.run_id or run.run, commit=given.commit or run.commit)
    snapshot, body = page.of_run(named, given.application, told)
    shown = summary.of_run(snapshot, given.application, told.warnings)
    return shown, places.send(chosen, given.application, "load_run", body)
