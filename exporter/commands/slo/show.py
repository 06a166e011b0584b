"""`pte-exporter slo show`: an objective's budgets in full."""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass

from exporter.commands.arguments import set_command
from exporter.commands.common import add_format
from exporter.commands.slo.arguments import add_arguments, add_objective
from exporter.commands.terminal import is_coloured


@dataclass(frozen=True)
class Options:
    """Options of `slo show`."""

    config_file: str | None
    prometheus_url: str | None
    format: str
    slo: str
    side: str | None
    """None: each side that has the objective."""


def add(parser: argparse.ArgumentParser) -> None:
    """Add its arguments."""
    add_arguments(parser)
    add_format(parser)
    add_objective(parser)
    set_command(parser, Options, run)


def run(options: Options) -> int:
    """Print all its recorded details."""
    from exporter.commands.slo import json, text
    from exporter.commands.slo.connection import ask
    from exporter.slo.status import query

    statuses = ask(
        options.prometheus_url,
        options.config_file,
        lambda client: query.read_one(client, time.time(), options.slo, options.side),
    )
    if options.format == "json":
        print(json.full(statuses), end="")
        return 0

    colour = is_coloured()
    print("\n".join(text.full(status, colour=colour) for status in statuses), end="")
    return 0
