"""The arguments that `publish` and `run` share: application, comparisons, routes and destinations."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exporter.commands.common import add_baselines, add_run_names

if TYPE_CHECKING:  # they take a while to load
    from exporter.publishing.inputs import InputFiles
    from exporter.publishing.publication import PublicationRequest

KINDS = ("pushgateway", "textfile")
"""Kinds of destinations."""


@dataclass(frozen=True)
class ResultOptions:
    """Of `publish`, and of `run`."""

    config_file: str | None
    application: str
    run_id: str | None
    commit: str | None
    to: list[tuple[str, str]]
    to_config_file: Path | None
    baseline: str | None
    baselines: Path
    history: list[str]
    route: list[tuple[str, str]]
    routes: Path | None

    def input_files(self) -> InputFiles:
        """The files that the result is judged by and against."""
        from exporter.publishing.inputs import InputFiles

        return InputFiles(
            application=self.application,
            config_file=self.config_file,
            routes=dict(self.route),
            routes_file=self.routes,
            baseline=self.baseline,
            baselines=self.baselines,
            history=self.history,
        )

    def request(self) -> PublicationRequest:
        """The whole request: files, names and destinations."""
        from exporter.publishing.publication import PublicationRequest

        return PublicationRequest(self.input_files(), self.to, self.to_config_file, self.run_id, self.commit)


class _AddDestination(argparse.Action):
    """Adds a destination, a kind and its URL or directory; an unknown kind is wrong usage."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        kind, name = values
        if kind not in KINDS:
            parser.error(f"--to {kind}: unknown kind, expected one of: {', '.join(KINDS)}")
        setattr(namespace, self.dest, [*getattr(namespace, self.dest), (kind, name)])


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """All of them, except those that every command has."""
    parser.add_argument(
        "--application", required=True, type=_application, metavar="NAME", help="application that was tested"
    )
    add_run_names(parser)
    _add_destinations(parser)
    _add_comparisons(parser)
    _add_routes(parser)


def _add_destinations(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--to",
        nargs=2,
        action=_AddDestination,
        default=[],
        metavar=("KIND", "DESTINATION"),
        help="publish to pushgateway URL, or to textfile DIR for node_exporter; repeatable",
    )
    parser.add_argument(
        "--to.config.file",
        dest="to_config_file",
        type=Path,
        metavar="FILE",
        help="YAML file with credentials and TLS for the Pushgateway; same keys as a Prometheus source",
    )


def _add_comparisons(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("comparisons")
    group.add_argument("--baseline", metavar="NAME|FILE", help="compare with this saved run or result file")
    add_baselines(group)
    group.add_argument(
        "--history",
        action="append",
        default=[],
        metavar="GLOB",
        help="compare with the result files of earlier runs that match; repeatable",
    )


def _add_routes(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("routes")
    group.add_argument(
        "--route",
        action="append",
        type=_route,
        default=[],
        metavar="NAME=ROUTE",
        help='map a name in the result to a route, such as "Log in=POST /login"; repeatable',
    )
    group.add_argument(
        "--routes",
        type=Path,
        metavar="FILE",
        help='YAML file that maps names to routes, with lines such as "Log in: POST /login"',
    )


def _route(text: str) -> tuple[str, str]:
    """A name in the result and its route."""
    from exporter.analysis.loadrun import is_route  # it takes a while to load

    name, _, route = text.rpartition("=")
    if not name or not is_route(route):
        expected = 'expected NAME=METHOD PATH, such as "Log in=POST /login"'
        raise argparse.ArgumentTypeError(f"{text}: {expected}")
    return name, route


def _application(text: str) -> str:
    """A printable name: alerts and boards show it."""
    if not text.strip() or not text.isprintable():
        raise argparse.ArgumentTypeError(f"{text!r}: expected a printable name")
    return text
