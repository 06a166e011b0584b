"""The load generator as a child: in a process group of its own, with our signals passed on, to its orderly end."""

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
from exporter.commands.run.copying import Copier
from exporter.errors import PteError

NOT_EXECUTABLE, NOT_FOUND = 126, 127
"""What shells exit with for such a command."""

_PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_SAME = 0.5
"""Seconds within which a second signal is the first one again: some programs signal the process and its group."""

_GRACE = 5.0
"""Seconds that what the generator left behind gets to end."""


class StartError(PteError):
    """The command is not there or is no program; `code` is what a shell would exit with."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.code = code


class Child:
    """A started command. Signals to us go to its group, until `end`; the second one kills it.

    With `copy`, its standard output is written there too. It does not read from a terminal, for which it would have to
    be in the foreground; anything else on standard input is passed through.
    """

    def __init__(self, command: Sequence[str], copy: Path | None = None) -> None:
        self.signalled: signal.Signals | None = None
        """What it was told to end with."""
        self._last = 0.0
        self._passed = False
        self.pid = 0
        self._before = {number: signal.getsignal(number) for number in _PASSED_ON}
        for number, handler in self._before.items():
            if handler is not signal.SIG_IGN:  # nohup: it ignores it too
                signal.signal(number, self._pass_on)
        try:
            self._process = _started(command, piped=copy is not None)
        except StartError:
            self._give_back()
            raise
        self.pid = self._process.pid
        if self.signalled is not None and not self._passed:  # it came while the child was being started
            self._signal(self.signalled)
        self._watch = os.pidfd_open(self.pid)
        printed = self._process.stdout
        self._copier = Copier(cast("BinaryIO", printed), copy) if copy is not None else None

    @property
    def lost(self) -> str | None:
        """Why what it printed could not be kept; None: it could."""
        return self._copier.lost if self._copier is not None else None

    def wait(self, seconds: float) -> bool:
        """Whether it has ended, at the latest after so many seconds. Its number stays its own until `end`."""
        return bool(select.select([self._watch], [], [], max(0.0, seconds))[0])

    def end(self) -> tuple[int, int]:
        """After it has ended: its exit code as a shell would tell it, and how many processes of its were still there.

        Those are ended: its group is ours, and nobody looks on any longer.
        """
        left = self._end_group()
        self._give_back()
        code = self._process.wait()
        os.close(self._watch)
        if self._copier is not None:
            self._copier.end(_GRACE)
        return (128 - code if code < 0 else code), left

    def _give_back(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _pass_on(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if self.signalled is None:
            self.signalled, self._last, self._passed = signal.Signals(number), now, bool(self.pid)
            self._signal(self.signalled)
        elif now - self._last > _SAME:
            self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if self.pid:
                os.killpg(self.pid, number)

    def _end_group(self) -> int:
        """Before we wait for the child: while it is a zombie, nobody else can have its number."""
        left = self._left()
        if left:
            self._signal(signal.SIGTERM)
            deadline = time.monotonic() + _GRACE
            while self._left() and time.monotonic() < deadline:
                time.sleep(0.05)
            self._signal(signal.SIGKILL)
        return left

    def _left(self) -> int:
        found = processes.statuses(processes.running() - {self.pid})
        return sum(one.group == self.pid and not one.ended for one in found)


def check() -> None:
    """Raises PteError where the machine cannot do what a Child needs."""
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError):
        raise PteError("run needs Linux 5.3 or later") from None


def _started(command: Sequence[str], *, piped: bool) -> subprocess.Popen[bytes]:
    # It inherits this: in the background it would be stopped when it sets the terminal, or writes where `tostop` is on.
    before = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    try:
        return subprocess.Popen(  # noqa: S603  it is what we are for
            command,
            stdin=subprocess.DEVNULL if os.isatty(0) else None,
            stdout=subprocess.PIPE if piped else None,
            process_group=0,
        )
    except FileNotFoundError:
        raise StartError(f"{command[0]}: there is no such program", NOT_FOUND) from None
    except OSError as error:
        raise StartError(f"{command[0]}: cannot be run: {error.strerror}", NOT_EXECUTABLE) from None
    finally:
        signal.signal(signal.SIGTTOU, before)
