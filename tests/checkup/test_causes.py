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
    ("made", "found", "cause"),
    [
        (_no_file, "No such file", "there is no such file where the exporter runs"),
        (_folder, "Is a directory", "containers make one"),
        (_holding(b" \n"), "token is empty", "no secret was written"),
        (_holding(b"name\nsecret\n"), "token has 2 lines", "more in it than the secret"),
        (_holding(b"\xef\xbb\xbfsecret\n"), "begins with a byte order mark", "saved it with a byte order mark"),
        (_holding("se\u2019cret".encode()), "not ASCII, the 3. one", "typed or pasted with something around"),
        (_holding(b"se\x00cret"), "holds a control character", "typed or pasted with something around"),
        (_holding("secret".encode("utf-16")), "not text in UTF-8", "PowerShell's > writes UTF-16"),
    ],
)
def test_a_secret_that_cannot_be_read(made: Callable[[Path], object], found: str, cause: str, tmp_path: Path) -> None:
    """What is wrong with a secret is told by what came of reading it."""
    made(tmp_path / "token")
    given = {"preset": "prometheus", "url": "http://127.0.0.1:1", "bearer_token_file": tmp_path / "token"}
    done = step(examined(tmp_path, "production", kind="prometheus", **given), "configuration")
    assert done.verdict == "failed"
    assert found in done.found
    [only] = done.causes
    assert cause in only.text
    assert str(tmp_path / "token") in only.remedy or made is _folder
    assert "FILE" not in only.remedy


def test_a_secret_that_is_not_ours() -> None:
    """The user who was refused is named, with the command that lets it in."""
    said = "cannot read /run/secrets/token: Permission denied to user pte"
    [cause] = of_option("bearer_token_file", said)
    assert cause.remedy.endswith("`namei -l /run/secrets/token` shows all, chown pte /run/secrets/token mends it")


def test_a_variable_that_holds_no_secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nobody is sent to look for a file."""
    monkeypatch.setenv("A_TOKEN", "a\nb")
    given = {"preset": "prometheus", "url": "http://127.0.0.1:1", "bearer_token_env": "A_TOKEN"}
    done = step(examined(tmp_path, "production", kind="prometheus", **given), "configuration")
    assert "the environment variable A_TOKEN has 2 lines" in done.found
    assert done.causes[0].remedy == "set it to the secret alone, and start the exporter anew"


def test_a_variable_that_is_not_set(tmp_path: Path) -> None:
    """A variable is not a file."""
    given = {"preset": "prometheus", "url": "http://127.0.0.1:1", "bearer_token_env": "NOBODY_SETS_THIS"}
    done = step(examined(tmp_path, "production", kind="prometheus", **given), "configuration")
    assert [each.text for each in done.causes] == ["an environment variable is not set"]


@pytest.mark.parametrize("closed", ["runs", "runs/shop", "runs/shop/a.jtl"])
def test_what_our_user_may_not_read(closed: str) -> None:
    """Whether the folder, one below it or a file is closed to us: that is the first cause."""
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        folder.chmod(0o755)
        (folder / "runs" / "shop").mkdir(parents=True)
        (folder / "runs" / "shop" / "a.jtl").write_text("x")
        (folder / closed).chmod(0)
        asked = [sys.executable, "-c", LOOK, str(folder / "runs")]
        done = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=PATIENCE, env={**os.environ})
        (folder / closed).chmod(0o755)
    assert done.stderr == ""
    failed = [line for line in done.stdout.splitlines() if " failed " in line]
    assert len(failed) == 1
    assert failed[0].endswith("the exporter's user may not read it")
