"""Each decision has one form, and the index lists it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.servers import TOP

FOLDER = TOP / "docs" / "explanation" / "decisions"
RECORDS = sorted(FOLDER.glob("[0-9]*.md"))
INDEX = (FOLDER / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.stem)
def test_a_decision_has_the_three_headings_in_order(record: Path) -> None:
    """Question, choice and price, each with text below it."""
    text = record.read_text(encoding="utf-8")
    number = int(record.name[:4])
    assert text.startswith(f"# {number}. ")
    assert re.findall(r"(?m)^#{2,} (.+)$", text) == ["Question", "Choice", "Price"]

    sections = re.split(r"(?m)^## \w+$", text)[1:]
    assert all(section.strip() for section in sections)


def test_the_index_lists_every_decision_in_order() -> None:
    """One row for each record, with its number and a link to it."""
    rows = re.findall(r"(?m)^\| (\d+) \| \[[^]]+\]\(([^)]+)\) \| [^|]+ \|$", INDEX)
    assert rows == [(str(int(record.name[:4])), record.name) for record in RECORDS]
