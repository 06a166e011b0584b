"""`pte-exporter slo`: its commands."""

from __future__ import annotations

import argparse

from exporter.commands.slo import gate, show
from exporter.commands.slo import list as list_command


def add(parser: argparse.ArgumentParser) -> None:
    """Add its commands."""
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    list_command.add(commands.add_parser("list", help="list all error budgets, the worst first"))
    show.add(commands.add_parser("show", help="show one SLO in full"))
    gate.add(commands.add_parser("gate", help="let a pipeline continue only with enough error budget"))
