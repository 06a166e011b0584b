"""The load generator as a child in its own process group: passes our signals on and ends it cleanly."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import BinaryIO, cast

from exporter.commands.run import processes
from exporter.commands.run.copier import Copier
from exporter.errors import PteError

NOT_EXECUTABLE = 126
"""The exit code of shells for a command that cannot be run."""

NOT_FOUND = 127
"""The exit code of shells for a command that does not exist."""

_PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_SAME = 0.5
"""Seconds within which a second signal repeats the first: some programs signal the process and its group."""

_GRACE = 5.0
"""Seconds for processes that the generator left behind to end."""


class StartError(PteError):
    """The command does not exist or cannot be run; `code` is the exit code of a shell."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.code = code


class Child:
    """A started command. Signals to us go to its group, until `end`; the second one kills it.

    With `copy`, its standard output is written there too. It cannot read from a terminal, because it is not in the
    foreground; any other standard input is passed through.
    """

    def __init__(self, command: Sequence[str], copy: Path | None = None) -> None:
        self.stop_signal: signal.Signals | None = None
        """The signal that asked it to end."""
        self.pid = 0
        self._signal_time = 0.0
        self._signal_sent = False

        # Our handlers come before the start: a signal in between would end us and leave the generator running.
        self._handlers_before = {number: signal.getsignal(number) for number in _PASSED_ON}
        for number, handler in self._handlers_before.items():
            if handler is not signal.SIG_IGN:  # nohup: the child ignores it too
                signal.signal(number, self._pass_on)
        try:
            self._process = _start(command, piped=copy is not None)
        except StartError:
            self._restore_handlers()
            raise

        self.pid = self._process.pid
        if self.stop_signal is not None and not self._signal_sent:  # it came while the child was being started
            self._send(self.stop_signal)
        self._watch = os.pidfd_open(self.pid)
        self._copier: Copier | None = None
        if copy is not None:
            self._copier = Copier(cast("BinaryIO", self._process.stdout), copy)

    @property
    def copy_failure(self) -> str | None:
        """Why its output could not be saved; None: it was."""
        return self._copier.failure if self._copier is not None else None

    def wait(self, seconds: float) -> bool:
        """Wait for at most so many seconds; whether it has ended. Its PID is not reused until `end`."""
        return bool(select.select([self._watch], [], [], max(0.0, seconds))[0])

    def end(self) -> tuple[int, int]:
        """After it has ended: its exit code as in a shell, and how many of its processes were still running.

        Those are ended: they are in our group, and nothing monitors them any longer.
        """
        leftovers = self._end_group()
        self._restore_handlers()
        code = self._process.wait()
        os.close(self._watch)
        if self._copier is not None:
            self._copier.end(_GRACE)

        if code < 0:  # the signal that ended it
            code = 128 - code
        return code, leftovers

    def _restore_handlers(self) -> None:
        for number, handler in self._handlers_before.items():
            signal.signal(number, handler)

    def _pass_on(self, number: int, frame: FrameType | None) -> None:
        """In the main thread, between any two instructions: `pid` may not be set yet."""
        now = time.monotonic()
        if self.stop_signal is None:
            self.stop_signal = signal.Signals(number)
            self._signal_time = now
            self._signal_sent = bool(self.pid)
            self._send(self.stop_signal)
        elif now - self._signal_time > _SAME:
            self._send(signal.SIGKILL)

    def _send(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if self.pid:
                os.killpg(self.pid, number)

    def _end_group(self) -> int:
        """Before we wait for the child: while it is a zombie, its PID cannot be reused."""
        leftovers = self._count_leftovers()
        if not leftovers:
            return 0

        self._send(signal.SIGTERM)
        deadline = time.monotonic() + _GRACE
        while self._count_leftovers() and time.monotonic() < deadline:
            time.sleep(0.05)
        self._send(signal.SIGKILL)
        return leftovers

    def _count_leftovers(self) -> int:
        others = processes.stats(processes.running() - {self.pid})
        return sum(stat.group == self.pid and not stat.ended for stat in others)


def check() -> None:
    """Raise PteError if the system lacks what a Child needs."""
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError):
        raise PteError("run needs Linux 5.3 or later") from None


def _start(command: Sequence[str], *, piped: bool) -> subprocess.Popen[bytes]:
    stdin = subprocess.DEVNULL if os.isatty(0) else None
    stdout = subprocess.PIPE if piped else None

    # The child inherits this: in the background it would be stopped when it sets the terminal, or writes with `tostop`.
    before = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    try:
        return subprocess.Popen(command, stdin=stdin, stdout=stdout, process_group=0)  # noqa: S603  it is our purpose
    except FileNotFoundError:
        raise StartError(f"{command[0]}: no such program", NOT_FOUND) from None
    except OSError as error:
        raise StartError(f"{command[0]}: cannot be run: {error.strerror}", NOT_EXECUTABLE) from None
    finally:
        signal.signal(signal.SIGTTOU, before)
