"""Suggestions for a name of the configuration that the controller does not know."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from exporter import humanize


def suggest(name: str, names: Iterable[str]) -> str:
    """Similar names in parentheses, to follow the name; may be empty. Case does not matter."""
    by_lower = {candidate.lower(): candidate for candidate in names}
    close = difflib.get_close_matches(name.lower(), by_lower, n=3, cutoff=0.5)
    if not close:
        return ""
    return f" (but {humanize.join_words([repr(by_lower[lower]) for lower in close])})"
