"""The files beside Locust's statistics: a history, which has times, and kinds of errors.

PREFIX_exceptions.csv is about the test's own code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from exporter.errors import SourceError
from exporter.formats import BOM, LARGEST_SUMMARY
from exporter.formats.locust import history
from exporter.formats.locust.history import History
from exporter.formats.tally.table import header, rows

STATISTICS = "_stats.csv"
"""How the name of the file ends that companions lie beside."""

_FAILURES = ("Method", "Name", "Error", "Occurrences")
_EXCEPTIONS = ("Count", "Message", "Traceback", "Nodes")
_KINDS = {history.COLUMNS[:4]: "history", _FAILURES: "failures", _EXCEPTIONS: "exceptions"}
"""First columns to what the file is."""

Key = tuple[str, str]
"""Type and name."""


def kind(head: bytes) -> str | None:
    """Which companion a file is that begins so; None where it is none."""
    columns = tuple(header(head))
    for first, name in _KINDS.items():
        if columns[: len(first)] == first:
            return name
    return None


def recognise(head: bytes) -> bool:
    return kind(head) is not None


@dataclass(slots=True)
class Companions:
    """The contents of the files beside the statistics."""

    history: History | None = None
    errors: Mapping[Key, Mapping[str, int]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def beside(path: Path) -> Companions:
    """Those of a file of statistics. An invalid companion is omitted, with a warning."""
    companions = Companions()
    if not path.name.endswith(STATISTICS):
        return companions

    prefix = path.name.removesuffix(STATISTICS)
    readers: Mapping[str, Callable[[bytes, Companions], None]] = {
        f"{prefix}_stats_history.csv": _history,
        f"{prefix}_failures.csv": _failures,
        f"{prefix}_exceptions.csv": _exceptions,
    }
    for name, reader in readers.items():
        try:
            reader(_content(path.with_name(name)), companions)
        except FileNotFoundError:
            continue
        except OSError as error:
            companions.warnings.append(f"{name}: cannot be read and was omitted: {error.strerror}")
        except SourceError as error:
            companions.warnings.append(f"{name}: was omitted: {error}")
    return companions


def _content(path: Path) -> bytes:
    with path.open("rb") as file:
        content = file.read(LARGEST_SUMMARY + 1)
    if len(content) > LARGEST_SUMMARY:
        raise SourceError("too_large", f"is larger than {LARGEST_SUMMARY} bytes")
    return content.removeprefix(BOM)


def _history(content: bytes, companions: Companions) -> None:
    companions.history = history.read(content, companions.warnings.append)
    if companions.history.timeline(companions.history.start) is None:
        companions.warnings.append("the history's rows lie too far apart for minutes")


def _failures(content: bytes, companions: Companions) -> None:
    errors: dict[Key, dict[str, int]] = {}
    for row in rows(content, _FAILURES):
        kinds = errors.setdefault((row.values["Method"], row.values["Name"]), {})
        error = row.values["Error"]
        kinds[error] = kinds.get(error, 0) + row.whole("Occurrences")
    companions.errors = errors


def _exceptions(content: bytes, companions: Companions) -> None:
    exceptions = [(row.whole("Count"), row.values["Message"]) for row in rows(content, _EXCEPTIONS)]
    if exceptions:
        count = sum(number for number, _ in exceptions)
        message = " ".join(max(exceptions)[1].split())[:200]
        companions.warnings.append(f"the test's own code failed {count} times, most often with: {message}")
