"""The sampler against processes of known usage: the kernel's accounts at their end."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from exporter.commands.run import sampler as sampling
from exporter.commands.run.processes import Tree
from exporter.commands.run.sampler import Sampler, Totals
from exporter.commands.run.targets import target, tree
from exporter.errors import PteError
from tests.commands.run.conftest import python
from tests.running import until

CHILDREN = "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do {} -c 'for i in range(400000): pass'; done"


def observed(command: list[str]) -> tuple[Totals, float]:
    """The sampler's totals, and the CPU seconds of the kernel at the end."""
    with subprocess.Popen(command, process_group=0) as child:
        sampler = Sampler()
        sampler.watch("it", Tree([child.pid], child.pid))
        sampler.start()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        sampler.end()
        _, _, used = os.wait4(child.pid, 0)
        child.returncode = 0
    return sampler.totals()["it"], used.ru_utime + used.ru_stime


@pytest.mark.parametrize(
    "command",
    [
        python("import time\nbegan = time.process_time()\nwhile time.process_time() - began < 0.6: pass"),
        ["sh", "-c", CHILDREN.format(sys.executable)],
        ["sh", "-c", f"{sys.executable} -c 'for i in range(8000000): pass' & wait"],
    ],
    ids=["one process", "many short ones", "a child"],
)
def test_cpu_time_is_what_the_kernel_accounts(command: list[str]) -> None:
    """Also of children that were gone before anyone looked; no sample shows more cores than there could be."""
    totals, used = observed(command)
    assert totals.cpu_seconds == pytest.approx(used, abs=0.05 + used * 0.1)
    assert totals.cores_max < 1.6
    assert sum(totals.cores) == totals.samples
    usage = totals.usage()
    assert usage is not None
    assert usage.cpu_mean * totals.seconds == pytest.approx(totals.cpu_seconds)


def test_children_found_late_make_no_peak(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where all processes are listed seldom, as on a machine with thousands, a lump of CPU time is spread."""
    monkeypatch.setattr(sampling, "SHARE", 1e-4)
    totals, used = observed(["sh", "-c", CHILDREN.format(sys.executable)])
    assert totals.cores_max < 1.6
    assert totals.cpu_seconds == pytest.approx(used, abs=0.05 + used * 0.1)


def test_missed_samples_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sample that takes as long as five does not make five more come at once."""
    with subprocess.Popen(["sleep", "600"]) as child:
        sampler = Sampler()
        sampler.watch("it", Tree([child.pid]))
        look = sampler.sample

        def slow() -> None:
            look()
            time.sleep(0.55)

        monkeypatch.setattr(sampler, "sample", slow)
        sampler.start()
        until(lambda: sampler.missed >= 8, "missed samples")
        taken = sampler.totals()["it"].samples
        child.kill()
        sampler.end()
    assert taken <= sampler.missed


def test_who_has_ended_is_not_taken_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once it was waited for, its PID may be reused: the measurements stay."""
    with subprocess.Popen(
        python("x = bytearray(2**25)\nprint('there', flush=True)\ninput()"), stdout=-1, stdin=-1
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        sampler = Sampler()
        sampler.watch("it", Tree([child.pid]))
        sampler.sample()
        child.kill()
    sampler.sample()
    sampler.sample()
    totals = sampler.totals()["it"]
    assert (totals.alive, totals.memory) == (False, 0)
    assert totals.memory_max > 2**25


FORKING = """
import os, socket, time
listening = socket.create_server(("127.0.0.1", 0))
workers = [os.fork() for _ in range(1)]
if 0 not in workers: print(listening.getsockname()[1], flush=True)
time.sleep(600)
"""


def test_a_port_stands_for_a_server_and_its_workers() -> None:
    """Both hold the listening socket; it is one socket, of one tree."""
    with subprocess.Popen(python(FORKING), stdout=subprocess.PIPE, text=True, process_group=0) as server:
        assert server.stdout is not None
        port = server.stdout.readline().strip()
        try:
            both = tree(target(f"web=:{port}"))
            both.look()
            assert both.sockets() == 1
            alone = Tree([server.pid])
            alone.look()
            assert both.memory > alone.memory * 1.5
            both.close()
            alone.close()
        finally:
            os.killpg(server.pid, 9)


def test_what_is_not_there_is_told() -> None:
    """Before anything is started."""
    problems = {"x=:1": "no process listens on port 1", "x=2147483647": "process 2147483647 does not exist"}
    for text, problem in problems.items():
        with pytest.raises(PteError, match=f"--target {text}: {problem}"):
            tree(target(text))


def test_where_we_may_not_look_there_is_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sockets of another user's process are unknown, not none."""
    with subprocess.Popen(["sleep", "600"]) as child:
        listed: Callable[[str], list[str]] = os.listdir

        def refused(folder: str) -> list[str]:
            if folder.endswith("/fd"):
                raise PermissionError(13, "Permission denied", folder)
            return listed(folder)

        monkeypatch.setattr(os, "listdir", refused)
        sampler = Sampler()
        sampler.watch("it", Tree([child.pid]))
        sampler.sample()
        child.kill()
    totals = sampler.totals()["it"]
    assert (totals.sockets, totals.sockets_max) == (None, None)
    usage = totals.usage()
    assert usage is not None
    assert usage.sockets_max is None


def test_without_descriptors_what_is_known_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a generator of a thousand processes: its limit of open files ends no sampling, and sockets are unknown."""

    def none_left(folder: str) -> list[str]:
        raise OSError(24, "Too many open files", folder)

    with subprocess.Popen(["sleep", "600"]) as child:
        sampler = Sampler()
        sampler.watch("it", Tree([child.pid]))
        monkeypatch.setattr(os, "listdir", none_left)
        sampler.sample()
        child.kill()
    totals = sampler.totals()["it"]
    assert (totals.samples, totals.sockets, totals.memory_max > 0) == (1, None, True)


def test_who_was_gone_before_anyone_looked_used_nothing_that_is_known() -> None:
    """Not 0 bytes; one that lived shorter than a sample takes has what it had at its start."""
    with subprocess.Popen(["true"], process_group=0) as child:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        sampler = Sampler()
        sampler.watch("it", Tree([child.pid], child.pid))
        sampler.sample()
    assert sampler.totals()["it"].usage() is None
    with subprocess.Popen(["sleep", "600"], process_group=0) as child:
        sampler.watch("it", Tree([child.pid], child.pid))
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        sampler.sample()
    usage = sampler.totals()["it"].usage()
    assert usage is not None
    assert usage.memory_max > 0
    assert usage.sockets_max is None
