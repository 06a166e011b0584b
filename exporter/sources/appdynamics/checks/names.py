"""Checks of names: applications that our role may view, their business transactions and tiers, and ours for them."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

import numpy as np

from exporter.checkup import Step, failed, ok, warning
from exporter.errors import SourceError
from exporter.humanize import percent
from exporter.humanize import pluralize as number
from exporter.model.checkup import Cause, Finding
from exporter.model.observation import Window
from exporter.sources.appdynamics.checks.causes import PLACE, ROLE, UNTESTED
from exporter.sources.appdynamics.checks.probe import LISTED, Probe, either, forbidden, near, some
from exporter.sources.appdynamics.reading import stars, total
from exporter.sources.appdynamics.records import Answer, Ask, Metric, Transaction
from exporter.sources.appdynamics.routes import counted

OVERFLOW = re.compile(r"_APPDYNAMICS_DEFAULT_TX_|All Other Traffic( - .*)?")
"""What an agent calls the business transactions beyond its limit, together."""

_MUCH = 0.05
"""Share of calls without a route that is worth a warning."""


def name_steps(probe: Probe) -> Iterator[Step]:
    """Needs `token`; what follows of an application needs `applications` of the same subject."""
    yield Step("applications", "GET /controller/rest/applications", lambda: _visible(probe), ("token",))
    for name in probe.options.applications:
        there = probe.options.there(name)
        tried = f"look for {there!r} in that list"
        yield Step("applications", tried, lambda name=name: _found(probe, name), ("applications",), name)  # type: ignore[misc]
    shown = list(probe.options.applications)[:LISTED]
    for name in shown:
        tried = "GET .../business-transactions, and the calls of each in the last hour"
        yield Step("transactions", tried, lambda name=name: _transactions(probe, name), ("applications",), name)  # type: ignore[misc]
    if probe.options.routes and len(shown) == len(probe.options.applications):
        tried = "look for each name of `routes` among the transactions of all applications"
        yield Step("transactions", tried, lambda: _shared(probe), ("transactions",), "routes")
    for name in shown:
        if probe.options.applications[name].tiers:
            tried = "GET .../tiers"
            yield Step("tiers", tried, lambda name=name: _tiers(probe, name), ("applications",), name)  # type: ignore[misc]


def _visible(probe: Probe) -> Finding:
    try:
        probe.visible = probe.client.applications()
    except SourceError as error:
        if error.reason != "auth":
            raise
        rights = Cause("the role may not even list applications", ROLE)
        text = "the token was taken back, or expired sooner than it said"
        expired = Cause(text, f"{PLACE}: is the client enabled, and its tokens' expiration 5 minutes or more?")
        known = forbidden(error)
        return failed(f"refused ({403 if known else 401})", *((rights, expired) if known else (expired, rights)))
    if not probe.visible:
        role = Cause("the client or user has no role that may view an application", ROLE)
        text = f"the account {probe.options.account} holds none: it is not the one that the agents report to"
        return failed("none that we may view", role, Cause(text, "compare account with the agents' account-name"))
    return ok(f"we may view {number(len(probe.visible), 'application')}: {some([one.name for one in probe.visible])}")


def _found(probe: Probe, name: str) -> Finding:
    there = probe.options.there(name)
    one = next((one for one in probe.visible if one.name == there), None)
    if one is not None:
        probe.found[name] = one
        return ok(f"it has the id {one.id}")
    alike = near(there, [one.name for one in probe.visible])
    causes = []
    if alike:
        text = f"it is called {either(alike)} there; upper and lower case differ"
        causes.append(Cause(text, f"applications.{name}.name: {alike[0]}"))
    causes.append(Cause("the role may not view this application", f"{PLACE}: its role, View on the application"))
    if not alike:
        text = f"set applications.{name}.name to what stands on the page Applications"
        causes.append(Cause("it is called otherwise there, or is in another account or controller", text))
    return failed(f"no {there!r} among the {len(probe.visible)} that we may view", *causes)


def _transactions(probe: Probe, name: str) -> Finding:
    found = probe.client.transactions(probe.found[name].id)
    probe.transactions[name] = found
    if not found:
        text = "no agent of the application saw requests that it takes for business transactions"
        detection = "Configuration > Instrumentation > Transaction Detection: turn it on for its tiers"
        untested = () if probe.production else (UNTESTED,)
        return warning("none: there are no endpoints, and coverage has no evidence", *untested, Cause(text, detection))
    path = probe.options.paths.get("transaction_calls")
    if path is not None:
        with contextlib.suppress(SourceError):  # `metrics` tells it; here it is only how much each matters
            probe.traffic[name] = probe.ask(name, path, probe.recent, rollup=True)
    calls = _calls(probe.traffic.get(name))
    unknown = _unmapped(probe, name, found)
    names = dict.fromkeys(one.name for one in found)
    plain = [each for each in names if not OVERFLOW.fullmatch(each)]
    told = [f"{number(len(found), 'transaction')}, {len(plain) - len(unknown)} of {len(plain)} names stand for a route"]
    causes = [*_missing(probe, name, list(names)), *_routeless(name, unknown, plain, calls, told)]
    if any(OVERFLOW.fullmatch(each) for each in names):
        causes.append(_overflow(calls, told))
    return warning("; ".join(told), *causes) if causes else ok("; ".join(told))


def _calls(answer: Answer | None) -> dict[str, float]:
    """Calls of each name in the last hour, of all tiers together; nothing where it is not told."""
    found: dict[str, float] = {}
    wild = stars(answer.ask.path) if answer is not None else []
    for metric in answer.metrics if answer is not None and wild else ():
        if wild[-1] < len(metric.path):
            name = metric.path[wild[-1]]
            found[name] = found.get(name, 0.0) + total(metric)
    return found


def _unmapped(probe: Probe, application: str, found: list[Transaction]) -> list[str]:
    """The names that stand for no route, by the source's own rules: as if each had been called once."""
    one = np.ones(1)
    window = Window(0.0, 60.0)
    metrics = (Metric((each.name,), each.name, 60.0, 60.0 * one, one, one, one, 0) for each in found)
    answer = Answer(Ask(0, "*", window, rollup=True), tuple(metrics), None)
    return counted(answer, None, lambda text: probe.options.route_of(application, text))[1]


def _missing(probe: Probe, application: str, names: list[str]) -> Iterator[Cause]:
    """Names of the application's own table that are no transaction of it."""
    table = probe.options.applications[application].routes
    for each in [each for each in table if each not in names][:5]:
        alike = near(each, names)
        text = f"applications.{application}.routes has {each!r}, which is no transaction of it"
        remedy = f"write {either(alike)}" if alike else "take it away, or mend the name"
        yield Cause(text, f"{remedy}, as the page Business Transactions shows it")


def _routeless(
    application: str, unknown: list[str], plain: list[str], calls: dict[str, float], told: list[str]
) -> Iterator[Cause]:
    """Names without a route, those with most calls first."""
    if not unknown:
        return
    busiest = sorted(unknown, key=lambda each: -calls.get(each, 0.0))
    every = sum(calls.values())
    share = sum(calls.get(each, 0.0) for each in unknown) / every if every else None
    rest = "" if share is None else f" ({percent(share)} of the calls of the last hour)"
    told.append(f"no route is known of {some(busiest)}{rest}")
    if share is not None and share < _MUCH and len(unknown) < len(plain):
        return
    text = "their names are no method and path: they cover nothing, and are not compared with the other side's"
    example = f"{{{busiest[0]}: POST /path}}"
    yield Cause(text, f"applications.{application}.routes: {example}; or name transactions by method and path there")


def _overflow(calls: dict[str, float], told: list[str]) -> Cause:
    every = sum(calls.values())
    other = sum(value for each, value in calls.items() if OVERFLOW.fullmatch(each))
    share = f", {percent(other / every)} of the calls of the last hour" if every else ""
    told.append(f"there is All Other Traffic{share}")
    text = "a limit is reached: 50 transactions of an agent, 200 of an application; what is beyond counts as one"
    remedy = (
        "delete or exclude transactions that matter little, then lock the list down (Business Transactions > Actions)"
    )
    return Cause(text, remedy)


def _shared(probe: Probe) -> Finding:
    """Names of the table for all applications; one that any application knows is right."""
    known = dict.fromkeys(one.name for found in probe.transactions.values() for one in found)
    lost = [each for each in probe.options.routes if each not in known]
    if not lost:
        return ok(f"{number(len(probe.options.routes), 'name')}, each known to an application")
    alike = {each: near(each, known) for each in lost[:5]}
    causes = [
        Cause(f"{each!r} is no transaction of any application", f"write {either(names)}")
        if names
        else Cause(f"{each!r} is no transaction of any application", "take it away, or mend the name")
        for each, names in alike.items()
    ]
    return warning(f"not known: {some(lost)}", *causes)


def _tiers(probe: Probe, name: str) -> Finding:
    tiers = {one.name: one.nodes for one in probe.client.tiers(probe.found[name].id)}
    wanted = probe.options.applications[name].tiers
    lost = [each for each in wanted if each not in tiers]
    nodes = [
        f"{each} ({'nodes not told' if tiers[each] is None else number(tiers[each] or 0, 'node')})" for each in tiers
    ]
    if not lost:
        return ok(f"{len(wanted)} of {number(len(tiers), 'tier')} count: {some(nodes)}")
    causes = []
    for each in lost[:5]:
        alike = near(each, tiers)
        remedy = f"applications.{name}.tiers: {alike[0]} instead" if alike else f"take one of {some(list(tiers))}"
        causes.append(Cause(f"{each!r} is no tier of it", remedy))
    return failed(f"no tier {some(lost)}; there are {some(nodes) or 'none'}", *causes)
