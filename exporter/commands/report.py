"""`pte-exporter report`: polls once and prints the report."""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from datetime import datetime

from exporter.commands import configuration
from exporter.commands.arguments import set_command
from exporter.commands.common import add_common, add_format
from exporter.commands.progress import Progress
from exporter.commands.terminal import is_coloured
from exporter.commands.values import past_time


@dataclass(frozen=True)
class Options:
    """Of `report`."""

    config_file: str | None
    format: str
    at: datetime | None
    """None: now."""


def add(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    add_common(parser)
    add_format(parser)
    parser.add_argument(
        "--at",
        type=past_time,
        metavar="TIME",
        help="report as of this past time, such as 2026-11-20T10:00:00Z or Unix seconds (default: now)",
    )
    set_command(parser, Options, run)


def run(options: Options) -> int:
    """Poll both sides, analyse them, and print the report."""
    from exporter.pipeline import round_once
    from exporter.report import FORMATS

    config = configuration.read(options.config_file)
    at = time.time() if options.at is None else options.at.timestamp()

    names = ", ".join(environment.name for environment in config.environments)
    with Progress(f"polling {names}"):
        snapshot = round_once(config, at)

    render = FORMATS[options.format]
    sys.stdout.buffer.write(render(snapshot, colour=is_coloured()))
    return 0
