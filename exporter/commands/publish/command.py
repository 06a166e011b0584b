"""`pte-exporter publish`: its arguments, those that `run` has too, and its exit codes."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

KINDS = ("pushgateway", "textfile")
"""Where results can be published."""

_HELP = """\
Exit codes: 0 published (without --to: printed); 1 not; 2 wrong usage. Whether the run is good enough is asked with
`pte-exporter baseline compare`. JUnit XML is recognised too and published as test executions.
"""


class _Places(argparse.Action):
    """Adds a kind and a place; another kind is wrong usage."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        kind, place = values
        if kind not in KINDS:
            parser.error(f"--to {kind}: wanted one of {', '.join(KINDS)}")
        setattr(namespace, self.dest, [*getattr(namespace, self.dest), (kind, place)])


def _route(text: str) -> tuple[str, str]:
    """A name and what it stands for."""
    from exporter.analysis.loadrun import is_route  # it takes a while to load

    name, _, route = text.rpartition("=")
    if not name or not is_route(route):
        raise argparse.ArgumentTypeError(
            f'{text}: wanted a name, = and a method and a path, such as "Log in=POST /login"'
        )
    return name, route


def _application(text: str) -> str:
    """A name that can be told: alerts and boards are by it."""
    if not text.strip() or not text.isprintable():
        raise argparse.ArgumentTypeError(f"found {text!r}, wanted a name that can be printed")
    return text


def add(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    parser.description = _HELP
    parser.add_argument(
        "results",
        type=Path,
        nargs="+",
        metavar="RESULT",
        help="a load test's result file; or JUnit XML, as many files as one run of tests wrote",
    )
    add_arguments(parser)
    parser.set_defaults(run=_publish)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What a result belongs to, what it is judged against, and where it goes."""
    parser.add_argument("--application", required=True, type=_application, metavar="NAME", help="whose result it is")
    parser.add_argument("--run", dest="run_id", metavar="ID", help="what people call the run; default: the file's name")
    parser.add_argument("--commit", metavar="SHA", help="which commit was tested")
    parser.add_argument(
        "--to",
        nargs=2,
        action=_Places,
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
    judged = parser.add_argument_group("what the run is judged against")
    judged.add_argument("--baseline", metavar="NAME|FILE", help="a saved run, or a result file, to compare with")
    judged.add_argument(
        "--baselines",
        type=Path,
        default=Path("baselines"),
        metavar="FOLDER",
        help="where baselines are saved by name; default %(default)s",
    )
    judged.add_argument(
        "--history",
        action="append",
        default=[],
        metavar="GLOB",
        help="result files of the runs before; may be given more than once",
    )
    named = parser.add_argument_group("what the names in the result stand for")
    named.add_argument(
        "--route",
        action="append",
        type=_route,
        default=[],
        metavar="NAME=ROUTE",
        help='such as "Log in=POST /login"; may be given more than once',
    )
    named.add_argument("--routes", type=Path, metavar="FILE", help='YAML with lines such as "Log in: POST /login"')


def check(given: argparse.Namespace) -> None:
    """Raises PteError when the arguments cannot be used, before anything is run or read."""
    from exporter.publishing import publication

    publication.check(given)


def _publish(given: argparse.Namespace) -> int:
    from exporter.publishing import publication

    print(publication.publish_files(given.results, given))
    return 0
