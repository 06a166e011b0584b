"""Business transactions as routes. One call tells all of an application's, over the whole window.

A name that stands for no known route is shown as it is, counts in the mix and covers nothing, as in result files.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from exporter.analysis.loadrun import UNMAPPED, is_route
from exporter.model.observation import RouteCount
from exporter.sources.appdynamics.reading import stars, total
from exporter.sources.appdynamics.records import Answer

OTHER = "All Other Traffic"
"""What an agent did not tell apart, having found more business transactions than it may."""

_OVERFLOW = re.compile(r"_APPDYNAMICS_DEFAULT_TX_|All Other Traffic( - .*)?")
_SUFFIXED = re.compile(r"(/.*)\.([A-Z]+)")


def counted(
    calls: Answer, errors: Answer | None, told: Callable[[str], str | None]
) -> tuple[tuple[RouteCount, ...], list[str]]:
    """Requests and successes by method and route, most requests first; and the names of which no route is known.

    `told` gives what the configuration says of a name. Where errors are known of any transaction, one without had none.
    """
    failures = _totals(errors) if errors is not None and errors.absence is None else None
    found: dict[tuple[str, str], tuple[float, float | None]] = {}
    unknown = dict[str, None]()
    for key, requests in _totals(calls).items():
        if requests <= 0:
            continue
        route = _route(key[-1], told)
        if route[0] == UNMAPPED and route[1] != OTHER:
            unknown[key[-1]] = None
        before, passed = found.get(route, (0.0, 0.0))
        failed = None if failures is None else failures.get(key, 0.0)
        more = None if failed is None or passed is None else passed + max(0.0, requests - failed)
        found[route] = (before + requests, more)
    counts = [RouteCount(method, route, *numbers) for (method, route), numbers in found.items()]
    return tuple(sorted(counts, key=lambda one: (-one.requests, one.route, one.method))), list(unknown)


def _totals(answer: Answer) -> dict[tuple[str, ...], float]:
    """The names that stand for the wildcards (tier, transaction) to how much was counted of them."""
    wild, found = stars(answer.ask.path), dict[tuple[str, ...], float]()
    for metric in answer.metrics:
        key = tuple(metric.path[number] for number in wild if number < len(metric.path)) or metric.path
        found[key] = found.get(key, 0.0) + total(metric)
    return found


def _route(name: str, told: Callable[[str], str | None]) -> tuple[str, str]:
    """Method and route by the configuration, else by the name itself: GET /cart, or /cart.GET."""
    if _OVERFLOW.fullmatch(name) and told(name) is None:
        return UNMAPPED, OTHER
    text = told(name) or name
    suffixed = _SUFFIXED.fullmatch(text)
    if suffixed is not None and is_route(f"{suffixed[2]} {suffixed[1]}"):
        return suffixed[2], suffixed[1]
    if not is_route(text):
        return UNMAPPED, name
    method, _, route = text.strip().partition(" ")
    return method.upper(), route.strip()
