"""The weight of each tier in an application's CPU and memory: its number of nodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from exporter.sources.appdynamics.conversion import Weights
from exporter.sources.appdynamics.records import ControllerTier
from exporter.sources.appdynamics.similar_names import suggest


@dataclass(frozen=True, slots=True)
class TierWeights:
    """The weight of each tier that counts."""

    by_tier: Weights
    warnings: tuple[str, ...]


def weigh(application: str, tiers: Sequence[ControllerTier], chosen: Sequence[str]) -> TierWeights:
    """By nodes if the controller reports them for all, else equal weights. Without chosen tiers all count."""
    nodes = {tier.name: tier.nodes for tier in tiers}
    names = list(dict.fromkeys(chosen or nodes))
    counts = {name: nodes[name] for name in names if name in nodes}
    weights = {name: float(count) for name, count in counts.items() if count is not None}
    complete = len(weights) == len(counts)

    warnings: list[str] = []
    if len(counts) < len(names):
        missing = [f"{name!r}{suggest(name, nodes)}" for name in names if name not in nodes]
        warnings.append(f"{application} has no tier {', '.join(missing)}")
    if not complete and len(counts) > 1:
        text = "the controller does not report the nodes of its tiers: cpu and memory are their unweighted mean"
        warnings.append(f"{application}: {text}")

    if not complete or not any(weights.values()):
        weights = dict.fromkeys(counts, 1.0)
    return TierWeights(weights, tuple(warnings))
