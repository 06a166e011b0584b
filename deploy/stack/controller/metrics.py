"""The metric tree of an application: which paths it has, and what each is worth minute by minute."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from deploy.stack.controller.days import Day
from deploy.stack.controller.estate import Application, Transaction
from exporter.demo.noise import Floats

CALLS, MEAN, ERRORS = "Calls per Minute", "Average Response Time (ms)", "Errors per Minute"
P95 = "95th Percentile Response Time (ms)"
OVERALL = "Overall Application Performance"
TRANSACTIONS = ("Business Transaction Performance", "Business Transactions")
INFRASTRUCTURE = "Application Infrastructure Performance"

SPREAD = 0.1
"""How far the tiers' utilisation lies from its mean over all nodes."""


@dataclass(frozen=True, slots=True)
class Minutes:
    """One metric over minutes; where nothing was reported, `count` is 0."""

    sum: Floats
    count: Floats
    """What the mean is taken over: calls, or observations; of a rate, reports (one for each node and minute)."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One leaf of the tree."""

    path: tuple[str, ...]
    name: str
    """The internal name, with ids in the place of names."""
    mean: bool
    """Values are sum / count; else the sum per minute."""
    read: Callable[[Day], Minutes]

    @property
    def id(self) -> int:
        return zlib.crc32("|".join((self.name, *self.path)).encode()) >> 4


def tree(one: Application) -> tuple[Metric, ...]:
    """Every metric of an application; none where no agent ever reported."""
    return (*_overall(one), *_infrastructure(one), *_transactions(one)) if one.nodes else ()


def split(path: str) -> tuple[str, ...]:
    r"""The segments of a metric path; `\|` and `\\` stand for themselves within a segment."""
    return tuple(re.sub(r"\\(.)", r"\1", part) for part in re.findall(r"(?:^|\|)((?:\\.|[^|\\])*)", path))


def matching(metrics: tuple[Metric, ...], path: str) -> list[Metric]:
    """Those whose path has as many segments as `path` and the same ones, where it has no * (a whole segment)."""
    wanted = split(path)
    return [
        metric
        for metric in metrics
        if len(metric.path) == len(wanted)
        and all(part in ("*", own) for part, own in zip(wanted, metric.path, strict=True))
    ]


def children(metrics: tuple[Metric, ...], path: str) -> list[dict[str, object]]:
    """One level of the tree below `path`, as the Metric Browser shows it."""
    above = split(path) if path else ()
    found: dict[str, str] = {}
    for metric in metrics:
        if len(metric.path) > len(above) and metric.path[: len(above)] == above:
            leaf = len(metric.path) == len(above) + 1
            found.setdefault(metric.path[len(above)], "leaf" if leaf else "folder")
    return [{"type": kind, "name": name} for name, kind in found.items()]


def _overall(one: Application) -> Iterator[Metric]:
    nodes = sum(one.nodes.values())
    for tier in (None, *one.nodes):
        place = (OVERALL,) if tier is None else (OVERALL, tier)
        name = "BTM|Application Summary" + ("" if tier is None else f"|Component:{one.tier_id(tier)}")
        size = nodes if tier is None else one.nodes[tier]
        some: tuple[Transaction | None, ...] = (None,)
        if tier == "app":
            some = tuple(each for each in one.transactions if each.tier == tier)
        yield from _performance(place, name, some, size)


def _transactions(one: Application) -> Iterator[Metric]:
    for each in one.transactions:
        name = f"BTM|BTs|BT:{each.id}|Component:{one.tier_id(each.tier)}"
        yield from _performance((*TRANSACTIONS, each.tier, each.name), name, (each,), one.nodes[each.tier])


def _performance(
    place: tuple[str, ...], name: str, some: tuple[Transaction | None, ...], nodes: int
) -> Iterator[Metric]:
    """What is measured of requests; a transaction without calls reports nothing, an application zeros."""
    idle = some == (None,)
    for leaf, failed in ((CALLS, False), (ERRORS, True)):
        read = partial(_rate, some=some, failed=failed, nodes=nodes, idle=idle)
        yield Metric((*place, leaf), f"{name}|{leaf}", mean=False, read=read)
    for leaf, high in ((MEAN, False), (P95, True)):
        yield Metric((*place, leaf), f"{name}|{leaf}", mean=True, read=partial(_time, some=some, high=high))


def _calls(day: Day, some: tuple[Transaction | None, ...], *, failed: bool = False) -> Floats:
    total = np.zeros(day.starts.size)
    for each in some:
        total = total + (day.errors(each) if failed else day.calls(each))
    return total


def _rate(day: Day, some: tuple[Transaction | None, ...], *, failed: bool, nodes: int, idle: bool) -> Minutes:
    reporting = np.ones(day.starts.size) if idle else (_calls(day, some) > 0).astype(np.float64)
    return Minutes(_calls(day, some, failed=failed), reporting * nodes)


def _time(day: Day, some: tuple[Transaction | None, ...], *, high: bool) -> Minutes:
    calls = _calls(day, some)
    return Minutes((day.p95() if high else day.mean()) * calls, calls)


def _infrastructure(one: Application) -> Iterator[Metric]:
    for tier, nodes in one.nodes.items():
        place = (INFRASTRUCTURE, tier, "Hardware Resources")
        for below, memory in ((("CPU", "%Busy"), False), (("Memory", "Used %"), True)):
            name = "|".join(("Hardware Resources", *below))
            yield Metric((*place, *below), name, mean=True, read=partial(_used, one=one, tier=tier, memory=memory))
            for node in range(1, nodes + 1):
                path = (INFRASTRUCTURE, tier, "Individual Nodes", f"{tier}-{node}", "Hardware Resources", *below)
                yield Metric(path, name, mean=True, read=partial(_used, one=one, tier=tier, memory=memory, node=True))


def _used(day: Day, one: Application, tier: str, *, memory: bool, node: bool = False) -> Minutes:
    """Utilisation in percent; the tiers' mean, each weighed by its nodes, is the application's."""
    used = day.seen.memory if memory else day.seen.cpu
    room = SPREAD * np.minimum(used, 1.0 - used)
    used = used + (room if tier == "web" else -room * one.nodes["web"] / one.nodes["app"])
    count = np.full(day.starts.size, 1.0 if node else float(one.nodes[tier]))
    return Minutes(100.0 * used * count, count)
