"""The report for programs reads back."""

from __future__ import annotations

import msgspec
import pytest

from exporter.formats.report_json import Role, load_observation
from exporter.model.observation import Observation
from exporter.model.results import Certification, Gap, Snapshot
from exporter.model.settings import AnalysisSettings
from exporter.report import json


@pytest.mark.parametrize("role", ["production", "pte"])
def test_observations_read_back(snapshot: Snapshot, role: Role) -> None:
    """What was observed is in it in full, as the recorded source takes it."""
    observed: Observation | None = getattr(snapshot, role)
    assert load_observation(json.render(snapshot), role) == observed


def test_results_and_settings_read_back(snapshot: Snapshot) -> None:
    """Verdicts, gaps and the settings they were judged by are those of the snapshot."""
    outcome = msgspec.json.decode(json.render(snapshot))
    assert outcome["at"] == "2026-11-20T12:00:00+00:00"
    assert outcome["sides"] == snapshot.sides
    assert (
        msgspec.convert(outcome["settings"], AnalysisSettings, dec_hook=lambda kind, value: kind(value))
        == snapshot.settings
    )
    assert outcome["applications"].keys() == snapshot.applications.keys()
    for name, result in snapshot.applications.items():
        raw = outcome["applications"][name]
        assert msgspec.convert(raw["certification"], Certification) == result.certification
        assert msgspec.convert(raw["gaps"], tuple[Gap, ...]) == result.gaps


def test_colour_means_nothing(snapshot: Snapshot) -> None:
    """JSON has no colours."""
    assert json.render(snapshot, colour=True) == json.render(snapshot)
