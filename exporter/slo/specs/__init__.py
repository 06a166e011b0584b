"""SPECS: files of Sloth, OpenSLO and our own -> objectives; every problem with file, document and path."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exporter.errors import ConfigError, Problem
from exporter.model.slo import Slo
from exporter.slo.specs import openslo, sloth
from exporter.slo.specs.documents import Document, below, documents, files
from exporter.slo.specs.node import Node
from exporter.slo.specs.openslo_alerts import Objects
from exporter.slo.specs.tiers import Pair, Pairs
from exporter.slo.specs.validation import UNNAMED, Options

__all__ = ["Options", "is_foreign", "read"]

_SLOTH = "sloth"
_SLOTH_KUBERNETES = "PrometheusServiceLevel"
_SLOTH_WINDOWS = "AlertWindows"
_OPENSLO = "openslo"
_OWN = "own"
_NONE = ""
"""Clearly not a spec."""

_FOREIGN = (_SLOTH, _SLOTH_KUBERNETES, _SLOTH_WINDOWS, _OPENSLO)
_KINDS = (*_FOREIGN, _OWN, _NONE)

_UNKNOWN = (
    "is not an SLO spec, expected a mapping with version: prometheus/v1 (Sloth), "
    "apiVersion: sloth.slok.dev/v1 or openslo/v1, or environments (our own configuration)"
)


def read(paths: Sequence[Path], options: Options | None = None) -> list[Slo]:
    """The objectives in files and directories (all *.yml and *.yaml); raises ConfigError with every problem."""
    options = options or Options()
    problems = list[Problem]()
    parts = list[_Part]()
    for path, is_named in files(paths, problems):
        for document in documents(path, is_named, problems):
            parts += [_Part.of(entry, problems) for entry in _entries(document)]

    slos = list(_slos(parts, options, problems))
    problems += _duplicates(slos)
    if problems:
        raise ConfigError(list(dict.fromkeys(problems)))
    return [slo for _, slo in slos]


def is_foreign(path: Path) -> bool:
    """Whether a file is, or begins with, a spec of Sloth or OpenSLO, and so not our configuration."""
    for document in documents(path, True, []):
        for entry in _entries(document):
            return _kind(entry.raw) in _FOREIGN
    return False


def _entries(document: Document) -> Iterator[Document]:
    """The entries of a document that is a list, or else the document."""
    items = document.raw
    path = document.path
    if isinstance(items, Mapping) and str(items.get("kind", "")).endswith("List"):
        items = items.get("items")
        path = below(path, "items")

    if not isinstance(items, list) or not items:
        yield document
        return
    for position, raw in enumerate(items):
        yield Document(document.file, below(path, position), raw, document.is_named)


@dataclass(frozen=True, slots=True)
class _Part:
    """The input of one reader: a document, or an entry of a list of documents."""

    document: Document
    kind: str
    """One of _KINDS; else a text that says why it is not one of them, although it nearly is."""
    node: Node

    @classmethod
    def of(cls, document: Document, problems: list[Problem]) -> _Part:
        node = Node(document.raw, document.file, document.path, problems)
        return cls(document, _kind(document.raw), node)


def _slos(parts: Sequence[_Part], options: Options, problems: list[Problem]) -> Iterator[tuple[str, Slo]]:
    """Each objective and its file."""
    # Referenced documents are read first, whatever file they are in: alert windows by period, objects by name.
    pairs = _pairs([part.node for part in parts if part.kind == _SLOTH_WINDOWS], options)
    objects = openslo.objects(part.node for part in parts if part.kind == _OPENSLO)

    for part in parts:
        for slo in _part_slos(part, objects, options, pairs):
            yield part.document.file, slo

    # A configuration is read as a whole, however many documents of its file look like one.
    for file in dict.fromkeys(part.document.file for part in parts if part.kind == _OWN):
        for slo in _own(file, options, problems):
            yield file, slo


def _part_slos(part: _Part, objects: Objects, options: Options, pairs: Pairs) -> Iterable[Slo]:
    """The objectives of one part, unless it is our configuration; reports a part that is not a spec."""
    if part.kind == _SLOTH:
        return sloth.read(part.node, options, pairs)
    if part.kind == _SLOTH_KUBERNETES:
        return sloth.read_kubernetes(part.node, options, pairs)
    if part.kind == _OPENSLO:
        return openslo.read(part.node, objects, options, pairs)

    if part.kind not in _KINDS:
        part.node.wrong("", part.kind)
    elif part.kind == _NONE and part.document.is_named:
        # A directory may contain other YAML files too; a file that the user named is meant to be a spec.
        part.node.wrong("", _UNKNOWN)
    return ()


def _kind(raw: Any) -> str:
    """Which reader a document is for; empty where it is clearly not a spec, a text where it nearly is."""
    if not isinstance(raw, Mapping):
        return _NONE
    api = raw.get("apiVersion")
    if isinstance(api, str):
        return _kubernetes_kind(api, raw.get("kind"))

    version = raw.get("version")
    if version == sloth.V1:
        return _SLOTH
    if "environments" in raw:
        return _OWN
    has_slos = "slos" in raw
    if version is not None and (has_slos or str(version).startswith("prometheus/")):
        return f"unknown version {version}, expected {sloth.V1}"
    if has_slos:
        return f"has slos but neither version nor environments, expected version: {sloth.V1}, or our own configuration"
    return _NONE


def _kubernetes_kind(api: str, kind: Any) -> str:
    """The same of a document with an apiVersion, as Kubernetes has it."""
    if api == sloth.KUBERNETES:
        if kind in (_SLOTH_KUBERNETES, _SLOTH_WINDOWS):
            return str(kind)
        return f"unknown kind {kind}, expected {_SLOTH_KUBERNETES} or {_SLOTH_WINDOWS}"

    if api in openslo.VERSIONS:
        return _OPENSLO
    if api.startswith(("sloth.slok.dev", "openslo")):
        return f"unknown apiVersion {api}, expected {sloth.KUBERNETES} or {' or '.join(openslo.VERSIONS)}"
    return _NONE


def _pairs(nodes: Iterable[Node], options: Options) -> Pairs:
    """Alert windows by their period."""
    by_period = dict[int, tuple[Pair, ...]]()
    first = dict[int, Node]()
    for node in nodes:
        windows = sloth.read_windows(node, options)
        if windows is None:
            continue

        period, pairs = windows
        if period in by_period:
            location = _location(first[period])
            node.wrong("spec.sloPeriod", f"{location} has windows of this period too, remove one of them")
            continue
        by_period[period] = pairs
        first[period] = node
    return by_period


def _location(node: Node) -> str:
    if node.path:
        return f"{node.file}: {node.path}"
    return node.file


def _own(file: str, options: Options, problems: list[Problem]) -> list[Slo]:
    """The objectives of our own configuration, which needs the sources: they are slow to load."""
    from exporter import sources
    from exporter.slo.specs import own

    try:
        config = sources.read(file)
    except ConfigError as error:
        problems += error.problems
        return []

    slos, own_problems = own.slos(config, file, options)
    problems += own_problems
    return slos


def _duplicates(slos: Iterable[tuple[str, Slo]]) -> Iterator[Problem]:
    """Objectives of one id: their series would be the same."""
    first = dict[str, Slo]()
    for file, slo in slos:
        before = first.setdefault(slo.id, slo)
        # An objective without a name has been reported already, and is not a duplicate.
        if before is slo or UNNAMED in (slo.service, slo.name):
            continue

        text = f'duplicate id "{slo.id}", also in {before.origin}: use another service or name'
        yield Problem(file, slo.origin.removeprefix(f"{file}: "), text)
