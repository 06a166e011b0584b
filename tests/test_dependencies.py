"""What the code imports is what pyproject.toml declares, and nothing private of others."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))["project"]
OURS = {"exporter", "tests", "benchmarks", "deploy"}
TYPES_ONLY = {"_typeshed"}
"""What type checkers bring along, and no program can import."""


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def names(requirements: list[str]) -> set[str]:
    return {normal(re.split(r"[^\w.-]", requirement, maxsplit=1)[0]) for requirement in requirements}


def imported(folder: str) -> Iterator[tuple[str, str]]:
    """The full name of each module that a folder's files import, with the file."""
    for path in sorted((TOP / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield alias.name, str(path.relative_to(TOP))
            elif isinstance(node, ast.ImportFrom):
                yield node.module or "", str(path.relative_to(TOP))


def distributions(folder: str) -> dict[str, str]:
    """Distributions of others that a folder imports, each with a file that does."""
    providers = metadata.packages_distributions()
    names = {}
    for module, path in imported(folder):
        top = module.partition(".")[0]
        if top in OURS | TYPES_ONLY or top in sys.stdlib_module_names:
            continue
        assert top in providers, f"{path} imports {module}, which is not installed"
        names[normal(providers[top][0])] = path
    return names


def test_the_program_imports_what_it_declares() -> None:
    """No import of the program rests on a distribution that comes along with another one by chance."""
    used = distributions("exporter")
    declared = names(PROJECT["dependencies"])
    assert {name: path for name, path in used.items() if name not in declared} == {}


def test_nothing_is_declared_that_nothing_imports() -> None:
    """Each dependency of the program is imported; tzdata is data for the standard library."""
    assert names(PROJECT["dependencies"]) - {*distributions("exporter")} == {"tzdata"}


@pytest.mark.parametrize("folder", ["tests", "benchmarks", "deploy"])
def test_what_tests_import_is_declared(folder: str) -> None:
    """Tests, benchmarks and the stack import declared distributions too."""
    declared = names(PROJECT["dependencies"]) | names(PROJECT["optional-dependencies"]["dev"])
    assert {name: path for name, path in distributions(folder).items() if name not in declared} == {}


def test_nothing_private_of_others_is_imported() -> None:
    """A module of others whose name begins with an underscore may change in any release."""
    private = [
        f"{path}: {module}"
        for module, path in imported("exporter")
        if module.partition(".")[0] not in OURS | TYPES_ONLY
        and any(part.startswith("_") and not part.startswith("__") for part in module.split("."))
    ]
    assert private == []
