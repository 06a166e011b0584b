"""The output of `run` on stderr: a progress line on a terminal, and a summary at the end."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping

from exporter import humanize
from exporter.catalogue.live import GENERATOR
from exporter.commands.run.live import Live
from exporter.model.loadrun import LoadRun, Usage

_MIB = 1024 * 1024
_ERASE = "\r\x1b[K"
_BOLD = "\x1b[1m"
_PLAIN = "\x1b[0m"
_COLOURS = {"F": "\x1b[31m", "D": "\x1b[33m", "C": "\x1b[33m"}
_GOOD = "\x1b[32m"


class ProgressLine:
    """One line, rewritten each second; nothing if stderr is not a terminal."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._on_terminal = sys.stderr.isatty()
        self._start = time.monotonic()
        self._text = ""
        """The text on the terminal now, which must be erased before other output."""

        # The request rate of the next line counts from here.
        self._time = self._start
        self._requests = 0

    def show(self) -> None:
        """Write the current state."""
        if self._on_terminal:
            columns = os.get_terminal_size(sys.stderr.fileno()).columns
            self._text = ", ".join(self._parts())[: columns - 1 or None]
            print(f"{_ERASE}{self._text}", end="", file=sys.stderr, flush=True)

    def say(self, line: str) -> None:
        """A line that stays."""
        self.erase()
        print(f"pte-exporter: {line}", file=sys.stderr, flush=True)

    def erase(self) -> None:
        if self._text:
            self._text = ""
            print(_ERASE, end="", file=sys.stderr, flush=True)

    def _parts(self) -> Iterator[str]:
        now = time.monotonic()
        minutes, seconds = divmod(int(now - self._start), 60)
        yield f"{self._live.application} {minutes}:{seconds:02d}"

        if self._live.run is not None:
            yield from self._requests_parts(self._live.run, now)

        generator = self._live.sampler.totals().get(GENERATOR)
        if generator is not None and generator.samples:
            yield f"CPU {humanize.number(generator.cores_last, humanize.SENTENCE_DIGITS)} cores"

    def _requests_parts(self, run: LoadRun, now: float) -> Iterator[str]:
        total = run.total
        yield f"{total.requests} requests"
        if now > self._time:
            rate = max(0, total.requests - self._requests) / (now - self._time)
            yield humanize.rate(rate, humanize.SENTENCE_DIGITS)
        self._requests = total.requests
        self._time = now

        if total.latency.p95 is not None:
            yield f"P95 {humanize.seconds(total.latency.p95, humanize.SENTENCE_DIGITS)}"
        if total.failures is not None:
            yield f"{total.failures} failed"


def usage_lines(usages: Mapping[str, Usage]) -> Iterator[str]:
    """A line for each process."""
    for name, usage in usages.items():
        cpu_max = humanize.number(usage.cpu_max, humanize.SENTENCE_DIGITS)
        cpu_mean = humanize.number(usage.cpu_mean, humanize.SENTENCE_DIGITS)
        memory = humanize.number(usage.memory_max / _MIB, humanize.SENTENCE_DIGITS)

        line = f"  {name}: at most {cpu_max} cores (mean {cpu_mean}), {memory} MiB"
        if usage.sockets_max is not None:
            line += f", {humanize.pluralize(usage.sockets_max, 'socket')}"
        yield line


def summary(text: str, run: LoadRun, grade: str | None) -> str:
    """The lines about a run and its processes, in colour on a terminal."""
    first, *rest = text.splitlines()
    if sys.stderr.isatty() and "NO_COLOR" not in os.environ:
        colour = _COLOURS.get(grade, _GOOD) if grade else ""
        first = f"{_BOLD}{colour}{first}{_PLAIN}"
    return "\n".join((first, *rest, *usage_lines(run.usage)))
