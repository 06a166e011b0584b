"""Valid and invalid values of `analysis.load_runs`, and the problems that are reported."""

from __future__ import annotations

from pathlib import Path

import pytest

from exporter import sources
from exporter.errors import ConfigError

PATH = "analysis.load_runs"


def read(directory: Path, text: str) -> list[str]:
    """The problems of a configuration with this text as `load_runs`."""
    sides = ", ".join(f"{{role: {role}, source: {{kind: demo}}}}" for role in ("production", "pte"))
    file = directory / "exporter.yml"
    file.write_text(f"environments: [{sides}]\nanalysis: {{load_runs: {text}}}\n", encoding="utf-8")
    try:
        sources.read(file)
    except ConfigError as error:
        return [f"{problem.path}: {problem.text}" for problem in error.problems]
    return []


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "{grades: {A: {success_ratio: 0.999, latency_p95: 0.2}, C: {success_ratio: 0.99, latency_p95: 0.2}}}",
        "{grades: {C: {success_ratio: 0, latency_p95: 9}, A+: {success_ratio: 0.9, latency_p95: 1}}}",
        "{steps: {low: 0.01}, error_steps: {critical: 0.5}, min_history: 6, settled: 6}",
    ],
)
def test_valid_settings_are_accepted(tmp_path: Path, text: str) -> None:
    """Fewer grades, in any order, that require as much or less; only some of the steps."""
    assert read(tmp_path, text) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{grades: {}}", "grades: is empty, expected at least one of: A+, A, B, C, D"),
        ("{grades: {E: {success_ratio: 0.9, latency_p95: 1}}}", 'grades.E: unknown grade "E"'),
        (
            "{grades: {F: {success_ratio: 0.9, latency_p95: 1}}}",
            "grades.F: cannot be set: it is the grade of runs that meet no other",
        ),
        (
            "{grades: {A: {success_ratio: 1, latency_p95: 1}}}",
            "grades.A.success_ratio: must be at least 0 and below 1, got 1: ",
        ),
        ("{grades: {A: {success_ratio: 0.9, latency_p95: 0}}}", "grades.A.latency_p95: must be above 0 seconds, got 0"),
        (
            "{grades: {A: {success_ratio: 0.9, latency_p95: 1}, B: {success_ratio: 0.95, latency_p95: 2}}}",
            "grades.B.success_ratio: must be at most that of A, got 0.95",
        ),
        (
            "{grades: {A: {success_ratio: 0.9, latency_p95: 1}, B: {success_ratio: 0.8, latency_p95: 0.5}}}",
            "grades.B.latency_p95: must be at least that of A, got 0.5",
        ),
        ("{steps: {medium: 0.04}}", "steps.medium: must be above low (0.05), got 0.04"),
        ("{error_steps: {low: 0}}", "error_steps.low: must be above 0, got 0"),
        ("{confirm: 1}", "confirm: must be at least 2, got 1: "),
        ("{confirm: 5}", "min_history: must be at least 2 x confirm (10), got 8"),
        ("{settled: 7}", "settled: must be at least min_history (8), got 7"),
        ("{significance: 0}", "significance: must be above 0 and below 0.5, got 0"),
        ("{run_noise: 5}", "run_noise: must be between 0 and 1, got 5"),
        ("{max_endpoints: -1}", "max_endpoints: must be at least 0, got -1"),
    ],
)
def test_invalid_settings_are_reported_with_their_path(tmp_path: Path, text: str, problem: str) -> None:
    """One problem each, at the key to fix."""
    (line,) = read(tmp_path, text)
    assert line.startswith(f"{PATH}.{problem}")
