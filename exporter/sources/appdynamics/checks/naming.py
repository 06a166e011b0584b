"""Names in findings: which one may have been meant.

Nothing in here is about AppDynamics.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

SHORT_LIST = 5
"""How many names stand in one line, and how many causes of one kind: more would not be read."""


def similar(name: str, names: Iterable[str], most: int = 3) -> list[str]:
    """The names that it may have been meant to be, the likeliest first; case does not matter."""
    folded = name.casefold()
    by_folded = {known.casefold(): known for known in names}
    if folded in by_folded:
        return [by_folded[folded]]

    close = get_close_matches(folded, by_folded, most, 0.75)
    if not close:
        close = [key for key in by_folded if folded in key or (len(key) > 2 and key in folded)]
    return [by_folded[key] for key in close][:most]


def choice(names: Sequence[str]) -> str:
    """Quoted names as a choice: 'a' or 'b'."""
    return " or ".join(repr(name) for name in names)


def replacement(name: str, names: Iterable[str], otherwise: str = "take it away, or mend the name") -> str:
    """What to do about a name that stands for nothing: write one that does, where any is alike."""
    close = similar(name, names)
    return f"write {choice(close)}" if close else otherwise
