"""`make stack`: Prometheus filled with the made-up shop's history, exporters, Alertmanager and a local receiver.

One exporter queries Prometheus, the other an AppDynamics stub.

Everything listens on loopback, keeps its data under .run/stack/, and ends with Ctrl-C. With another directory (--data)
and other ports (--free-ports) a second stack may run beside it.
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import FrameType
from typing import NoReturn

from deploy.stack import addresses, configuration, folder, history
from deploy.stack.addresses import Addresses
from deploy.stack.errors import StackError
from deploy.stack.programs import PROMTOOL, TOP, Program, executable, programs

DATA = TOP / ".run" / "stack"
READY_SECONDS = 120.0
ENDING = (signal.SIGTERM, signal.SIGINT)
"""SIGINT is handled too, because a script's background shell makes us ignore it."""


def say(text: str) -> None:
    print(f"stack: {text}", file=sys.stderr, flush=True)


def prepare(data: Path, where: Addresses, days: int) -> tuple[Program, ...]:
    """Fill an empty Prometheus and write the configuration; returns the programs to start."""
    folder.clear(data)
    configuration.write(data, where)
    start = _fill(data, days)
    return programs(data, where, start)


def listening(program: Program) -> socket.socket:
    """A socket that reserves the program's address until it starts."""
    host, _, port = program.address.rpartition(":")
    try:
        return socket.create_server((host, int(port)))
    except OSError:
        raise StackError(f"{program.address}, the {program.name}'s address, is in use") from None


def _fill(data: Path, days: int) -> str:
    """Load the made-up shop's history into Prometheus's folder; returns its start."""
    began = time.monotonic()
    say(f"filling Prometheus with {days} days of the made-up shop's history ({3 * days} s or so)")
    start = history.write(data, days)
    file = data / "history.om"
    command = [executable(PROMTOOL), "tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=1080h"]
    with (data / "promtool.log").open("wb") as log:
        command += [str(file), str(data / "prometheus-data")]
        subprocess.run(command, check=True, stdout=log, stderr=subprocess.STDOUT)  # noqa: S603
    file.unlink()
    say(f"filled in {time.monotonic() - began:.0f} s")
    return start


def log_of(program: Program, data: Path) -> Path:
    return data / f"{program.name}.log"


def start(program: Program, data: Path) -> subprocess.Popen[bytes]:
    """Start a program in its own process group: Ctrl-C must reach this process first."""
    with log_of(program, data).open("wb") as log:
        out = None if program.on_terminal else log
        return subprocess.Popen(program.command, cwd=TOP, stdout=out, stderr=log, start_new_session=True)  # noqa: S603


def wait_ready(program: Program, process: subprocess.Popen[bytes], data: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise StackError(_ended(program, process, data))
        try:
            with urllib.request.urlopen(f"http://{program.address}{program.ready}", timeout=5) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            pass
        time.sleep(0.1)
    raise StackError(f"the {program.name} is not ready after {READY_SECONDS:.0f} s: see {log_of(program, data)}")


def _ended(program: Program, process: subprocess.Popen[bytes], data: Path) -> str:
    last = log_of(program, data).read_text(errors="replace").strip().splitlines()[-3:]
    return "\n".join([f"the {program.name} ended with {process.returncode}", *last])


def stop(running: dict[Program, subprocess.Popen[bytes]]) -> None:
    """Stop all programs, the last one first."""
    for process in reversed(running.values()):
        if process.poll() is None:
            process.terminate()
    for process in running.values():
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def watch(running: dict[Program, subprocess.Popen[bytes]], data: Path) -> NoReturn:
    """Run until a program ends."""
    while True:
        for program, process in running.items():
            if process.poll() is not None:
                raise StackError(_ended(program, process, data))
        time.sleep(0.5)


def run(data: Path, where: Addresses, days: int) -> None:
    """The stack from its start until it is interrupted; a StackError when one of its programs ends before."""
    running: dict[Program, subprocess.Popen[bytes]] = {}
    places = contextlib.ExitStack()
    try:
        # Reserve all of them before anything is deleted.
        held = {program.name: places.enter_context(listening(program)) for program in programs(data, where, "")}
        for program in prepare(data, where, days):
            say(f"starting the {program.name}")
            held[program.name].close()
            running[program] = start(program, data)
            wait_ready(program, running[program], data)
        say(f"ready; logs are in {_from_top(data)}/, stop with Ctrl-C")
        for program in running:
            say(f"  http://{program.address:<16} {program.name}: {program.about}")
        say("checkout's alerts fire after some minutes; the notifications are printed below")
        watch(running, data)
    except KeyboardInterrupt:
        say("ending")
    finally:
        places.close()
        stop(running)


def _from_top(data: Path) -> Path:
    if data.is_relative_to(TOP):
        return data.relative_to(TOP)
    return data


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    # A second signal may follow, from make and from its terminal, and must not interrupt the cleanup.
    for number in ENDING:
        signal.signal(number, lambda *_: None)
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deploy.stack", description=__doc__.split("\n\n")[0])
    parser.add_argument(
        "--days", type=int, default=history.DAYS, help="days of history; less history means less evidence"
    )
    parser.add_argument(
        "--data",
        type=Path,
        default=DATA,
        metavar="DIRECTORY",
        help="directory for its data, emptied at the start; default .run/stack",
    )
    parser.add_argument("--free-ports", action="store_true", help="listen on free ports instead of the usual ones")
    return parser


def main() -> int:
    options = _parser().parse_args()
    data = options.data.resolve()
    where = addresses.free() if options.free_ports else addresses.USUAL
    for number in ENDING:
        signal.signal(number, _interrupt)

    try:
        with folder.reserved(data, ours=data == DATA.resolve()):
            run(data, where, options.days)
    except (StackError, OSError, ValueError, subprocess.CalledProcessError) as error:
        say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
