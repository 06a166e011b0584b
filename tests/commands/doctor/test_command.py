"""The command itself: its output and exit codes, for people and for programs."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from exporter.clients.http.options import HttpOptions, TlsOptions
from exporter.errors import REASONS
from exporter.model.checkup import Cause, CheckResult
from exporter.pipeline.masking import mask, secrets
from tests.bad_server import bad_server, reply, silent
from tests.commands.doctor.making import examined, written
from tests.making_runs import load_run, write
from tests.running import PATIENCE, command, run

SECRET = "s3cret-token-of-the-exporter"


def doctor(path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return command("doctor", "--config.file", str(path), *arguments)


def loadtest(directory: Path, age: float = 7200.0) -> dict[str, Any]:
    write(directory / "runs" / "shop" / "a.json", load_run(time.time() - age))
    return {"source": {"kind": "loadtest", "folder": str(directory / "runs"), "routes": {"Log in": "POST /login"}}}


def test_the_embedded_demo_is_well() -> None:
    """Without a file the demo is examined, and said to be: every source with steps and summary, and exit code 0."""
    done = command("doctor")
    said = "pte-exporter doctor: no --config.file: this is the embedded demo\n"
    assert (done.returncode, done.stderr) == (0, said)
    assert [line for line in done.stdout.splitlines() if line and line[0] != " "] == [
        "production (demo)", "production: 3 ok",
        "pte (demo)", "pte: 3 ok",
        "ci (demo-ci)", "ci: 3 ok",
        "All is well.",
    ]  # fmt: skip
    assert "\x1b" not in done.stdout


def test_a_warning_is_well(tmp_path: Path) -> None:
    """A step with a warning is not a failure: exit code 0, and the summary counts it."""
    path = written(tmp_path, pte=loadtest(tmp_path) | {"name": "perf"})
    (tmp_path / "runs" / "shop" / "b.json").write_bytes((tmp_path / "runs" / "shop" / "a.json").read_bytes())
    done = doctor(path, "--source", "perf")
    assert done.returncode == 0
    assert "perf: 2 warning, " in done.stdout
    assert done.stdout.endswith("\nAll is well.\n")


def test_a_failure_is_exit_code_1_and_others_are_examined(tmp_path: Path) -> None:
    """A source with a failure does not hide the others; the last line names it."""
    done = doctor(written(tmp_path, pte=loadtest(tmp_path, 50 * 86400.0)))
    assert done.returncode == 1
    assert "production: 3 ok" in done.stdout
    assert done.stdout.endswith("\nNot well: pte.\n")


def test_one_source_by_name(tmp_path: Path) -> None:
    """Only it is examined; an unknown name is one line with the known ones, and wrong usage."""
    path = written(tmp_path, pte=loadtest(tmp_path))
    done = doctor(path, "--source", "production")
    assert (done.returncode, "loadtest" in done.stdout) == (0, False)
    done = doctor(path, "--source", "prodcution")
    assert (done.returncode, done.stdout) == (2, "")
    text = 'unknown source "prodcution", did you mean "production"? expected one of: production, pte'
    assert done.stderr == f"pte-exporter doctor: --source: {text}\n"
    assert doctor(path, "--format", "xml").returncode == 2


def test_a_configuration_that_does_not_load(tmp_path: Path) -> None:
    """Its problems are reported as everywhere, with exit code 1, and nothing is checked."""
    path = written(tmp_path, pte={"source": {"kind": "loadtest", "foldr": "x"}})
    done = doctor(path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f'{path}: environments[1].source.foldr: unknown key "foldr", did you mean "folder"?')
    path = written(tmp_path, ci={"source": {"kind": "demo"}})
    done = doctor(path)
    assert (done.returncode, done.stdout) == (1, "")
    assert "environments[2].source.kind: not a source for the role ci" in done.stderr


def test_an_unusable_secret_costs_only_its_source(tmp_path: Path) -> None:
    """Where `serve` would not start, the doctor says which source it is, why, and examines the others."""
    source = {"kind": "prometheus", "preset": "prometheus", "url": "http://127.0.0.1:1"}
    path = written(tmp_path, production={"source": {**source, "bearer_token_file": str(tmp_path / "token")}})
    assert command("check", "--config.file", str(path)).returncode == 1
    done = doctor(path)
    assert (done.returncode, done.stderr) == (1, "")
    assert f"bearer_token_file: cannot read {tmp_path}/token: No such file or directory" in " ".join(
        done.stdout.split()
    )
    assert "fix the path, or mount it" in " ".join(done.stdout.split())
    assert "production: 1 FAILED, 1 skipped" in done.stdout
    assert "pte: 3 ok" in done.stdout


def test_json_has_a_stable_shape(tmp_path: Path) -> None:
    """Sources with their steps, and for each step what people read, in base words; the exit code is the same."""
    done = doctor(written(tmp_path, pte=loadtest(tmp_path, 50 * 86400.0)), "--format", "json")
    assert (done.returncode, done.stderr) == (1, "")
    document = json.loads(done.stdout)
    assert document.keys() == {"version", "at", "well", "problems", "sources"}
    assert document["problems"] == []
    assert document["well"] is False
    production, pte = document["sources"]
    assert {key: production[key] for key in ("source", "role", "kind", "well")} == {
        "source": "production", "role": "production", "kind": "demo", "well": True,
    }  # fmt: skip
    assert pte.keys() == {"source", "role", "kind", "well", "steps"}
    assert pte["well"] is False
    for step in pte["steps"]:
        assert step.keys() == {"check", "subject", "tried", "verdict", "found", "causes"}
        assert step["verdict"] in {"ok", "warning", "failed", "skipped"}
        assert (step["causes"] == []) == (step["verdict"] in {"ok", "skipped"})
    fresh = next(step for step in pte["steps"] if step["check"] == "fresh")
    assert (fresh["subject"], fresh["verdict"]) == ("shop", "failed")
    assert fresh["causes"][0] == {"text": "nothing ran since", "remedy": "run it again"}


@pytest.mark.parametrize("there", [True, False])
def test_json_of_a_configuration_that_does_not_load(there: bool, tmp_path: Path) -> None:
    """A program still gets a document with the problems; a person reads them on stderr, as from other commands."""
    path = tmp_path / "exporter.yml"
    if there:
        path.write_text("environments: []\nintervall: 1m\n")
    done = doctor(path, "--format", "json")
    assert done.returncode == 1
    document = json.loads(done.stdout)
    assert (document["well"], document["sources"]) == (False, [])
    assert all(problem.keys() == {"file", "path", "text"} for problem in document["problems"])
    assert {problem["file"] for problem in document["problems"]} == {str(path)}
    assert all(problem["text"] in done.stderr for problem in document["problems"])


def test_lines_come_while_it_works(tmp_path: Path) -> None:
    """The first steps are printed while the source's server has not answered yet."""
    source = {"kind": "prometheus", "preset": "prometheus", "timeout": "20s"}
    with bad_server(silent) as server:
        path = written(tmp_path, production={"source": {**source, "url": server.url}})
        arguments = [sys.executable, "-m", "exporter.cli", "doctor", "--config.file", str(path)]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
            try:
                assert process.stdout is not None
                assert process.stdout.readline() == "production (prometheus)\n"
                assert "configuration" in process.stdout.readline()
                assert process.poll() is None
            finally:
                process.kill()


def on_a_terminal(**environment: str) -> str:
    """What a person sees of the demo's PTE."""
    ours, theirs = pty.openpty()
    arguments = [sys.executable, "-m", "exporter.cli", "doctor", "--source", "pte"]
    variables = {key: value for key, value in os.environ.items() if key != "NO_COLOR"} | environment
    process = subprocess.Popen(arguments, stdout=theirs, stderr=subprocess.DEVNULL, env=variables)
    os.close(theirs)
    output = b""
    with contextlib.suppress(OSError):  # the other side has gone
        while block := os.read(ours, 65536):
            output += block
    os.close(ours)
    assert process.wait(PATIENCE) == 0
    return output.decode()


def test_colour_is_for_a_terminal_that_wants_it() -> None:
    """Marks are coloured where a person looks on, and not with NO_COLOR; the words are the same."""
    coloured, plain = on_a_terminal(), on_a_terminal(NO_COLOR="1")
    assert "\x1b[32mok" in coloured
    assert "\x1b" not in plain
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain


@pytest.mark.parametrize("format", ["console", "json"])
def test_no_secret_is_shown(tmp_path: Path, format: str) -> None:
    """A server that echoes secrets does not make the doctor print them."""
    token = tmp_path / "token"
    token.write_text(SECRET, encoding="utf-8")
    source = {"kind": "prometheus", "preset": "prometheus", "bearer_token_file": str(token), "timeout": "3s"}
    body = json.dumps({"status": "error", "errorType": "bad_data", "error": f"what is {SECRET}?"}).encode()
    with bad_server(reply(400, body)) as server:
        path = written(tmp_path, production={"source": {**source, "url": server.url}})
        done = doctor(path, "--source", "production", "--format", format)
        assert any(SECRET.encode() in request for request in server.requests)
    assert done.returncode == 1
    assert SECRET not in done.stdout + done.stderr


def test_what_forgets_a_secret_is_masked(tmp_path: Path) -> None:
    """The last net: in whatever a step says, the content of each secret file is replaced, encoded or not."""
    token, ca = tmp_path / "token", tmp_path / "ca.pem"
    token.write_text("a b+c/d\n", encoding="utf-8")
    ca.write_text("public", encoding="utf-8")
    options = HttpOptions(bearer_token_file=token, headers_files={"X": token}, tls=TlsOptions(ca_file=ca))
    message = "sent a b+c/d, a%20b%2Bc%2Fd and public"
    done = mask(CheckResult("url", "", message, "failed", message, (Cause(message, message),)), secrets(options))
    plain = "sent <secret>, <secret> and public"
    assert (done.tried, done.result, done.causes) == (plain, plain, (Cause(plain, plain),))


@pytest.mark.parametrize(
    ("url", "remedy"),
    [
        ("https://acme.saas.appdynamics.com/controller/#/location=HOME", "url: https://acme.saas.appdynamics.com"),
        (f"https://me:{SECRET}@acme.saas.appdynamics.com", "url: https://acme.saas.appdynamics.com; client with"),
        ("https://acme.saas.appdynamics.com/controller/controller", "url: https://acme.saas.appdynamics.com"),
        ("http://acme.saas.appdynamics.com", "url: https://acme.saas.appdynamics.com"),
        ("acme.saas.appdynamics.com", "url: https://ACCOUNT.saas.appdynamics.com, or your own"),
        ("https://acme:port", "url: https://ACCOUNT.saas.appdynamics.com, or your own"),
    ],
)
def test_what_is_wrong_with_an_address_is_told_with_the_right_one(url: str, remedy: str, tmp_path: Path) -> None:
    """An invalid address is explained by the kind itself, not as a mistake somewhere."""
    (tmp_path / "secret").write_text(SECRET)
    variables = {
        "client_secret_file": tmp_path / "secret",
        "account": "acme",
        "client": "us",
        "applications": {"shop": {}},
    }
    done = examined(tmp_path, "production", kind="appdynamics", url=url, **variables).steps[0]
    assert done.verdict == "failed"
    assert remedy in done.causes[0].remedy
    assert "is not part" not in done.result or url.endswith("/controller/controller")
    assert SECRET not in repr(done)


@pytest.mark.parametrize("url", [f"https://me:{SECRET}@host", "https://host:port", "host", "https://[host"])
def test_a_wrong_address_of_another_kind(url: str, tmp_path: Path) -> None:
    """If a kind does not explain an address, the mistake is reported, and never the address itself."""
    done = examined(tmp_path, "production", kind="prometheus", preset="prometheus", url=url).steps[0]
    assert (done.verdict, done.causes[0].text) == ("failed", "a mistake in url")
    assert SECRET not in repr(done)


@pytest.mark.parametrize("format", ["console", "json"])
def test_names_that_are_no_text(format: str, tmp_path: Path) -> None:
    """What a terminal would obey, or cannot be encoded, is shown as a question mark."""
    folder = os.fsencode(tmp_path) + b"/runs/sh\xff\x1b[31mop"
    Path(os.fsdecode(folder)).mkdir(parents=True)
    Path(os.fsdecode(folder + b"/\xff.jtl")).write_text("hello")
    path = written(tmp_path, pte={"source": {"kind": "loadtest", "folder": str(tmp_path / "runs")}})
    done = doctor(path, "--source", "pte", "--format", format)
    assert (done.returncode, done.stderr) == (1, "")
    assert "sh??[31mop" in done.stdout
    assert "\x1b" not in done.stdout


def test_a_terminal_of_another_alphabet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where standard output cannot show a name, all else is shown."""
    path = written(tmp_path, pte={"source": {"kind": "loadtest", "folder": str(tmp_path / "Läufe")}})
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    done = doctor(path, "--source", "pte")
    assert (done.returncode, done.stderr) == (1, "")
    assert "L?ufe" in done.stdout


def test_what_takes_long_to_load_is_loaded_late() -> None:
    """The command line knows the command without what its work needs."""
    code = "import sys; from exporter import cli; print({'numpy', 'requests', 'exporter.pipeline'} & {*sys.modules})"
    assert run([sys.executable, "-c", code]).stdout == "set()\n"


def test_every_reason_has_causes() -> None:
    """Each reason for which a source can fail has at least one likely cause, with its own remedy."""
    from exporter.checkup.causes import CAUSES

    assert CAUSES.keys() == {*REASONS}
    for causes in CAUSES.values():
        assert causes
        assert len({cause.text for cause in causes}) == len({cause.remedy for cause in causes}) == len(causes)
        assert all(cause.text and cause.remedy for cause in causes)
