"""A finding that is made of several parts. Nothing in here is about AppDynamics."""

from __future__ import annotations

from exporter.checkup import ok, warning
from exporter.model.checkup import Cause, Finding


class Draft:
    """What a step has found so far, part by part; it is a warning as soon as anything has a cause."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._causes: list[Cause] = []

    def note(self, found: str, *causes: Cause) -> None:
        """A part, and why it may be so where it is not as it should be."""
        self._parts.append(found)
        self._causes += causes

    def warn(self, *causes: Cause) -> None:
        """Causes of what was noted already."""
        self._causes += causes

    def finding(self) -> Finding:
        text = "; ".join(self._parts)
        if self._causes:
            return warning(text, *self._causes)
        return ok(text)
