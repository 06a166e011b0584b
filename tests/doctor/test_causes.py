"""Causes of what cannot be read: where the system says it itself, that and nothing else, and first."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.doctor.making import examined, step
from tests.running import PATIENCE

NOBODY = 65534
LOOK = """
import os, sys
from pathlib import Path
from exporter.checkup import checked
from exporter.sources import loadtest
from exporter.model.checkup import Wanted
from exporter.model.observation import Window
if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
window = Window(0.0, 60.0)
options = loadtest.Options(folder=Path(sys.argv[1]), routes={})
for done in checked(loadtest.checks(options, Wanted("pte", "pte", 60.0, window, None, 60.0, 1.0))):
    print(done.check, done.verdict, *(cause.text for cause in done.causes[:1]))
"""


def _no_file(_: Path) -> None:
    pass


def _folder(path: Path) -> None:
    path.mkdir()


def _two_lines(path: Path) -> None:
    path.write_text("secret\nand more\n")


@pytest.mark.parametrize(
    ("made", "cause"),
    [
        (_no_file, "the secret is not where"),
        (_folder, "containers make one"),
        (_two_lines, "holds more than the secret"),
    ],
)
def test_a_secret_that_cannot_be_read(made: Callable[[Path], None], cause: str, tmp_path: Path) -> None:
    """What is wrong with a secret is told by what came of reading it."""
    made(tmp_path / "token")
    given = {"preset": "prometheus", "url": "http://127.0.0.1:1", "bearer_token_file": tmp_path / "token"}
    done = step(examined(tmp_path, "production", kind="prometheus", **given), "configuration")
    assert done.verdict == "failed"
    assert cause in done.causes[0].text


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
