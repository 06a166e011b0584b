"""How far apart two traffic mixes are. docs/explanation/method.md, section "Mix"."""

from __future__ import annotations

import math
from collections.abc import Mapping

Key = tuple[str, str]
"""(method, route)"""

Counts = Mapping[Key, float]
"""Requests per endpoint."""


def shares(counts: Counts) -> dict[Key, float]:
    """Each endpoint's share of all requests; empty without requests."""
    total = math.fsum(counts.values())
    if total <= 0:
        return {}
    return {key: count / total for key, count in counts.items()}


def total_variation(production: Counts, pte: Counts) -> float | None:
    """Total variation distance, 0..1: the share of requests that would have to move. None if a side has no requests."""
    p = shares(production)
    q = shares(pte)
    if not p or not q:
        return None
    differences = (abs(p.get(key, 0.0) - q.get(key, 0.0)) for key in p.keys() | q.keys())
    return min(1.0, math.fsum(differences) / 2)


def jensen_shannon(production: Counts, pte: Counts) -> float | None:
    """Jensen-Shannon divergence with logarithms to base 2, 0..1 bits. None without requests on a side."""
    p = shares(production)
    q = shares(pte)
    if not p or not q:
        return None
    middle = {key: (p.get(key, 0.0) + q.get(key, 0.0)) / 2 for key in p.keys() | q.keys()}
    divergence = (_relative_entropy(p, middle) + _relative_entropy(q, middle)) / 2
    return min(1.0, max(0.0, divergence))


def _relative_entropy(p: Mapping[Key, float], m: Mapping[Key, float]) -> float:
    """Kullback-Leibler divergence of p from m in bits; m is positive wherever p is."""
    return math.fsum(share * math.log2(share / m[key]) for key, share in p.items() if share > 0 and m[key] > 0)
