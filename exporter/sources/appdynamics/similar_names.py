"""What a name of the configuration may have been meant to be, where the controller knows none such."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from exporter import humanize


def suggest(name: str, names: Iterable[str]) -> str:
    """In parentheses, after the name; empty where none is alike. Case does not matter."""
    by_lower = {known.lower(): known for known in names}
    close = difflib.get_close_matches(name.lower(), by_lower, n=3, cutoff=0.5)
    if not close:
        return ""
    return f" (but {humanize.join_words([repr(by_lower[lower]) for lower in close])})"
