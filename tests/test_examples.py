"""The examples are configurations that the program accepts."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.running import command
from tests.servers import TOP

CONFIGURATIONS = sorted((TOP / "examples").glob("*/pte-exporter.yml"))


@pytest.mark.parametrize("path", CONFIGURATIONS, ids=lambda path: path.parent.name)
def test_every_example_is_valid(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`check` finds no problem, with a secret in the environment where one is needed."""
    monkeypatch.setenv("APPDYNAMICS_SECRET", "example")
    result = command("check", "--config.file", str(path))
    assert (result.returncode, result.stderr) == (0, "")


def test_every_example_has_its_row() -> None:
    """The index of the examples links each folder."""
    index = (TOP / "examples" / "README.md").read_text(encoding="utf-8")
    folders = [path.name for path in (TOP / "examples").iterdir() if path.is_dir()]
    assert [folder for folder in folders if f"[{folder}/](" not in index] == []
