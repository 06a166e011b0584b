"""What the doctor says of a recorded file: one golden transcript per failure."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from exporter.model.checkup import CheckVerdict
from exporter.model.observation import Observation, Window
from exporter.sources import demo
from tests.commands.doctor.making import examined, step
from tests.doctoring import assert_golden, transcript

DAY = 86400.0


def recent(ago: float = 3600.0) -> Observation:
    end = (time.time() - ago) // 60 * 60
    return demo.Source(demo.Options(), "production").observe(Window(end - DAY, end), Window(end - 7 * DAY, end))


def of(observation: Any) -> bytes:
    return msgspec.json.encode(observation)


def _without_pattern() -> bytes:
    observation = recent()
    applications = {
        name: dataclasses.replace(application, pattern=None) for name, application in observation.applications.items()
    }
    return of(dataclasses.replace(observation, applications=applications))


CASES: dict[str, tuple[Callable[[], bytes], str, CheckVerdict, str, str]] = {
    "not-json": (lambda: b"<html>log in</html>", "format", "failed", "cut off", "rename it"),
    "cut-off": (lambda: of(recent())[:5000], "format", "failed", "cut off", "rename it"),
    "other-json": (lambda: b'{"a": 1}', "complete", "failed", "another kind or version", "docs/reference/sources.md"),
    "no-side": (
        lambda: json.dumps({"observations": {"production": None, "pte": {}}}).encode(),
        "complete", "failed", "did not respond during the recording", "record it again",
    ),
    "no-application": (
        lambda: of(dataclasses.replace(recent(), applications={})),
        "complete", "failed", "had no data", "record it again",
    ),
    "no-pattern": (_without_pattern, "complete", "warning", "does not report them", "output of report"),
    "old": (lambda: of(recent(3 * DAY)), "fresh", "warning", "nothing rewrites the file", "timer"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_failure_has_its_cause_and_remedy(name: str, tmp_path: Path) -> None:
    """Each failure is the expected step, has its likeliest cause first, and reads as the golden file."""
    make, check, verdict, cause, remedy = CASES[name]
    file = tmp_path / "round.json"
    file.write_bytes(make())
    done = examined(tmp_path, "production", kind="recorded", file=file)
    result = step(done, check)
    assert result.verdict == verdict
    assert cause in result.causes[0].text
    assert remedy in result.causes[0].remedy
    assert done.well == (verdict == "warning")
    assert_golden(f"recorded-{name}", transcript(done, tmp_path))


def test_a_file_that_is_too_large_or_gone(tmp_path: Path) -> None:
    """The first step that needs the file reports it, and no later step is tried."""
    file = tmp_path / "round.json"
    file.write_bytes(of(recent()))
    done = examined(tmp_path, "production", kind="recorded", file=file, max_bytes=1000)
    assert step(done, "found").verdict == "failed"
    assert {step_result.verdict for step_result in done.steps[2:]} == {"skipped"}
    assert_golden("recorded-too-large", transcript(done, tmp_path))
    file.unlink()
    done = examined(tmp_path, "production", kind="recorded", file=file)
    assert [step_result.verdict for step_result in done.steps] == ["failed", "skipped"]
    assert_golden("recorded-gone", transcript(done, tmp_path))


def test_all_is_well(tmp_path: Path) -> None:
    """A whole observation of an hour ago leaves nothing to say."""
    file = tmp_path / "round.json"
    file.write_bytes(of(recent()))
    done = examined(tmp_path, "production", kind="recorded", file=file)
    assert {step_result.verdict for step_result in done.steps} == {"ok"}
    assert_golden("recorded-well", transcript(done, tmp_path))
