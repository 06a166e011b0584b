"""Recording rules for each side that make polls cheaper; the sources define them (sources/*/recordings)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from exporter.model.rule import Record
from exporter.rules.render import READABLE
from exporter.slo.rules import render

FILE = "observed"


def groups(recordings: Mapping[str, Sequence[Record]]) -> list[str]:
    """A group for each side with recording rules."""
    return [render.group(f"pte-observed-{side}", records, READABLE) for side, records in recordings.items() if records]
