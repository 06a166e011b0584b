"""`pte-exporter generate backfill`: how to give new SLOs a past with promtool."""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from exporter.commands.arguments import UsageError, add_old_name, set_command
from exporter.commands.common import add_common
from exporter.commands.generate import files
from exporter.commands.generate.specs import SpecOptions, add_specs
from exporter.commands.values import past_time
from exporter.errors import PteError

SAFE_AGE = 3 * 3600
"""Seconds before now that blocks may reach up to: what is younger is still in the server's head.

A block that reaches into the head makes Prometheus leave out what its write-ahead log has of that time, of all series,
when it starts again.
"""

_WHY = "what is younger is in Prometheus's memory still, and lost when blocks reach into it"


@dataclass(frozen=True)
class Options(SpecOptions):
    """Of `generate backfill`."""

    start: datetime
    end: datetime | None
    """None: as late as is safe."""
    prometheus_url: str
    graphs: bool
    output: Path


def add(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    add_common(parser)
    add_specs(parser, "files and folders with specs", required=True)

    parser.add_argument("--start", required=True, type=past_time, metavar="TIME", help="not before the oldest raw data")
    parser.add_argument(
        "--end",
        type=past_time,
        metavar="TIME",
        help="when the rules were loaded, if at least 3 h ago; default 3 h ago",
    )
    url = parser.add_argument(
        "--prometheus.url",
        dest="prometheus_url",
        required=True,
        metavar="URL",
        help="of the Prometheus that evaluates the rules",
    )
    add_old_name(parser, "--url", url)
    parser.add_argument("--graphs", action="store_true", help="record for graphs too what rules make of the sums")
    parser.add_argument("--output", type=Path, metavar="DIR", default=Path("backfill"), help="default: %(default)s")
    set_command(parser, Options, run)


def run(options: Options) -> int:
    """Write the files for promtool, and print the script that uses them."""
    from exporter.commands.generate import script, stages

    start, end = _past(options)
    all_stages = stages.plan(options.read(), graphs=options.graphs)
    contents = stages.files(all_stages)
    other = stages.other(contents, options.output)
    if other is not None:
        text = "is of another backfill, whose script needs it: give another --output, or delete it"
        raise PteError(f"{other}: {text}")

    files.write(contents, options.output)
    print(script.render(all_stages, start, end, options.prometheus_url, options.output), end="")
    return 0


def _past(options: Options) -> tuple[float, float]:
    """From when to when, in Unix seconds."""
    latest = time.time() - SAFE_AGE
    start = options.start.timestamp()
    end = latest if options.end is None else options.end.timestamp()

    if end > latest:
        raise UsageError(f"argument --end: wanted a time at least {SAFE_AGE // 3600} h ago: {_WHY}")
    if start >= end:
        raise UsageError("argument --start: wanted a time before --end")
    return start, end
