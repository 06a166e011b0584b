"""How the steps of a check-up print names of applications and labels."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from exporter.humanize import first, pluralize

_APPLICATIONS = 6
"""Maximum number of application names to print."""

_LABELS = 12
"""Maximum number of label names to print."""


def applications(names: Sequence[str]) -> str:
    """Their number, and the first of them."""
    return f"{pluralize(len(names), 'application')}: {first(names, _APPLICATIONS)}"


def labels(names: Collection[str]) -> str:
    """The first of them, without labels that are irrelevant here."""
    relevant = set(names) - {"__name__", "le"}
    return first(sorted(relevant), _LABELS)
