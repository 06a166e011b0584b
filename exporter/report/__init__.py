"""OUT for people: one file per format, `render(snapshot, colour=False) -> bytes`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from exporter.model.results import Snapshot
from exporter.report import console, json


class Render(Protocol):
    """Renders a whole report; `colour` is for terminals, and formats without colours ignore it."""

    def __call__(self, snapshot: Snapshot, *, colour: bool = False) -> bytes: ...


FORMATS: Mapping[str, Render] = {"console": console.render, "json": json.render}
"""The values of `report --format`."""
