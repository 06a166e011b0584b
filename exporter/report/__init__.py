"""OUT for people: one file per format, `render(snapshot, colour=False) -> bytes`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from exporter.model.results import Snapshot
from exporter.report import console, json


class Render(Protocol):
    """Makes a whole report; `colour` is for terminals and means nothing to formats that have none."""

    def __call__(self, snapshot: Snapshot, *, colour: bool = False) -> bytes: ...


FORMATS: Mapping[str, Render] = {"console": console.render, "json": json.render}
"""What `report --format` takes."""
