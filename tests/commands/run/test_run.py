"""`pte-exporter run` from outside: exit codes, signals, output and publication."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from exporter.cli import split
from exporter.commands.run.command import ADDRESS
from exporter.formats import read
from tests.commands.run.conftest import GENERATOR, Start, python
from tests.exposition import samples
from tests.running import PATIENCE, command, until

PRINTED = 5000
"""Requests."""


def run(*arguments: str, directory: Path | None = None) -> tuple[int, str, str]:
    """Exit code, standard output and error of `run` for the application shop, on any free address."""
    done = command(
        "run", "--application", "shop", "--web.listen-address", "127.0.0.1:0", *arguments, directory=directory
    )
    return done.returncode, done.stdout, done.stderr


def generator(url: str, requests: int, *more: str) -> list[str]:
    return [sys.executable, GENERATOR, url, "k6.json", str(requests), *more]


@pytest.mark.parametrize(
    ("code", "expected"),
    [("", 0), ("raise SystemExit(7)", 7), ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", 143)],
)
def test_the_exit_code_is_passed_on(code: str, expected: int) -> None:
    """As in a shell."""
    assert run("--", *python(code))[0] == expected


def test_what_cannot_be_started_is_told(tmp_path: Path) -> None:
    """With the codes of a shell."""
    code, _, err = run("--", str(tmp_path / "nothing"))
    assert (code, "no such program" in err) == (127, True)
    (tmp_path / "plain").write_text("plain", encoding="utf-8")
    code, _, err = run("--", str(tmp_path / "plain"))
    assert (code, "cannot be run: Permission denied" in err) == (126, True)


def test_arguments_of_the_command_are_untouched() -> None:
    """Also those that look like ours, and a second --."""
    arguments = ["--application", "x", "--", "-h", "--result=y", "", "a b"]
    code, out, _ = run("--", *python("import sys; print(sys.argv[1:])"), *arguments)
    assert (code, out) == (0, f"{arguments}\n")


def test_only_run_is_split() -> None:
    """Other commands keep what they have always made of --."""
    assert split(["run", "--application", "a", "--", "k6", "--", "x"]) == (
        ["run", "--application", "a"],
        ["k6", "--", "x"],
    )
    assert split(["run", "-h"]) == (["run", "-h"], None)
    assert split(["slo", "--", "x"]) == (["slo", "--", "x"], None)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((), "expected -- and the command of the load generator"),
        (("--",), "expected -- and the command of the load generator"),
        (("--save", "x", "--", "true"), "--save requires --result"),
        (("--to", "textfile", "/tmp", "--", "true"), "--to requires --result"),
        (("--save", "no/x", "--result", "y", "--", "true"), "--save no/x: no such directory: no"),
        (("--target", "x", "--", "true"), "x: expected NAME=PID or NAME=:PORT"),
        (("--target", "x=:0", "--", "true"), "x=:0: expected a port from 1 to 65535"),
        (("--target", "x=:70000", "--", "true"), "x=:70000: expected a port from 1 to 65535"),
        (("--target", "generator=1", "--", "true"), "is reserved for the load generator"),
        (("--target", "x=1", "--target", "x=2", "--", "true"), "duplicate --target x"),
        (("--target", "x=:1", "--", "true"), "--target x=:1: no process listens on port 1"),
        (("--target", "x=2147483647", "--", "true"), "--target x=2147483647: process 2147483647 does not exist"),
        (("--to", "nowhere", "x", "--result", "y", "--", "true"), "--to nowhere: unknown kind, expected one of"),
    ],
)
def test_wrong_usage_starts_nothing(arguments: tuple[str, ...], text: str) -> None:
    """One line says what is wrong, before a test of hours begins."""
    code, _, err = run(*arguments)
    assert (code, err.count(text)) == (2, 1)
    assert "Traceback" not in err


def test_an_address_that_is_taken_is_told() -> None:
    """An explicit address must be free; without the default one the load test continues."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        done = command("run", "--application", "shop", "--web.listen-address", address, "--", "true")
        assert (done.returncode, done.stderr) == (
            2,
            f"pte-exporter: cannot listen on {address}: Address already in use\n",
        )
    host, port = ADDRESS.split(":")
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):  # it may be taken already
            stack.enter_context(socket.create_server((host, int(port))))
        done = command("run", "--application", "shop", "--", *python("raise SystemExit(7)"))
    assert (done.returncode, f"no page for this run: cannot listen on {ADDRESS}" in done.stderr) == (7, True)


def test_a_result_is_published_and_saved(shop: str, tmp_path: Path) -> None:
    """The textfile and the saved run have the generator's result and the usage of its process."""
    options = [
        "--result",
        "k6.json",
        "--save",
        "saved.json",
        "--run-id",
        "nightly",
        "--commit",
        "abc",
        "--to",
        "textfile",
        ".",
    ]
    code, out, err = run(*options, "--", *generator(shop, 50), directory=tmp_path)
    assert (code, out) == (0, "generated\n")
    assert "shop: run nightly (k6, commit abc), grade A+" in err
    assert "  generator: at most " in err
    assert "\r" not in err
    assert "\x1b" not in err
    saved = read(tmp_path / "saved.json")
    assert (saved.run, saved.commit, saved.total.requests, saved.complete) == ("nightly", "abc", 50, True)
    assert saved.usage["generator"].samples > 0
    (published,) = tmp_path.glob("*.prom")
    series = samples(published.read_bytes())
    assert series["pte_load_run_requests", frozenset({("application", "shop")})] == 50


def test_what_is_published_of_a_failed_generator(shop: str, tmp_path: Path) -> None:
    """A tool exits with its own code when a threshold is missed: its result counts, and its code is passed on."""
    options = ["--result", "k6.json", "--save", "saved.json"]
    code, _, _ = run(*options, "--", *generator(f"{shop}/broken", 5, "99"), directory=tmp_path)
    saved = read(tmp_path / "saved.json")
    assert (code, saved.total.failures, saved.complete) == (99, 5, True)


@pytest.mark.parametrize(("wrapped", "expected"), [("", 1), ("raise SystemExit(7)", 7)])
def test_a_missing_result_is_told(wrapped: str, expected: int, tmp_path: Path) -> None:
    """It spoils the exit code only of a generator that succeeded."""
    code, _, err = run("--result", "gone.json", "--", *python(wrapped), directory=tmp_path)
    assert (code, "no result: gone.json: was not written" in err) == (expected, True)


def test_what_cannot_be_published_is_told_and_saved(shop: str, tmp_path: Path) -> None:
    """The folder is gone at the end: the exit code says so, and the saved run is there."""
    (tmp_path / "folder").mkdir()
    script = ["sh", "-c", 'rmdir folder; exec "$@"', "sh", *generator(shop, 5)]
    options = ["--result", "k6.json", "--to", "textfile", "folder", "--save", "saved.json"]
    code, _, err = run(*options, "--", *script, directory=tmp_path)
    assert (code, "pte-exporter: not published: " in err) == (1, True)
    assert "Traceback" not in err
    assert read(tmp_path / "saved.json").total.requests == 5


def test_standard_output_can_be_the_result(shop: str, tmp_path: Path) -> None:
    """It is passed through, and read at the end; the run gets a generated name, because there is no file name."""
    assert run("--result", "k6.json", "--", *generator(shop, 20), directory=tmp_path)[0] == 0
    text = (tmp_path / "k6.json").read_text(encoding="utf-8")
    code, out, err = run("--result", "-", "--save", "saved.json", "--", "cat", "k6.json", directory=tmp_path)
    assert (code, out) == (0, text)
    saved = read(tmp_path / "saved.json")
    assert (saved.total, saved.run[:5]) == (read(tmp_path / "k6.json").total, "k6-20")
    code, _, err = run("--result", "-", "--", "echo", "nothing of use", directory=tmp_path)
    assert (code, "no result: standard output: has an unknown format" in err) == (1, True)


def printing(folder: Path) -> None:
    """A result for `cat`: more than a pipe holds, less than it, we and the next pipe hold together."""
    rows = [f"{1_700_000_000_000 + 100 * number},20,GET /,200,true" for number in range(PRINTED)]
    text = "\n".join(["timeStamp,elapsed,label,responseCode,success", *rows]) + "\n"
    assert 140_000 < len(text) < 180_000
    (folder / "printed.jtl").write_text(text, encoding="utf-8")


def shell(line: str, folder: Path) -> subprocess.CompletedProcess[bytes]:
    """A line in which RUN is `pte-exporter run` for the application shop."""
    wrapped = f"{sys.executable} -m exporter.cli run --application shop --web.listen-address 127.0.0.1:0"
    line = line.replace("RUN", wrapped)
    return subprocess.run(["sh", "-c", line], cwd=folder, capture_output=True, timeout=PATIENCE, check=False)


def test_nobody_who_reads_our_output_is_no_reason_to_hang(tmp_path: Path) -> None:
    """The generator continues, and its result is read: standard output may be closed from the start."""
    printing(tmp_path)
    done = shell("RUN --result - --save saved.json -- cat printed.jtl >&-", tmp_path)
    assert (done.returncode, b"Traceback" in done.stderr, b"fault" in done.stderr) == (0, False, False)
    assert read(tmp_path / "saved.json").total.requests == PRINTED


def test_output_that_cannot_be_kept_is_told_and_passed_on(tmp_path: Path) -> None:
    """The disk is full in the middle: neither does the generator hang, nor is what fitted taken for the result."""
    printing(tmp_path)
    done = shell("ulimit -f 100; RUN --result - -- cat printed.jtl", tmp_path)
    assert (done.returncode, b"Traceback" in done.stderr) == (1, False)
    assert b"no result: the output of COMMAND could not be saved: " in done.stderr
    assert done.stdout == (tmp_path / "printed.jtl").read_bytes()


def test_who_reads_our_output_slowly_gets_all_of_it(tmp_path: Path) -> None:
    """So does the result: what still is on its way when the generator ends is waited for."""
    printing(tmp_path)
    shell("RUN --result - --save saved.json -- cat printed.jtl | (sleep 7; cat) > passed.jtl", tmp_path)
    assert (tmp_path / "passed.jtl").read_bytes() == (tmp_path / "printed.jtl").read_bytes()
    assert read(tmp_path / "saved.json").total.requests == PRINTED


def test_an_earlier_result_is_never_this_ones(shop: str, tmp_path: Path) -> None:
    """An unchanged or appended file is an error; a rewritten one counts."""
    assert run("--result", "k6.json", "--", *generator(shop, 5), directory=tmp_path)[0] == 0
    code, _, err = run("--result", "k6.json", "--", "true", directory=tmp_path)
    assert (code, "k6.json exists already" in err, "it still has the result of an earlier run" in err) == (
        1,
        True,
        True,
    )
    copy = ["sh", "-c", "cp k6.json c && cat c >> k6.json"]
    code, _, err = run("--result", "k6.json", "--", *copy, directory=tmp_path)
    assert (code, "this run appended to it: remove it before the start" in err) == (1, True)
    code, _, err = run("--result", "k6.json", "--save", "s", "--", *generator(shop, 30), directory=tmp_path)
    assert (code, read(tmp_path / "s").total.requests) == (0, 30)


def test_a_made_up_name_is_found(shop: str, tmp_path: Path) -> None:
    """The new file that matches; none, or several, are an error."""
    (tmp_path / "before").mkdir()
    (tmp_path / "before" / "k6.json").write_text("", encoding="utf-8")
    options = ["--result", "*/k6.json", "--save", "saved.json"]
    make_folder = ["sh", "-c", 'mkdir $0 && cd $0 && exec "$@"']
    code, _, err = run(*options, "--", *make_folder, "one", *generator(shop, 30), directory=tmp_path)
    assert (code, read(tmp_path / "saved.json").total.requests) == (0, 30), err
    code, _, err = run(*options, "--", "true", directory=tmp_path)
    assert (code, "*/k6.json: no new file matches" in err) == (1, True)
    two = ["sh", "-c", "mkdir a b && cp one/k6.json a && cp one/k6.json b"]
    code, _, err = run(*options, "--", *two, directory=tmp_path)
    assert (code, "*/k6.json: 2 new files match, expected one: a/k6.json, b/k6.json" in err) == (1, True)


def test_a_signal_ends_the_generator_in_order(shop: str, start: Start, tmp_path: Path) -> None:
    """SIGINT is passed on, the result is dealt with as one that was ended early, and the generator's code passed on."""
    options = ["--result", "k6.json", "--save", "saved.json"]
    with start(options, generator(shop, 10**6)) as wrapped:
        until(lambda: (wrapped.value("pte_load_run_live_requests_total") or 0) > 20, "some requests")
        wrapped.process.send_signal(signal.SIGINT)
        assert wrapped.ends() == 105
    saved = read(tmp_path / "saved.json")
    assert (saved.complete, saved.warnings[-1]) == (False, "the load generator was ended early by SIGINT")
    assert saved.total.requests > 20
    assert "  the run was ended early" in wrapped.stderr


def test_a_second_signal_kills(start: Start) -> None:
    """Who does not listen to the first one is killed at the second; the same one twice at once counts once."""
    deaf = "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); open('deaf', 'w'); time.sleep(600)"
    with start([], python(deaf)) as wrapped:
        until((wrapped.folder / "deaf").exists, "the generator")
        for _ in range(2):
            wrapped.process.send_signal(signal.SIGINT)
        with pytest.raises(Exception, match="timed out"):
            wrapped.process.wait(1)
        wrapped.process.send_signal(signal.SIGINT)
        assert wrapped.ends() == 137


def test_what_the_generator_left_behind_is_ended(tmp_path: Path) -> None:
    """They are in our group, and nothing monitors them any longer."""
    code, _, err = run("--", "sh", "-c", "sleep 600 & echo $! > left; exit 3", directory=tmp_path)
    pid = int((tmp_path / "left").read_text(encoding="utf-8"))
    assert (code, "ended the processes that COMMAND left running: 1\n" in err) == (3, True)
    until(lambda: not _runs(pid), "the process to end")


def _runs(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_standard_input_is_passed_through(tmp_path: Path) -> None:
    """As `k6 run -` reads its script there."""
    read_end, write_end = os.pipe()
    os.write(write_end, b"script\n")
    os.close(write_end)
    own = [sys.executable, "-m", "exporter.cli", "run", "--application", "shop", "--web.listen-address", "127.0.0.1:0"]
    done = subprocess.run(
        [*own, "--", "cat"], stdin=read_end, capture_output=True, check=False, timeout=60, cwd=tmp_path
    )
    os.close(read_end)
    assert (done.returncode, done.stdout) == (0, b"script\n")
