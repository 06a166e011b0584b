"""Generated files on disk: write and compare them, and find other files of SLOs. All raise OSError."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

_GROUP = b"\n  - name: "
_ID_PREFIX = "slo-"
"""The prefix of the name of an SLO's rule group."""


def write(files: Mapping[str, bytes], directory: Path) -> None:
    """Write every file below the directory."""
    for name, content in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def differing(files: Mapping[str, bytes], directory: Path) -> list[str]:
    """The files below the directory that are missing or have other content."""
    return [name for name, content in files.items() if not _has_content(directory / name, content)]


def _has_content(path: Path, content: bytes) -> bool:
    return path.is_file() and path.read_bytes() == content


def left_over(files: Mapping[str, bytes], directory: Path) -> list[str]:
    """The generated rules files below the directory whose SLOs do not exist any more."""
    return [name for name, _ in _rules_of_slos(directory) if name not in files]


def removed_ids(files: Mapping[str, bytes], directory: Path) -> Mapping[str, list[str]]:
    """The ids that writing these files removes from the directory's generated rules files, by file."""
    remaining = set(slo_ids(files))
    removed: dict[str, list[str]] = {}
    for name, content in _rules_of_slos(directory):
        if name not in files:
            continue
        ids = [id for id in _ids(content) if id not in remaining]
        if ids:
            removed[name] = ids

    return removed


def slo_ids(files: Mapping[str, bytes]) -> list[str]:
    """The ids of the SLOs in rules files."""
    ids: list[str] = []
    for content in files.values():
        ids += _ids(content)
    return ids


def _rules_of_slos(directory: Path) -> Iterator[tuple[str, bytes]]:
    """The generated rules files of SLOs below the directory, not those written by hand."""
    from exporter.slo.rules.render import HEADER

    first_line = HEADER.split("\n", 1)[0].encode()
    for path in sorted((directory / "rules").glob(f"{_ID_PREFIX}*.rules.yml")):
        content = path.read_bytes()
        if content.startswith(first_line):
            yield f"rules/{path.name}", content


def _ids(content: bytes) -> list[str]:
    """Read from the text, because YAML would take longer than everything else."""
    _, *groups = content.split(_GROUP)
    names = [group.partition(b"\n")[0].strip(b'"').decode() for group in groups]
    return [name.removeprefix(_ID_PREFIX) for name in names if name.startswith(_ID_PREFIX)]
