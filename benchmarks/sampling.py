"""The cost of the sampler of `pte-exporter run`, with as many connections as load generators have."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

from benchmarks.measurement import Measurement

SECONDS = 20

_GENERATOR = """
import os, socket, sys, threading, time
children, threads, sockets = map(int, sys.argv[1:])
with socket.create_server(("127.0.0.1", 0), backlog=4096) as server:
    here = [socket.create_connection(server.getsockname()) for _ in range(sockets)]
    for _ in range(threads): threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
    for _ in range(children):
        if os.fork() == 0: break
    time.sleep(600)
"""
"""Processes that only wait: the sampler's cost depends on their number, not on their work."""

_SAMPLER = """
import subprocess, sys, time
from exporter.commands.run.processes import Tree
from exporter.commands.run.sampler import Sampler
def resident(): return int(next(l for l in open('/proc/self/status') if l.startswith('VmRSS')).split()[1])
child = subprocess.Popen([sys.executable, '-c', sys.argv[1], *sys.argv[3:]], process_group=0)
time.sleep(2)
before = resident()
sampler = Sampler()
sampler.watch('generator', Tree([child.pid], child.pid))
began, used = time.monotonic(), time.process_time()
sampler.start()
time.sleep(float(sys.argv[2]))
used, took = time.process_time() - used, time.monotonic() - began
totals = sampler.totals()['generator']
print(used / took, (resident() - before) / 1024, totals.samples, sampler.missed, totals.sockets_max)
import os, signal
os.killpg(child.pid, signal.SIGKILL)
"""

_CASES = (
    ("one process, 10 threads, 100 connections", (0, 10, 100)),
    ("one process, 50 threads, 2000 connections", (0, 50, 2000)),
    ("20 processes, 4 threads, 200 connections", (19, 4, 200)),
)
_MOST_CPU = 0.02
_MOST_MIB = 10.0


def measure() -> Sequence[Measurement]:
    """CPU time as a share of a core, and resident memory that came on top, at 10 samples a second."""
    measurements = []
    for name, shape in _CASES:
        command = [sys.executable, "-c", _SAMPLER, _GENERATOR, str(SECONDS), *map(str, shape)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        share, mib, samples, missed, sockets = map(float, done.stdout.split())

        cost = f"{share:.2%} of a core, {mib:.1f} MiB"
        figure = f"{cost}; {samples:.0f} samples, {missed:.0f} missed, {sockets:.0f} sockets"
        bound = f"under {_MOST_CPU:.0%} of a core and {_MOST_MIB:.0f} MiB"
        claim = f"sampling every 100 ms: {name}, {SECONDS} s"
        measurements.append(Measurement(claim, figure, bound, share < _MOST_CPU and mib < _MOST_MIB))

    return measurements
