"""What `analysis.load_runs` may say, and what is told when it says something else."""

from __future__ import annotations

from pathlib import Path

import pytest

from exporter import sources
from exporter.errors import ConfigError

PATH = "analysis.load_runs"


def read(directory: Path, text: str) -> list[str]:
    """What is wrong with a configuration whose `load_runs` is this text."""
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
def test_what_makes_sense_is_taken(tmp_path: Path, text: str) -> None:
    """Fewer grades, in any order, that ask for as much or less; only some of the steps."""
    assert read(tmp_path, text) == []


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("{grades: {}}", "grades: is empty, wanted one of A+, A, B, C, D"),
        ("{grades: {E: {success_ratio: 0.9, latency_p95: 1}}}", 'grades.E: unknown grade "E"'),
        ("{grades: {F: {success_ratio: 0.9, latency_p95: 1}}}", "grades.F: is what fulfils none of the others"),
        ("{grades: {A: {success_ratio: 1, latency_p95: 1}}}", "grades.A.success_ratio: found 1, wanted a ratio from 0"),
        ("{grades: {A: {success_ratio: 0.9, latency_p95: 0}}}", "grades.A.latency_p95: found 0, wanted more than 0"),
        (
            "{grades: {A: {success_ratio: 0.9, latency_p95: 1}, B: {success_ratio: 0.95, latency_p95: 2}}}",
            "grades.B.success_ratio: found 0.95, wanted at most that of A",
        ),
        (
            "{grades: {A: {success_ratio: 0.9, latency_p95: 1}, B: {success_ratio: 0.8, latency_p95: 0.5}}}",
            "grades.B.latency_p95: found 0.5, wanted at least that of A",
        ),
        ("{steps: {medium: 0.04}}", "steps.medium: found 0.04, wanted more than low (0.05)"),
        ("{error_steps: {low: 0}}", "error_steps.low: found 0, wanted more than 0"),
        ("{confirm: 1}", "confirm: found 1, wanted 2 or more"),
        ("{confirm: 5}", "min_history: found 8, wanted at least 2 confirm (10)"),
        ("{settled: 7}", "settled: found 7, wanted at least min_history (8)"),
        ("{significance: 0}", "significance: found 0, wanted more than 0 and less than 0.5"),
        ("{run_noise: 5}", "run_noise: found 5, wanted a ratio within 0..1"),
        ("{max_endpoints: -1}", "max_endpoints: found -1, wanted at least 0"),
    ],
)
def test_what_makes_none_is_told_with_its_path(tmp_path: Path, text: str, wrong: str) -> None:
    """One problem each, at the key to mend."""
    (told,) = read(tmp_path, text)
    assert told.startswith(f"{PATH}.{wrong}")
