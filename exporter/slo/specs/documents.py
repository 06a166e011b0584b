"""YAML files -> documents: every fault is kept, with the file, the document and the path.

PyYAML's own constructor takes longer than all the rest and lets a key stand twice; so the parser's nodes are read here.
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
"""Times are wanted nowhere; where one stands, its text is what was meant."""
_SCALARS = {f"{_TAG}{kind}": f"construct_yaml_{kind}" for kind in ("null", "bool", "int", "float")}
_WORDS = frozenset(_SCALARS) - {f"{_TAG}null"}
_VERBATIM = frozenset(("labels", "annotations"))
"""What holds texts only: there 1.10 is no number, which would be 1.1."""
_MERGE = f"{_TAG}merge"
_OPEN = object()
"""What a node is while its parts are read: found again, it holds itself."""

_SUFFIXES = (".yml", ".yaml")


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document, or one entry of a list of them."""

    file: str
    path: str
    """Where it is in the file: empty, `document 2`, `[0]`, or both."""
    raw: Any
    is_named: bool
    """The user named the file; else it was found in a folder."""


def files(paths: Iterable[Path], problems: list[Problem]) -> Iterator[tuple[Path, bool]]:
    """Each file once, and whether it was named itself; of folders all YAML files below them, sorted."""
    visited = set[Path]()
    for path in paths:
        is_folder = path.is_dir()
        found = _yaml_files(path) if is_folder else [path]
        if not found:
            problems.append(Problem(str(path), "", "holds no .yml or .yaml file"))

        for file in found:
            resolved = file.resolve()
            if resolved in visited or (is_folder and file.is_dir()):
                continue
            visited.add(resolved)
            yield file, not is_folder


def _yaml_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix in _SUFFIXES)


def documents(path: Path, is_named: bool, problems: list[Problem]) -> list[Document]:
    """The documents of a file; those that are empty are left out. What cannot be read is told in `problems`."""
    file = str(path)
    found = list[Document]()
    try:
        with reading(file, "a spec", secret=False):
            loader, nodes = read_nodes(path)
            for number, node in enumerate(nodes, start=1):
                where = f"document {number}" if len(nodes) > 1 else ""
                raw = _Values(loader, file, problems).value(node, where)
                if raw is not None:
                    found.append(Document(file, where, raw, is_named))
    except ConfigError as error:
        problems += error.problems
        return []

    if is_named and not found:
        problems.append(Problem(file, "", "is empty, wanted a spec"))
    return found


def below(path: str, key: object) -> str:
    """The path of a key or list position; what tells the document is followed by a colon."""
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
        """A node's value; `verbatim`: numbers and truth values in it are wanted as the texts that stand there."""
        if isinstance(node, yaml.ScalarNode):
            if node.tag in _TEXT or (verbatim and node.tag in _WORDS):
                return node.value
            return self.scalar(node, path)

        # An alias is the node that it names: what was made of it before is used again.
        if node not in self.values:
            self.values[node] = _OPEN
            self.values[node] = self.collection(node, path, verbatim)
        value = self.values[node]
        if value is _OPEN:
            self.problems.append(Problem(self.file, path, "the alias stands inside of what it names"))
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
                # What stands here already goes before what is merged in.
                entries = {**self.merged(value, path, verbatim), **entries}
            elif not isinstance(name, str):
                text = f"line {line(key)}: the key is a list or a mapping, wanted a word"
                self.problems.append(Problem(self.file, path, text))
            elif before:
                text = f"stands twice, in lines {before} and {line(key)}; wanted once"
                self.problems.append(Problem(self.file, below(path, name), text))
            elif value.tag in _TEXT:
                entries[name] = value.value
            else:
                words = verbatim or (name in _VERBATIM and isinstance(value, yaml.MappingNode))
                entries[name] = self.value(value, below(path, name), words)

        return entries

    def merged(self, node: yaml.Node, path: str, verbatim: bool) -> dict[str, Any]:
        """What `<<` brings in; each part is made once, however often it is named. The first of a list wins."""
        nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
        parts = [self.value(part, path, verbatim) for part in nodes]
        mappings = [part for part in parts if isinstance(part, dict)]
        if len(mappings) < len(parts):
            text = f"line {line(node)}: << takes a mapping or a list of mappings"
            self.problems.append(Problem(self.file, path, text))

        merged = dict[str, Any]()
        for mapping in reversed(mappings):
            merged |= mapping
        return merged

    def scalar(self, node: yaml.ScalarNode, path: str) -> Any:
        constructor = _SCALARS.get(node.tag)
        if constructor is None:
            text = f"the tag {node.tag.removeprefix(_TAG)} cannot be read, wanted none"
            self.problems.append(Problem(self.file, path, text))
            return None

        try:
            return getattr(self.loader, constructor)(node)
        except (ValueError, LookupError) as error:
            self.problems.append(Problem(self.file, path, f"cannot be read: {error}"))
            return None
