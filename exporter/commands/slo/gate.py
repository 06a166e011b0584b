"""`pte-exporter slo gate`: a gate for pipelines."""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass

from exporter.commands.arguments import set_command
from exporter.commands.slo.arguments import add_arguments, add_objective
from exporter.commands.values import ratio

_UNKNOWN = 3
"""A gate's exit code also after a failure: 1 is a verdict."""

_HELP = """\
Checks that enough of an SLO's error budget remains, and prints the verdict and the reason in one line.
"""


@dataclass(frozen=True)
class Options:
    """Options of `slo gate`."""

    config_file: str | None
    prometheus_url: str | None
    slo: str
    side: str | None
    min_remaining: float
    min_coverage: float


def add(parser: argparse.ArgumentParser) -> None:
    """Add its arguments."""
    parser.description = _HELP
    add_arguments(parser)
    add_objective(parser)

    parser.add_argument(
        "--min-remaining", type=ratio, required=True, metavar="RATIO", help="required share of the budget: 0.1 is 10 %%"
    )
    parser.add_argument(
        "--min-coverage",
        type=ratio,
        default=0.9,
        metavar="RATIO",
        help="required share of the period with data (default: %(default)s)",
    )
    set_command(parser, Options, run, failure_code=_UNKNOWN)


def run(options: Options) -> int:
    """Print in one line why the pipeline may continue or not."""
    from exporter.commands.slo import verdict
    from exporter.commands.slo.connection import ask
    from exporter.slo.status import query

    statuses = ask(
        options.prometheus_url,
        options.config_file,
        lambda client: query.read_one(client, time.time(), options.slo, options.side),
    )
    code, text = verdict.judge(statuses, options.min_remaining, options.min_coverage)

    stream = sys.stdout if code == verdict.PASS else sys.stderr
    print(text, file=stream)
    return code
