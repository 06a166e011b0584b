"""The recipes of docs/contributing.md name files that exist."""

from __future__ import annotations

import re

import pytest

from tests.servers import TOP

CONTRIBUTING = (TOP / "docs" / "contributing.md").read_text(encoding="utf-8")

PATH = re.compile(r"`([\w.<>*-]*/[\w.<>*/-]*|[\w-]+\.(?:md|py|yml))`")
"""A file, a folder, or either with a placeholder such as <subject>."""

INSIDE_A_SOURCE = {"source.py"}
"""Named relative to the folder that the sentence is about."""

CREATED = {".venv/"}
"""Not there before `make`."""


def paths(text: str) -> list[str]:
    return sorted(set(PATH.findall(text)) - INSIDE_A_SOURCE - CREATED)


@pytest.mark.parametrize("path", paths(CONTRIBUTING))
def test_every_path_of_a_recipe_exists(path: str) -> None:
    """A placeholder stands for at least one file that is there."""
    assert list(TOP.glob(re.sub(r"<\w+>", "*", path))) != []


@pytest.mark.parametrize("path", sorted(set(re.findall(r"tests/[\w/]+\.py", CONTRIBUTING))))
def test_every_test_that_is_to_be_run_exists(path: str) -> None:
    """The commands that check a recipe can be run."""
    assert (TOP / path).is_file()


def test_the_page_names_files() -> None:
    """The pattern matches, so the test above does not pass because it has nothing to check."""
    assert len(paths(CONTRIBUTING)) > 20
