"""Options of a source of the kind `appdynamics`: controller, account, applications, names of metrics, limits.

Business transactions are the endpoints. Metric paths contain wildcards, so the number of calls of a poll does not
grow with the number of business transactions, tiers or nodes.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from exporter.analysis.loadrun import is_route
from exporter.clients.http.options import HttpOptions, server_of
from exporter.clients.http.secrets import Secret
from exporter.clients.http.validation import Problems, secret_problems
from exporter.clients.http.validation import problems as http_problems
from exporter.model.settings import Settings

METRICS = {
    "calls": "Overall Application Performance|Calls per Minute",
    "latency_mean": "Overall Application Performance|Average Response Time (ms)",
    "errors": "Overall Application Performance|Errors per Minute",
    "latency_p95": "Overall Application Performance|95th Percentile Response Time (ms)",
    "cpu": "Application Infrastructure Performance|*|Hardware Resources|CPU|%Busy",
    "memory": "Application Infrastructure Performance|*|Hardware Resources|Memory|Used %",
    "transaction_calls": "Business Transaction Performance|Business Transactions|*|*|Calls per Minute",
    "transaction_errors": "Business Transaction Performance|Business Transactions|*|*|Errors per Minute",
}
"""Metric paths by key, as in the controller's Metric Browser. Many controllers have no 95th percentile of a whole

application, and percentiles of its transactions cannot be combined: it is then absent.
"""

EVENTS = (
    "APPLICATION_CONFIG_CHANGE",
    "APPLICATION_DEPLOYMENT",
    "APP_SERVER_RESTART",
    "DEADLOCK",
    "RESOURCE_POOL_LIMIT",
)
"""Types of events that count as incidents: changes and failures. Errors and slow calls are metrics."""

SAAS = ".saas.appdynamics.com"
_EXAMPLE = "https://acme.saas.appdynamics.com"
_ACCOUNT = re.compile(r"[A-Za-z0-9._-]+")
_EVENT = re.compile(r"[A-Z][A-Z0-9_]*")
_PARALLEL_SAAS = 50
_PARALLEL_OWN = 10
_PARALLEL_MOST = 100


class ControllerApplication(Settings, frozen=True):
    """One application of the controller."""

    name: str | None = None
    """Its name there; None: the same as ours."""
    routes: dict[str, str] = msgspec.field(default_factory=dict)
    """Business transaction to method and route; wins over the routes of all applications."""
    tiers: tuple[str, ...] = ()
    """Tiers that count for CPU and memory; empty: all."""


class Calls(Settings, frozen=True):
    """Limits of requests to the controller."""

    per_poll: int = 300
    """Most requests of one poll; the next poll continues. Requests for tokens are not counted."""
    parallel: int | None = None
    """Most requests at a time; None: 50 to a SaaS controller, 10 to one on premises."""


class Options(HttpOptions, frozen=True, kw_only=True):
    """The controller, our account there, and the data to read."""

    url: str
    """The controller's address, with or without /controller."""
    account: str
    client: str | None = None
    """Name of the API client (OAuth), without @account."""
    client_secret_file: Path | None = None
    client_secret_env: str | None = None
    applications: dict[str, ControllerApplication]
    """Our name of each application."""
    routes: dict[str, str] = msgspec.field(default_factory=dict)
    """Business transaction to method and route ("POST /checkout"), of all applications."""
    metrics: dict[str, str | None] = msgspec.field(default_factory=dict)
    """Paths that replace those of METRICS; null: skip the metric."""
    events: tuple[str, ...] = EVENTS
    """Types of events that are incidents; empty: none."""
    calls: Calls = Calls()

    @property
    def base(self) -> str:
        """The controller's address without /controller, the start of every request's path."""
        return self.url.rstrip("/").removesuffix("/controller")

    @property
    def parallel(self) -> int:
        """Most requests at a time."""
        if self.calls.parallel is not None:
            return self.calls.parallel
        host = urlsplit(self.url).hostname or ""
        return _PARALLEL_SAAS if host.endswith(SAAS) else _PARALLEL_OWN

    @property
    def paths(self) -> dict[str, str]:
        """Metric path of each requested key."""
        paths = {key: self.metrics.get(key, path) for key, path in METRICS.items()}
        return {key: path for key, path in paths.items() if path is not None}

    @property
    def client_secret(self) -> Secret | None:
        """Where the API client's secret is stored."""
        if self.client_secret_file is not None:
            return Secret("client_secret_file", self.client_secret_file)
        if self.client_secret_env:
            return Secret("client_secret_env", None, self.client_secret_env)
        return None

    def there(self, application: str) -> str:
        """The controller's name of an application of ours."""
        return self.applications[application].name or application

    def route_of(self, application: str, transaction: str) -> str | None:
        """Method and route of a business transaction in the configuration, or None."""
        return self.applications[application].routes.get(transaction, self.routes.get(transaction))


OTHER_DATA = "other applications of the controller"
"""What to change if both sides read the same data."""


def reads(options: Options) -> frozenset[Hashable]:
    """The controller's applications."""
    names = {application.name or name for name, application in options.applications.items()}
    return frozenset((server_of(options.base), options.account, name) for name in names)


def problems(options: Options) -> Problems:
    """Problems of the options beyond their types: address, account, credentials, files. Sends nothing."""
    return [
        *http_problems(options.url, options, _EXAMPLE),
        *_address_problems(options),
        *_account_problems(options),
        *_credential_problems(options),
        *secret_problems(options.client_secret),
        *_application_problems(options),
        *_metric_problems(options),
        *_calls_problems(options.calls),
    ]


def _address_problems(options: Options) -> Iterator[tuple[str, str]]:
    try:
        parts = urlsplit(options.base)
    except ValueError:  # reported by http_problems
        return

    host = parts.hostname or ""
    address = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    if host and (parts.query or parts.fragment):
        yield "url", f"expected {address}: the rest is a page of the user interface"
    elif host and parts.path.strip("/"):
        yield "url", f"{parts.path} is not part of the controller's address; expected {address}"
    if parts.scheme == "http" and host.endswith(SAAS):
        yield "url", f"a SaaS controller accepts https only; expected e.g. {_EXAMPLE}"


def _account_problems(options: Options) -> Iterator[tuple[str, str]]:
    if not _ACCOUNT.fullmatch(options.account):
        text = "expected the account's name alone, without @ or address, as on the controller's License page"
        yield "account", f"{text}; e.g. {_account_guess(options)}"
    if options.client is not None and (not options.client or "@" in options.client):
        name = options.client.partition("@")[0] or "pte-exporter"
        yield "client", f"expected {name}, the API client's name without @account: account is a separate key"


def _account_guess(options: Options) -> str:
    """The first label of a SaaS controller's host is its account."""
    host = options.url.partition("://")[2].partition("/")[0].partition(":")[0]
    return host.removesuffix(SAAS) if host.endswith(SAAS) else "customer1"


def _credential_problems(options: Options) -> Iterator[tuple[str, str]]:
    """Exactly one method of authentication; other checks report incomplete ones."""
    methods = list(_credentials(options))
    if not methods:
        text = "set client with client_secret_file, or username with password_file, or bearer_token_file"
        yield "client", f"missing: {text} (or their _env)"
    if "client" in methods:
        if len(methods) > 1:
            yield methods[1], f"set client or {methods[1]}, not both"
        if (options.client is None) != (options.client_secret is None):
            yield "client", "an API client requires client and one of client_secret_file, client_secret_env"
    if options.client_secret_file and options.client_secret_env:
        yield "client_secret_env", "set client_secret_file or client_secret_env, not both"


def _credentials(options: Options) -> Iterator[str]:
    """The first key of each configured method, complete or not."""
    if options.client is not None or options.client_secret_file or options.client_secret_env:
        yield "client"
    if options.username is not None or options.password_file or options.password_env:
        yield "username"
    if options.bearer_token_file or options.bearer_token_env:
        yield "bearer_token_file"


def _application_problems(options: Options) -> Iterator[tuple[str, str]]:
    if not options.applications:
        yield "applications", "expected at least one: our name of it, and its `name` in the controller if that differs"
    yield from _route_problems(options)

    ours_by_theirs: dict[str, str] = {}
    for ours in options.applications:
        theirs = options.there(ours)
        if theirs in ours_by_theirs:
            text = f"duplicate application {theirs!r} of the controller, also used by {ours_by_theirs[theirs]}"
            yield f"applications.{ours}", text
        ours_by_theirs[theirs] = ours


def _route_problems(options: Options) -> Iterator[tuple[str, str]]:
    tables = {"routes": options.routes}
    for name, application in options.applications.items():
        tables[f"applications.{name}.routes"] = application.routes

    for key, table in tables.items():
        for transaction, route in table.items():
            if not is_route(route):
                yield f"{key}.{transaction}", f"found {route!r}, expected method and path such as POST /checkout"


def _metric_problems(options: Options) -> Iterator[tuple[str, str]]:
    for key, path in options.metrics.items():
        if key not in METRICS:
            yield f"metrics.{key}", f"unknown key, expected one of: {', '.join(METRICS)}"
        elif path is not None and not all(part.strip() for part in path.split("|")):
            yield f"metrics.{key}", "expected a metric path such as Overall Application Performance|Calls per Minute"
    if options.metrics.get("calls", "") is None:
        yield "metrics.calls", "cannot be null: without calls there is no request rate"

    for event in options.events:
        if not _EVENT.fullmatch(event):
            yield "events", f"found {event!r}, expected types of events such as APPLICATION_DEPLOYMENT"


def _calls_problems(calls: Calls) -> Iterator[tuple[str, str]]:
    if calls.per_poll < 1:
        yield "calls.per_poll", f"found {calls.per_poll}, expected at least 1"
    if calls.parallel is not None and not 1 <= calls.parallel <= _PARALLEL_MOST:
        yield "calls.parallel", f"found {calls.parallel}, expected 1 to {_PARALLEL_MOST}"
