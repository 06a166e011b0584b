"""A check-up of an AppDynamics controller, step by step: the way there, who we are, what we may see, what it costs.

A few dozen calls of small windows; nothing is written there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from exporter.checkup import Step, failed
from exporter.clients.http.checks import CHECKS as FIRST
from exporter.errors import SourceError
from exporter.model.checkup import CheckContext, Finding
from exporter.sources.appdynamics.checks.address import place_steps, readable
from exporter.sources.appdynamics.checks.budget import budget_steps
from exporter.sources.appdynamics.checks.causes import usual
from exporter.sources.appdynamics.checks.metrics import metric_steps
from exporter.sources.appdynamics.checks.names import name_steps
from exporter.sources.appdynamics.checks.probe import Probe
from exporter.sources.appdynamics.checks.resolution import resolution_steps
from exporter.sources.appdynamics.checks.rights import rights_steps
from exporter.sources.appdynamics.checks.token import token_steps
from exporter.sources.appdynamics.options import Options

CHECKS = (
    *FIRST,
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

LATER = (token_steps, name_steps, metric_steps, resolution_steps, rights_steps, budget_steps)
"""Each begins when the steps before it are made, and uses what they found."""


def checks(options: Options, wanted: CheckContext) -> Iterator[Step]:
    """The steps, each to be made before the next is asked for."""
    for step in place_steps(options):
        yield replace(step, run=partial(_tried, step.run))
    if not readable(options.url):
        return
    probe = Probe(options, wanted)
    try:
        for steps in LATER:
            for step in steps(probe):
                yield replace(step, run=partial(_tried, step.run))
    finally:
        probe.connection.close()


def _tried(run: Callable[[], Finding]) -> Finding:
    """Errors that a step does not explain itself have the causes that are usual with controllers."""
    try:
        return run()
    except SourceError as error:
        return failed(str(error), *usual(error))
