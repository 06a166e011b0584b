"""Causes of what cannot be read: where the system says it itself, that and nothing else, and first."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from exporter.checkup.causes import of_option
from exporter.errors import SourceError
from tests.commands.doctor.making import examined, step
from tests.running import PATIENCE

NOBODY = 65534
LOOK = """
import os, sys
from pathlib import Path
from exporter.checkup import checked
from exporter.sources import loadtest
from exporter.model.checkup import CheckContext
from exporter.model.observation import Window
if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
window = Window(0.0, 60.0)
options = loadtest.Options(folder=Path(sys.argv[1]), routes={})
for done in checked(loadtest.checks(options, CheckContext("pte", "pte", 60.0, window, None, 60.0, 1.0))):
    print(done.check, done.verdict, *(cause.text for cause in done.causes[:1]))
"""


def _no_file(_: Path) -> None:
    pass


def _folder(path: Path) -> None:
    path.mkdir()


def _holding(content: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(content)


@pytest.mark.parametrize(
    ("prepare", "text", "cause"),
    [
        (_no_file, "No such file", "the file does not exist where the exporter runs"),
        (_folder, "Is a directory", "containers create one"),
        (_holding(b" \n"), "token is empty", "it contains no secret"),
        (_holding(b"name\nsecret\n"), "token has 2 lines", "it contains more than the secret"),
        (_holding(b"\xef\xbb\xbfsecret\n"), "begins with a byte order mark", "saved it with a byte order mark"),
        (_holding("se\u2019cret".encode()), "not ASCII at position 3", "typed or pasted with extra characters"),
        (_holding(b"se\x00cret"), "has a control character", "typed or pasted with extra characters"),
        (_holding("secret".encode("utf-16")), "not UTF-8 text", "PowerShell's > writes UTF-16"),
    ],
)
def test_a_secret_that_cannot_be_read(prepare: Callable[[Path], object], text: str, cause: str, tmp_path: Path) -> None:
    """The problem of a secret is reported from the result of reading it."""
    prepare(tmp_path / "token")
    options = {"preset": "prometheus", "url": "http://127.0.0.1:1", "bearer_token_file": tmp_path / "token"}
    done = step(examined(tmp_path, "production", kind="prometheus", **options), "configuration")
    assert done.verdict == "failed"
    assert text in done.result
    [only] = done.causes
    assert cause in only.text
    assert str(tmp_path / "token") in only.remedy or prepare is _folder
    assert "FILE" not in only.remedy


def test_a_secret_that_is_not_ours() -> None:
    """The user who was refused is named, with the command that lets it in."""
    text = "cannot read /run/secrets/token as user pte: Permission denied"
    path = Path("/run/secrets/token")
    [cause] = of_option("bearer_token_file", SourceError("unreadable", text, path=path, user="pte", detail="forbidden"))
    assert cause.remedy.endswith("`namei -l /run/secrets/token` shows all; or chown pte /run/secrets/token")


def test_a_variable_that_holds_no_secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The remedy names the variable and not a file."""
    monkeypatch.setenv("A_TOKEN", "a\nb")
    options = {"preset": "prometheus", "url": "http://127.0.0.1:1", "bearer_token_env": "A_TOKEN"}
    done = step(examined(tmp_path, "production", kind="prometheus", **options), "configuration")
    assert "the environment variable A_TOKEN has 2 lines" in done.result
    assert done.causes[0].remedy == "set it to the secret alone, and restart the exporter"


def test_a_variable_that_is_not_set(tmp_path: Path) -> None:
    """A variable is not a file."""
    options = {"preset": "prometheus", "url": "http://127.0.0.1:1", "bearer_token_env": "NOBODY_SETS_THIS"}
    done = step(examined(tmp_path, "production", kind="prometheus", **options), "configuration")
    assert [cause.text for cause in done.causes] == ["an environment variable is not set"]


@pytest.mark.parametrize("closed", ["runs", "runs/shop", "runs/shop/a.jtl"])
def test_what_our_user_may_not_read(closed: str) -> None:
    """Whether the folder, one below it or a file is closed to us: that is the first cause."""
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        folder.chmod(0o755)
        (folder / "runs" / "shop").mkdir(parents=True)
        (folder / "runs" / "shop" / "a.jtl").write_text("x")
        (folder / closed).chmod(0)
        command = [sys.executable, "-c", LOOK, str(folder / "runs")]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=PATIENCE, env={**os.environ}
        )
        (folder / closed).chmod(0o755)
    assert done.stderr == ""
    failed = [line for line in done.stdout.splitlines() if " failed " in line]
    assert len(failed) == 1
    assert failed[0].endswith("the exporter's user may not read it")
