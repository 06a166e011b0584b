"""A JMeter JTL of five million rows beside pandas, and one of 2 GB, each read in its own process.

The large one is read through a FIFO while it is written, so it needs no disk space.
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

from benchmarks.measurement import Measurement

ROWS = 5_000_000
LARGE = 2 * 1024**3
LARGE_BOUND = 300.0
MEMORY_BOUND = 10.0
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
    """The part after the time stamp in rows as JMeter writes them: 24 labels, 200 threads, 1 in 100 fails."""
    chance = np.random.default_rng(1)
    labels = [f"{method} /shop/thing{number}" for number in range(12) for method in ("GET", "POST")]
    elapsed = chance.lognormal(4.5, 0.8, _SET).astype(int) + 1
    sizes = chance.integers(200, 60_000, _SET)
    names = chance.integers(0, len(labels), _SET)
    failures = chance.random(_SET) < 0.01

    rows = []
    requests = zip(elapsed.tolist(), sizes.tolist(), names.tolist(), failures.tolist(), strict=True)
    for number, (took, size, name, failed) in enumerate(requests):
        rows.append(_row(number, took, size, labels[name], failed=failed))
    return rows


def _row(number: int, took: int, size: int, label: str, *, failed: bool) -> bytes:
    thread = f"Buyers 1-{number % 200 + 1}"
    url = f"https://shop.example.org{label.partition(' ')[2]}"
    outcome = "200,OK"
    message = ""
    if failed:
        outcome = "500,Internal Server Error"
        message = '"Test failed: code expected to equal /\n200, was ""500""/"'

    start = f"{took},{label},{outcome},{thread},text,{str(not failed).lower()}"
    return f",{start},{message},{size},{size % 700},200,200,{url},{took - 1},0,3\n".encode()


def _blocks(rows: int | None, size: int | None) -> Iterator[bytes]:
    """A JTL of so many rows, or of at least so many bytes: four rows a millisecond."""
    row_set = _rows()
    count = 0
    written = len(_HEADER)
    yield _HEADER

    while (rows is None or count < rows) and (size is None or written < size):
        part = row_set if rows is None else row_set[: rows - count]
        block = b"".join([b"%d%b" % (_START + number // 4, row) for number, row in enumerate(part, count)])
        yield block
        count += len(part)
        written += len(block)


def _child(code: str, path: Path) -> _Read:
    command = [sys.executable, "-c", _MEASURE.format(code=code), str(path)]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return _Read(int(out[0]), float(out[1]), float(out[2]))


def _beside_pandas(directory: Path) -> Iterator[Measurement]:
    path = directory / "five-million.jtl"
    with path.open("wb") as file:
        file.writelines(_blocks(ROWS, None))
    size = path.stat().st_size / 1024**2

    # In turn, so other load on the machine slows down both.
    ours = []
    theirs = []
    for _ in range(_ROUNDS):
        ours.append(_child(_OURS, path))
        theirs.append(_child(_PANDAS, path))
    path.unlink()
    assert {read.rows for read in (*ours, *theirs)} == {ROWS}

    our_seconds = min(read.seconds for read in ours)
    their_seconds = min(read.seconds for read in theirs)
    figure = f"{our_seconds:.1f} s beside {their_seconds:.1f} s, the best of {_ROUNDS} taken in turn"
    yield Measurement(
        f"time to read a JTL of {ROWS / 1e6:g} million rows ({size:.0f} MiB), beside pandas.read_csv with a groupby",
        figure,
        "less",
        our_seconds < their_seconds,
    )

    our_peak = max(read.peak for read in ours)
    their_peak = min(read.peak for read in theirs)
    figure = f"{their_peak / our_peak:.1f} times less ({our_peak:.0f} MiB beside {their_peak:.0f} MiB)"
    bound = f"more than {MEMORY_BOUND:g} times less"
    yield Measurement("peak memory of the same", figure, bound, their_peak > MEMORY_BOUND * our_peak)


def _large(directory: Path) -> Measurement:
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

    amount = f"{written / 1024**3:.2f} GiB, {read.rows / 1e6:.1f} million rows"
    figure = f"{read.peak:.0f} MiB ({amount}, {read.seconds:.0f} s)"
    claim = "peak memory while a JTL of 2 GB is read, written through a FIFO at the same time"
    return Measurement(claim, figure, f"under {LARGE_BOUND:g} MiB", read.peak < LARGE_BOUND)


def measure() -> Sequence[Measurement]:
    """Wall time and peak resident memory, from the children themselves."""
    with tempfile.TemporaryDirectory() as name:
        return [*_beside_pandas(Path(name)), _large(Path(name))]
