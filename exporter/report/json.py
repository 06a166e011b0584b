"""The report for programs; the `recorded` source reads its observations back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec

from exporter import __version__
from exporter.model.results import ApplicationResult, Snapshot

_OBSERVED = ("production", "pte")
"""Fields of a result that are already under `observations`."""


def render(snapshot: Snapshot, *, colour: bool = False) -> bytes:
    """The snapshot as JSON in base units: observations by role, results by application, and the settings used.

    On one line: histograms and patterns with a line for each number would be four times as long.
    """
    results = {name: _result(result) for name, result in snapshot.applications.items()}
    # Reports of single tests are many, and the results made of them are enough.
    executions = {name: replace(executed, reports=()) for name, executed in snapshot.executions.items()}

    document = {
        "version": __version__,
        "at": datetime.fromtimestamp(snapshot.at, UTC).isoformat(),
        "sides": snapshot.sides,
        "observations": {"production": snapshot.production, "pte": snapshot.pte},
        "applications": results,
        "test_executions": executions,
        "settings": snapshot.settings,
    }
    return msgspec.json.encode(document, enc_hook=float) + b"\n"


def _result(result: ApplicationResult) -> dict[str, Any]:
    fields = msgspec.to_builtins(result)
    if result.load_run is not None:
        fields["load_run"]["run"] = result.load_run.run.run
    return {name: value for name, value in fields.items() if name not in _OBSERVED}
