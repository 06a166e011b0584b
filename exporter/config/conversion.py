"""Untyped YAML values -> msgspec records, reporting every problem instead of the first.

msgspec stops at the first problem and names types in Python's words; a person who fixes a file needs all problems, in
the words of the file. So this module walks the records field by field; msgspec keeps their definitions and constraints.

All configuration problems have one form, `path: problem, expected value`:

    missing, expected a string
    expected a string, got a list
    expected one of: left, right, got "up"
    must be above 0, got -1
    must be between 0 and 1, got 5
    unknown key "wrod", did you mean "word"? expected one of: number, word
    duplicate key (lines 3 and 9)

A value that may be a secret is named by its type alone.
"""

from __future__ import annotations

import contextlib
import difflib
import re
import sys
import types
import typing
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, Union, cast

import msgspec

from exporter import decoding
from exporter.errors import Problem
from exporter.model.settings import Duration

T = TypeVar("T")

_UNITS = {"y": 365 * 86400.0, "w": 7 * 86400.0, "d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_DURATION = re.compile("".join(rf"(?:(\d+){unit})?" for unit in _UNITS))
_SUGGESTION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?) *([A-Za-z]*)")
_SUGGESTION_UNITS = {
    "M": 30 * 86400,
    "month": 30 * 86400,
    "week": 604800,
    "w": 604800,
    "day": 86400,
    "d": 86400,
    "hour": 3600,
    "hr": 3600,
    "h": 3600,
    "minute": 60,
    "min": 60,
    "m": 60,
    "second": 1,
    "sec": 1,
    "s": 1,
    "ms": 0.001,
}
"""Seconds of the units that people write."""
_LONGEST_TEXT = 40
"""Characters of a value that a message repeats."""
_OPEN = "slos["
"""Below it nothing is a secret, so messages repeat the value."""
_WORDS: dict[Any, str] = {
    str: "a string",
    bool: "true or false",
    int: "a whole number",
    float: "a finite number",
    Duration: "a duration such as 90s, 5m, 1h30m or 7d",
    Path: "a file name",
    datetime: "a time with its zone such as 2026-11-20T10:00:00Z",
}
"""Types in the words of someone who writes YAML."""
_KINDS: tuple[tuple[Any, str], ...] = (
    (str, "a string"),
    (int | float, "a number"),
    (Mapping, "a mapping"),
    (Sequence, "a list"),
    (datetime, "a time"),
)
"""Names of value types; a string, which is a sequence too, comes before a list."""
_SIZES = ((86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1000, "s"), (1, "ms"))
_WRONG = object()


def convert(raw: object, type: type[T], file: str, path: str, problems: list[Problem]) -> T | None:
    """`raw` as a `type`, or None after at least one problem was added to `problems`.

    Knows msgspec Structs (a ValueError from __post_init__ is a problem too), str, bool, int, float, Duration, aware
    datetime, Path (relative to the directory of `file`), Literal, `X | None`, Annotated with msgspec's Meta, and lists,
    tuples, dicts and mappings of these. `Any` and `object` are taken unchanged.
    """
    before = len(problems)
    value = _Walk(file, problems).value(raw, type, path)
    if len(problems) > before or value is _WRONG:
        return None
    return cast("T", value)


def duration(text: str) -> Duration | None:
    """Seconds of a Prometheus duration such as 90s, 5m, 1h30m or 7d; None when the text is not a duration."""
    if text == "0":
        return Duration(0)
    match = _DURATION.fullmatch(text)
    if not text or match is None:
        return None

    counts = zip(match.groups(), _UNITS.values(), strict=True)
    return Duration(sum(float(count) * unit for count, unit in counts if count))


def child(path: str, key: object) -> str:
    """The path of a key or list position below `path`."""
    if isinstance(key, int) and not isinstance(key, bool):
        return f"{path}[{key}]"
    if path:
        return f"{path}.{key}"
    return f"{key}"


def unknown(key: object, names: Sequence[str], what: str = "key") -> str:
    """The text for an unknown key: the nearest name, and all names that exist."""
    near = difflib.get_close_matches(str(key), names, n=1)
    hint = f' did you mean "{near[0]}"?' if near else ""
    return f'unknown {what} "{key}",{hint} expected one of: {", ".join(names)}'


def _kind_name(raw: object) -> str:
    """The type of a raw value, in YAML's words, without its text or number: each may be a secret in the wrong place."""
    if raw is None:
        return "nothing"
    if isinstance(raw, bool):
        return f"{raw}".lower()

    for kind, word in _KINDS:
        if isinstance(raw, kind):
            return word
    return f"a {raw.__class__.__name__}"


def describe_value(raw: object) -> str:
    """A raw value with its text: for files that cannot hold a secret, such as specs."""
    if isinstance(raw, str) and raw.strip():
        text = " ".join(raw.split())
        if len(text) <= _LONGEST_TEXT:
            return f'"{text}"'
        return f'"{text[:_LONGEST_TEXT]}…"'
    if isinstance(raw, int | float) and not isinstance(raw, bool):
        return repr(raw)
    if raw == "":
        return "nothing"
    return _kind_name(raw)


def suggest_duration(raw: object) -> str:
    """A "did you mean" for a value that is nearly a duration, such as 30d for 1M; empty if that is not clear.

    A number without a unit may be anything, but below 1 it is seconds.
    """
    match = _SUGGESTION.fullmatch(str(raw).strip())
    if match is None:
        return ""
    number = float(match[1])
    unit = match[2]
    if len(unit) > 2:
        unit = unit.lower().removesuffix("s")

    is_clear = unit in _SUGGESTION_UNITS if unit else number < 1
    thousandths = round(number * _SUGGESTION_UNITS.get(unit, 1) * 1000)
    if not is_clear or not thousandths:
        return ""
    size, name = next((size, name) for size, name in _SIZES if thousandths % size == 0)
    return f"; did you mean {thousandths // size}{name}?"


@cache
def _fields(kind: type[msgspec.Struct]) -> Mapping[str, msgspec.structs.FieldInfo]:
    """By the name in the file. Resolving their types takes most of a conversion's time."""
    return {field.encode_name: field for field in msgspec.structs.fields(kind)}


class _Walk:
    """One conversion: the file that it reads and the problems so far."""

    def __init__(self, file: str, problems: list[Problem]) -> None:
        self.file = file
        self.problems = problems

    def wrong(self, path: str, text: str) -> object:
        self.problems.append(Problem(self.file, path, text))
        return _WRONG

    def expected(self, path: str, raw: object, expected: str, hint: str = "") -> object:
        value = describe_value(raw) if path.startswith(_OPEN) else _kind_name(raw)
        return self.wrong(path, f"expected {expected}, got {value}{hint}")

    def value(self, raw: object, kind: Any, path: str) -> object:
        if kind is Any or kind is object:
            return raw
        origin = typing.get_origin(kind)
        if origin is not None:
            return self.composed(raw, kind, origin, path)
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            return self.struct(raw, kind, path)
        return self.scalar(raw, kind, path)

    def composed(self, raw: object, kind: Any, origin: Any, path: str) -> object:
        """A type that is made of others: `origin[...]`."""
        arguments = typing.get_args(kind)
        if origin is Annotated:
            return self.constrained(raw, kind, path)
        if origin is Literal:
            return self.literal(raw, arguments, path)
        if origin in (Union, types.UnionType):
            return self.union(raw, arguments, path)
        if issubclass(origin, Mapping):
            return self.mapping(raw, arguments, path)
        return self.sequence(raw, origin, arguments[0], path)

    def struct(self, raw: object, kind: type[msgspec.Struct], path: str) -> object:
        if not isinstance(raw, Mapping):
            return self.expected(path, raw, "a mapping")
        before = len(self.problems)
        fields = _fields(kind)
        for key in raw:
            if key not in fields:
                self.wrong(child(path, key), unknown(key, tuple(fields)))

        values = dict[str, object]()
        for name, field in fields.items():
            if name in raw:
                values[field.name] = self.value(raw[name], field.type, child(path, name))
            elif field.required:
                self.wrong(child(path, name), f"missing, expected {_describe(field.type)}")
        if len(self.problems) > before:
            return _WRONG
        try:
            return kind(**values)
        except ValueError as error:
            return self.wrong(path, str(error))

    def mapping(self, raw: object, arguments: tuple[Any, ...], path: str) -> object:
        if not isinstance(raw, Mapping):
            return self.expected(path, raw, "a mapping")
        for key in raw:
            if not isinstance(key, str):
                self.wrong(child(path, key), f"expected a string as the key, got {_kind_name(key)}: put it in quotes")
        return {key: self.value(value, arguments[1], child(path, key)) for key, value in raw.items()}

    def sequence(self, raw: object, origin: type, kind: Any, path: str) -> object:
        if not isinstance(raw, Sequence) or isinstance(raw, str | bytes):
            return self.expected(path, raw, "a list")
        values = [self.value(value, kind, child(path, position)) for position, value in enumerate(raw)]
        if origin is list:
            return values
        return tuple(values)

    def union(self, raw: object, kinds: tuple[Any, ...], path: str) -> object:
        if raw is None and types.NoneType in kinds:
            return None
        kinds = tuple(kind for kind in kinds if kind is not types.NoneType)
        if len(kinds) == 1:
            return self.value(raw, kinds[0], path)

        # The first type that fits decides; the problems of the others do not count.
        for kind in kinds:
            trial = _Walk(self.file, [])
            value = trial.value(raw, kind, path)
            if not trial.problems:
                return value
        return self.expected(path, raw, " or ".join(_describe(kind) for kind in kinds))

    def literal(self, raw: object, allowed: tuple[Any, ...], path: str) -> object:
        if any(raw == value and raw.__class__ is value.__class__ for value in allowed):
            return raw
        value = f'"{raw}"' if isinstance(raw, str) else _kind_name(raw)
        return self.wrong(path, f"expected one of: {', '.join(map(str, allowed))}, got {value}")

    def constrained(self, raw: object, kind: Any, path: str) -> object:
        value = self.value(raw, typing.get_args(kind)[0], path)
        if value is _WRONG:
            return value

        try:
            decoding.convert(value, kind)
        except msgspec.ValidationError as error:
            text = str(error)
            return self.wrong(path, text[0].lower() + text[1:])
        return value

    def scalar(self, raw: object, kind: Any, path: str) -> object:
        if kind is Duration:
            return self.duration(raw, path)
        if kind is Path:
            return self.path(raw, path)
        if kind is datetime:
            return self.time(raw, path)
        if kind is float:
            return self.number(raw, path)

        # To Python true is a whole number too; a person who writes true for a number does not mean 1.
        is_instance = isinstance(kind, type) and isinstance(raw, kind)
        if is_instance and (kind is bool or not isinstance(raw, bool)):
            return raw
        return self.expected(path, raw, _describe(kind))

    def duration(self, raw: object, path: str) -> object:
        seconds = duration(raw) if isinstance(raw, str) else None
        if seconds is not None:
            return seconds
        hint = suggest_duration(raw) if path.startswith(_OPEN) else ""
        return self.expected(path, raw, _describe(Duration), hint)

    def path(self, raw: object, path: str) -> object:
        if isinstance(raw, str) and raw:
            return Path(self.file).parent / raw
        return self.expected(path, raw, _describe(Path))

    def number(self, raw: object, path: str) -> object:
        if isinstance(raw, bool) or not isinstance(raw, int | float) or not abs(raw) <= sys.float_info.max:
            return self.expected(path, raw, _describe(float))
        return float(raw)

    def time(self, raw: object, path: str) -> object:
        time = raw
        if isinstance(raw, str):
            with contextlib.suppress(ValueError):
                time = datetime.fromisoformat(raw)
        if isinstance(time, datetime) and time.tzinfo is not None:
            return time
        return self.expected(path, time, _describe(datetime))


def _describe(kind: Any) -> str:
    """A type in the words of someone who writes YAML."""
    origin = typing.get_origin(kind)
    arguments = typing.get_args(kind)
    if origin is None:
        return _WORDS.get(kind, "a mapping")
    if origin is Annotated:
        return _describe(arguments[0])
    if origin is Literal:
        return "one of: " + ", ".join(map(str, arguments))
    if origin in (Union, types.UnionType):
        return " or ".join(_describe(argument) for argument in arguments if argument is not types.NoneType)
    if issubclass(origin, Mapping):
        return "a mapping"
    return "a list"
