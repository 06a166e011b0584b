"""`pte-exporter baseline`: its commands."""

from __future__ import annotations

import argparse

from exporter.commands.baseline import compare, save
from exporter.commands.baseline import list as list_command


def add(parser: argparse.ArgumentParser) -> None:
    """Its commands."""
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    save.add(commands.add_parser("save", help="save a run by name"))
    list_command.add(commands.add_parser("list", help="list the saved runs"))
    compare.add(commands.add_parser("compare", help="compare a run with a baseline and gate a pipeline"))
