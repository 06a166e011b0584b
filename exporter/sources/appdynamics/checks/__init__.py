"""A check-up of an AppDynamics controller, step by step: connection, login, rights, data, cost.

A few dozen calls of small windows; nothing is written there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from exporter.checkup import Step
from exporter.clients.http.checks import CHECKS as CONNECTION_CHECKS
from exporter.errors import SourceError
from exporter.model.checkup import Cause, CheckContext
from exporter.sources.appdynamics.checks.address import address_steps, readable
from exporter.sources.appdynamics.checks.applications import application_steps
from exporter.sources.appdynamics.checks.budget import budget_steps
from exporter.sources.appdynamics.checks.causes import usual
from exporter.sources.appdynamics.checks.metrics import metric_steps
from exporter.sources.appdynamics.checks.probe import ControllerProbe
from exporter.sources.appdynamics.checks.resolution import resolution_steps
from exporter.sources.appdynamics.checks.rights import rights_steps
from exporter.sources.appdynamics.checks.tiers import tier_steps
from exporter.sources.appdynamics.checks.token import token_steps
from exporter.sources.appdynamics.checks.transactions import transaction_steps
from exporter.sources.appdynamics.options import Options

CHECKS = (
    *CONNECTION_CHECKS,
    "credentials",
    "token",
    "applications",
    "transactions",
    "tiers",
    "metrics",
    "resolution",
    "rights",
    "budget",
)
"""Names of the checks, in order."""

_STEPS = (
    token_steps,
    application_steps,
    transaction_steps,
    tier_steps,
    metric_steps,
    resolution_steps,
    rights_steps,
    budget_steps,
)
"""Each starts after the steps before it have run, and uses their results."""


def checks(options: Options, context: CheckContext) -> Iterator[Step]:
    """The steps; run each before asking for the next one."""
    for step in _all_steps(options, context):
        yield replace(step, explain=partial(_explain, step))


def _explain(step: Step, error: SourceError) -> Sequence[Cause]:
    """Errors that a step does not explain itself have the causes that are usual with controllers."""
    return step.explain(error) or usual(error)


def _all_steps(options: Options, context: CheckContext) -> Iterator[Step]:
    yield from address_steps(options)
    if not readable(options.url):
        return

    probe = ControllerProbe(options, context)
    try:
        for steps in _STEPS:
            yield from steps(probe)
    finally:
        probe.connection.close()
