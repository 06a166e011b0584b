"""What is published of a run or a report: the same families as on the page of `serve`, made by the same code."""

from __future__ import annotations

import importlib
import time
from dataclasses import replace
from typing import Any

from exporter.analysis.execution import executed
from exporter.analysis.loadrun import as_observation, mapped
from exporter.catalogue import loadrun
from exporter.model.execution import Report
from exporter.model.loadrun import LoadRun
from exporter.model.results import Snapshot
from exporter.pipeline import of_run as analysed
from exporter.publish import render
from exporter.push.inputs import Inputs


def of_run(run: LoadRun, application: str, told: Inputs) -> tuple[Snapshot, bytes]:
    """The run, judged against the baseline and the runs that ended before it, and its page."""
    newest = mapped(run, told.routes)
    before = tuple(one for one in told.history if one.end < newest.end)
    seen = replace(as_observation(newest), load_runs=(*before, newest), load_baseline=told.baseline)
    snapshot = analysed(application, seen, told.settings, time.time())
    return snapshot, render(snapshot, loadrun.SERIES).body


def of_report(report: Report, application: str, told: Inputs) -> tuple[Snapshot, bytes]:
    """The report by itself, and its page."""
    execution: Any = importlib.import_module("exporter.catalogue.execution")
    found = executed((report,), told.settings.test_executions, max(time.time(), report.at))
    snapshot = Snapshot(found.reports[-1].at, None, None, {}, {}, told.settings, {application: found})
    return snapshot, render(snapshot, execution.SERIES).body
