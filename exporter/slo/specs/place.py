"""Documents -> values: a value with its place in a file, so that what is wrong with it is told there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from exporter.clients import promql
from exporter.errors import Problem
from exporter.slo.specs.documents import below


class Place:
    """A value in a document, and where it is; what is wrong with it goes to `problems`."""

    __slots__ = ("file", "path", "problems", "raw")

    def __init__(self, raw: Any, file: str, path: str, problems: list[Problem]) -> None:
        self.raw = raw
        self.file = file
        self.path = path
        self.problems = problems

    def wrong(self, key: str, text: str) -> None:
        """Something is wrong with a key below, or with the value itself where the key is empty."""
        self.problems.append(Problem(self.file, below(self.path, key) if key else self.path, text))

    def has(self, key: str) -> bool:
        """Whether the key stands there, even with nothing."""
        return isinstance(self.raw, dict) and key in self.raw

    def get(self, key: str) -> Any:
        return self.raw.get(key) if isinstance(self.raw, dict) else None

    def known(self, keys: Sequence[str]) -> None:
        """Tells each key that is none of these."""
        for key in self.raw if isinstance(self.raw, dict) else ():
            if key not in keys:
                # Imported when something is wrong: the configuration's modules take as long as all specs.
                from exporter.config.conversion import unknown

                self.wrong(str(key), unknown(key, tuple(keys)))

    def place(self, key: str) -> Place:
        """What stands at a key, whatever it is."""
        return Place(self.get(key), self.file, below(self.path, key), self.problems)

    def mapping(self, key: str) -> Place:
        """A mapping; an empty one where there is none."""
        found = self.place(key)
        if found.raw is not None and not isinstance(found.raw, dict):
            found.wanted("a mapping")
        if not isinstance(found.raw, dict):
            found.raw = {}
        return found

    def items(self, key: str) -> list[Place]:
        """The entries of a list; none where there is none."""
        found = self.place(key)
        if found.raw is not None and not isinstance(found.raw, list):
            found.wanted("a list")
        raw = found.raw if isinstance(found.raw, list) else []
        return [Place(each, self.file, below(found.path, n), self.problems) for n, each in enumerate(raw)]

    def text(self, key: str, required: bool = True) -> str:
        """A string that is not empty; a number or a truth value as it is written in YAML."""
        raw = self.get(key)
        text = as_text(raw)
        if text is not None and text.strip():
            return text
        if raw is None and not self.has(key):
            if required:
                self.wrong(key, "missing, wanted a string")
        elif required or raw is not None:
            self.place(key).wanted("a string")
        return ""

    def texts(self, key: str) -> dict[str, str]:
        """A mapping of words to strings, such as labels."""
        found = self.mapping(key)
        texts = {name: as_text(value) for name, value in found.raw.items()}
        for name, text in texts.items():
            if text is None:
                Place(found.raw[name], self.file, below(found.path, name), self.problems).wanted("a string")
        return {name: text for name, text in texts.items() if text is not None}

    def number(self, key: str) -> Decimal | None:
        """A number as it is written, or None after a problem."""
        raw = self.get(key)
        if isinstance(raw, int | float) and not isinstance(raw, bool) and math.isfinite(raw):
            return Decimal(repr(raw))
        self.place(key).wanted("a number", missing=not self.has(key))
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
            self.place(key).wanted("true or false")
        return raw is True

    def seconds(self, key: str) -> int | None:
        """A Prometheus duration of whole seconds, or None after a problem."""
        found = duration(self.get(key))
        if found is None:
            from exporter.config.conversion import meant

            wanted = f"a duration such as 5m, 6h or 3d{meant(self.get(key))}"
            self.place(key).wanted(wanted, missing=not self.has(key))
        return found

    def wanted(self, what: str, missing: bool = False) -> None:
        """Tells what the value is, and what it should be."""
        from exporter.config.conversion import shown

        self.wrong("", f"missing, wanted {what}" if missing else f"found {shown(self.raw)}, wanted {what}")


def as_text(raw: Any) -> str | None:
    """A scalar as YAML writes it; None for anything else."""
    if isinstance(raw, bool):
        return f"{raw}".lower()
    if isinstance(raw, int | float):
        return repr(raw)
    return raw if isinstance(raw, str) else None


def duration(raw: Any) -> int | None:
    """Seconds of a Prometheus duration, which must be whole; None for anything else."""
    if not isinstance(raw, str):
        return None
    try:
        seconds = promql.seconds(raw)
    except ValueError:
        return None
    return int(seconds) if seconds == int(seconds) and seconds > 0 else None
