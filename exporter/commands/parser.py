"""The parser of the whole command line."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Callable, Collection

from exporter import __version__

COMMANDS = {
    "serve": "poll the sources and serve /metrics",
    "report": "poll once and print the report",
    "check": "validate the configuration",
    "doctor": "diagnose the sources",
    "generate": "generate rules, dashboards and reference pages",
    "run": "run a load generator and publish its result",
    "publish": "publish the result of a load test or of tests",
    "baseline": "save runs and compare against them",
    "slo": "show error budgets from Prometheus and gate on them",
}
"""Modules or packages of `exporter.commands`, with their lines in --help."""


def create(names: Collection[str] = tuple(COMMANDS)) -> argparse.ArgumentParser:
    """`names`: the commands whose arguments are loaded, because loading all would slow down every start."""
    parser = argparse.ArgumentParser(
        prog="pte-exporter", description="Does a performance test's certification still hold in production?"
    )
    parser.add_argument(
        "--version", action="version", version=f"pte-exporter {__version__}", help="print the version and exit"
    )

    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, text in COMMANDS.items():
        command = commands.add_parser(name, help=text)
        if name in names:
            add: Callable[[argparse.ArgumentParser], None]
            add = importlib.import_module(f"exporter.commands.{name}").add
            add(command)
    return parser
