"""Documents -> values: a value with its place in a file, so that what is wrong with it is told there."""

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
    """A value in a document, and where it is; what is wrong with it goes to `problems`."""

    __slots__ = ("file", "path", "problems", "raw")

    def __init__(self, raw: Any, file: str, path: str, problems: list[Problem]) -> None:
        self.raw = raw
        self.file = file
        self.path = path
        self.problems = problems

    def wrong(self, key: str, text: str) -> None:
        """Something is wrong with a key below, or with the value itself where the key is empty."""
        path = below(self.path, key) if key else self.path
        self.problems.append(Problem(self.file, path, text))

    def expected(self, what: str, missing: bool = False) -> None:
        """Tells what the value is, and what it should be."""
        found = "missing" if missing else f"found {describe_value(self.raw)}"
        self.wrong("", f"{found}, wanted {what}")

    def check_keys(self, known: Sequence[str]) -> None:
        """Tells each key that is none of these."""
        if not isinstance(self.raw, dict):
            return
        for key in self.raw:
            if key not in known:
                self.wrong(str(key), unknown(key, tuple(known)))

    def has(self, key: str) -> bool:
        """Whether the key stands there, even with nothing."""
        return isinstance(self.raw, dict) and key in self.raw

    def get(self, key: str) -> Any:
        if isinstance(self.raw, dict):
            return self.raw.get(key)
        return None

    def child(self, key: str) -> Node:
        """What stands at a key, whatever it is."""
        return self.below(key, self.get(key))

    def below(self, key: object, raw: Any) -> Node:
        """A value that stands at a key or list position."""
        return Node(raw, self.file, below(self.path, key), self.problems)

    def mapping(self, key: str) -> Node:
        """A mapping; an empty one where there is none."""
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
        """A string that is not empty; a number or a truth value as it is written in YAML."""
        raw = self.get(key)
        text = as_text(raw)
        if text is not None and text.strip():
            return text

        if not self.has(key):
            if required:
                self.wrong(key, "missing, wanted a string")
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
        """A percentage that is no ratio, or None after a problem."""
        number = self.number(key)
        if number is None or not 0 < number < 1:
            return number

        self.wrong(key, f"found {number:f}, wanted percent; did you mean {(number * 100).normalize():f}?")
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
            expected = f"a duration such as 5m, 6h or 3d{suggest_duration(raw)}"
            self.child(key).expected(expected, missing=not self.has(key))
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
