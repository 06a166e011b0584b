"""`pte-exporter publish`: its arguments."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from exporter.commands.arguments import set_command
from exporter.commands.common import JUDGING, add_common
from exporter.commands.publish.arguments import ResultOptions, add_arguments

_HELP = """\
Publishes the result of a load test, or JUnit XML as test executions. To judge whether the run is good enough, use
`pte-exporter baseline compare`.
"""


@dataclass(frozen=True)
class Options(ResultOptions):
    """Of `publish`."""

    results: list[Path]


def add(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    parser.description = _HELP
    add_common(parser, JUDGING)

    parser.add_argument(
        "results",
        type=Path,
        nargs="+",
        metavar="RESULT",
        help="result file of a load test, or all JUnit XML files of one test execution",
    )
    add_arguments(parser)
    set_command(parser, Options, run)


def run(options: Options) -> int:
    """Publish the results, and print a summary and the destinations."""
    from exporter.publishing import publication

    print(publication.publish_files(options.results, options.request()))
    return 0
