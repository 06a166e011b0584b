"""Generated files on disk: written, compared, and what else is there of SLOs. All raise OSError."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

_GROUP = b"\n  - name: "
_ID_PREFIX = "slo-"
"""What the name of an SLO's group of rules begins with."""


def write(files: Mapping[str, bytes], directory: Path) -> None:
    """Write every file below the directory."""
    for name, content in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def differing(files: Mapping[str, bytes], directory: Path) -> list[str]:
    """The files below the directory that are missing or hold something else."""
    return [name for name, content in files.items() if not _holds(directory / name, content)]


def _holds(path: Path, content: bytes) -> bool:
    return path.is_file() and path.read_bytes() == content


def left_over(files: Mapping[str, bytes], directory: Path) -> list[str]:
    """The generated rules files of SLOs below the directory that belong to none any more."""
    return [name for name, _ in _rules_of_slos(directory) if name not in files]


def lost_ids(files: Mapping[str, bytes], directory: Path) -> Mapping[str, list[str]]:
    """The ids that the directory's generated rules files hold and lose when these files are written, by file."""
    remaining = set(slo_ids(files))
    lost: dict[str, list[str]] = {}
    for name, content in _rules_of_slos(directory):
        if name not in files:
            continue
        ids = [id for id in _ids(content) if id not in remaining]
        if ids:
            lost[name] = ids

    return lost


def slo_ids(files: Mapping[str, bytes]) -> list[str]:
    """The ids of the SLOs that rules files hold."""
    ids: list[str] = []
    for content in files.values():
        ids += _ids(content)
    return ids


def _rules_of_slos(directory: Path) -> Iterator[tuple[str, bytes]]:
    """The generated rules files of SLOs below the directory; what somebody wrote by hand is none."""
    from exporter.slo.rules.render import HEADER

    first_line = HEADER.split("\n", 1)[0].encode()
    for path in sorted((directory / "rules").glob(f"{_ID_PREFIX}*.rules.yml")):
        content = path.read_bytes()
        if content.startswith(first_line):
            yield f"rules/{path.name}", content


def _ids(content: bytes) -> list[str]:
    """Read from the text, as YAML would take longer than all the rest."""
    _, *groups = content.split(_GROUP)
    names = [group.partition(b"\n")[0].strip(b'"').decode() for group in groups]
    return [name.removeprefix(_ID_PREFIX) for name in names if name.startswith(_ID_PREFIX)]
