"""Arguments that several commands share: the same name means the same everywhere."""

from __future__ import annotations

import argparse
from pathlib import Path

from exporter import logs
from exporter.commands.arguments import add_old_name

_DEMO = "configuration (default: the embedded demo)"

JUDGING = "configuration with limits, grades and routes (default: built-in limits)"
"""The help of --config.file for commands that judge one result."""


def add_common(parser: argparse.ArgumentParser, config_help: str = _DEMO) -> None:
    """The arguments of every command."""
    parser.add_argument("--config.file", dest="config_file", metavar="FILE", help=config_help)

    parser.add_argument(
        "--log.level",
        dest="log_level",
        choices=logs.LEVELS,
        default="info",
        help="log only messages of this level and above (default: %(default)s)",
    )
    parser.add_argument(
        "--log.format",
        dest="log_format",
        choices=logs.FORMATS,
        default="logfmt",
        help="format of the log on stderr (default: %(default)s)",
    )


def add_web_config(parser: argparse.ArgumentParser) -> None:
    """How the exporter itself is protected: --web.config.file."""
    parser.add_argument(
        "--web.config.file",
        dest="web_config_file",
        metavar="FILE",
        help="web configuration: TLS and basic authentication (default: neither)",
    )


def add_format(parser: argparse.ArgumentParser) -> argparse.Action:
    """Output for people or for programs."""
    return parser.add_argument(
        "--format",
        choices=("console", "json"),
        default="console",
        help="output format: console for people, json for programs (default: %(default)s)",
    )


def add_baselines(parser: argparse._ActionsContainer) -> argparse.Action:
    """The directory of saved runs."""
    return parser.add_argument(
        "--baselines",
        type=Path,
        default=Path("baselines"),
        metavar="DIR",
        help="directory of the saved baselines (default: %(default)s)",
    )


def add_run_names(parser: argparse.ArgumentParser) -> None:
    """The ID of a run, and the commit that it tested."""
    run_id = parser.add_argument("--run-id", metavar="ID", help="ID of the run (default: the name of the result file)")
    add_old_name(parser, "--run", run_id)
    parser.add_argument("--commit", metavar="SHA", help="commit that was tested")
