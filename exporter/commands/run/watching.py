"""Looks on while the load generator goes: reads its result as it grows, keeps the page and the progress line."""

from __future__ import annotations

import time

from exporter.catalogue.live import GENERATOR
from exporter.commands.run.awaiting import Followed
from exporter.commands.run.child import Child
from exporter.commands.run.live import Live
from exporter.commands.run.processes import Tree
from exporter.commands.run.terminal import ProgressLine

_LOOK = 0.5
"""Seconds between two looks."""

_READ = 0.15
"""Seconds that a look may read: the generator wants the cores, and what is left over is read at the end."""

_SHARE = 0.02
"""Of a core: what adding up may cost. Of a result with thousands of names it takes a while."""


def look_on(child: Child, live: Live, following: Followed | None, progress: ProgressLine) -> None:
    """Until the child has ended."""
    live.sampler.watch(GENERATOR, Tree([child.pid], child.pid))
    live.sampler.start()
    live.started, live.running = time.time(), True
    gone: set[str] = set()
    due = 0.0
    while not child.wait(_LOOK):
        if following is not None:
            following.step(_READ)
        now = time.monotonic()
        if now >= due:
            if following is not None:
                live.run = following.run() or live.run
            progress.tell()
            due = now + max(1.0 - _LOOK / 2, (time.monotonic() - now) / _SHARE)
        for name, watched in live.sampler.watched().items():
            if not watched.alive and name not in gone and name != GENERATOR:
                gone.add(name)
                progress.say(f"--target {name} has ended; the rest goes on")
    progress.erase()
    live.sampler.end()
    live.running = False
