"""Idle memory of the exporter on the demo, and its parts."""

from __future__ import annotations

import gc
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import requests

from benchmarks.measurement import Measurement
from tests.servers import free_port, running

MIB = 1024
_PARTS = (
    ("the interpreter alone", "pass"),
    ("+ numpy", "import numpy"),
    ("+ requests, msgspec, yaml, prometheus_client", "import numpy, requests, msgspec, yaml, prometheus_client"),
    (
        "+ the exporter's modules and server",
        "import exporter.serve.web.app, exporter.pipeline, uvicorn.protocols.http.h11_impl",
    ),
)
_RSS = "print(int(next(l for l in open('/proc/self/status') if l.startswith('VmRSS')).split()[1]))"


def _resident(status: str) -> int:
    match = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert match is not None
    return int(match.group(1))


def measure() -> Sequence[Measurement]:
    """Resident memory in MiB: the parts by import, then a served demo after polls and scrapes."""
    gc.collect()
    parts = []
    for name, code in _PARTS:
        out = subprocess.run([sys.executable, "-c", f"{code}\n{_RSS}"], capture_output=True, text=True, check=True)
        parts.append(f"{name} {int(out.stdout) / MIB:.0f}")

    with tempfile.TemporaryDirectory() as directory:
        url = f"127.0.0.1:{free_port()}"
        command = [sys.executable, "-m", "exporter.cli", "serve", "--web.listen-address", url]
        with running(command, Path(directory), f"http://{url}", "/-/ready") as server:
            for _ in range(20):
                requests.get(f"{server.url}/metrics", timeout=10).raise_for_status()
                time.sleep(0.05)
            resident = _resident(Path(f"/proc/{server.process.pid}/status").read_text()) / MIB

    figure = f"{resident:.0f} MiB; by import: {', '.join(parts)} MiB; the rest is the demo's round and its page"
    return [Measurement("idle memory of the exporter on the demo", figure, "under 80 MiB", resident < 80)]
