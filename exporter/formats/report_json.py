"""JSON -> records, checked: what was written elsewhere, perhaps by hand, must not be believed blindly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, TypeVar

import msgspec

from exporter.errors import SourceError
from exporter.formats.validation import faults
from exporter.model.loadrun import LoadRun
from exporter.model.observation import Observation

Role = Literal["production", "pte"]

T = TypeVar("T")


def decode(content: bytes, role: Role) -> Observation:
    """The observation of `role` in a JSON report, or the one observation that the JSON is.

    Raises SourceError (not_json, bad_data) that says in one line what is wrong and where.
    """
    return _checked(_pick(_json(content), role), Observation)


def recorded(content: bytes) -> tuple[str, ...] | None:
    """The roles that a JSON report has observations of; None for other JSON. Raises SourceError not_json."""
    raw = _json(content)
    if not isinstance(raw, dict) or not isinstance(raw.get("observations"), dict):
        return None
    return tuple(role for role, seen in raw["observations"].items() if isinstance(seen, dict))


def decode_run(content: bytes) -> LoadRun:
    """A saved load run; raises SourceError as `decode` does."""
    raw = _json(content)
    if not isinstance(raw, dict) or not isinstance(raw.get("result"), dict):
        raise SourceError("bad_data", "has no key `result`, wanted a saved run")
    return _checked(raw["result"], LoadRun)


def _json(content: bytes) -> Any:
    try:
        return msgspec.json.decode(content)
    except msgspec.ValidationError as error:
        raise SourceError("bad_data", str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SourceError("not_json", str(error)) from None


def _checked(raw: Any, type: type[T]) -> T:
    try:
        value = msgspec.convert(raw, type)
        found = [*_unknown(raw, msgspec.to_builtins(value), "$"), *faults(value)]
    except msgspec.ValidationError as error:
        raise SourceError("bad_data", str(error)) from None
    except RecursionError as error:
        raise SourceError("not_json", str(error)) from None
    if found:
        raise SourceError("bad_data", found[0])
    return value


def _pick(raw: Any, role: Role) -> Any:
    if not isinstance(raw, dict) or "observations" not in raw:
        return raw
    recorded = raw["observations"]
    if not isinstance(recorded, dict) or not isinstance(recorded.get(role), dict):
        raise SourceError("bad_data", f"has no observation of {role} - at `$.observations`")
    return recorded[role]


def _unknown(raw: Any, known: Any, path: str) -> Iterator[str]:
    """Keys that the records do not have; `known` is the same data after it went through them, which drops such keys."""
    if isinstance(raw, dict):
        for key, value in raw.items():
            if key in known:
                yield from _unknown(value, known[key], f"{path}.{key}")
            else:
                yield f"unknown field `{key}` - at `{path}`"
    elif isinstance(raw, list):
        for position, value in enumerate(raw):
            yield from _unknown(value, known[position], f"{path}[{position}]")
