"""Output for people: progress only on a terminal, colour only there and unless it is switched off."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.commands.run.conftest import GENERATOR

PATIENCE = 60.0


def on_a_terminal(
    folder: Path, command: list[str], enough: Callable[[str], bool], **environment: str
) -> tuple[int, str]:
    """Exit code, and all that was written to a terminal that is stderr; the file `end` is made when that is enough."""
    ours, theirs = pty.openpty()
    own = [sys.executable, "-m", "exporter.cli", "run", "--application", "shop", "--result", "k6.json"]
    own += ["--web.listen-address", "127.0.0.1:0", "--", *command]
    process = subprocess.Popen(
        own, stderr=theirs, stdout=subprocess.DEVNULL, cwd=folder, env={**os.environ, **environment}
    )
    os.close(theirs)
    written, end = b"", time.monotonic() + PATIENCE
    try:
        while time.monotonic() < end:
            try:
                written += os.read(ours, 65536) if select.select([ours], [], [], 1)[0] else b""
            except OSError:  # the other side has gone
                break
            if enough(written.decode(errors="ignore")):
                (folder / "end").touch()
        return process.wait(PATIENCE), written.decode()
    finally:
        process.kill()
        process.wait()
        os.close(ours)


@pytest.mark.parametrize(("no_colour", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_a_line_tells_how_it_stands(no_colour: dict[str, str], coloured: bool, shop: str, tmp_path: Path) -> None:
    """It is written over while the generator goes, and gone before the summary comes."""
    command = [sys.executable, GENERATOR, shop, "k6.json", "50", "0", "end"]

    def all_told(text: str) -> bool:
        lines = text.split("\r\x1b[K")
        whole = [line for line in lines if all(words in line for words in ("50 requests", "P95", "0 failed", "CPU"))]
        return sum("shop 0:0" in line for line in lines) >= 3 and bool(whole)

    code, text = on_a_terminal(tmp_path, command, all_told, **no_colour)
    assert code == 0
    assert all_told(text)
    lines = text.split("\r\x1b[K")
    assert "grade A+" in lines[-1]
    assert "50 requests in" in lines[-1]
    assert ("\x1b[1m\x1b[32mshop: run k6" in lines[-1]) == coloured
    assert ("\x1b[" in lines[-1]) == coloured


CONTROLLING = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""
"""Makes the terminal on standard input the one whose keys are signals."""


def test_keys_reach_the_generator_and_it_may_set_the_terminal(tmp_path: Path) -> None:
    """It is in the background, where it would be stopped for that; Ctrl-C still ends it cleanly."""
    ours, theirs = pty.openpty()
    script = "stty tostop < /dev/tty; trap 'echo interrupted; exit 5' INT; echo waiting; while :; do sleep 0.1; done"
    own = [sys.executable, "-m", "exporter.cli", "run", "--application", "shop", "--web.listen-address", "127.0.0.1:0"]
    with subprocess.Popen(
        [sys.executable, "-c", CONTROLLING, *own, "--", "sh", "-c", script],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=tmp_path,
    ) as process:
        os.close(theirs)
        written, end = b"", time.monotonic() + PATIENCE
        try:
            while b"waiting" not in written:
                assert time.monotonic() < end, written
                if select.select([ours], [], [], 1)[0]:
                    written += os.read(ours, 65536)
            os.write(ours, b"\x03")
            while time.monotonic() < end:
                try:
                    written += os.read(ours, 65536) if select.select([ours], [], [], 1)[0] else b""
                except OSError:  # the other side has gone
                    break
            assert process.wait(PATIENCE) == 5, written
            assert b"interrupted" in written
        finally:
            process.terminate()  # it takes its child with it
            os.close(ours)
