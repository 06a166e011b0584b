"""Load runs for tests: requests from a seed, added up as a result file would be."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from exporter.formats import saved
from exporter.formats.tally import Tally
from exporter.formats.tally.batch import Batch
from exporter.model.loadrun import LoadRun

START = 1795161600.0
"""2026-11-20T08:00:00Z."""

NAMES: Mapping[str, float] = {"GET /": 0.6, "POST /cart": 0.3, "Log in": 0.1}
"""Name to its share of the requests."""


def load_run(
    start: float = START,
    *,
    requests: int = 6000,
    duration: float = 600.0,
    latency: float = 0.1,
    failures: float = 0.01,
    seed: int = 1,
    names: Mapping[str, float] = NAMES,
) -> LoadRun:
    """A run of `requests` over `duration` seconds; `latency` is the median in seconds, log-normal around it."""
    chance, tally = np.random.default_rng(seed), Tally()
    numbers = [tally.endpoint(name) for name in names]
    kind = tally.kind("500")
    starts = start + np.sort(chance.uniform(0, duration, requests))
    failed = chance.random(requests) < failures
    batch = Batch(
        chance.choice(numbers, size=requests, p=list(names.values())),
        starts,
        latency * chance.lognormal(0, 0.5, requests),
        failed,
        np.full(requests, kind, dtype=np.int64),
        received=np.full(requests, 1000.0),
        users=np.full(requests, 25.0),
    )
    tally.add_batch(batch, str)
    return tally.run("jmeter", "jmeter-csv")


def write(path: Path, run: LoadRun, *, age: float = 3600.0, now: float | None = None) -> Path:
    """Save the run as a file that was last written `age` seconds before `now` (the clock's time)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(saved.write(run))
    touch(path, age, now)
    return path


def touch(path: Path, age: float, now: float | None = None) -> None:
    """As if it had last been written `age` seconds ago."""
    at = (time.time() if now is None else now) - age
    os.utime(path, (at, at))
