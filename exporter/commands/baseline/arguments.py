"""The arguments and settings that the commands of `baseline` share."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from exporter.commands.arguments import add_old_name
from exporter.commands.common import JUDGING, add_baselines, add_common

if TYPE_CHECKING:  # they take a while to load
    from exporter.model.settings import LoadRunSettings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of all of them."""
    add_common(parser, JUDGING)
    folder = add_baselines(parser)
    add_old_name(parser, "--folder", folder)


def add_application(parser: argparse.ArgumentParser) -> None:
    """For the commands that need one."""
    parser.add_argument("--application", required=True, metavar="NAME", help="application that was tested")


def read_settings(config_file: str | None) -> LoadRunSettings:
    """The settings for judging runs."""
    from exporter import sources
    from exporter.model.settings import AnalysisSettings

    if not config_file:
        return AnalysisSettings().load_runs
    return sources.read(config_file).analysis.load_runs
