"""Windows of many applications -> few stretches of time to query, and PromQL that limits each to its own window.

The text must stay short: VictoriaMetrics rejects queries above 16 KiB (-search.maxQueryLen).
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping

from exporter.clients.prometheus import quote
from exporter.model.observation import Window

MOST = 8
"""Maximum number of stretches, which limits the number of queries."""

_LONG = 15_000
"""Characters of a masked expression above which a shorter form is tried; the surrounding query needs some too."""

_WINDOW = "pte_window"

_META = re.compile(r"[\\.+*?()|\[\]{}^$]")
"""Special characters in the servers' regular expressions; re.escape would escape every hyphen too."""

Stretch = tuple[Window, Mapping[str, Window]]
"""A hull, and the windows in it by application."""


def stretches(windows: Mapping[str, Window]) -> list[Stretch]:
    """Overlapping windows joined, by time; beyond MOST of them, also those with the smallest gaps between them."""
    result: list[Stretch] = []
    for application, window in sorted(windows.items(), key=lambda item: (item[1].start, item[0])):
        stretch = (window, {application: window})
        if result and window.start <= result[-1][0].end:
            result[-1] = _together(result[-1], stretch)
        else:
            result.append(stretch)

    # Joining neighbours with a small gap makes the server read the fewest unneeded minutes.
    while len(result) > MOST:
        gaps = [later[0].start - earlier[0].end for earlier, later in itertools.pairwise(result)]
        smallest = gaps.index(min(gaps))
        result[smallest : smallest + 2] = [_together(result[smallest], result[smallest + 1])]
    return result


def _together(earlier: Stretch, later: Stretch) -> Stretch:
    return Window(earlier[0].start, max(earlier[0].end, later[0].end)), {**earlier[1], **later[1]}


def is_tight(hull: Window, windows: Mapping[str, Window]) -> bool:
    """Whether the hull is so little longer than its longest window that a mask would save nothing."""
    return hull.duration <= 2 * max(window.duration for window in windows.values())


def masked(expression: str, hull: Window, windows: Mapping[str, Window]) -> str:
    """The expression where each application is inside its window (start, end].

    Where all windows are the hull nothing needs saying, and applications without a window are not kept out. Naming each
    application with its window is quickest for the server; groups are for queries that would get too long.
    """
    if set(windows.values()) == {hull}:
        return expression
    plain = _one_by_one(expression, windows)
    if len(plain) <= _LONG:
        return plain
    return min(plain, _in_groups(expression, windows), key=len)


def _one_by_one(expression: str, windows: Mapping[str, Window]) -> str:
    mask = " or ".join(_during(window, "application", name) for name, window in sorted(windows.items()))
    return f"({expression}) and on (application) ({mask})"


def _in_groups(expression: str, windows: Mapping[str, Window]) -> str:
    """Groups applications that share a window, with a label for the window.

    The label is added to the applications and not to the expression itself: Prometheus 2 takes a second for each
    label_replace over 10,000 series in two hours.
    """
    groups: dict[Window, list[str]] = {}
    for name, window in sorted(windows.items()):
        groups.setdefault(window, []).append(name)

    labelled = f"group by (application) ({expression})"
    for number, names in enumerate(groups.values()):
        pattern = quote("|".join(_META.sub(r"\\\g<0>", name) for name in names))
        labelled = f'label_replace({labelled}, "{_WINDOW}", "{number}", "application", {pattern})'
    mask = " or ".join(_during(window, _WINDOW, str(number)) for number, window in enumerate(groups))
    return f"({expression}) and on (application) (({labelled}) and on ({_WINDOW}) ({mask}))"


def _during(window: Window, label: str, value: str) -> str:
    return f'label_replace(vector(time()) > {window.start:.0f} <= {window.end:.0f}, "{label}", {quote(value)}, "", "")'
