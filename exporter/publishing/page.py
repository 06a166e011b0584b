"""What is published of a run or a report: the same families as on the page of `serve`, made by the same code."""

from __future__ import annotations

import time
from dataclasses import replace

from exporter.analysis.execution import executed
from exporter.analysis.loadrun import as_observation, mapped
from exporter.catalogue import execution, loadrun, loadrun_judgement
from exporter.catalogue.exposition import render
from exporter.model.loadrun import LoadRun
from exporter.model.results import Snapshot
from exporter.pipeline import of_run as analysed
from exporter.publishing.inputs import Inputs, Tests

SERIES = (*loadrun.SERIES, *loadrun_judgement.SERIES)
"""What is published of a run."""


def of_run(run: LoadRun, application: str, told: Inputs) -> tuple[Snapshot, bytes]:
    """The run, judged against the baseline and the runs that ended before it, and its page."""
    newest = mapped(run, told.routes)
    before = tuple(one for one in told.history if one.end < newest.end)
    seen = replace(as_observation(newest), load_runs=(*before, newest), load_baseline=told.baseline)
    snapshot = analysed(application, seen, told.settings, time.time())
    return snapshot, render(snapshot, SERIES).body


def of_reports(told: Tests, application: str) -> tuple[Snapshot, bytes]:
    """The reports by themselves, and their page; as of now, or of their own time where that is beyond the look-back."""
    newest = max(report.at for report in told.reports)
    now = time.time()
    at = now if newest <= now < newest + told.settings.test_executions.lookback else newest
    # How often tests run is not known from what was pushed.
    found = replace(executed(told.reports, told.settings.test_executions, at), recent={})
    snapshot = Snapshot(at, None, None, {}, {}, told.settings, {application: found})
    return snapshot, render(snapshot, execution.SERIES).body
