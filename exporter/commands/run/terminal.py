"""What `run` tells people on stderr: a line while it goes, where a person looks on, and a summary at the end."""

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
_BOLD, _PLAIN = "\x1b[1m", "\x1b[0m"
_COLOURS = {"F": "\x1b[31m", "D": "\x1b[33m", "C": "\x1b[33m"}
_GOOD = "\x1b[32m"


class ProgressLine:
    """One line, written over each second; nothing where stderr is no terminal."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._shown = sys.stderr.isatty()
        self._began = self._at = time.monotonic()
        self._requests = 0
        self._text = ""

    def tell(self) -> None:
        """Show how it stands."""
        if self._shown:
            self._text = ", ".join(self._parts())[: os.get_terminal_size(sys.stderr.fileno()).columns - 1 or None]
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
        now, run = time.monotonic(), self._live.run
        minutes, seconds = divmod(int(now - self._began), 60)
        yield f"{self._live.application} {minutes}:{seconds:02d}"
        if run is not None:
            yield f"{run.total.requests} requests"
            if now > self._at:
                yield humanize.rate(
                    max(0, run.total.requests - self._requests) / (now - self._at), humanize.SENTENCE_DIGITS
                )
            self._requests, self._at = run.total.requests, now
            if run.total.latency.p95 is not None:
                yield f"P95 {humanize.seconds(run.total.latency.p95, humanize.SENTENCE_DIGITS)}"
            if run.total.failures is not None:
                yield f"{run.total.failures} failed"
        generator = self._live.sampler.watched().get(GENERATOR)
        if generator is not None and generator.samples:
            yield f"CPU {humanize.number(generator.cores_last, humanize.SENTENCE_DIGITS)} cores"


def usage(found: Mapping[str, Usage]) -> Iterator[str]:
    """A line for each process."""
    for name, one in found.items():
        cpu_max = humanize.number(one.cpu_max, humanize.SENTENCE_DIGITS)
        cpu_mean = humanize.number(one.cpu_mean, humanize.SENTENCE_DIGITS)
        cpu = f"at most {cpu_max} cores (mean {cpu_mean})"
        sockets = "" if one.sockets_max is None else f", {humanize.pluralize(one.sockets_max, 'socket')}"
        yield f"  {name}: {cpu}, {humanize.number(one.memory_max / _MIB, humanize.SENTENCE_DIGITS)} MiB{sockets}"


def summary(shown: str, run: LoadRun, grade: str | None) -> str:
    """The lines about a run, with those about its processes, in colour where a person looks on."""
    first, *rest = shown.splitlines()
    if sys.stderr.isatty() and "NO_COLOR" not in os.environ:
        first = f"{_BOLD}{_COLOURS.get(grade, _GOOD) if grade else ''}{first}{_PLAIN}"
    return "\n".join((first, *rest, *usage(run.usage)))
