"""A round: both sides observed, analysed, and no side worse off for the other's failure."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from exporter.errors import SourceError
from exporter.pipeline import Pipeline, round_once
from exporter.report import FORMATS
from exporter.sources import read

AT = 1_760_000_000.0
DEMO = """
environments:
  - {role: production, source: {kind: demo}}
  - {role: pte, name: staging, max_age: 2h, source: {kind: demo}}
"""
RECORDED = """
environments:
  - {role: production, source: {kind: recorded, file: round.json}}
  - {role: pte, source: {kind: recorded, file: round.json}}
"""


def _pipeline(directory: Path, text: str) -> Pipeline:
    file = directory / "exporter.yml"
    file.write_text(text)
    return Pipeline(read(file))


@pytest.mark.parametrize("order", [("production", "staging"), ("staging", "production")])
def test_a_round_knows_production_before_the_run(order: tuple[str, str], tmp_path: Path) -> None:
    """Growth has evidence after one poll of each side, whichever came first."""
    pipeline = _pipeline(tmp_path, DEMO)
    for name in order:
        pipeline.poll(name, AT)
    result = pipeline.snapshot(AT).applications["shop"]
    assert result.growth.peak_ratio is not None
    assert result.growth.mix_moved is not None
    assert result.certification.holds is True


def test_the_sides_carry_their_configured_names(tmp_path: Path) -> None:
    """The label `side` is the environment's name, not its role."""
    assert _pipeline(tmp_path, DEMO).sides == {"production": "production", "pte": "staging"}


def test_a_side_older_than_its_max_age_is_left_out(tmp_path: Path) -> None:
    """Old data is withdrawn by the side that grew old; the other stays."""
    pipeline = _pipeline(tmp_path, DEMO)
    pipeline.poll("staging", AT)
    pipeline.poll("production", AT + 7000)
    assert pipeline.snapshot(AT + 7200).pte is not None
    late = pipeline.snapshot(AT + 7201)
    assert late.pte is None
    assert late.production is not None
    assert late.applications["shop"].certification.holds is None


def test_a_recorded_round_gives_the_results_that_were_recorded(tmp_path: Path) -> None:
    """What `report --format json` writes can be read back, and analysing it again gives every result as it was."""
    live = _pipeline(tmp_path, DEMO)
    for name in ("production", "staging"):
        live.poll(name, AT)
    first = live.snapshot(AT)
    (tmp_path / "round.json").write_bytes(FORMATS["json"](first))
    (tmp_path / "recorded.yml").write_text(RECORDED)
    again = round_once(read(tmp_path / "recorded.yml"), AT)
    assert again.applications.keys() == first.applications.keys()
    for name, result in first.applications.items():
        other = again.applications[name]
        assert replace(other, production=None, pte=None) == replace(result, production=None, pte=None)


def test_production_that_fails_in_the_past_costs_only_growth(tmp_path: Path) -> None:
    """The PTE's poll succeeds with a warning when production's past cannot be read."""
    live = _pipeline(tmp_path, DEMO)
    for name in ("production", "staging"):
        live.poll(name, AT)
    (tmp_path / "round.json").write_bytes(FORMATS["json"](live.snapshot(AT)))
    (tmp_path / "gone.json").write_bytes((tmp_path / "round.json").read_bytes())
    mixed = _pipeline(tmp_path, RECORDED.replace("round.json", "gone.json", 1))
    mixed.poll("production", AT)
    (tmp_path / "gone.json").unlink()
    observation = mixed.poll("pte", AT)
    assert any("gone.json" in warning for warning in observation.warnings)
    assert mixed.snapshot(AT).pte is not None
    with pytest.raises(SourceError, match=r"gone\.json"):
        mixed.poll("production", AT)
    assert mixed.poll("pte", AT).warnings == (), "production does not respond, so its past is not queried"


def test_what_was_seen_outlives_a_reload(tmp_path: Path) -> None:
    """A new pipeline continues with the sides that have an unchanged configuration, and forgets the others."""
    old = _pipeline(tmp_path, DEMO)
    for name in ("production", "staging"):
        old.poll(name, AT)
    new = _pipeline(tmp_path, DEMO.replace("max_age: 2h", "max_age: 3h"))
    new.take_over(old)
    snapshot = new.snapshot(AT)
    assert snapshot.production is not None
    assert snapshot.pte is None


def test_a_configured_run_says_that_it_was(tmp_path: Path) -> None:
    """The origin of a run says whether its window was configured or detected."""
    pipeline = _pipeline(tmp_path, DEMO)
    window = pipeline.poll("staging", AT).applications["shop"].window
    moments = [datetime.fromtimestamp(at, UTC).isoformat() for at in (window.start, window.end)]
    runs = f"runs: [{{application: shop, start: {moments[0]}, end: {moments[1]}}}]"
    configured = _pipeline(tmp_path, DEMO.replace("max_age: 2h", runs)).poll("staging", AT)
    origins = {
        name: observation.run.origin
        for name, observation in configured.applications.items()
        if observation.run is not None
    }
    assert origins["shop"] == "explicit"
    assert origins["checkout"] == "detected"


def test_only_what_was_seen_anew_is_analysed_anew(tmp_path: Path) -> None:
    """A poll of the PTE keeps production's patterns as they are, and results are as without anything kept."""
    pipeline = _pipeline(tmp_path, DEMO)
    for name in ("production", "staging"):
        pipeline.poll(name, AT)
    first = pipeline.snapshot(AT)
    pipeline.poll("staging", AT)
    second = pipeline.snapshot(AT)
    assert second == first
    pipeline.poll("production", AT)
    third = pipeline.snapshot(AT)
    assert third == first
    for name, result in first.applications.items():
        assert second.applications[name].pattern is result.pattern
        assert result.pattern is None or third.applications[name].pattern is not result.pattern
