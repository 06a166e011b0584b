"""YAML files -> documents: every fault is kept, with the file, the document and the path.

PyYAML's own constructor takes longer than all the rest and lets a key stand twice; so the parser's nodes are read here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from exporter.errors import Problem

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
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
    given: bool
    """The user named the file; else it was found in a folder."""


def files(paths: Iterable[Path], problems: list[Problem]) -> Iterator[tuple[Path, bool]]:
    """Each file once, and whether it was named itself; of folders all YAML files below them, sorted."""
    seen = set[Path]()
    for path in paths:
        folder = path.is_dir()
        found = sorted(each for each in path.rglob("*") if each.suffix in _SUFFIXES) if folder else [path]
        if not found:
            problems.append(Problem(str(path), "", "holds no .yml or .yaml file"))
        for each in found:
            resolved = each.resolve()
            if resolved not in seen and not (folder and each.is_dir()):
                seen.add(resolved)
                yield each, not folder


def documents(path: Path, given: bool, problems: list[Problem]) -> list[Document]:
    """The documents of a file; those that are empty are left out. What cannot be read is told in `problems`."""
    file = str(path)
    try:
        loader = _Loader(path.read_bytes().decode("utf-8-sig"))
        nodes = list(_nodes(loader))
        several = len(nodes) > 1
        found = []
        for number, node in enumerate(nodes, start=1):
            where = f"document {number}" if several else ""
            raw = _Maker(loader, file, problems).make(node, where)
            found += [Document(file, where, raw, given)] if raw is not None else []
    except OSError as error:
        problems.append(Problem(file, "", f"cannot be read: {error.strerror}"))
    except UnicodeError as error:
        problems.append(Problem(file, "", f"cannot be read as YAML in UTF-8: {error}"))
    except RecursionError:
        problems.append(Problem(file, "", "is nested too deeply to be a spec"))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problems.append(Problem(file, where, f"is not YAML: {error.problem or error.context}"))
    except yaml.YAMLError as error:
        problems.append(Problem(file, "", f"is not YAML: {' '.join(str(error).split())}"))
    else:
        if given and not found:
            problems.append(Problem(file, "", "is empty, wanted a spec"))
        return found
    return []


def _nodes(loader: Any) -> Iterator[yaml.Node]:
    while loader.check_node():
        yield loader.get_node()


def below(path: str, key: object) -> str:
    """The path of a key or list position; what tells the document is followed by a colon."""
    if isinstance(key, int):
        key = f"[{key}]"
        return f"{path}: {key}" if _is_document(path) else f"{path}{key}"
    if not path:
        return str(key)
    return f"{path}: {key}" if _is_document(path) else f"{path}.{key}"


def _is_document(path: str) -> bool:
    return path.startswith("document ") and path[9:].isdigit()


class _Maker:
    """Reads the nodes of one document."""

    def __init__(self, loader: Any, file: str, problems: list[Problem]) -> None:
        self.loader = loader
        self.file = file
        self.problems = problems
        self.made: dict[yaml.Node, Any] = {}

    def make(self, node: yaml.Node, path: str, verbatim: bool = False) -> Any:
        """A node's value; `verbatim`: numbers and truth values in it are wanted as the texts that stand there."""
        if isinstance(node, yaml.ScalarNode):
            if node.tag in _TEXT or (verbatim and node.tag in _WORDS):
                return node.value
            return self.scalar(node, path)
        if node in self.made:
            value = self.made[node]
            if value is _OPEN:
                self.problems.append(Problem(self.file, path, "the alias stands inside of what it names"))
            return None if value is _OPEN else value
        self.made[node] = _OPEN
        self.made[node] = made = self.collection(node, path, verbatim)
        return made

    def collection(self, node: yaml.Node, path: str, verbatim: bool) -> Any:
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, path, verbatim)
        return [self.make(each, below(path, position), verbatim) for position, each in enumerate(node.value)]

    def mapping(self, node: yaml.MappingNode, path: str, verbatim: bool) -> dict[str, Any]:
        made, lines = dict[str, Any](), dict[str, int]()
        for key, value in node.value:
            name, line = key.value, key.start_mark.line + 1
            if key.tag == _MERGE:
                made = {**self.merged(value, path, verbatim), **made}
            elif not isinstance(name, str):
                text = f"line {line}: the key is a list or a mapping, wanted a word"
                self.problems.append(Problem(self.file, path, text))
            elif name in lines:
                text = f"stands twice, in lines {lines[name]} and {line}; wanted once"
                self.problems.append(Problem(self.file, below(path, name), text))
            else:
                lines[name] = line
                words = verbatim or (name in _VERBATIM and isinstance(value, yaml.MappingNode))
                made[name] = value.value if value.tag in _TEXT else self.make(value, below(path, name), words)
        return made

    def merged(self, node: yaml.Node, path: str, verbatim: bool) -> dict[str, Any]:
        """What `<<` brings in; each part is made once, however often it is named. The first of a list wins."""
        several = isinstance(node, yaml.SequenceNode)
        found = [self.make(each, path, verbatim) for each in (node.value if several else [node])]
        if not all(isinstance(each, dict) for each in found):
            text = f"line {node.start_mark.line + 1}: << takes a mapping or a list of mappings"
            self.problems.append(Problem(self.file, path, text))
        return {key: value for each in reversed(found) if isinstance(each, dict) for key, value in each.items()}

    def scalar(self, node: yaml.ScalarNode, path: str) -> Any:
        name = _SCALARS.get(node.tag)
        try:
            if name is not None:
                return getattr(self.loader, name)(node)
            fault = f"the tag {node.tag.removeprefix(_TAG)} cannot be read, wanted none"
        except (ValueError, LookupError) as error:
            fault = f"cannot be read: {error}"
        self.problems.append(Problem(self.file, path, fault))
        return None
