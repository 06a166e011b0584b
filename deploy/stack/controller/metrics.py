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

CALLS = "Calls per Minute"
ERRORS = "Errors per Minute"
MEAN = "Average Response Time (ms)"
P95 = "95th Percentile Response Time (ms)"
OVERALL = "Overall Application Performance"
TRANSACTIONS = ("Business Transaction Performance", "Business Transactions")
INFRASTRUCTURE = "Application Infrastructure Performance"

SPREAD = 0.1
"""How far the tiers' utilisation lies from its mean over all nodes."""


Served = tuple[Transaction | None, ...]
"""The transactions that are measured together; (None,) are all."""


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


def tree(application: Application) -> tuple[Metric, ...]:
    """Every metric of an application; none where no agent ever reported."""
    if not application.nodes:
        return ()
    return (*_overall(application), *_infrastructure(application), *_transactions(application))


def split(path: str) -> tuple[str, ...]:
    r"""The segments of a metric path; `\|` and `\\` are a bar and a backslash within a segment."""
    return tuple(re.sub(r"\\(.)", r"\1", part) for part in re.findall(r"(?:^|\|)((?:\\.|[^|\\])*)", path))


def matching(metrics: tuple[Metric, ...], path: str) -> list[Metric]:
    """Those whose path has as many segments as `path` and the same ones, where it has no * (a whole segment)."""
    pattern = split(path)
    return [metric for metric in metrics if _matches(metric.path, pattern)]


def _matches(path: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    if len(path) != len(pattern):
        return False
    return all(part in ("*", own) for part, own in zip(pattern, path, strict=True))


def children(metrics: tuple[Metric, ...], path: str) -> list[dict[str, object]]:
    """One level of the tree below `path`, as the Metric Browser shows it."""
    above = split(path) if path else ()
    depth = len(above)

    kinds: dict[str, str] = {}
    for metric in metrics:
        if len(metric.path) > depth and metric.path[:depth] == above:
            kind = "leaf" if len(metric.path) == depth + 1 else "folder"
            kinds.setdefault(metric.path[depth], kind)
    return [{"type": kind, "name": name} for name, kind in kinds.items()]


def _overall(application: Application) -> Iterator[Metric]:
    """Of the whole application, and of each tier."""
    summary = "BTM|Application Summary"
    every = (None,)
    yield from _performance((OVERALL,), summary, every, sum(application.nodes.values()))

    for tier, nodes in application.nodes.items():
        served: Served = every  # the first tier serves all
        if tier == "app":
            served = tuple(transaction for transaction in application.transactions if transaction.tier == tier)
        yield from _performance((OVERALL, tier), f"{summary}|Component:{application.tier_id(tier)}", served, nodes)


def _transactions(application: Application) -> Iterator[Metric]:
    for transaction in application.transactions:
        tier = transaction.tier
        name = f"BTM|BTs|BT:{transaction.id}|Component:{application.tier_id(tier)}"
        prefix = (*TRANSACTIONS, tier, transaction.name)
        yield from _performance(prefix, name, (transaction,), application.nodes[tier])


def _performance(prefix: tuple[str, ...], name: str, served: Served, nodes: int) -> Iterator[Metric]:
    """What is measured of requests; a transaction without calls reports nothing, an application zeros."""
    idle = served == (None,)
    for leaf, errors in ((CALLS, False), (ERRORS, True)):
        read = partial(_rate, served=served, errors=errors, nodes=nodes, idle=idle)
        yield Metric((*prefix, leaf), f"{name}|{leaf}", mean=False, read=read)
    for leaf, high in ((MEAN, False), (P95, True)):
        yield Metric((*prefix, leaf), f"{name}|{leaf}", mean=True, read=partial(_time, served=served, high=high))


def _calls(day: Day, served: Served) -> Floats:
    total = np.zeros(day.starts.size)
    for transaction in served:
        total = total + day.calls(transaction)
    return total


def _errors(day: Day, served: Served) -> Floats:
    total = np.zeros(day.starts.size)
    for transaction in served:
        total = total + day.errors(transaction)
    return total


def _rate(day: Day, served: Served, *, errors: bool, nodes: int, idle: bool) -> Minutes:
    calls = _calls(day, served)
    reporting = np.ones(day.starts.size)
    if not idle:
        reporting = (calls > 0).astype(np.float64)
    number = _errors(day, served) if errors else calls
    return Minutes(number, reporting * nodes)


def _time(day: Day, served: Served, *, high: bool) -> Minutes:
    calls = _calls(day, served)
    milliseconds = day.p95() if high else day.mean()
    return Minutes(milliseconds * calls, calls)


def _infrastructure(application: Application) -> Iterator[Metric]:
    """Of each tier, and of each of its nodes."""
    for tier, nodes in application.nodes.items():
        for memory, leaf in ((False, ("CPU", "%Busy")), (True, ("Memory", "Used %"))):
            below = ("Hardware Resources", *leaf)
            name = "|".join(below)
            used = partial(_used, application=application, tier=tier, memory=memory)
            yield Metric((INFRASTRUCTURE, tier, *below), name, mean=True, read=partial(used, nodes=nodes))

            for node in range(1, nodes + 1):
                path = (INFRASTRUCTURE, tier, "Individual Nodes", f"{tier}-{node}", *below)
                yield Metric(path, name, mean=True, read=partial(used, nodes=1))


def _used(day: Day, application: Application, tier: str, *, memory: bool, nodes: int) -> Minutes:
    """Utilisation in percent; the tiers' mean, each weighed by its nodes, is the application's."""
    used = day.traffic.memory if memory else day.traffic.cpu
    shift = SPREAD * np.minimum(used, 1.0 - used)
    if tier != "web":  # as much less as the web tier has more, by nodes
        shift = -shift * application.nodes["web"] / application.nodes["app"]

    count = np.full(day.starts.size, float(nodes))
    return Minutes(100.0 * (used + shift) * count, count)
