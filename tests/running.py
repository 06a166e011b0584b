"""The real exporter as its own process, for tests on real sockets."""

from __future__ import annotations

import contextlib
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import requests

from tests.exposition import samples

PATIENCE = 60.0
"""Seconds before a test gives up on a busy machine."""

SLACK = 10.0
"""Seconds of delay that a busy machine may cause; a real hang takes far longer."""


@dataclass(frozen=True)
class Running:
    """A running exporter."""

    url: str
    port: int
    process: subprocess.Popen[bytes]
    log: Path

    def get(self, path: str, **options: object) -> requests.Response:
        return requests.request("GET", self.url + path, timeout=PATIENCE, **options)  # type: ignore[arg-type]

    def post(self, path: str, **options: object) -> requests.Response:
        return requests.request("POST", self.url + path, timeout=PATIENCE, **options)  # type: ignore[arg-type]

    def value(self, name: str, **labels: str) -> float | None:
        """One series' value on the page, None when it is not there."""
        return samples(self.get("/metrics").content).get((name, frozenset(labels.items())))

    def lines(self, word: str = "") -> list[str]:
        """The log lines with a word in them."""
        return [line for line in self.log.read_text(encoding="utf-8").splitlines() if word in line]

    def ready(self) -> bool:
        return self.get("/-/ready").status_code == 200


def until(condition: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
    """Wait until the condition holds, checking often; the assertion names it otherwise."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds:g} s for {what}"
        time.sleep(0.02)


@contextlib.contextmanager
def exporter(
    directory: Path,
    *arguments: str,
    scheme: str = "http",
    wait: bool = True,
    program: Sequence[str] = ("-m", "exporter.cli"),
) -> Iterator[Running]:
    """`pte-exporter serve` on a free port with these arguments; `wait`: until every source was tried."""
    log = directory / "exporter.log"
    command = [sys.executable, *program, "serve", "--web.listen-address", "127.0.0.1:0", *arguments]
    with log.open("wb") as output, subprocess.Popen(command, stderr=output) as process:
        try:
            until(lambda: _port(log) or process.poll() is not None, f"the exporter, see {log}")
            assert process.poll() is None, log.read_text(encoding="utf-8")
            running = Running(f"{scheme}://127.0.0.1:{_port(log)}", _port(log), process, log)
            if wait:
                until(running.ready, "every source to be tried")
            yield running
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.wait()


def _port(log: Path) -> int:
    match = re.search(r"msg=listening url=https?://127\.0\.0\.1:(\d+)/", log.read_text(encoding="utf-8"))
    return int(match[1]) if match else 0


def command(*arguments: str, directory: Path | None = None) -> subprocess.CompletedProcess[str]:
    """`pte-exporter` with these arguments, to its end."""
    return run([sys.executable, "-m", "exporter.cli", *arguments], directory)


def run(arguments: Sequence[str], directory: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=PATIENCE, cwd=directory)
