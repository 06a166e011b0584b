"""The words that people read are plain English: no dialect in strings, comments and pages."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import TOP

DIALECT = {
    r"\btold\b": "reported, said",
    r"\bwanted\b": "expected",
    r"\bmend(s|ed)?\b": "fix",
    r"\bnobody\b": "unknown, not enough data",
    r"\bwhom\b|\bwhoever\b": "the noun",
    r"\banew\b": "again",
    r"\bfor want of\b": "because … is missing",
    r"\bstands? twice\b": "duplicate",
    r"(?<!there )\bis no (file|folder|directory|JSON|XML|ratio|number|name|list|mapping)\b": "is not a …",
    r"\bfault of the exporter\b": "internal error",
}
"""An expression of the dialect that this project once had, and the plain words for it."""

PAGES = [
    TOP / "README.md",
    TOP / "rules" / "RUNBOOK.md",
    *sorted((TOP / "docs").rglob("*.md")),
    *sorted((TOP / "examples").rglob("*.md")),
    *sorted((TOP / "deploy").rglob("*.md")),
    *sorted((TOP / "alertmanager").rglob("*.*")),
    *sorted((TOP / "rules").glob("*.yml")),
]
CODE = [*sorted((TOP / "exporter").rglob("*.py")), *sorted((TOP / "deploy").rglob("*.py"))]

VOCABULARY = TOP / "docs" / "contributing.md"
"""It says which words are replaced."""


def text_of(path: Path) -> Iterator[tuple[int, str]]:
    """Lines that people read, with their numbers; of Python its strings and comments."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        yield from enumerate(text.splitlines(), 1)
        return

    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in (tokenize.STRING, tokenize.COMMENT):
            yield from enumerate(token.string.splitlines(), token.start[0])


@pytest.mark.parametrize(
    "path", [path for path in (*PAGES, *CODE) if path != VOCABULARY], ids=lambda path: str(path.relative_to(TOP))
)
def test_no_dialect_is_left(path: Path) -> None:
    """A reader at three in the morning need not translate."""
    problems = [
        f"{path.relative_to(TOP)}:{number}: write {plain}: {line.strip()}"
        for number, line in text_of(path)
        for dialect, plain in DIALECT.items()
        if re.search(dialect, line)
    ]
    assert problems == []


def test_the_words_are_noticed(tmp_path: Path) -> None:
    """The test above sees strings and comments, and no names."""
    path = tmp_path / "code.py"
    path.write_text('wanted = "a name"  # nobody knows\n', encoding="utf-8")
    assert list(text_of(path)) == [(1, '"a name"'), (1, "# nobody knows")]
