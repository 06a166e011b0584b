"""Real servers for the tests, on loopback and on free ports; ended when their block ends.

    with prometheus("3", tmp_path, rules=[path]) as server:
        requests.get(f"{server.url}/api/v1/query", ...)

A missing program is an error that says `make tools`, never a skip.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import requests
import yaml

TOP = Path(__file__).resolve().parent.parent
TOOLS = TOP / ".tools"

PROMETHEUS = {"2.42": "/usr/bin/prometheus", "3": str(TOOLS / "prometheus3/usr/bin/prometheus")}
PROMTOOL = {"2.42": "/usr/bin/promtool", "3": str(TOOLS / "prometheus3/usr/bin/promtool")}
ALERTMANAGER = {
    "0.25": "/usr/bin/prometheus-alertmanager",
    "0.33": str(TOOLS / "alertmanager/usr/bin/prometheus-alertmanager"),
}
AMTOOL = {"0.25": "/usr/bin/amtool", "0.33": str(TOOLS / "alertmanager/usr/bin/amtool")}
VICTORIA_METRICS = "/usr/bin/victoria-metrics"
PUSHGATEWAY = "/usr/bin/prometheus-pushgateway"
START_SECONDS = 60.0
"""How long a server may take to become ready on a busy machine."""


@dataclass(frozen=True)
class Server:
    """A running server."""

    url: str
    process: subprocess.Popen[bytes]
    directory: Path
    log: Path

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)


def program(path: str) -> str:
    """The program's path, or an error that says how to get it."""
    if shutil.which(path) is None:
        raise RuntimeError(f"{path} is missing: run `make tools`")
    return path


def free_port() -> int:
    """A TCP port on loopback that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def running(
    command: Sequence[str | os.PathLike[str]],
    directory: Path,
    url: str,
    ready: str,
    *,
    environment: dict[str, str] | None = None,
    status: int = 200,
) -> Iterator[Server]:
    """Run a command until the block ends; the block begins when GET `url` + `ready` answers with the status."""
    directory.mkdir(parents=True, exist_ok=True)
    log = directory / "server.log"
    with log.open("ab") as out:
        process = subprocess.Popen(
            [os.fspath(part) for part in command],
            cwd=directory,
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
        )
    server = Server(url, process, directory, log)
    try:
        _wait_ready(server, ready, status)
        yield server
    finally:
        if process.poll() is None:
            process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_ready(server: Server, path: str, status: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            break
        with contextlib.suppress(requests.RequestException):
            if requests.get(server.url + path, timeout=5).status_code == status:
                return
        time.sleep(0.05)
    raise RuntimeError(f"{server.process.args!r} did not become ready:\n{server.log.read_text()[-4000:]}")


@contextlib.contextmanager
def prometheus(
    version: str,
    directory: Path,
    *,
    config: dict[str, object] | None = None,
    rules: Sequence[Path] = (),
    blocks: Path | None = None,
    args: Sequence[str] = (),
) -> Iterator[Server]:
    """A real Prometheus ("2.42" or "3"). `blocks`: a filled TSDB directory, copied by hard links before the start."""
    directory.mkdir(parents=True, exist_ok=True)
    data = directory / "data"
    if blocks is not None:
        shutil.copytree(blocks, data, copy_function=os.link, dirs_exist_ok=True)
    port = free_port()
    file = directory / "prometheus.yml"
    file.write_text(yaml.safe_dump({**(config or {}), "rule_files": [str(path) for path in rules]}))
    command = [
        program(PROMETHEUS[version]),
        f"--config.file={file}",
        f"--storage.tsdb.path={data}",
        "--storage.tsdb.retention.time=3650d",
        f"--web.listen-address=127.0.0.1:{port}",
        "--web.enable-lifecycle",
        "--log.level=warn",
        *args,
    ]
    with running(command, directory, f"http://127.0.0.1:{port}", "/-/ready") as server:
        yield server


@contextlib.contextmanager
def alertmanager(version: str, directory: Path, config: Path, *, args: Sequence[str] = ()) -> Iterator[Server]:
    """A real Alertmanager ("0.25" or "0.33") with this configuration file; no clustering."""
    port = free_port()
    command = [
        program(ALERTMANAGER[version]),
        f"--config.file={config}",
        f"--storage.path={directory / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
        *args,
    ]
    with running(command, directory, f"http://127.0.0.1:{port}", "/-/ready") as server:
        yield server


@contextlib.contextmanager
def victoria_metrics(directory: Path, *, args: Sequence[str] = ()) -> Iterator[Server]:
    """A real single-node VictoriaMetrics that keeps ten years."""
    port = free_port()
    command = [
        program(VICTORIA_METRICS),
        f"-storageDataPath={directory / 'data'}",
        f"-httpListenAddr=127.0.0.1:{port}",
        "-retentionPeriod=10y",
        "-search.latencyOffset=0s",
        "-search.disableCache",
        *args,
    ]
    with running(command, directory, f"http://127.0.0.1:{port}", "/health") as server:
        yield server


@contextlib.contextmanager
def pushgateway(directory: Path, *, args: Sequence[str] = (), open_to_all: bool = True) -> Iterator[Server]:
    """A real Pushgateway that keeps nothing on disk. If it requires credentials, it is ready when it denies access."""
    port = free_port()
    status = 200 if open_to_all else 401
    listen = f"--web.listen-address=127.0.0.1:{port}"
    command = [program(PUSHGATEWAY), listen, "--persistence.file=", *args]  # Debian's has a default
    with running(command, directory, f"http://127.0.0.1:{port}", "/-/ready", status=status) as server:
        yield server


def create_blocks(version: str, openmetrics: Path, directory: Path) -> Path:
    """Fill a TSDB directory from an OpenMetrics file and give it back."""
    directory.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        [
            program(PROMTOOL[version]),
            "tsdb",
            "create-blocks-from",
            "openmetrics",
            "--max-block-duration=1080h",
            str(openmetrics),
            str(directory),
        ],
        check=True,
        capture_output=True,
    )
    return directory


def create_rule_blocks(version: str, server: Server, rules: Path, times: Sequence[str], directory: Path) -> None:
    """Record into a TSDB directory what the rules give on a server; `times` are --start and --end.

    promtool evaluates a group at a second of the minute that it derives from the group's name and the file's, as it is
    given, and leaves a minute of each two hours out where that is the last one: so the file is given without its
    directory, which is another in each run.
    """
    command = [program(PROMTOOL[version]), "tsdb", "create-blocks-from", "rules", *times, f"--url={server.url}"]
    command += [f"--output-dir={directory}", rules.name]
    subprocess.run(command, cwd=rules.parent, check=True, capture_output=True)


def eventually(check: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait until `check` holds; an AssertionError that names `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.1)
