"""The arguments that `publish` and `run` share: whose result it is, what it is judged against, where it goes."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exporter.commands.common import add_baselines, add_run_names

if TYPE_CHECKING:  # they take a while to load
    from exporter.publishing.inputs import InputFiles
    from exporter.publishing.publication import Request

KINDS = ("pushgateway", "textfile")
"""Where results can be published."""


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
        """What the result is judged by and against."""
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

    def request(self) -> Request:
        """What is to be published, and where."""
        from exporter.publishing.publication import Request

        return Request(self.input_files(), self.to, self.to_config_file, self.run_id, self.commit)


class _AddDestination(argparse.Action):
    """Adds a kind and which one of it; another kind is wrong usage."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        kind, name = values
        if kind not in KINDS:
            parser.error(f"--to {kind}: wanted one of {', '.join(KINDS)}")
        setattr(namespace, self.dest, [*getattr(namespace, self.dest), (kind, name)])


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """All of them but those that every command has."""
    parser.add_argument("--application", required=True, type=_application, metavar="NAME", help="whose result it is")
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
        metavar=("KIND", "PLACE"),
        help="pushgateway URL, or textfile DIR for a node_exporter; may be given more than once",
    )
    parser.add_argument(
        "--to.config.file",
        dest="to_config_file",
        type=Path,
        metavar="FILE",
        help="YAML with credentials and TLS for the Pushgateway, with the keys that a Prometheus source has",
    )


def _add_comparisons(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what the run is judged against")
    group.add_argument("--baseline", metavar="NAME|FILE", help="a saved run, or a result file, to compare with")
    add_baselines(group)
    group.add_argument(
        "--history",
        action="append",
        default=[],
        metavar="GLOB",
        help="result files of the runs before; may be given more than once",
    )


def _add_routes(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what the names in the result stand for")
    group.add_argument(
        "--route",
        action="append",
        type=_route,
        default=[],
        metavar="NAME=ROUTE",
        help='such as "Log in=POST /login"; may be given more than once',
    )
    group.add_argument("--routes", type=Path, metavar="FILE", help='YAML with lines such as "Log in: POST /login"')


def _route(text: str) -> tuple[str, str]:
    """A name and what it stands for."""
    from exporter.analysis.loadrun import is_route  # it takes a while to load

    name, _, route = text.rpartition("=")
    if not name or not is_route(route):
        expected = 'wanted a name, = and a method and a path, such as "Log in=POST /login"'
        raise argparse.ArgumentTypeError(f"{text}: {expected}")
    return name, route


def _application(text: str) -> str:
    """A name that can be told: alerts and boards are by it."""
    if not text.strip() or not text.isprintable():
        raise argparse.ArgumentTypeError(f"found {text!r}, wanted a name that can be printed")
    return text
