"""JSON -> records, checked: a file from elsewhere, perhaps written by hand, may be wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, TypeVar

import msgspec

from exporter import decoding
from exporter.errors import SourceError
from exporter.formats.validation import invalid_values
from exporter.model.loadrun import LoadRun
from exporter.model.observation import Observation

Role = Literal["production", "pte"]

T = TypeVar("T")


def load_observation(content: bytes, role: Role) -> Observation:
    """The observation of `role` in a JSON report, or the one observation that the JSON is.

    Raises SourceError (not_json, bad_data) that says in one line what is wrong and where.
    """
    return _record(_pick(_json(content), role), Observation)


def recorded_roles(content: bytes) -> tuple[str, ...] | None:
    """The roles that a JSON report has observations of; None for other JSON. Raises SourceError not_json."""
    raw = _json(content)
    if not isinstance(raw, dict) or not isinstance(raw.get("observations"), dict):
        return None
    return tuple(role for role, observation in raw["observations"].items() if isinstance(observation, dict))


def load_run(content: bytes) -> LoadRun:
    """A saved load run; raises SourceError as `load_observation` does."""
    raw = _json(content)
    if not isinstance(raw, dict) or not isinstance(raw.get("result"), dict):
        raise SourceError("bad_data", "has no key `result`, expected a saved run")
    return _record(raw["result"], LoadRun)


def _json(content: bytes) -> Any:
    try:
        return msgspec.json.decode(content)
    except msgspec.ValidationError as error:
        raise SourceError("bad_data", str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SourceError("not_json", str(error)) from None


def _record(raw: Any, type: type[T]) -> T:
    try:
        record = decoding.convert(raw, type)
        problems = [*_unknown(raw, msgspec.to_builtins(record), "$"), *invalid_values(record)]
    except msgspec.ValidationError as error:
        raise SourceError("bad_data", str(error)) from None
    except RecursionError as error:
        raise SourceError("not_json", str(error)) from None

    if problems:
        raise SourceError("bad_data", problems[0])
    return record


def _pick(raw: Any, role: Role) -> Any:
    if not isinstance(raw, dict) or "observations" not in raw:
        return raw

    observations = raw["observations"]
    if not isinstance(observations, dict) or not isinstance(observations.get(role), dict):
        raise SourceError("bad_data", f"has no observation of {role} - at `$.observations`")
    return observations[role]


def _unknown(raw: Any, record: Any, path: str) -> Iterator[str]:
    """Keys that records do not have; `record` is the same data after it went through them, which drops such keys."""
    if isinstance(raw, dict):
        for key, value in raw.items():
            if key in record:
                yield from _unknown(value, record[key], f"{path}.{key}")
            else:
                yield f"unknown field `{key}` - at `{path}`"

    elif isinstance(raw, list):
        for position, value in enumerate(raw):
            yield from _unknown(value, record[position], f"{path}[{position}]")
