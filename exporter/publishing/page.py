"""The page of a run or a report: the same families as on the page of `serve`, made by the same code."""

from __future__ import annotations

import time
from dataclasses import replace

from exporter.analysis.execution import executed
from exporter.analysis.loadrun import as_observation, mapped
from exporter.catalogue import execution, loadrun, loadrun_judgement
from exporter.catalogue.exposition import render
from exporter.model.loadrun import LoadRun
from exporter.model.results import Snapshot
from exporter.pipeline import of_run as analyse_run
from exporter.publishing.inputs import Inputs, Tests

SERIES = (*loadrun.SERIES, *loadrun_judgement.SERIES)
"""The series of a run."""


def of_run(run: LoadRun, application: str, inputs: Inputs) -> tuple[Snapshot, bytes]:
    """The run, judged against the baseline and the runs that ended before it, and its page."""
    newest = mapped(run, inputs.routes)
    # The history is a glob, which may match this run's own file too.
    runs_before = tuple(run for run in inputs.history if run.end < newest.end)

    observation = replace(as_observation(newest), load_runs=(*runs_before, newest), load_baseline=inputs.baseline)
    snapshot = analyse_run(application, observation, inputs.settings, time.time())
    return snapshot, render(snapshot, SERIES).body


def of_tests(tests: Tests, application: str) -> tuple[Snapshot, bytes]:
    """The reports alone, and their page.

    As of now, or as of their own time if that is beyond the look-back.
    """
    settings = tests.settings.test_executions
    newest = max(report.at for report in tests.reports)
    now = time.time()
    at = now if newest <= now < newest + settings.lookback else newest

    # A single push does not show how often tests run.
    executions = replace(executed(tests.reports, settings, at), recent={})
    snapshot = Snapshot(at, None, None, {}, {}, tests.settings, {application: executions})
    return snapshot, render(snapshot, execution.SERIES).body
