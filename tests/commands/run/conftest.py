"""A shop to put load on, and `pte-exporter run` as a process."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests

from tests.exposition import samples
from tests.running import PATIENCE, until

GENERATOR = str(Path(__file__).parent / "generator.py")


class _Shop(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        time.sleep(0.002)
        self.send_response(500 if self.path == "/broken" else 200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="session")
def shop() -> Iterator[str]:
    """The URL of a server on loopback; /broken answers 500."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Shop) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@dataclass(frozen=True)
class Wrapped:
    """A running `pte-exporter run`."""

    process: subprocess.Popen[bytes]
    folder: Path

    @property
    def stderr(self) -> str:
        return (self.folder / "stderr").read_text(encoding="utf-8")

    @property
    def stdout(self) -> str:
        return (self.folder / "stdout").read_text(encoding="utf-8")

    @property
    def url(self) -> str:
        match = re.search(r"metrics: (http://\S+)metrics\n", self.stderr)
        return match[1] if match else ""

    def page(self) -> bytes:
        return requests.get(f"{self.url}metrics", timeout=PATIENCE).content

    def value(self, name: str, **labels: str) -> float | None:
        """One series' value on the page, None when it is not there."""
        return samples(self.page()).get((name, frozenset({"application": "shop", **labels}.items())))

    def ends(self) -> int:
        """Its exit code."""
        return self.process.wait(PATIENCE)


Start = Callable[..., AbstractContextManager[Wrapped]]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Starts it with (options, command) in the test's folder; killed when the block ends before it."""

    @contextlib.contextmanager
    def started(
        options: list[str],
        command: list[str],
        *,
        page: bool = True,
        program: Sequence[str] = ("-m", "exporter.cli"),
    ) -> Iterator[Wrapped]:
        own = [sys.executable, *program, "run", "--application", "shop", *options]
        own += ["--web.listen-address", "127.0.0.1:0"] * page + ["--", *command]
        out, err = (tmp_path / "stdout").open("wb"), (tmp_path / "stderr").open("wb")
        with out, err, subprocess.Popen(own, stdout=out, stderr=err, cwd=tmp_path) as process:
            wrapped = Wrapped(process, tmp_path)
            try:
                if page:
                    until(lambda: wrapped.url or process.poll() is not None, "the page")
                yield wrapped
            finally:
                if process.poll() is None:
                    process.terminate()  # it takes its child with it
                    process.wait(PATIENCE)

    return started


def python(code: str) -> list[str]:
    """A command that runs this."""
    return [sys.executable, "-c", code]
