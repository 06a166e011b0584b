"""`pte-exporter publish`: its arguments and exit codes."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from exporter.commands.arguments import set_command
from exporter.commands.common import JUDGING, add_common
from exporter.commands.publish.arguments import ResultOptions, add_arguments

_HELP = """\
Exit codes: 0 published (without --to: printed); 1 not; 2 wrong usage. Whether the run is good enough is asked with
`pte-exporter baseline compare`. JUnit XML is recognised too and published as test executions.
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
        help="a load test's result file; or JUnit XML, as many files as one run of tests wrote",
    )
    add_arguments(parser)
    set_command(parser, Options, run)


def run(options: Options) -> int:
    """Publish the results, and print what was published and where."""
    from exporter.publishing import publication

    print(publication.publish_files(options.results, options.request()))
    return 0
