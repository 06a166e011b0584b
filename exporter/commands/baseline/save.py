"""`pte-exporter baseline save`: saves a run by name."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

from exporter.commands.arguments import set_command
from exporter.commands.baseline.arguments import add_application, add_arguments
from exporter.commands.common import add_run_names
from exporter.errors import PteError


@dataclass(frozen=True)
class Options:
    """Of `baseline save`."""

    baselines: Path
    application: str
    name: str
    result: Path
    run_id: str | None
    commit: str | None
    force: bool


def add(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    add_arguments(parser)
    add_application(parser)
    parser.add_argument("name", metavar="NAME", help="name of the baseline, such as main or v1.4")
    parser.add_argument("result", type=Path, metavar="RESULT", help="result file of a load test")
    add_run_names(parser)
    parser.add_argument(
        "--force", action="store_true", help="replace an existing baseline, or save a run that was ended early"
    )
    set_command(parser, Options, run)


def run(options: Options) -> int:
    """Save the run, and print the path."""
    from exporter import formats
    from exporter.publishing import baselines

    path = baselines.path_of(options.baselines, options.application, options.name)
    result = formats.read(options.result)
    if not result.complete and not options.force:
        raise PteError(f"{options.result}: the run was ended early; --force saves it anyway")
    if not result.total.requests:
        raise PteError(f"{options.result}: contains no requests")

    named_run = replace(result, run=options.run_id or result.run, commit=options.commit or result.commit)
    baselines.save(path, named_run, force=options.force)
    print(f"{path}: run {named_run.run}, {named_run.total.requests} requests")
    return 0
