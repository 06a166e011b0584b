"""A JMeter JTL of five million rows beside pandas, and one of 2 GB, each read in a process of its own.

The large one comes through a FIFO while it is written, so that it needs no room on the disk.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.measured import Measured

ROWS = 5_000_000
LARGE = 2 * 1024**3
LARGE_BOUND, MEMORY_BOUND = 300.0, 10.0
_START = 1_760_000_000_000
_SET = 50_000
_ROUNDS = 3
_HEADER = (
    b"timeStamp,elapsed,label,responseCode,responseMessage,threadName,dataType,success,failureMessage,bytes,sentBytes,"
    b"grpThreads,allThreads,URL,Latency,IdleTime,Connect\n"
)
_MEASURE = """
import resource, sys, time
start = time.perf_counter()
{code}
seconds = time.perf_counter() - start
print(rows, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""
_OURS = """
from pathlib import Path
from exporter import formats
rows = formats.read(Path(sys.argv[1])).total.requests
"""
_PANDAS = """
import pandas
frame = pandas.read_csv(sys.argv[1])
quantiles = frame.groupby("label")["elapsed"].quantile([0.5, 0.9, 0.95, 0.99, 0.999])
rows = len(frame)
"""


class _Read(NamedTuple):
    rows: int
    seconds: float
    """Wall time, imports included."""
    peak: float
    """MiB of resident memory."""


def _rows() -> list[bytes]:
    """What follows the time stamp in rows as JMeter writes them: 24 labels, 200 threads, 1 in 100 fails."""
    chance = np.random.default_rng(1)
    elapsed, sizes = chance.lognormal(4.5, 0.8, _SET).astype(int) + 1, chance.integers(200, 60_000, _SET)
    labels = [f"{method} /shop/thing{number}" for number in range(12) for method in ("GET", "POST")]
    rows = []
    for number, (took, size, label, failed) in enumerate(
        zip(
            elapsed.tolist(),
            sizes.tolist(),
            chance.integers(0, len(labels), _SET).tolist(),
            (chance.random(_SET) < 0.01).tolist(),
            strict=True,
        )
    ):
        name, thread = labels[label], f"Buyers 1-{number % 200 + 1}"
        code, flag = ("500,Internal Server Error", "false") if failed else ("200,OK", "true")
        message = '"Test failed: code expected to equal /\n200, was ""500""/"' if failed else ""
        url = f"https://shop.example.org{name.partition(' ')[2]}"
        told = f"{took},{name},{code},{thread},text,{flag},{message},{size},{size % 700},200,200,{url},{took - 1},0,3\n"
        rows.append(f",{told}".encode())
    return rows


def _blocks(rows: int | None, size: int | None) -> Iterator[bytes]:
    """A JTL of so many rows, or of at least so many bytes: four rows a millisecond."""
    after, done, written = _rows(), 0, len(_HEADER)
    yield _HEADER
    while (rows is None or done < rows) and (size is None or written < size):
        part = after if rows is None else after[: rows - done]
        block = b"".join([b"%d%b" % (_START + (done + at) // 4, each) for at, each in enumerate(part)])
        yield block
        done, written = done + len(part), written + len(block)


def _child(code: str, path: Path) -> _Read:
    command = [sys.executable, "-c", _MEASURE.format(code=code), str(path)]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return _Read(int(out[0]), float(out[1]), float(out[2]))


def _beside_pandas(directory: Path) -> Iterator[Measured]:
    path = directory / "five-million.jtl"
    with path.open("wb") as file:
        file.writelines(_blocks(ROWS, None))
    size = path.stat().st_size / 1024**2
    pairs = [(_child(_OURS, path), _child(_PANDAS, path)) for _ in range(_ROUNDS)]
    path.unlink()
    assert {read.rows for pair in pairs for read in pair} == {ROWS}
    ours, theirs = (min(each, key=lambda read: read.seconds) for each in zip(*pairs, strict=True))
    figure = f"{ours.seconds:.1f} s beside {theirs.seconds:.1f} s, the best of {_ROUNDS} taken in turn"
    yield Measured(
        f"time to read a JTL of {ROWS / 1e6:g} million rows ({size:.0f} MiB), beside pandas.read_csv with a groupby",
        figure,
        "less",
        ours.seconds < theirs.seconds,
    )
    most, least = max(ours.peak for ours, _ in pairs), min(theirs.peak for _, theirs in pairs)
    figure = f"{least / most:.1f} times less ({most:.0f} MiB beside {least:.0f} MiB)"
    yield Measured(
        "peak memory of the same", figure, f"more than {MEMORY_BOUND:g} times less", least > MEMORY_BOUND * most
    )


def _large(directory: Path) -> Measured:
    path = directory / "large.jtl"
    os.mkfifo(path)
    written = 0

    def write() -> None:
        nonlocal written
        with path.open("wb") as fifo:
            for block in _blocks(None, LARGE):
                written += fifo.write(block)

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    read = _child(_OURS, path)
    writer.join()
    figure = (
        f"{read.peak:.0f} MiB ({written / 1024**3:.2f} GiB, {read.rows / 1e6:.1f} million rows, {read.seconds:.0f} s)"
    )
    claim = "peak memory while a JTL of 2 GB is read, written through a FIFO at the same time"
    return Measured(claim, figure, f"under {LARGE_BOUND:g} MiB", read.peak < LARGE_BOUND)


def measure() -> Sequence[Measured]:
    """Wall time and peak resident memory, from the children themselves."""
    with tempfile.TemporaryDirectory() as name:
        return [*_beside_pandas(Path(name)), _large(Path(name))]
