"""A metric path that matches nothing: which part of it is missing in the controller's tree of metrics."""

from __future__ import annotations

import re
from collections.abc import Sequence

from exporter.errors import SourceError
from exporter.humanize import some
from exporter.model.checkup import Cause
from exporter.sources.appdynamics.checks.naming import SHORT_LIST, choice, similar
from exporter.sources.appdynamics.checks.probe import ControllerProbe

_BROWSES = 15
"""Requests for the tree, of all paths together."""

_COPY = "copy a path from the Metric Browser"


def nearest(probe: ControllerProbe, application: str, path: str) -> Cause | None:
    """The first part of a path that is missing in the tree, with the names there; None if the search failed."""
    above: list[str] = []
    for part in _parts(path):
        names = _children(probe, application, above)
        if names is None:
            return None
        if not names and not above:  # no tree at all
            return None
        if not names:
            return Cause(f"nothing exists below {'|'.join(above)}", _COPY)

        if part == "*":
            above.append(names[0])  # the children of the first name represent those of all
        elif part in names:
            above.append(part)
        else:
            return _instead(part, names, "|".join(above) or "the root")
    return None


def _parts(path: str) -> list[str]:
    """Its names, as the tree has them: a bar or backslash of a name is not escaped there."""
    return [re.sub(r"\\(.)", r"\1", part) for part in re.split(r"(?<!\\)\|", path)]


def _children(probe: ControllerProbe, application: str, above: Sequence[str]) -> list[str] | None:
    """The names below; None after the last allowed request, or if this one failed."""
    if probe.browses >= _BROWSES:
        return None
    try:
        return probe.children(application, above)
    except SourceError:
        return None


def _instead(part: str, names: Sequence[str], above: str) -> Cause | None:
    """A suggestion; for a percentile only percentiles, and no other one can replace it."""
    text = f"{part!r} does not exist below {above}"
    if "Percentile" in part:
        others = [name for name in names if "Percentile" in name]
        if not others:
            return None
        remedy = "add 95 under Configuration > Slow Transaction Thresholds; another percentile cannot replace P95"
        return Cause(f"{text}, but {some(others, SHORT_LIST)}", remedy)

    close = similar(part, names)
    if close:
        return Cause(f"{text}, but {choice(close)}", f"write {choice(close)} there")
    return Cause(f"{text}, but {some(names, SHORT_LIST)}", _COPY)
