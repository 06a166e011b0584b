"""Monitors a running load generator: reads its result as it grows, updates the page and the progress line."""

from __future__ import annotations

import time

from exporter.catalogue.live import GENERATOR
from exporter.commands.run.child import Child
from exporter.commands.run.follower import Follower
from exporter.commands.run.live import Live
from exporter.commands.run.processes import Tree
from exporter.commands.run.terminal import ProgressLine

_INTERVAL = 0.5
"""Seconds between two updates."""

_READ = 0.15
"""Seconds that an update may read: the generator needs the cores, and the rest is read at the end."""

_SHARE = 0.02
"""Share of a core that summing up may cost: a result with thousands of names takes a while."""


def monitor(child: Child, live: Live, follower: Follower | None, progress: ProgressLine) -> None:
    """Until the child has ended."""
    live.sampler.watch(GENERATOR, Tree([child.pid], child.pid))
    live.sampler.start()
    live.started = time.time()
    live.running = True

    gone = set[str]()
    due = 0.0
    while not child.wait(_INTERVAL):
        if follower is not None:
            follower.step(_READ)
        now = time.monotonic()
        if now >= due:
            _show(live, follower, progress)
            # About once a second; less often if summing up would cost more than its share.
            due = now + max(1.0 - _INTERVAL / 2, (time.monotonic() - now) / _SHARE)
        _report_ended_targets(live, gone, progress)

    progress.erase()
    live.sampler.end()
    live.running = False


def _show(live: Live, follower: Follower | None, progress: ProgressLine) -> None:
    if follower is not None:
        live.run = follower.run() or live.run
    progress.show()


def _report_ended_targets(live: Live, gone: set[str], progress: ProgressLine) -> None:
    """One line per target; those in `gone` have had theirs."""
    for name, totals in live.sampler.totals().items():
        if not totals.alive and name not in gone and name != GENERATOR:
            gone.add(name)
            progress.say(f"--target {name} has ended; sampling of the others continues")
