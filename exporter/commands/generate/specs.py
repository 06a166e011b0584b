"""The arguments that name specs of SLOs, and what the specs are held against."""

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
    """Of commands that read specs."""

    slo_period: int
    scrape_interval: int
    retention: int | None
    spec: list[Path] | None

    def limits(self) -> Options:
        """What specs are held against."""
        from exporter.slo.specs import Options

        return Options(self.slo_period, self.scrape_interval, self.retention)

    def read(self) -> list[Slo]:
        """The objectives in the files and folders of --spec; raises ConfigError with every problem."""
        from exporter.slo import specs

        with Progress("reading the specs"):
            return specs.read(self.spec or [], self.limits())


def add_specs(parser: argparse.ArgumentParser, help: str, *, required: bool = False) -> None:
    """Which specs, and what is not written in them."""
    parser.add_argument(
        "--slo-period",
        type=duration,
        metavar="DURATION",
        default=30 * _DAY,
        help="of specs that name none; default 30d",
    )
    parser.add_argument(
        "--scrape-interval", type=duration, metavar="DURATION", default=30, help="of the data; default 30s"
    )
    parser.add_argument(
        "--retention",
        type=duration,
        metavar="DURATION",
        help="of Prometheus; default: windows may be longer than it",
    )

    spec = parser.add_argument(
        "--spec", required=required, nargs="+", action="extend", type=Path, metavar="PATH", help=help
    )
    add_old_name(parser, "--slo", spec)
