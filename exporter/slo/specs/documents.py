"""YAML files -> documents: every problem is collected, with the file, the document and the path.

PyYAML's own constructor takes longer than everything else and accepts duplicate keys, so this reads the parser's nodes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from exporter.config.yaml import keys, line, read_nodes, reading
from exporter.errors import ConfigError, Problem

_TAG = "tag:yaml.org,2002:"
_TEXT = frozenset(f"{_TAG}{kind}" for kind in ("str", "timestamp", "value"))
"""No setting is a time; where YAML sees a time, its text was meant."""
_SCALARS = {f"{_TAG}{kind}": f"construct_yaml_{kind}" for kind in ("null", "bool", "int", "float")}
_WORDS = frozenset(_SCALARS) - {f"{_TAG}null"}
_VERBATIM = frozenset(("labels", "annotations"))
"""These contain only texts: there 1.10 is not a number, which would be 1.1."""
_MERGE = f"{_TAG}merge"
_OPEN = object()
"""The value of a node while its parts are read: a node that meets it contains itself."""

_SUFFIXES = (".yml", ".yaml")


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document, or one entry of a list of them."""

    file: str
    path: str
    """Where it is in the file: empty, `document 2`, `[0]`, or both."""
    raw: Any
    is_named: bool
    """The user named the file; otherwise a directory contains it."""


def files(paths: Iterable[Path], problems: list[Problem]) -> Iterator[tuple[Path, bool]]:
    """Each file once, and whether the user named it; of directories all YAML files below them, sorted."""
    visited = set[Path]()
    for path in paths:
        is_directory = path.is_dir()
        candidates = _yaml_files(path) if is_directory else [path]
        if not candidates:
            problems.append(Problem(str(path), "", "contains no .yml or .yaml file"))

        for file in candidates:
            resolved = file.resolve()
            if resolved in visited or (is_directory and file.is_dir()):
                continue
            visited.add(resolved)
            yield file, not is_directory


def _yaml_files(directory: Path) -> list[Path]:
    return sorted(path for path in directory.rglob("*") if path.suffix in _SUFFIXES)


def documents(path: Path, is_named: bool, problems: list[Problem]) -> list[Document]:
    """The documents of a file that are not empty; `problems` collects why others cannot be read."""
    file = str(path)
    results = list[Document]()
    try:
        with reading(file, "a spec", secret=False):
            loader, nodes = read_nodes(path)
            for number, node in enumerate(nodes, start=1):
                where = f"document {number}" if len(nodes) > 1 else ""
                raw = _Values(loader, file, problems).value(node, where)
                if raw is not None:
                    results.append(Document(file, where, raw, is_named))
    except ConfigError as error:
        problems += error.problems
        return []

    if is_named and not results:
        problems.append(Problem(file, "", "is empty, expected a spec"))
    return results


def below(path: str, key: object) -> str:
    """The path of a key or list position; a colon follows the document's number."""
    is_position = isinstance(key, int)
    text = f"[{key}]" if is_position else str(key)
    if _is_document(path):
        return f"{path}: {text}"
    if is_position or not path:
        return f"{path}{text}"
    return f"{path}.{text}"


def _is_document(path: str) -> bool:
    return path.startswith("document ") and path[9:].isdigit()


class _Values:
    """Reads the nodes of one document."""

    def __init__(self, loader: Any, file: str, problems: list[Problem]) -> None:
        self.loader = loader
        self.file = file
        self.problems = problems
        self.values: dict[yaml.Node, Any] = {}

    def value(self, node: yaml.Node, path: str, verbatim: bool = False) -> Any:
        """A node's value; `verbatim`: numbers and booleans in it are read as text."""
        if isinstance(node, yaml.ScalarNode):
            if node.tag in _TEXT or (verbatim and node.tag in _WORDS):
                return node.value
            return self.scalar(node, path)

        # An alias is the same node as its anchor: its value is used again.
        if node not in self.values:
            self.values[node] = _OPEN
            self.values[node] = self.collection(node, path, verbatim)
        value = self.values[node]
        if value is _OPEN:
            self.problems.append(Problem(self.file, path, "the alias is inside the value that it refers to"))
            return None
        return value

    def collection(self, node: yaml.Node, path: str, verbatim: bool) -> Any:
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, path, verbatim)
        return [self.value(entry, below(path, position), verbatim) for position, entry in enumerate(node.value)]

    def mapping(self, node: yaml.MappingNode, path: str, verbatim: bool) -> dict[str, Any]:
        entries = dict[str, Any]()
        for key, value, before in keys(node):
            name = key.value
            if key.tag == _MERGE:
                # Existing entries take precedence over merged ones.
                entries = {**self.merged(value, path, verbatim), **entries}
            elif not isinstance(name, str):
                text = f"line {line(key)}: expected a string as key, got a list or a mapping"
                self.problems.append(Problem(self.file, path, text))
            elif before:
                text = f"duplicate key (lines {before} and {line(key)})"
                self.problems.append(Problem(self.file, below(path, name), text))
            elif value.tag in _TEXT:
                entries[name] = value.value
            else:
                words = verbatim or (name in _VERBATIM and isinstance(value, yaml.MappingNode))
                entries[name] = self.value(value, below(path, name), words)

        return entries

    def merged(self, node: yaml.Node, path: str, verbatim: bool) -> dict[str, Any]:
        """The entries that `<<` merges; each part is read once, however often it is used. The first of a list wins."""
        nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
        parts = [self.value(part, path, verbatim) for part in nodes]
        mappings = [part for part in parts if isinstance(part, dict)]
        if len(mappings) < len(parts):
            text = f"line {line(node)}: << expects a mapping or a list of mappings"
            self.problems.append(Problem(self.file, path, text))

        merged = dict[str, Any]()
        for mapping in reversed(mappings):
            merged |= mapping
        return merged

    def scalar(self, node: yaml.ScalarNode, path: str) -> Any:
        constructor = _SCALARS.get(node.tag)
        if constructor is None:
            text = f"unsupported tag {node.tag.removeprefix(_TAG)}, remove it"
            self.problems.append(Problem(self.file, path, text))
            return None

        try:
            return getattr(self.loader, constructor)(node)
        except (ValueError, LookupError) as error:
            self.problems.append(Problem(self.file, path, f"cannot be read: {error}"))
            return None
