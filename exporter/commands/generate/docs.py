"""`pte-exporter generate docs`: the generated pages of docs/reference/."""

from __future__ import annotations

import argparse

from exporter.commands.arguments import set_command
from exporter.commands.generate.output import OutputOptions, add_output, write_or_check


def add(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    add_output(parser)
    set_command(parser, OutputOptions, run)


def run(options: OutputOptions) -> int:
    """Generate the pages of all series, all commands and all exit codes."""
    from exporter import sources
    from exporter.commands.generate import cli_page, exit_codes_page, metrics_page

    if options.config_file:  # report its problems, although the pages do not depend on it
        sources.read(options.config_file)
    return write_or_check({**metrics_page.files(), **cli_page.files(), **exit_codes_page.files()}, options)
