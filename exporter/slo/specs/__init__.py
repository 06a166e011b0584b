"""SPECS: files of Sloth, of OpenSLO and of our own -> objectives; every problem with file, document and path."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from exporter.errors import ConfigError, Problem
from exporter.model.slo import Slo
from exporter.slo.specs import openslo, sloth
from exporter.slo.specs.documents import Document, below, documents, files
from exporter.slo.specs.place import Place
from exporter.slo.specs.tiers import Pair
from exporter.slo.specs.validation import UNNAMED, Options

__all__ = ["Options", "is_foreign", "read"]

_KINDS = ("sloth", "PrometheusServiceLevel", "AlertWindows", "openslo", "own", "")

_WANTED = (
    "is no SLO spec, wanted a mapping with version: prometheus/v1 (Sloth), "
    "apiVersion: sloth.slok.dev/v1 or openslo/v1, or environments (our own configuration)"
)


def read(paths: Sequence[Path], options: Options | None = None) -> list[Slo]:
    """The objectives in files and folders (of these all *.yml and *.yaml); raises ConfigError with every problem."""
    options = options or Options()
    problems = list[Problem]()
    found = [
        part
        for path, given in files(paths, problems)
        for document in documents(path, given, problems)
        for part in _parts(document)
    ]
    slos = list(_slos(found, options, problems))
    problems += _duplicates(slos)
    if problems:
        raise ConfigError(list(dict.fromkeys(problems)))
    return [slo for _, slo in slos]


def is_foreign(path: Path) -> bool:
    """Whether a file is, or begins with, a spec of Sloth or OpenSLO, and so no configuration of ours."""
    kinds = (_kind(part.raw) for document in documents(path, True, []) for part in _parts(document))
    return next((kind in _KINDS and kind not in ("own", "") for kind in kinds), False)


def _parts(document: Document) -> Iterator[Document]:
    """The entries of a document that is a list of them, or else itself."""
    items, path = document.raw, document.path
    if isinstance(items, Mapping) and str(items.get("kind", "")).endswith("List"):
        items, path = items.get("items"), below(path, "items")
    if isinstance(items, list) and items:
        for position, raw in enumerate(items):
            yield Document(document.file, below(path, position), raw, document.given)
    else:
        yield document


def _slos(found: Sequence[Document], options: Options, problems: list[Problem]) -> Iterator[tuple[str, Slo]]:
    """Each objective and its file."""
    places = [(document, Place(document.raw, document.file, document.path, problems)) for document in found]
    kinds = [(_kind(place.raw), document, place) for document, place in places]
    pairs = _pairs((place for kind, _, place in kinds if kind == "AlertWindows"), options)
    objects = openslo.objects(place for kind, _, place in kinds if kind == "openslo")
    configurations = dict.fromkeys(document.file for kind, document, _ in kinds if kind == "own")
    for kind, document, place in kinds:
        slos: Iterable[Slo] = ()
        if kind == "sloth":
            slos = sloth.read(place, options, pairs)
        elif kind == "PrometheusServiceLevel":
            slos = sloth.read_kubernetes(place, options, pairs)
        elif kind == "openslo":
            slos = openslo.read(place, objects, options, pairs)
        elif kind not in _KINDS:
            place.wrong("", kind)
        elif kind == "" and document.given:
            place.wrong("", _WANTED)
        yield from ((document.file, slo) for slo in slos)
    for file in configurations:
        yield from ((file, slo) for slo in _own(file, options, problems))


def _kind(raw: Any) -> str:
    """Which reader a document is for; empty for what is plainly none of ours, a text for what nearly is."""
    if not isinstance(raw, Mapping):
        return ""
    version, api, kind = (raw.get(key) for key in ("version", "apiVersion", "kind"))
    if isinstance(api, str):
        if api == sloth.KUBERNETES:
            known = kind in ("PrometheusServiceLevel", "AlertWindows")
            return str(kind) if known else f"unknown kind {kind}, wanted PrometheusServiceLevel or AlertWindows"
        if api in openslo.VERSIONS:
            return "openslo"
        if api.startswith(("sloth.slok.dev", "openslo")):
            return f"unknown apiVersion {api}, wanted {sloth.KUBERNETES} or {' or '.join(openslo.VERSIONS)}"
        return ""
    if version == sloth.V1:
        return "sloth"
    if "environments" in raw:
        return "own"
    if version is not None and ("slos" in raw or str(version).startswith("prometheus/")):
        return f"unknown version {version}, wanted {sloth.V1}"
    if "slos" in raw:
        return f"has neither version nor environments beside slos, wanted version: {sloth.V1}, or our own configuration"
    return ""


def _pairs(places: Iterable[Place], options: Options) -> Mapping[int, tuple[Pair, ...]]:
    """Alert windows by their period."""
    found: dict[int, tuple[Pair, ...]] = {}
    first: dict[int, Place] = {}
    for place in places:
        read_ = sloth.read_windows(place, options)
        if read_ is None:
            continue
        period, pairs = read_
        if period in found:
            place.wrong("spec.sloPeriod", f"{_where(first[period])} has windows of this period too, wanted one of them")
        found.setdefault(period, pairs)
        first.setdefault(period, place)
    return found


def _where(place: Place) -> str:
    return f"{place.file}: {place.path}" if place.path else place.file


def _own(file: str, options: Options, problems: list[Problem]) -> list[Slo]:
    """The objectives of our own configuration, which needs the sources: they take long to load."""
    from exporter import sources
    from exporter.slo.specs import own

    try:
        config = sources.read(file)
    except ConfigError as error:
        problems += error.problems
        return []
    slos, wrong = own.slos(config, file, options)
    problems += wrong
    return slos


def _duplicates(slos: Iterable[tuple[str, Slo]]) -> Iterator[Problem]:
    """Objectives of one id: their series would be the same."""
    first: dict[str, Slo] = {}
    for file, slo in slos:
        before = first.setdefault(slo.id, slo)
        if before is not slo and UNNAMED not in (slo.service, slo.name):
            text = f'"{slo.id}" is the id of the objective in {before.origin} too, wanted another service or name'
            yield Problem(file, slo.origin.removeprefix(f"{file}: "), text)
