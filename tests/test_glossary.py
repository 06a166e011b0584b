"""docs/glossary.md explains words that the other pages use, and is the only page that does."""

from __future__ import annotations

import re

import pytest

from tests.servers import TOP

DOCS = TOP / "docs"
GLOSSARY = DOCS / "glossary.md"
TERMS = re.findall(r"(?m)^\| ([^|]+) \| [^|]+ \|$", GLOSSARY.read_text(encoding="utf-8"))
TERMS = [term for term in TERMS if term not in {"term", "---"}]

PAGES = [TOP / "README.md", *(page for page in sorted(DOCS.rglob("*.md")) if page != GLOSSARY)]
TEXT = " ".join(" ".join(page.read_text(encoding="utf-8") for page in PAGES).split()).lower()

CONTRIBUTING = (DOCS / "contributing.md").read_text(encoding="utf-8")
VOCABULARY = CONTRIBUTING.partition("## Vocabulary")[2]


def test_the_glossary_has_terms() -> None:
    """The pattern finds them, and each only once."""
    assert len(TERMS) > 40
    assert len(set(TERMS)) == len(TERMS)


@pytest.mark.parametrize("term", TERMS)
def test_another_page_uses_the_term(term: str) -> None:
    """A word that no page uses needs no explanation."""
    assert re.search(rf"\b{re.escape(term.lower())}s?\b", TEXT)


def test_the_vocabulary_links_to_words_of_the_glossary() -> None:
    """Each linked word is a term of the section that the link names."""
    sections = re.split(r"(?m)^## ", GLOSSARY.read_text(encoding="utf-8"))[1:]
    terms_by_anchor = {
        section.splitlines()[0].lower().replace(" ", "-"): re.findall(r"(?m)^\| ([^|]+) \|", section)
        for section in sections
    }
    links = re.findall(r"(?m)^\| \[([^]]+)\]\(glossary\.md#([a-z-]+)\)", VOCABULARY)
    assert len(links) > 20
    for words, anchor in links:
        for word in words.removesuffix(", no evidence").split(", "):
            assert word in terms_by_anchor[anchor], f"{word} is not in the section {anchor}"


def test_no_word_is_defined_twice() -> None:
    """The words that only contributors need are not in the glossary."""
    rows = re.findall(r"(?m)^\| ([a-z][^|]+) \| [^|]+ \| [^|]+ \|$", VOCABULARY)
    words = {word for row in rows for word in row.split(", ")}
    assert words & set(TERMS) == set()
