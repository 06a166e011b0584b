"""`pte-exporter slo list`: every budget, the worst first."""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass

from exporter.commands.arguments import set_command
from exporter.commands.common import add_format
from exporter.commands.slo.arguments import add_arguments
from exporter.commands.terminal import is_coloured


@dataclass(frozen=True)
class Options:
    """Options of `slo list`."""

    config_file: str | None
    prometheus_url: str | None
    format: str
    side: str | None
    """None: both."""


def add(parser: argparse.ArgumentParser) -> None:
    """Add its arguments."""
    add_arguments(parser)
    add_format(parser)
    parser.add_argument("--side", help="only this side")
    set_command(parser, Options, run)


def run(options: Options) -> int:
    """Print a line for each budget."""
    from exporter.commands.slo import json, text
    from exporter.commands.slo.connection import ask
    from exporter.slo.status import query

    statuses = ask(
        options.prometheus_url,
        options.config_file,
        lambda client: query.read(client, time.time(), options.side),
    )
    if options.format == "json":
        print(json.brief(statuses), end="")
    else:
        print(text.table(statuses, colour=is_coloured()), end="")
    return 0
