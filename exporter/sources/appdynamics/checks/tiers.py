"""Checks of the tiers whose CPU and memory count, where the configuration names them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from exporter.checkup import Step, failed, ok
from exporter.humanize import pluralize, some
from exporter.model.checkup import Cause, Finding
from exporter.sources.appdynamics.checks.naming import SHORT_LIST, similar
from exporter.sources.appdynamics.checks.probe import LISTED, ControllerProbe
from exporter.sources.appdynamics.records import ControllerTier


def tier_steps(probe: ControllerProbe) -> Iterator[Step]:
    """Needs `applications` of the same subject."""
    for name in list(probe.options.applications)[:LISTED]:
        if probe.options.applications[name].tiers:
            yield Step("tiers", "GET .../tiers", partial(_tiers, probe, name), ("applications",), name)


def _tiers(probe: ControllerProbe, name: str) -> Finding:
    tiers = {tier.name: tier for tier in probe.client.tiers(probe.applications[name].id)}
    there = some([_with_nodes(tier) for tier in tiers.values()], SHORT_LIST)
    configured = probe.options.applications[name].tiers
    unknown = [tier for tier in configured if tier not in tiers]
    if not unknown:
        return ok(f"{len(configured)} of {pluralize(len(tiers), 'tier')} count: {there}")

    causes = []
    for tier in unknown[:SHORT_LIST]:
        close = similar(tier, tiers)
        remedy = f"use one of {some(list(tiers), SHORT_LIST)}"
        if close:
            remedy = f"applications.{name}.tiers: {close[0]} instead"
        causes.append(Cause(f"{tier!r} is not a tier of the application", remedy))
    return failed(f"unknown tier {some(unknown, SHORT_LIST)}; existing tiers: {there or 'none'}", *causes)


def _with_nodes(tier: ControllerTier) -> str:
    if tier.nodes is None:
        return f"{tier.name} (nodes not reported)"
    return f"{tier.name} ({pluralize(tier.nodes, 'node')})"
