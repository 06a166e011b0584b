"""`pte-exporter slo`: its commands."""

from __future__ import annotations

import argparse

from exporter.commands.slo import gate, show
from exporter.commands.slo import list as list_command


def add(parser: argparse.ArgumentParser) -> None:
    """Its commands."""
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    list_command.add(commands.add_parser("list", help="all of them, the worst first"))
    show.add(commands.add_parser("show", help="one in full"))
    gate.add(commands.add_parser("gate", help="may a pipeline go on?"))
