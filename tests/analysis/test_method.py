"""docs/explanation/method.md keeps up with the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from exporter.model.results import REASONS
from exporter.model.settings import AnalysisSettings

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "docs" / "explanation" / "method.md", *sorted((ROOT / "docs" / "explanation" / "method").glob("*.md"))]
METHOD = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
POINTER = re.compile(r"docs/explanation/method\.md, sections? ([^.]+)\.")
FILES = [path for path in sorted((ROOT / "exporter").rglob("*.py")) if POINTER.search(path.read_text())]
NAMES = {
    "request rate": "request_rate",
    "error ratio": "error_ratio",
    "latency": "latency_p95",
    "throughput": "throughput",
    "concurrent users": "concurrent_users",
    "CPU": "cpu",
    "memory": "memory",
}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_sections_that_the_code_names_are_there(file: Path) -> None:
    """Every section that a module points to is a heading."""
    named = re.findall(r'"([^"]+)"', " ".join(POINTER.findall(file.read_text())))
    assert named
    assert [section for section in named if f"\n## {section}\n" not in METHOD] == []


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_is_explained(reason: str) -> None:
    """Each reason against a certification has its row."""
    assert f"\n| {reason} |" in METHOD


@pytest.mark.parametrize(("name", "signal"), NAMES.items())
def test_severity_table_is_the_default(name: str, signal: str) -> None:
    """The table of steps says what the settings say."""
    rule = AnalysisSettings().gaps[signal]
    steps = [rule.low, rule.medium, rule.high, rule.critical]
    if rule.limit is not None:
        expected = f"{rule.low:.0%} | {rule.medium:.0%} | limit {rule.limit:.0%} | "
    else:
        expected = " | ".join(f"{step:.0%}" for step in steps)
    assert f"| {name} | {rule.bad} | {expected.replace('%', ' %')}" in METHOD
