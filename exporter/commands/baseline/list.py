"""`pte-exporter baseline list`: lists the saved runs."""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

from exporter.commands.arguments import set_command
from exporter.commands.baseline.arguments import add_arguments, read_settings
from exporter.commands.common import add_format


@dataclass(frozen=True)
class Options:
    """Of `baseline list`."""

    config_file: str | None
    baselines: Path
    format: str
    application: str | None
    """None: all."""


def add(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    add_arguments(parser)
    add_format(parser)
    parser.add_argument(
        "--application", metavar="NAME", help="list only the baselines of this application (default: all)"
    )
    set_command(parser, Options, run)


def run(options: Options) -> int:
    """Print the readable ones, and an error line for each of the others."""
    from exporter.commands.baseline import json, text
    from exporter.publishing import baselines

    problems: list[str] = []
    saved = [*baselines.read_all(options.baselines, options.application, problems)]
    settings = read_settings(options.config_file)

    if options.format == "json":
        print(json.baselines(saved, settings), end="")
    else:
        print(text.baselines(saved, settings), end="")
    for problem in problems:
        print(f"pte-exporter: {problem}", file=sys.stderr)
    return 1 if problems else 0
