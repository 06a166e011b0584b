"""Names in findings: suggestions for unknown ones.

Nothing in here is about AppDynamics.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

SHORT_LIST = 5
"""Most names in one line, and most causes of one kind: a reader skips more."""


def similar(name: str, names: Iterable[str], most: int = 3) -> list[str]:
    """Names that resemble it, the likeliest first; case does not matter."""
    folded = name.casefold()
    by_folded = {candidate.casefold(): candidate for candidate in names}
    if folded in by_folded:
        return [by_folded[folded]]

    close = get_close_matches(folded, by_folded, most, 0.75)
    if not close:
        close = [key for key in by_folded if folded in key or (len(key) > 2 and key in folded)]
    return [by_folded[key] for key in close][:most]


def choice(names: Sequence[str]) -> str:
    """Quoted names as a choice: 'a' or 'b'."""
    return " or ".join(repr(name) for name in names)


def replacement(name: str, names: Iterable[str], otherwise: str = "remove it, or fix the name") -> str:
    """The remedy for an unknown name: a similar one, if there is any."""
    close = similar(name, names)
    return f"write {choice(close)}" if close else otherwise
