"""`pte-exporter generate backfill`: a script that fills in the past of new SLOs with promtool."""

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
"""Blocks must end so many seconds before now: younger data is still in the server's head.

A block that reaches into the head makes Prometheus skip that time in its write-ahead log, for all series, when it
restarts.
"""

_WHY = "younger data is still in Prometheus's memory, and is lost when blocks overlap it"


@dataclass(frozen=True)
class Options(SpecOptions):
    """Options of `generate backfill`."""

    start: datetime
    end: datetime | None
    """None: the latest safe time."""
    prometheus_url: str
    graphs: bool
    output: Path


def add(parser: argparse.ArgumentParser) -> None:
    """Add its arguments."""
    add_common(parser)
    add_specs(parser, "files and directories with specs", required=True)

    parser.add_argument(
        "--start", required=True, type=past_time, metavar="TIME", help="start of the past, not before the oldest data"
    )
    parser.add_argument(
        "--end",
        type=past_time,
        metavar="TIME",
        help="time when the rules were loaded, at least 3 h ago (default: 3 h ago)",
    )
    url = parser.add_argument(
        "--prometheus.url",
        dest="prometheus_url",
        required=True,
        metavar="URL",
        help="URL of the Prometheus that evaluates the rules",
    )
    add_old_name(parser, "--url", url)
    parser.add_argument("--graphs", action="store_true", help="also record the series that only graphs need")
    parser.add_argument(
        "--output",
        type=Path,
        metavar="DIR",
        default=Path("backfill"),
        help="directory to write to (default: %(default)s)",
    )
    set_command(parser, Options, run)


def run(options: Options) -> int:
    """Write the files for promtool, and print the script that uses them."""
    from exporter.commands.generate import script, stages

    start, end = _past(options)
    all_stages = stages.plan(options.read(), graphs=options.graphs)
    contents = stages.files(all_stages)
    other = stages.other(contents, options.output)
    if other is not None:
        text = "belongs to another backfill, whose script needs it: use another --output, or delete it"
        raise PteError(f"{other}: {text}")

    files.write(contents, options.output)
    print(script.render(all_stages, start, end, options.prometheus_url, options.output), end="")
    return 0


def _past(options: Options) -> tuple[float, float]:
    """Start and end, in Unix seconds."""
    latest = time.time() - SAFE_AGE
    start = options.start.timestamp()
    end = latest if options.end is None else options.end.timestamp()

    if end > latest:
        raise UsageError(f"argument --end: must be at least {SAFE_AGE // 3600} h ago: {_WHY}")
    if start >= end:
        raise UsageError("argument --start: must be before --end")
    return start, end
