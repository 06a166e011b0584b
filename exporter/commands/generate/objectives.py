"""The files of SLOs: Prometheus's rules, and Alertmanager's inhibition rules for their alerts.

It imports nothing that is slow to load, because it has to be quick for one SLO.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from exporter.errors import ConfigError
from exporter.model import links
from exporter.slo import rules
from exporter.slo.rules import inhibition

if TYPE_CHECKING:
    from exporter.config import Config
    from exporter.model.slo import Slo
    from exporter.slo.specs import Options


def files(slos: Iterable[Slo], config: Config | None) -> Mapping[str, bytes]:
    """Content by path below the output directory; of `config` only the links are used."""
    runbook = links.RUNBOOK
    dashboards = links.DASHBOARDS
    if config is not None:
        runbook = config.links.runbook or runbook
        dashboards = config.links.dashboards or dashboards

    all_slos = [*slos]
    return {**rules.files(all_slos, runbook, dashboards), **inhibition.files(all_slos)}


def own_objectives(config: Config, file: str, options: Options | None = None) -> Mapping[str, bytes]:
    """The files of the configuration's `slos:`; raises ConfigError with every problem."""
    from exporter.slo.specs import Options, own

    slos, problems = own.slos(config, file, options or Options())
    if problems:
        raise ConfigError(problems)
    return files(slos, config)
