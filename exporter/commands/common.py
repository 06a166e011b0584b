"""Arguments that several commands have: of one name they are the same everywhere."""

from __future__ import annotations

import argparse
from pathlib import Path

from exporter import logs
from exporter.commands.arguments import add_old_name

_DEMO = "default: the embedded demo"

JUDGING = "of its limits, grades and routes; default: the usual limits"
"""What the configuration is for, of commands that judge one result."""


def add_common(parser: argparse.ArgumentParser, config_help: str = _DEMO) -> None:
    """What all commands have."""
    parser.add_argument("--config.file", dest="config_file", metavar="FILE", help=config_help)

    parser.add_argument(
        "--log.level",
        dest="log_level",
        choices=logs.LEVELS,
        default="info",
        help="the least that is logged; default %(default)s",
    )
    parser.add_argument(
        "--log.format",
        dest="log_format",
        choices=logs.FORMATS,
        default="logfmt",
        help="of the log on stderr; default %(default)s",
    )


def add_web_config(parser: argparse.ArgumentParser) -> None:
    """How the exporter itself is protected."""
    parser.add_argument(
        "--web.config.file", dest="web_config_file", metavar="FILE", help="TLS and basic authentication"
    )


def add_format(parser: argparse.ArgumentParser) -> argparse.Action:
    """For people or for programs."""
    return parser.add_argument(
        "--format",
        choices=("console", "json"),
        default="console",
        help="for people, or for programs; default %(default)s",
    )


def add_baselines(parser: argparse._ActionsContainer) -> argparse.Action:
    """The folder of saved runs."""
    return parser.add_argument(
        "--baselines",
        type=Path,
        default=Path("baselines"),
        metavar="FOLDER",
        help="where baselines are saved by name; default %(default)s",
    )


def add_run_names(parser: argparse.ArgumentParser) -> None:
    """What a run is called, and what it tested."""
    run_id = parser.add_argument("--run-id", metavar="ID", help="what people call the run; default: the file's name")
    add_old_name(parser, "--run", run_id)
    parser.add_argument("--commit", metavar="SHA", help="which commit was tested")
