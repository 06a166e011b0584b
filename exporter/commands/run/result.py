"""Processes the result after the load generator has ended: reads, prints, saves and publishes it."""

from __future__ import annotations

import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from exporter.commands.run import terminal
from exporter.commands.run.follower import Follower
from exporter.commands.run.sampler import Sampler
from exporter.errors import PteError, SourceError
from exporter.formats import saved
from exporter.model.loadrun import LoadRun, Usage
from exporter.publishing import summary
from exporter.publishing.inputs import Inputs

if TYPE_CHECKING:  # it loads the HTTP client, whose memory the load generator may need
    from exporter.publishing.destinations import Destination


@dataclass(frozen=True, slots=True)
class ResultPlan:
    """How to process the result."""

    application: str
    inputs: Inputs
    """Its settings and comparisons."""
    destinations: Sequence[Destination]
    save: Path | None = None
    run: str = ""
    commit: str = ""
    from_output: bool = False
    """The result is the output of the generator, so it has no file name."""


@dataclass(frozen=True, slots=True)
class GeneratorEnd:
    """How the generator ended."""

    code: int
    stop_signal: signal.Signals | None
    """The signal that asked it to end."""
    usage: Mapping[str, Usage]


def usage(sampler: Sampler) -> Mapping[str, Usage]:
    """The usage of each sampled process."""
    usages = {name: totals.usage() for name, totals in sampler.totals().items()}
    return {name: usage for name, usage in usages.items() if usage is not None}


def process_result(follower: Follower, end: GeneratorEnd, plan: ResultPlan) -> bool:
    """Follow the plan; False if a step failed."""
    # Not earlier: while the generator ran, it needed the memory.
    from exporter.publishing import page

    try:
        run = _described(follower.finish(), end, plan)
        if not run.total.requests:
            raise SourceError("bad_data", f"{run.run}: contains no requests, so there is nothing to publish")
        snapshot, body = page.of_run(run, plan.application, plan.inputs)
    except PteError as error:
        _say(f"no result: {_problem(error, follower.path, plan)}")
        print_usage(end)
        return False

    judged = snapshot.applications[plan.application].load_run
    grade = judged.grade if judged is not None else None
    text = summary.of_run(snapshot, plan.application, plan.inputs.warnings)
    _print(terminal.summary(text, run, grade))

    # Both are tried: a result that cannot be published is at least saved.
    is_saved = _save(run, plan.save)
    is_published = _publish(plan, body)
    return is_saved and is_published


def _problem(error: PteError, path: Path, plan: ResultPlan) -> str:
    """The problem, without the name of our own temporary copy of the output."""
    if plan.from_output and isinstance(error, SourceError) and error.path == path:
        return f"standard output: {error.message}"
    return str(error)


def print_usage(end: GeneratorEnd) -> None:
    """The usage, if there is no result."""
    _print("\n".join(terminal.usage_lines(end.usage)))


def _described(run: LoadRun, end: GeneratorEnd, plan: ResultPlan) -> LoadRun:
    """The run with its name, its usage and how it ended."""
    described = replace(run, run=_name(run, plan), commit=plan.commit or run.commit, usage=end.usage)
    reason = _cut_short(end)
    if reason is None:
        return described
    return replace(described, complete=False, warnings=(*run.warnings, f"the load generator {reason}"))


def _name(run: LoadRun, plan: ResultPlan) -> str:
    if plan.run:
        return plan.run
    if run.run and not plan.from_output:
        return run.run
    return f"{run.tool}-{datetime.fromtimestamp(run.start, UTC):%Y%m%dT%H%M%SZ}"


def _cut_short(end: GeneratorEnd) -> str | None:
    """Why the run was cut short, even if its result looks complete; None: it was not."""
    if end.stop_signal is not None:
        return f"was ended early by {end.stop_signal.name}"
    if end.code > 128:
        return f"exited with code {end.code}, as after signal {end.code - 128}"
    return None


def _save(run: LoadRun, path: Path | None) -> bool:
    if path is None:
        return True

    try:
        path.write_bytes(saved.write(run))
    except OSError as error:
        _say(f"not saved: {path}: {error.strerror}")
        return False
    _print(f"saved as {path}")
    return True


def _publish(plan: ResultPlan, body: bytes) -> bool:
    if not plan.destinations:
        return True

    from exporter.publishing import destinations

    try:
        report = destinations.send(plan.destinations, plan.application, "load_run", body)
    except (PteError, OSError) as error:
        _say(f"not published: {error}")
        return False
    _print(report)
    return True


def _say(line: str) -> None:
    print(f"pte-exporter: {line}", file=sys.stderr, flush=True)


def _print(text: str) -> None:
    if text:
        print(text, file=sys.stderr, flush=True)
