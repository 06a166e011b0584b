"""`pte-exporter generate dashboards`: Grafana's JSON."""

from __future__ import annotations

import argparse

from exporter.commands.arguments import set_command
from exporter.commands.generate.output import OutputOptions, add_output, write_or_check


def add(parser: argparse.ArgumentParser) -> None:
    """Add its arguments."""
    add_output(parser)
    set_command(parser, OutputOptions, run)


def run(options: OutputOptions) -> int:
    """Generate every board."""
    from exporter import dashboards, sources

    config = sources.read(options.config_file) if options.config_file else None
    return write_or_check(dashboards.files(config), options)
