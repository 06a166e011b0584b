"""The arguments for specs of SLOs, and the settings that specs do not contain."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from exporter.commands.arguments import add_old_name
from exporter.commands.progress import Progress
from exporter.commands.values import duration

if TYPE_CHECKING:  # they take a while to load
    from exporter.model.slo import Slo
    from exporter.slo.specs import Options

_DAY = 86400


@dataclass(frozen=True)
class SpecOptions:
    """Options of commands that read specs."""

    slo_period: int
    scrape_interval: int
    retention: int | None
    spec: list[Path] | None

    def limits(self) -> Options:
        """The settings for reading specs."""
        from exporter.slo.specs import Options

        return Options(self.slo_period, self.scrape_interval, self.retention)

    def read(self) -> list[Slo]:
        """The objectives in the files and directories of --spec; raises ConfigError with every problem."""
        from exporter.slo import specs

        with Progress("reading the specs"):
            return specs.read(self.spec or [], self.limits())


def add_specs(parser: argparse.ArgumentParser, help: str, *, required: bool = False) -> None:
    """Add the options for specs and for settings that specs do not contain."""
    parser.add_argument(
        "--slo-period",
        type=duration,
        metavar="DURATION",
        default=30 * _DAY,
        help="period of specs without one (default: 30d)",
    )
    parser.add_argument(
        "--scrape-interval",
        type=duration,
        metavar="DURATION",
        default=30,
        help="scrape interval (default: 30s)",
    )
    parser.add_argument(
        "--retention",
        type=duration,
        metavar="DURATION",
        help="Prometheus's retention, the limit for windows (default: not checked)",
    )

    spec = parser.add_argument(
        "--spec", required=required, nargs="+", action="extend", type=Path, metavar="PATH", help=help
    )
    add_old_name(parser, "--slo", spec)
