"""The reader of YAML files: of configurations as YAML has their types, of specs as nodes (exporter/slo/specs).

A file that cannot be read is a problem with the file and, where YAML reports them, line and column. This module also
finds duplicate keys, which YAML forbids and PyYAML accepts, for both.
"""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from exporter.config.conversion import child
from exporter.errors import ConfigError, Problem


def read_yaml(path: str | Path) -> Any:
    """The content of a YAML file; raises ConfigError if it cannot be read, is not YAML, or has a duplicate key."""
    file = str(path)
    problems = list[Problem]()
    with reading(file, "a configuration", secret=True):
        loader = _Loader(_text(Path(path)))
        node = loader.get_single_node()
        # Before the loader makes values, as it writes into a mapping's node what `<<` merges into it.
        _add_duplicates(node, file, "", problems, set())
        raw = loader.construct_document(node) if node is not None else None

    if raw is None:
        problems.append(Problem(file, "", "is empty, expected a mapping"))
    if problems:
        raise ConfigError(problems)
    return raw


def read_nodes(path: Path) -> tuple[Any, list[yaml.Node]]:
    """The documents of a file as nodes, with the loader whose constructors know their scalars.

    By the C library where there is one, which is many times as fast. To be used within `reading`.
    """
    loader = _FastLoader(_text(path))
    nodes = list[yaml.Node]()
    while loader.check_node():
        nodes.append(loader.get_node())
    return loader, nodes


def _text(path: Path) -> str:
    """UTF-8, with or without the mark that some editors begin it with."""
    return path.read_text(encoding="utf-8-sig")


@contextlib.contextmanager
def reading(file: str, what: str, *, secret: bool) -> Iterator[None]:
    """Raises any error of reading a file in this context as a ConfigError of one problem.

    `secret`: the file may hold secrets, so PyYAML's quotations from it are omitted.
    """
    try:
        yield
        return
    except OSError as error:
        problem = Problem(file, "", f"cannot be read: {error.strerror}")
    except UnicodeError as error:
        problem = Problem(file, "", f"cannot be read as YAML in UTF-8: {error}")
    except RecursionError:
        problem = Problem(file, "", f"is nested too deeply to be {what}")
    except yaml.MarkedYAMLError as error:
        words = error.problem or error.context
        if secret:
            words = _unquoted(words)
        problem = Problem(file, _position(error.problem_mark or error.context_mark), f"is not YAML: {words}")
    except yaml.YAMLError as error:
        problem = Problem(file, "", f"is not YAML: {' '.join(str(error).split())}")

    raise ConfigError([problem])


def keys(node: yaml.MappingNode) -> Iterator[tuple[yaml.Node, yaml.Node, int]]:
    """Each key of a mapping with its value, and the line of the same key before it; 0 if there is none."""
    lines = dict[str, int]()
    for key, value in node.value:
        name = str(key.value)
        yield key, value, lines.get(name, 0)
        lines.setdefault(name, line(key))


def line(node: yaml.Node) -> int:
    """As editors count lines."""
    return int(node.start_mark.line) + 1


def _position(mark: Any) -> str:
    if mark:
        return f"line {mark.line + 1}, column {mark.column + 1}"
    return ""


def _unquoted(problem: str | None) -> str:
    """PyYAML's words up to a quotation from the file, which may be a secret; YAML's own marks are not."""
    return re.split(r""":?\s['"](?!<|\\?.['"])""", problem or "")[0]


def _add_duplicates(node: yaml.Node | None, file: str, path: str, problems: list[Problem], visited: set[int]) -> None:
    """Adds a problem for each duplicate key of a mapping."""
    # An alias is the same node as its anchor: a document that contains itself would never end.
    if id(node) in visited:
        return
    visited.add(id(node))

    if isinstance(node, yaml.MappingNode):
        for key, value, before in keys(node):
            below = child(path, str(key.value))
            if before:
                problem = f"duplicate key (lines {before} and {line(key)})"
                problems.append(Problem(file, below, problem))
            _add_duplicates(value, file, below, problems, visited)
    elif isinstance(node, yaml.SequenceNode):
        for position, value in enumerate(node.value):
            _add_duplicates(value, file, child(path, position), problems, visited)


_FastLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(yaml.SafeLoader):
    """PyYAML's, with a location for each value that its type or tag cannot take, such as the 13th month."""

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Keep each key once, the last, which takes precedence: otherwise merges of merges grow without end."""
        super().flatten_mapping(node)
        last = {}
        for key, value in node.value:
            # A key that is a collection equals no other key.
            name = key.value if isinstance(key.value, str) else id(key)
            last[key.tag, name] = (key, value)
        node.value = list(last.values())

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            value = super().construct_object(node, deep)
            if isinstance(value, int) and abs(value) > sys.maxsize:
                raise ValueError("must have at most 64 bits")
        except (ValueError, LookupError, AttributeError, ArithmeticError) as error:
            kind = node.tag.rpartition(":")[2]
            # The text of the other errors is Python's own, and does not help the author of the file.
            cause = f": {error}" if isinstance(error, ValueError | ArithmeticError) else ""
            problem = f"the {kind} cannot be read{cause}"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark) from None

        return value
