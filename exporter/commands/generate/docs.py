"""`pte-exporter generate docs`: docs/reference/metrics.md."""

from __future__ import annotations

import argparse

from exporter.commands.arguments import set_command
from exporter.commands.generate.output import OutputOptions, add_output, write_or_check


def add(parser: argparse.ArgumentParser) -> None:
    """Add its arguments."""
    add_output(parser)
    set_command(parser, OutputOptions, run)


def run(options: OutputOptions) -> int:
    """Generate the page of all series."""
    from exporter import sources
    from exporter.commands.generate import metrics_page

    if options.config_file:  # its problems are reported, although the page does not depend on it
        sources.read(options.config_file)
    return write_or_check(metrics_page.files(), options)
