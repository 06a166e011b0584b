"""`make stack`: Prometheus filled with the made-up shop's history, exporters, Alertmanager and a local receiver.

One exporter asks Prometheus, the other a stand-in for AppDynamics.

Everything listens on loopback, keeps its data under .run/stack/, and ends with Ctrl-C.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from types import FrameType
from typing import NoReturn

from deploy.stack import alerting, appdynamics, history
from deploy.stack.programs import PROMTOOL, TOP, Program, found, programs

DATA = TOP / ".run" / "stack"
READY_SECONDS = 120.0


class StackError(Exception):
    """One line that says what keeps the stack from running."""


def say(text: str) -> None:
    print(f"stack: {text}", file=sys.stderr, flush=True)


def prepare(days: int) -> tuple[Program, ...]:
    """Fill Prometheus anew and write the configuration; gives what is to be started."""
    shutil.rmtree(DATA, ignore_errors=True)
    DATA.mkdir(parents=True)
    appdynamics.write(DATA / "appdynamics")
    planned = programs(DATA, alerting.write(DATA / "alertmanager"), "")
    for program in planned:
        _need_free(program)
    began = time.monotonic()
    say(f"filling Prometheus with {days} days of the made-up shop's history ({3 * days} s or so)")
    start = history.write(DATA, days)
    file = DATA / "history.om"
    command = [found(PROMTOOL), "tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=1080h"]
    with (DATA / "promtool.log").open("wb") as log:
        command += [str(file), str(DATA / "prometheus-data")]
        subprocess.run(command, check=True, stdout=log, stderr=subprocess.STDOUT)  # noqa: S603
    file.unlink()
    say(f"filled in {time.monotonic() - began:.0f} s")
    return programs(DATA, DATA / "alertmanager" / "alertmanager.yml", start)


def _need_free(program: Program) -> None:
    host, _, port = program.address.rpartition(":")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, int(port)))
        except OSError:
            raise StackError(f"{program.address}, the {program.name}'s address, is in use") from None


def start(program: Program) -> subprocess.Popen[bytes]:
    """Start a program in a process group of its own, so that Ctrl-C reaches this one first."""
    with (DATA / f"{program.name}.log").open("wb") as log:
        out = None if program.shown else log
        return subprocess.Popen(program.command, cwd=TOP, stdout=out, stderr=log, start_new_session=True)  # noqa: S603


def wait_ready(program: Program, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise StackError(_ended(program, process))
        try:
            with urllib.request.urlopen(f"http://{program.address}{program.ready}", timeout=5) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            pass
        time.sleep(0.1)
    raise StackError(f"the {program.name} is not ready after {READY_SECONDS:.0f} s: see {DATA / program.name}.log")


def _ended(program: Program, process: subprocess.Popen[bytes]) -> str:
    last = (DATA / f"{program.name}.log").read_text(errors="replace").strip().splitlines()[-3:]
    return "\n".join([f"the {program.name} ended with {process.returncode}", *last])


def stop(running: dict[Program, subprocess.Popen[bytes]]) -> None:
    """End what was started, last first."""
    for process in reversed(running.values()):
        if process.poll() is None:
            process.terminate()
    for process in running.values():
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def watch(running: dict[Program, subprocess.Popen[bytes]]) -> NoReturn:
    """Go on until a program ends by itself."""
    while True:
        for program, process in running.items():
            if process.poll() is not None:
                raise StackError(_ended(program, process))
        time.sleep(0.5)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.stack", description=__doc__.split("\n\n")[0])
    parser.add_argument("--days", type=int, default=history.DAYS, help="of history; fewer know less of the past")
    days = parser.parse_args().days
    for number in (signal.SIGTERM, signal.SIGINT):  # SIGINT too: a script's background shell starts us deaf to it
        signal.signal(number, _interrupt)
    running: dict[Program, subprocess.Popen[bytes]] = {}
    try:
        for program in prepare(days):
            say(f"starting the {program.name}")
            running[program] = start(program)
            wait_ready(program, running[program])
        say(f"ready; logs are in {DATA.relative_to(TOP)}/, Ctrl-C ends it all")
        for program in running:
            say(f"  http://{program.address:<16} {program.name}: {program.about}")
        say("checkout's alerts fire after some minutes; what is sent is printed below")
        watch(running)
    except KeyboardInterrupt:
        say("ending")
        return 0
    except (StackError, OSError, ValueError, subprocess.CalledProcessError) as error:
        say(str(error))
        return 1
    finally:
        stop(running)


if __name__ == "__main__":
    sys.exit(main())
