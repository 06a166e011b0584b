"""PUBLISH ONCE: a pipeline's last step. The same series as `serve` has them, on a Pushgateway or in a textfile."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from exporter.errors import SourceError
from exporter.model.loadrun import LoadRun
from exporter.push import inputs, page, places, summary


def check(given: argparse.Namespace) -> None:
    """Raises PteError when the arguments cannot be used: before a test of hours begins, not after it."""
    places.read(given)
    inputs.read(given)


def publish(run: LoadRun, given: argparse.Namespace) -> str:
    """Judge the run and publish it wherever `--to` says; one line that tells where it went, empty without a `--to`.

    Raises PteError when it could not be published somewhere; the places before that one have it.
    """
    _, text = _published(run, given)
    return text


def publish_file(path: Path, given: argparse.Namespace) -> str:
    """As `publish`, for a result file or JUnit XML; what was published in short, and where it went."""
    if inputs.is_junit(path):
        snapshot, body = page.of_report(inputs.report(path, given), given.application, inputs.read(given))
        shown = summary.of_executions(snapshot, given.application)
        where = places.send(places.read(given), given.application, "tests", body)
    else:
        shown, where = _published(inputs.run(path), given)
    return "\n".join(part for part in (shown, where) if part)


def _published(run: LoadRun, given: argparse.Namespace) -> tuple[str, str]:
    """(what was published, where)."""
    chosen, told = places.read(given), inputs.read(given)
    if not run.total.requests:
        raise SourceError("bad_data", f"{run.run}: holds no requests: there is nothing to publish")
    named = replace(run, run=given.run_id or run.run, commit=given.commit or run.commit)
    snapshot, body = page.of_run(named, given.application, told)
    shown = summary.of_run(snapshot, given.application, told.warnings)
    return shown, places.send(chosen, given.application, "load_run", body)
