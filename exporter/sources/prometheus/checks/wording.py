"""How the steps of a check-up speak of names: of applications, and of labels."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from exporter.humanize import first, pluralize

_APPLICATIONS = 6
"""Names of applications that are shown."""

_LABELS = 12
"""Names of labels that are shown."""


def applications(names: Sequence[str]) -> str:
    """Their number, and the first of them."""
    return f"{pluralize(len(names), 'application')}: {first(names, _APPLICATIONS)}"


def labels(names: Collection[str]) -> str:
    """The first of them, without those that say nothing here."""
    telling = set(names) - {"__name__", "le"}
    return first(sorted(telling), _LABELS)
