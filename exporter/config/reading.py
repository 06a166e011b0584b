"""A YAML file -> what it holds, untyped. Keys that stand twice and what no type can take are told with their place."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import yaml

from exporter.config.conversion import child
from exporter.errors import ConfigError, Problem


def read_yaml(path: str | Path) -> Any:
    """What a YAML file holds; raises ConfigError when it cannot be read, is not YAML, or has a key twice."""
    file, problems = str(path), list[Problem]()
    try:
        loader = _Loader(Path(path).read_text(encoding="utf-8"))
        node = loader.get_single_node()
        _duplicates(node, file, "", problems, set())  # before its mappings get what `<<` merges into them
        raw = loader.construct_document(node) if node is not None else None
    except OSError as error:
        raise ConfigError([Problem(file, "", f"cannot be read: {error.strerror}")]) from None
    except UnicodeError as error:
        raise ConfigError([Problem(file, "", f"cannot be read as YAML in UTF-8: {error}")]) from None
    except RecursionError:
        raise ConfigError([Problem(file, "", "is nested too deeply to be a configuration")]) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ConfigError([Problem(file, where, f"is not YAML: {_unquoted(error.problem or error.context)}")]) from None
    except yaml.YAMLError as error:
        raise ConfigError([Problem(file, "", f"is not YAML: {' '.join(str(error).split())}")]) from None
    if raw is None:
        problems.append(Problem(file, "", "is empty, wanted a mapping"))
    if problems:
        raise ConfigError(problems)
    return raw


class _Loader(yaml.SafeLoader):
    """PyYAML's, with a place for each value that its type or tag cannot take, such as the 13th month."""

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """With each key once, the last as that is the one that holds: merges of merges grow without end otherwise."""
        super().flatten_mapping(node)
        kept = {
            (key.tag, key.value if isinstance(key.value, str) else id(key)): (key, value) for key, value in node.value
        }
        node.value = list(kept.values())

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            value = super().construct_object(node, deep)
            if isinstance(value, int) and abs(value) > sys.maxsize:
                raise ValueError("wanted at most 64 bits")
        except (ValueError, LookupError, AttributeError, ArithmeticError) as error:
            kind = node.tag.rpartition(":")[2]
            cause = f": {error}" if isinstance(error, ValueError | ArithmeticError) else ""
            text = f"the {kind} cannot be read{cause}"
            raise yaml.constructor.ConstructorError(None, None, text, node.start_mark) from None
        return value


def _unquoted(problem: str | None) -> str:
    """PyYAML's words up to what they quote of the file, which may be a secret; YAML's own marks are none."""
    return re.split(r""":?\s['"](?!<|\\?.['"])""", problem or "")[0]


def _duplicates(node: yaml.Node | None, file: str, path: str, problems: list[Problem], seen: set[int]) -> None:
    """Adds a problem for each key that stands twice in one mapping, which YAML forbids and PyYAML lets pass."""
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        lines: dict[str, int] = {}
        for key, value in node.value:
            line, name = key.start_mark.line + 1, str(key.value)
            if name in lines:
                text = f"the key stands twice, in lines {lines[name]} and {line}; wanted once"
                problems.append(Problem(file, child(path, name), text))
            lines.setdefault(name, line)
            _duplicates(value, file, child(path, name), problems, seen)
    elif isinstance(node, yaml.SequenceNode):
        for position, value in enumerate(node.value):
            _duplicates(value, file, child(path, position), problems, seen)
