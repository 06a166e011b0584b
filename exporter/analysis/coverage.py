"""Endpoint coverage, plain and weighted by traffic. docs/method.md, section "Coverage"."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

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
class Traffic:
    """One side's requests per endpoint, normalised."""

    requests: dict[Key, float] = field(default_factory=dict)
    successes: dict[Key, float] = field(default_factory=dict)
    """Empty when the source does not tell successes; then a route without an entry has none known, not none."""
    guessed: set[Key] = field(default_factory=set)

    @property
    def total(self) -> float:
        return math.fsum(self.requests.values())

    def named(self) -> list[Key]:
        """The endpoints, most requests first."""
        keys = (key for key in self.requests if key[1] != _UNNAMED)
        return sorted(keys, key=lambda key: (-self.requests[key], key))


def traffic(seen: ApplicationObservation | None, settings: RouteSettings) -> Traffic:
    """Requests and successes added up per normalised endpoint; routes without requests are left out."""
    result = Traffic()
    for count in seen.routes if seen else ():
        requests, successes = finite(count.requests), finite(count.successes)
        if requests is None or requests <= 0:
            continue
        method, route, guessed = normalise(count.method, count.route, heuristics=settings.raw_path_heuristics)
        key = (method, route)
        result.requests[key] = result.requests.get(key, 0.0) + requests
        if successes is not None:
            result.successes[key] = result.successes.get(key, 0.0) + successes
        if guessed:
            result.guessed.add(key)
    return result


def coverage(
    production: ApplicationObservation | None, pte: ApplicationObservation | None, settings: RouteSettings
) -> Coverage:
    """Which of production's endpoints the test exercised. Counts and ratios are taken before the cap on listed ones."""
    live, test = traffic(production, settings), traffic(pte, settings)
    tested = {key for key in test.requests if _exercised(test, key, settings)} if test.requests else None
    known = live.named()
    covered = [key for key in known if key in tested] if tested is not None and known else None
    listed = _listed(live, test, settings.max_endpoints)
    shares = mix.shares(live.requests), mix.shares(test.requests)
    endpoints = [
        Endpoint(
            method=key[0],
            route=key[1],
            production_requests=live.requests.get(key),
            pte_requests=test.requests.get(key),
            production_share=shares[0].get(key),
            pte_share=shares[1].get(key),
            tested=None if tested is None else key in tested,
            heuristic=key in live.guessed or key in test.guessed,
        )
        for key in listed
    ]
    return Coverage(
        endpoints=tuple(endpoints),
        production_endpoints=len(known) or None,
        tested_endpoints=None if covered is None else len(covered),
        ratio=None if covered is None else len(covered) / len(known),
        weighted_ratio=None if covered is None else _share(live, covered),
        untested=tuple(e for e in endpoints if e.tested is False and e.production_requests is not None),
        only_pte=tuple(e for e in endpoints if e.tested and e.production_requests is None) if known else (),
        other_share=_other_shares(live, test, set(listed)),
        **_distances(live.requests, test.requests, settings.min_requests),
    )


def _exercised(test: Traffic, key: Key, settings: RouteSettings) -> bool:
    """Enough requests with some success. A source that tells successes at all, but none for this route, saw none."""
    succeeded = not test.successes or test.successes.get(key, 0.0) > 0
    return test.requests[key] >= settings.min_requests and succeeded


def _listed(live: Traffic, test: Traffic, cap: int) -> list[Key]:
    """Endpoints to publish: production's largest, then the largest that only the PTE has; both up to the cap."""
    mine = live.named()[:cap]
    only = [key for key in test.named() if key not in live.requests]
    shared = sum(key in test.requests for key in mine)
    return [*mine, *only[: cap - shared]]


def _share(side: Traffic, keys: Iterable[Key]) -> float | None:
    share = divide(math.fsum(side.requests.get(key, 0.0) for key in keys), side.total)
    return None if share is None else min(1.0, share)


def _other_shares(live: Traffic, test: Traffic, listed: set[Key]) -> Mapping[str, float]:
    """Share of each side's requests that no listed endpoint stands for: beyond the cap, or without a route."""
    sides = (("production", live), ("pte", test))
    shares = {role: _share(side, [key for key in side.requests if key not in listed]) for role, side in sides}
    return {role: share for role, share in shares.items() if share is not None}


def _distances(live: Counts, test: Counts, least: float) -> dict[str, float | None]:
    """Both distances of the mixes; None where a side has too few requests to speak of a mix."""
    if min(math.fsum(live.values()), math.fsum(test.values())) < least:
        return {"total_variation": None, "jensen_shannon": None}
    return {"total_variation": mix.total_variation(live, test), "jensen_shannon": mix.jensen_shannon(live, test)}
