"""Checks of business transactions: whether there are any, and which of their names map to a route."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import numpy as np

from exporter.checkup import Step, ok, warning
from exporter.errors import SourceError
from exporter.humanize import percent, pluralize, some
from exporter.model.checkup import Cause, Finding
from exporter.model.observation import MINUTE, Window
from exporter.sources.appdynamics.checks.causes import UNTESTED
from exporter.sources.appdynamics.checks.naming import SHORT_LIST, replacement
from exporter.sources.appdynamics.checks.probe import LISTED, ControllerProbe
from exporter.sources.appdynamics.conversion import total, wildcards
from exporter.sources.appdynamics.records import Metric, MetricQuery, MetricResult
from exporter.sources.appdynamics.routes import OVERFLOW, count_routes

_MUCH = 0.05
"""Share of calls without a route that is worth a warning."""

_LIMIT = Cause(
    "a limit is reached: 50 transactions of an agent, 200 of an application; the rest counts as one",
    "delete or exclude transactions that matter little, then lock the list down (Business Transactions > Actions)",
)


def transaction_steps(probe: ControllerProbe) -> Iterator[Step]:
    """Needs `applications` of the same subject."""
    names = list(probe.options.applications)
    for name in names[:LISTED]:
        tried = "GET .../business-transactions, and the calls of each in the last hour"
        yield Step("transactions", tried, partial(_transactions, probe, name), ("applications",), name)

    if probe.options.routes and len(names) <= LISTED:  # else a name may be right for one that was not listed
        tried = "search for each name of `routes` among the transactions of all applications"
        yield Step("transactions", tried, partial(_shared_routes, probe), ("transactions",), "routes")


def _transactions(probe: ControllerProbe, application: str) -> Finding:
    transactions = probe.client.transactions(probe.applications[application].id)
    probe.transactions[application] = transactions
    if not transactions:
        return _no_transactions(probe)

    names = list(dict.fromkeys(transaction.name for transaction in transactions))
    calls = _calls(probe, application)
    own = [name for name in names if not OVERFLOW.fullmatch(name)]
    unmapped = _unmapped(probe, application, names)

    number = pluralize(len(transactions), "transaction")
    parts = [f"{number}, {len(own) - len(unmapped)} of {len(own)} names map to a route"]
    causes = list(_unknown_names(probe, application, names))
    if unmapped:
        busiest = sorted(unmapped, key=lambda name: -calls.get(name, 0.0))
        share = _share(calls, unmapped)
        parts.append(_describe_unmapped(busiest, share))
        if share is None or share >= _MUCH or len(unmapped) == len(own):
            causes.append(_no_route(application, busiest[0]))
    if len(own) < len(names):
        parts.append(_describe_overflow(calls))
        causes.append(_LIMIT)

    summary = "; ".join(parts)
    if causes:
        return warning(summary, *causes)
    return ok(summary)


def _no_transactions(probe: ControllerProbe) -> Finding:
    detection = Cause(
        "no agent of the application has detected business transactions",
        "Configuration > Instrumentation > Transaction Detection: turn it on for its tiers",
    )
    untested = () if probe.production else (UNTESTED,)
    return warning("none: without endpoints coverage has no evidence", *untested, detection)


def _calls(probe: ControllerProbe, application: str) -> Mapping[str, float]:
    """Calls of each name in the last hour, of all tiers together; empty without data."""
    path = probe.options.paths.get("transaction_calls")
    if path is None:
        return {}

    with contextlib.suppress(SourceError):  # the step `metrics` reports it; here calls only rank the names
        query = MetricQuery(probe.applications[application].id, path, probe.recent, rollup=True)
        [probe.traffic[application]] = probe.query([query])
    if application not in probe.traffic:
        return {}
    return _by_name(probe.traffic[application])


def _by_name(result: MetricResult) -> Mapping[str, float]:
    positions = wildcards(result.query.path)
    calls: dict[str, float] = {}
    if not positions:
        return calls

    last = positions[-1]
    for metric in result.metrics:
        if last < len(metric.path):
            name = metric.path[last]
            calls[name] = calls.get(name, 0.0) + total(metric)
    return calls


def _unmapped(probe: ControllerProbe, application: str, names: Sequence[str]) -> list[str]:
    """The names that map to no route, by the source's own rules: as if each had one call."""
    once = np.ones(1)
    metrics = [Metric((name,), name, MINUTE, MINUTE * once, once, once, once, 0) for name in names]
    query = MetricQuery(0, "*", Window(0.0, MINUTE), rollup=True)
    _, unmapped = count_routes(
        MetricResult(query, tuple(metrics), None), None, partial(probe.options.route_of, application)
    )
    return unmapped


def _unknown_names(probe: ControllerProbe, application: str, names: Sequence[str]) -> Iterator[Cause]:
    """Names of the application's own table without a transaction."""
    table = probe.options.applications[application].routes
    unknown = [name for name in table if name not in names]
    for name in unknown[:SHORT_LIST]:
        text = f"applications.{application}.routes has {name!r}, which is not one of its transactions"
        yield Cause(text, f"{replacement(name, names)}, as on the page Business Transactions")


def _describe_unmapped(busiest: Sequence[str], share: float | None) -> str:
    """Names without a route, those with most calls first."""
    text = f"no route for {some(busiest, SHORT_LIST)}"
    if share is not None:
        text += f" ({percent(share)} of the calls of the last hour)"
    return text


def _no_route(application: str, name: str) -> Cause:
    return Cause(
        "their names are not method and path: they count for no coverage, and have no counterpart on the other side",
        f"applications.{application}.routes: {{{name}: POST /path}}; or name transactions by method and path there",
    )


def _describe_overflow(calls: Mapping[str, float]) -> str:
    share = _share(calls, [name for name in calls if OVERFLOW.fullmatch(name)])
    if share is None:
        return "All Other Traffic exists"
    return f"All Other Traffic: {percent(share)} of the calls of the last hour"


def _share(calls: Mapping[str, float], names: Sequence[str]) -> float | None:
    """Share of these names in all calls; None without calls."""
    total_calls = sum(calls.values())
    if not total_calls:
        return None
    return sum(calls.get(name, 0.0) for name in names) / total_calls


def _shared_routes(probe: ControllerProbe) -> Finding:
    """Names of the table for all applications; each must be a transaction of at least one."""
    names: dict[str, None] = {}
    for transactions in probe.transactions.values():
        names |= dict.fromkeys(transaction.name for transaction in transactions)

    unknown = [name for name in probe.options.routes if name not in names]
    if not unknown:
        return ok(f"{pluralize(len(probe.options.routes), 'name')}, each a transaction of an application")
    causes = [
        Cause(f"{name!r} is not a transaction of any application", replacement(name, names))
        for name in unknown[:SHORT_LIST]
    ]
    return warning(f"unknown: {some(unknown, SHORT_LIST)}", *causes)
