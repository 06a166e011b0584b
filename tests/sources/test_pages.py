"""Each kind of source has a page: requirements, an example, limits."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from exporter import sources
from exporter.errors import Problem
from exporter.sources.appdynamics.options import METRICS
from tests.servers import TOP

INDEX = TOP / "docs" / "reference" / "sources.md"
PAGES = sorted((TOP / "docs" / "reference" / "sources").glob("*.md"))
FORMATS = TOP / "docs" / "reference" / "formats.md"
EXAMPLES = [
    pytest.param(yaml.safe_load(text), id=f"{page.stem}-{number}")
    for page in (INDEX, *PAGES, FORMATS)
    for number, text in enumerate(re.findall(r"```yaml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL))
    if page != FORMATS or text.startswith("kind:")  # a tool's own YAML is there too
]


def page_of(kind: str) -> Path:
    """The page that the index links for the kind."""
    result = re.search(rf"\[[^]]*`{kind}`[^]]*\]\((sources/[a-z]+\.md)\)", INDEX.read_text(encoding="utf-8"))
    assert result, f"docs/reference/sources.md leads nowhere for {kind}"
    return INDEX.parent / result[1]


@pytest.mark.parametrize("kind", sorted(sources.kinds()))
def test_every_kind_has_a_page(kind: str) -> None:
    """Requirements, an example of this kind and limits, in this order."""
    text = page_of(kind).read_text(encoding="utf-8")
    headings = ["## What it needs\n", "## Example\n", "## What it cannot know\n"]
    places = [text.find(heading) for heading in headings]
    assert -1 not in places, f"{kind}: {headings}"
    assert places == sorted(places)
    assert f"kind: {kind}\n" in text


@pytest.mark.parametrize("kind", sorted(sources.kinds()))
def test_every_option_of_a_kind_is_on_its_page(kind: str) -> None:
    """Options of every HTTP source are on the index."""
    text = page_of(kind).read_text(encoding="utf-8") + INDEX.read_text(encoding="utf-8")
    options = sources.kinds()[kind].Options.__struct_fields__
    assert [name for name in options if not re.search(rf"`{name}[`.]", text)] == []


def test_the_metric_paths_of_a_controller_are_on_its_page() -> None:
    """Each key with the path that it has unless the configuration replaces it."""
    text = page_of("appdynamics").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| `([^`]+)` \|", text, re.MULTILINE))
    assert {key: path.replace("\\|", "|") for key, path in rows.items()} == METRICS


@pytest.mark.parametrize("example", EXAMPLES)
def test_documented_examples(example: dict[str, object]) -> None:
    """Each example is a source that is right, but for the files that are not here."""
    result: list[Problem] = []
    sources.options(example, "sources.md", "source", result)
    absent = ("cannot read", "is not a directory", "is not a regular file")
    assert [item for item in result if not any(text in item.text for text in absent)] == []
