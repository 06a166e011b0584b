"""Endpoint coverage, plain and weighted by traffic. docs/explanation/method.md, section "Coverage"."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from exporter.analysis import mix
from exporter.analysis.arithmetic import divide, finite
from exporter.analysis.mix import Counts, Key
from exporter.analysis.routes import normalise
from exporter.model.observation import ApplicationObservation
from exporter.model.results import Coverage, Endpoint
from exporter.model.settings import RouteSettings

_UNNAMED = ""
"""The route of requests for which the server matched none: traffic, but no endpoint."""


@dataclass(slots=True)
class EndpointTraffic:
    """One side's requests per endpoint, normalised."""

    requests: dict[Key, float] = field(default_factory=dict)
    successes: dict[Key, float] = field(default_factory=dict)
    """Empty when the source does not report successes; then a missing entry means unknown, not zero."""
    guessed: set[Key] = field(default_factory=set)
    """Endpoints whose route was made from raw paths by heuristics."""

    @property
    def total(self) -> float:
        return math.fsum(self.requests.values())

    def named(self) -> list[Key]:
        """The endpoints, most requests first."""
        keys = (key for key in self.requests if key[1] != _UNNAMED)
        return sorted(keys, key=lambda key: (-self.requests[key], key))


def traffic(observation: ApplicationObservation | None, settings: RouteSettings) -> EndpointTraffic:
    """Requests and successes added up per normalised endpoint; routes without requests are left out."""
    result = EndpointTraffic()
    if observation is None:
        return result

    for count in observation.routes:
        requests = finite(count.requests)
        if requests is None or requests <= 0:
            continue

        method, route, guessed = normalise(count.method, count.route, heuristics=settings.raw_path_heuristics)
        key = (method, route)
        result.requests[key] = result.requests.get(key, 0.0) + requests
        successes = finite(count.successes)
        if successes is not None:
            result.successes[key] = result.successes.get(key, 0.0) + successes
        if guessed:
            result.guessed.add(key)
    return result


def coverage(
    production: ApplicationObservation | None, pte: ApplicationObservation | None, settings: RouteSettings
) -> Coverage:
    """Which of production's endpoints the test exercised. Counts and ratios are taken before the cap on listed ones."""
    production_traffic = traffic(production, settings)
    pte_traffic = traffic(pte, settings)
    tested = _tested(pte_traffic, settings)

    listed = _listed(production_traffic, pte_traffic, settings.max_endpoints)
    endpoints = _endpoints(listed, production_traffic, pte_traffic, tested)
    total_variation, jensen_shannon = _distances(
        production_traffic.requests, pte_traffic.requests, settings.min_requests
    )

    served = production_traffic.named()
    only_pte = _only_pte(endpoints) if served else ()
    result = Coverage(
        endpoints=endpoints,
        production_endpoints=len(served) or None,
        tested_endpoints=None,
        ratio=None,
        weighted_ratio=None,
        untested=tuple(e for e in endpoints if e.tested is False and e.production_requests is not None),
        only_pte=only_pte,
        other_share=_other_shares(production_traffic, pte_traffic, set(listed)),
        total_variation=total_variation,
        jensen_shannon=jensen_shannon,
    )
    if tested is None or not served:
        return result

    covered = [key for key in served if key in tested]
    return replace(
        result,
        tested_endpoints=len(covered),
        ratio=len(covered) / len(served),
        weighted_ratio=_share(production_traffic, covered),
    )


def _tested(pte: EndpointTraffic, settings: RouteSettings) -> set[Key] | None:
    """The endpoints that the test exercised; None where it has no endpoints."""
    if not pte.requests:
        return None
    return {key for key in pte.requests if _is_exercised(pte, key, settings)}


def _is_exercised(pte: EndpointTraffic, key: Key, settings: RouteSettings) -> bool:
    """Enough requests with some success. If a source reports successes, but none for this route, there were none."""
    succeeded = not pte.successes or pte.successes.get(key, 0.0) > 0
    return pte.requests[key] >= settings.min_requests and succeeded


def _listed(production: EndpointTraffic, pte: EndpointTraffic, cap: int) -> list[Key]:
    """Endpoints to publish: production's largest, then the largest that only the PTE has; both up to the cap."""
    largest = production.named()[:cap]
    only_pte = [key for key in pte.named() if key not in production.requests]
    shared = sum(key in pte.requests for key in largest)
    return [*largest, *only_pte[: cap - shared]]


def _endpoints(
    listed: Iterable[Key], production: EndpointTraffic, pte: EndpointTraffic, tested: Collection[Key] | None
) -> tuple[Endpoint, ...]:
    """The endpoints with each side's requests; `tested` is None where the test has no endpoints."""
    production_shares = mix.shares(production.requests)
    pte_shares = mix.shares(pte.requests)

    endpoints = []
    for key in listed:
        is_tested = None if tested is None else key in tested
        endpoint = Endpoint(
            method=key[0],
            route=key[1],
            production_requests=production.requests.get(key),
            pte_requests=pte.requests.get(key),
            production_share=production_shares.get(key),
            pte_share=pte_shares.get(key),
            tested=is_tested,
            heuristic=key in production.guessed or key in pte.guessed,
        )
        endpoints.append(endpoint)
    return tuple(endpoints)


def _only_pte(endpoints: Iterable[Endpoint]) -> tuple[Endpoint, ...]:
    return tuple(endpoint for endpoint in endpoints if endpoint.tested and endpoint.production_requests is None)


def _share(side: EndpointTraffic, keys: Iterable[Key]) -> float | None:
    share = divide(math.fsum(side.requests.get(key, 0.0) for key in keys), side.total)
    if share is None:
        return None
    return min(1.0, share)  # beyond 1 by rounding alone


def _other_shares(production: EndpointTraffic, pte: EndpointTraffic, listed: Collection[Key]) -> Mapping[str, float]:
    """Share of each side's requests that no listed endpoint covers: beyond the cap, or without a route."""
    shares = {}
    for role, side in (("production", production), ("pte", pte)):
        share = _share(side, [key for key in side.requests if key not in listed])
        if share is not None:
            shares[role] = share
    return shares


def _distances(production: Counts, pte: Counts, least: float) -> tuple[float | None, float | None]:
    """Total variation and Jensen-Shannon divergence; None where a side has too few requests to speak of a mix."""
    if min(math.fsum(production.values()), math.fsum(pte.values())) < least:
        return None, None
    return mix.total_variation(production, pte), mix.jensen_shannon(production, pte)
