"""One wrapped load test: starts the generator, monitors it, processes its result, and returns its exit code."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from exporter.commands.run import result
from exporter.commands.run.child import Child
from exporter.commands.run.follower import Follower, follow
from exporter.commands.run.live import Live
from exporter.commands.run.monitor import monitor
from exporter.commands.run.result import GeneratorEnd, ResultPlan
from exporter.commands.run.terminal import ProgressLine

logger = logging.getLogger(__name__)

_WAIT = 3600.0


def wrap(command: Sequence[str], path: Path | None, plan: ResultPlan, live: Live, progress: ProgressLine) -> int:
    """Run the command to its end, process its result, and return the exit code."""
    follower = follow(path) if path is not None else None
    if follower is not None and follower.is_stale:
        progress.say(f"{path} exists already: it counts only if COMMAND rewrites it")

    copy = path if plan.from_output else None
    child = Child(command, copy)
    _monitor(child, live, follower, progress)
    code, leftovers = child.end()
    if leftovers:
        progress.say(f"ended the processes that COMMAND left running: {leftovers}")

    end = GeneratorEnd(code, child.stop_signal, result.usage(live.sampler))
    if child.copy_failure is not None:  # the copy is not the whole run
        progress.say(f"no result: the output of COMMAND could not be saved: {child.copy_failure}")
        result.print_usage(end)
        return code or 1
    if follower is None:
        result.print_usage(end)
        return code

    is_processed = _process(follower, end, plan, progress)
    follower.close()
    # The generator's own exit code says more than ours: our failure counts only if the generator succeeded.
    if code or is_processed:
        return code
    return 1


def _monitor(child: Child, live: Live, follower: Follower | None, progress: ProgressLine) -> None:
    """Until the child has ended. An internal error costs the figures, but never the load test, which may take hours."""
    try:
        monitor(child, live, follower, progress)
        return
    except Exception as error:
        logger.debug("internal error", exc_info=True)
        _report_internal_error(error, progress)

    progress.say("the load generator continues without monitoring")
    while not child.wait(_WAIT):
        pass


def _process(follower: Follower, end: GeneratorEnd, plan: ResultPlan, progress: ProgressLine) -> bool:
    try:
        return result.process_result(follower, end, plan)
    except Exception as error:  # the generator's exit code still counts
        logger.debug("internal error", exc_info=True)
        _report_internal_error(error, progress)
        return False


def _report_internal_error(error: Exception, progress: ProgressLine) -> None:
    progress.say(
        f"internal error, please report it: {error.__class__.__name__}: {error}; --log.level debug shows where"
    )
