"""Business transactions as routes. One call returns all of an application, over the whole window.

A name without a route stays as it is, counts in the mix and covers nothing, as in result files.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from exporter.analysis.loadrun import UNMAPPED, is_route
from exporter.model.observation import RouteCount
from exporter.sources.appdynamics.conversion import total, wildcards
from exporter.sources.appdynamics.records import MetricResult

OTHER = "All Other Traffic"
"""Our name for transactions beyond an agent's limit, which it does not distinguish."""

OVERFLOW = re.compile(r"_APPDYNAMICS_DEFAULT_TX_|All Other Traffic( - .*)?")
"""The agent's name for all business transactions beyond its limit."""

_SUFFIXED = re.compile(r"(/.*)\.([A-Z]+)")

Route = tuple[str, str]
"""Method and path."""

RouteOf = Callable[[str], str | None]
"""The configured route of a transaction's name."""


def count_routes(
    calls: MetricResult, errors: MetricResult | None, route_of: RouteOf
) -> tuple[tuple[RouteCount, ...], list[str]]:
    """Requests and successes by method and route, most requests first; and the names without a route.

    If any transaction has errors, a transaction without a value had none.
    """
    failures = None
    if errors is not None and errors.absence is None:
        failures = _totals(errors)

    requests: dict[Route, float] = {}
    successes: dict[Route, float] = {}
    unmapped = dict[str, None]()
    for key, number in _totals(calls).items():
        if number <= 0:
            continue

        name = key[-1]
        route = _route(name, route_of)
        if route[0] == UNMAPPED and route[1] != OTHER:
            unmapped[name] = None
        requests[route] = requests.get(route, 0.0) + number
        if failures is not None:
            passed = max(0.0, number - failures.get(key, 0.0))
            successes[route] = successes.get(route, 0.0) + passed

    counts = [
        RouteCount(method, path, number, successes.get((method, path))) for (method, path), number in requests.items()
    ]
    counts.sort(key=lambda count: (-count.requests, count.route, count.method))
    return tuple(counts), list(unmapped)


def _totals(result: MetricResult) -> dict[tuple[str, ...], float]:
    """Names in the place of wildcards (tier, transaction) to their counts."""
    positions = wildcards(result.query.path)
    totals: dict[tuple[str, ...], float] = {}
    for metric in result.metrics:
        names = tuple(metric.path[position] for position in positions if position < len(metric.path))
        key = names or metric.path
        totals[key] = totals.get(key, 0.0) + total(metric)
    return totals


def _route(name: str, route_of: RouteOf) -> Route:
    """Method and route by the configuration, else by the name itself: GET /cart, or /cart.GET."""
    configured = route_of(name)
    if configured is None and OVERFLOW.fullmatch(name):
        return UNMAPPED, OTHER

    text = configured or name
    suffixed = _SUFFIXED.fullmatch(text)
    if suffixed is not None and is_route(f"{suffixed[2]} {suffixed[1]}"):
        return suffixed[2], suffixed[1]
    if not is_route(text):
        return UNMAPPED, name
    method, _, route = text.strip().partition(" ")
    return method.upper(), route.strip()
