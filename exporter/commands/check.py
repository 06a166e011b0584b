"""`pte-exporter check`: validates the configuration, without connecting to any source."""

from __future__ import annotations

import argparse
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from exporter import humanize
from exporter.commands import configuration
from exporter.commands.arguments import set_command
from exporter.commands.common import add_common, add_web_config
from exporter.errors import ConfigError, PteError

if TYPE_CHECKING:
    from exporter.config import Config


@dataclass(frozen=True)
class Options:
    """Of `check`."""

    config_file: str | None
    web_config_file: str | None


def add(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    add_common(parser)
    add_web_config(parser)
    set_command(parser, Options, run)


def run(options: Options) -> int:
    """Read every file that `serve` and `generate rules` would read."""
    if options.config_file:
        _check_kind(options.config_file)
    file = options.config_file or str(configuration.DEMO)
    config = configuration.read(options.config_file)

    _check_slos(config, file)
    if options.web_config_file is not None:
        from exporter.serve.web.access import Access

        Access(options.web_config_file)
    if config.slos:
        from exporter.commands.generate.objectives import own_objectives

        own_objectives(config, file)  # validates their queries too

    print(f"{options.config_file or 'embedded demo'}: valid, {_summary(config)}")
    return 0


def _check_kind(file: str) -> None:
    """Every key of a spec would be unknown: one line is more useful."""
    from exporter.slo.specs import is_foreign

    if is_foreign(Path(file)):
        text = "is an SLO spec, not a configuration; check it with: pte-exporter generate rules --check --spec"
        raise PteError(f"{file}: {text} {shlex.quote(file)}")


def _check_slos(config: Config, file: str) -> None:
    from exporter.slo.specs import Options as SpecOptions
    from exporter.slo.specs import own

    _, problems = own.slos(config, file, SpecOptions())
    if problems:
        raise ConfigError(problems)


def _summary(config: Config) -> str:
    names = [f"{environment.name} ({environment.role})" for environment in config.environments]
    slos = f"; {humanize.pluralize(len(config.slos), 'SLO')}" if config.slos else ""
    return f"{len(names)} environments: {', '.join(names)}{slos}"
