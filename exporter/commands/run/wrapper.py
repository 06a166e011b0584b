"""One wrapped load test: starts the generator, looks on, processes its result, and passes its exit code on."""

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
    """Run the command to its end, process its result, and give the exit code."""
    follower = follow(path) if path is not None else None
    if follower is not None and follower.is_stale:
        progress.say(f"{path} is there already: it counts only if COMMAND writes it anew")

    copy = path if plan.from_output else None
    child = Child(command, copy)
    _look_on(child, live, follower, progress)
    code, leftovers = child.end()
    if leftovers:
        progress.say(f"of what COMMAND started, {leftovers} ran on without it: ended")

    end = GeneratorEnd(code, child.stop_signal, result.usage(live.sampler))
    if child.copy_failure is not None:  # what is there of it is not the run
        progress.say(f"no result: what COMMAND printed could not be kept: {child.copy_failure}")
        result.print_usage(end)
        return code or 1
    if follower is None:
        result.print_usage(end)
        return code

    is_processed = _process(follower, end, plan, progress)
    follower.close()
    # The generator's own code says more than ours: only of one that succeeded is our failure told.
    if code or is_processed:
        return code
    return 1


def _look_on(child: Child, live: Live, follower: Follower | None, progress: ProgressLine) -> None:
    """Until the child has ended. A bug of ours costs the figures, but never the load test, which may take hours."""
    try:
        monitor(child, live, follower, progress)
        return
    except Exception as error:
        logger.debug("a fault of the exporter", exc_info=True)
        _say_fault(error, progress)

    progress.say("the load generator goes on unseen")
    while not child.wait(_WAIT):
        pass


def _process(follower: Follower, end: GeneratorEnd, plan: ResultPlan, progress: ProgressLine) -> bool:
    try:
        return result.process_result(follower, end, plan)
    except Exception as error:  # the generator's code is still wanted
        logger.debug("a fault of the exporter", exc_info=True)
        _say_fault(error, progress)
        return False


def _say_fault(error: Exception, progress: ProgressLine) -> None:
    progress.say(f"a fault of the exporter: {error.__class__.__name__}: {error}; --log.level debug tells where")
