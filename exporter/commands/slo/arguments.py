"""The arguments that the commands of `slo` share."""

from __future__ import annotations

import argparse

from exporter.commands.common import add_common


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options for the Prometheus to query."""
    add_common(parser)
    parser.add_argument(
        "--prometheus.url",
        dest="prometheus_url",
        metavar="URL",
        help="URL of the Prometheus that evaluates the rules (default: production's source in --config.file, "
        "which may have credentials and TLS)",
    )


def add_objective(parser: argparse.ArgumentParser) -> None:
    """Options for the objective."""
    parser.add_argument("--slo", required=True, metavar="ID", help="value of the label sloth_id: service-name")
    parser.add_argument("--side", help="only this side; production's id also selects the PTE's objective")
