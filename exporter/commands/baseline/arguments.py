"""The arguments that the commands of `baseline` share, and the settings that they go by."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from exporter.commands.arguments import add_old_name
from exporter.commands.common import JUDGING, add_baselines, add_common

if TYPE_CHECKING:  # they take a while to load
    from exporter.model.settings import LoadRunSettings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What all of them have."""
    add_common(parser, JUDGING)
    folder = add_baselines(parser)
    add_old_name(parser, "--folder", folder)


def add_application(parser: argparse.ArgumentParser) -> None:
    """Of the commands that are about one."""
    parser.add_argument("--application", required=True, metavar="NAME", help="whose result it is")


def read_settings(config_file: str | None) -> LoadRunSettings:
    """What runs are judged by."""
    from exporter import sources
    from exporter.model.settings import AnalysisSettings

    if not config_file:
        return AnalysisSettings().load_runs
    return sources.read(config_file).analysis.load_runs
