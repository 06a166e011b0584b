"""Documents -> values: a value with its location in a file, where its problems are reported."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from exporter.clients import promql
from exporter.config.conversion import describe_value, suggest_duration, unknown
from exporter.errors import Problem
from exporter.slo.specs.documents import below


class Node:
    """A value in a document and its location; `problems` collects what is invalid."""

    __slots__ = ("file", "path", "problems", "raw")

    def __init__(self, raw: Any, file: str, path: str, problems: list[Problem]) -> None:
        self.raw = raw
        self.file = file
        self.path = path
        self.problems = problems

    def wrong(self, key: str, text: str) -> None:
        """Report a problem of a key below, or of the value itself where the key is empty."""
        path = below(self.path, key) if key else self.path
        self.problems.append(Problem(self.file, path, text))

    def expected(self, what: str, *, missing: bool = False, hint: str = "") -> None:
        """Report the value as invalid or missing, and the expected value."""
        if missing:
            self.wrong("", f"missing, expected {what}")
        else:
            self.wrong("", f"expected {what}, got {describe_value(self.raw)}{hint}")

    def check_keys(self, names: Sequence[str]) -> None:
        """Report each key that is not one of these."""
        if not isinstance(self.raw, dict):
            return
        for key in self.raw:
            if key not in names:
                self.wrong(str(key), unknown(key, tuple(names)))

    def has(self, key: str) -> bool:
        """Whether the key exists, even with an empty value."""
        return isinstance(self.raw, dict) and key in self.raw

    def get(self, key: str) -> Any:
        if isinstance(self.raw, dict):
            return self.raw.get(key)
        return None

    def child(self, key: str) -> Node:
        """The value at a key, of whatever type."""
        return self.below(key, self.get(key))

    def below(self, key: object, raw: Any) -> Node:
        """A value at a key or list position."""
        return Node(raw, self.file, below(self.path, key), self.problems)

    def mapping(self, key: str) -> Node:
        """A mapping; an empty mapping where there is none."""
        child = self.child(key)
        if isinstance(child.raw, dict):
            return child

        if child.raw is not None:
            child.expected("a mapping")
        child.raw = {}
        return child

    def items(self, key: str) -> list[Node]:
        """The entries of a list; none where there is none."""
        child = self.child(key)
        if isinstance(child.raw, list):
            return [child.below(position, raw) for position, raw in enumerate(child.raw)]

        if child.raw is not None:
            child.expected("a list")
        return []

    def text(self, key: str, required: bool = True) -> str:
        """A string that is not empty; a number or a boolean as it is written in YAML."""
        raw = self.get(key)
        text = as_text(raw)
        if text is not None and text.strip():
            return text

        if not self.has(key):
            if required:
                self.wrong(key, "missing, expected a string")
        elif required or raw is not None:
            self.child(key).expected("a string")
        return ""

    def texts(self, key: str) -> dict[str, str]:
        """A mapping of words to strings, such as labels."""
        mapping = self.mapping(key)
        texts = dict[str, str]()
        for name, raw in mapping.raw.items():
            text = as_text(raw)
            if text is None:
                mapping.below(name, raw).expected("a string")
            else:
                texts[name] = text

        return texts

    def number(self, key: str) -> Decimal | None:
        """A number as it is written, or None after a problem."""
        raw = self.get(key)
        if isinstance(raw, int | float) and not isinstance(raw, bool) and math.isfinite(raw):
            return Decimal(repr(raw))

        self.child(key).expected("a number", missing=not self.has(key))
        return None

    def percent(self, key: str) -> Decimal | None:
        """A percentage, not a ratio; None after a problem."""
        number = self.number(key)
        if number is None or not 0 < number < 1:
            return number

        self.wrong(key, f"expected percent, got the ratio {number:f}; did you mean {(number * 100).normalize():f}?")
        return None

    def flag(self, key: str) -> bool:
        """True or false; false where there is none."""
        raw = self.get(key)
        if raw is not None and not isinstance(raw, bool):
            self.child(key).expected("true or false")
        return raw is True

    def seconds(self, key: str) -> int | None:
        """A Prometheus duration of whole seconds, or None after a problem."""
        raw = self.get(key)
        seconds = duration(raw)
        if seconds is None:
            hint = suggest_duration(raw)
            self.child(key).expected("a duration such as 5m, 6h or 3d", missing=not self.has(key), hint=hint)
        return seconds


def as_text(raw: Any) -> str | None:
    """A scalar as YAML writes it; None for anything else."""
    if isinstance(raw, bool):
        return f"{raw}".lower()
    if isinstance(raw, int | float):
        return repr(raw)
    if isinstance(raw, str):
        return raw
    return None


def duration(raw: Any) -> int | None:
    """Seconds of a Prometheus duration, which must be whole; None for anything else."""
    if not isinstance(raw, str):
        return None

    try:
        seconds = promql.seconds(raw)
    except ValueError:
        return None
    is_whole = seconds > 0 and seconds.is_integer()
    if is_whole:
        return int(seconds)
    return None
