"""Names and messages out of result files as what a label can be: on one line, and not without end."""

from __future__ import annotations

import hashlib

LONGEST = 200
"""Letters of a name; a longer one, such as a parameter's whole content, is cut, and a hash keeps it distinct."""

LONGEST_KIND = 100
"""Characters of a kind of error that are kept."""

UNNAMED = "unnamed"


def cut(text: str) -> str:
    """A long text's beginning, and a hash of the whole."""
    if len(text) <= LONGEST:
        return text
    return f"{text[: LONGEST - 9]}…{hashlib.sha256(text.encode(errors='replace')).hexdigest()[:8]}"


def tidy(name: str) -> str:
    """On one line and not too long; most names are that already."""
    if name.isprintable() and name.strip() and len(name) <= LONGEST:
        return name
    return cut(" ".join(name.split())) or UNNAMED


def kind(error: str) -> str:
    """What went wrong, on one line and cut."""
    line = error if error.isprintable() else " ".join(error.split())
    if len(line) <= LONGEST_KIND:
        return line
    return line[: LONGEST_KIND - 1] + "…"
