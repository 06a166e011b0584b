"""Names are nouns and verbs of the field, and a public class of the exporter has a name of its own."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator

import pytest

from tests.servers import TOP

FOLDERS = ("exporter", "deploy", "benchmarks", "tests")

REFUSED = {
    "told",
    "seen",
    "one",
    "each",
    "found",
    "kept",
    "wanted",
    "made",
    "shown",
    "asked",
    "lost",
    "left",
    "known",
    "given",
    "meant",
}
"""Participles and pronouns: `for report in reports`, `expected` and `problems` say more."""

SHARED = {"Options", "Source", "Reader"}
"""Every source, format and command has its own class of this name: a plug-in is found by it."""

EXAMPLE = """\
import json as told
class Seen: pass
def one(each, *found, kept=1, **wanted): pass
try: made = [shown for shown in asked]
except ValueError as lost: self.left = known.given
for _known, (meant, report) in seen: pass
"""


def bound_names(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """(name, line) of every function, class, parameter, variable, attribute and alias."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name, node.lineno
        elif isinstance(node, ast.arg):
            yield node.arg, node.lineno
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, node.lineno
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr, node.lineno
        elif isinstance(node, ast.alias | ast.ExceptHandler):
            name = node.asname if isinstance(node, ast.alias) else node.name
            if name is not None:
                yield name, node.lineno


def refused_names(text: str) -> list[tuple[str, int]]:
    """The bound names of a file that are on the list; underscores and capitals do not matter."""
    return [(name, line) for name, line in bound_names(ast.parse(text)) if name.strip("_").lower() in REFUSED]


@pytest.mark.parametrize("folder", FOLDERS)
def test_bound_names_say_what_they_are(folder: str) -> None:
    """No variable, parameter, attribute, function or class is a bare participle or pronoun."""
    paths = sorted((TOP / folder).rglob("*.py"))
    assert paths
    problems = [
        f"{path.relative_to(TOP)}:{line}: {name}"
        for path in paths
        for name, line in refused_names(path.read_text(encoding="utf-8"))
    ]
    assert problems == []


def test_every_kind_of_bound_name_is_found() -> None:
    """The test above sees aliases, classes, functions, parameters, variables, exceptions and attributes."""
    names = {name for name, _ in refused_names(EXAMPLE)}
    bound = {
        "told",
        "Seen",
        "one",
        "each",
        "found",
        "kept",
        "wanted",
        "made",
        "shown",
        "lost",
        "left",
        "_known",
        "meant",
    }
    assert names == bound


def test_public_classes_have_one_owner() -> None:
    """Two public classes never share a name, except those by which plug-ins are found."""
    owners = defaultdict[str, list[str]](list)
    for path in sorted((TOP / "exporter").rglob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                owners[node.name].append(str(path.relative_to(TOP)))

    assert owners.keys() >= SHARED
    assert {name: files for name, files in owners.items() if len(files) > 1 and name not in SHARED} == {}
