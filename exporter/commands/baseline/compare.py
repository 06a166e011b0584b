"""`pte-exporter baseline compare`: a gate for pipelines."""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from exporter.commands.arguments import set_command
from exporter.commands.baseline.arguments import add_application, add_arguments, read_settings
from exporter.commands.common import add_format
from exporter.errors import PteError

if TYPE_CHECKING:  # they take a while to load
    from exporter.model.loadrun_judgement import JudgedRun
    from exporter.model.settings import LoadRunSettings

_UNKNOWN = 3
"""The exit code of a failure too, because 1 is a verdict."""

_GRADES = ("A+", "A", "B", "C", "D")

_HELP = """\
Compares a run with a baseline and prints every comparison; the last line is the verdict and the reason.
"""


@dataclass(frozen=True)
class Options:
    """Of `baseline compare`."""

    config_file: str | None
    baselines: Path
    format: str
    application: str
    name: str
    result: Path
    history: list[str]
    min_grade: str | None
    severity: str | None
    """None: the configured one."""


def add(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    parser.description = _HELP
    add_arguments(parser)
    add_application(parser)
    add_format(parser)

    parser.add_argument("name", metavar="NAME|FILE", help="name of a saved baseline, or a result file")
    parser.add_argument("result", type=Path, metavar="RESULT", help="result file of the run to compare")
    parser.add_argument(
        "--history",
        action="append",
        default=[],
        metavar="GLOB",
        help="result files of earlier runs, to measure how much runs scatter; repeatable",
    )
    parser.add_argument(
        "--min-grade", choices=_GRADES, help="exit with 1 if the grade is lower (default: accept any grade)"
    )
    parser.add_argument(
        "--severity",
        choices=("low", "medium", "high", "critical"),
        help="exit with 1 if a change for the worse has at least this severity "
        "(default: analysis.load_runs.alert_severity, medium unless configured)",
    )
    set_command(parser, Options, run, failure_code=_UNKNOWN)


def run(options: Options) -> int:
    """Compare, print every comparison, and end with a line that says whether the pipeline may continue and why."""
    from exporter.commands.baseline import gate, json, text

    settings = read_settings(options.config_file)
    warnings: list[str] = []
    judged = _judge(options, settings, warnings)
    severity = options.severity or settings.alert_severity
    code, reason = gate.judge(judged, settings, severity, options.min_grade)

    if options.format == "json":
        print(json.comparison(judged, code, reason, warnings), end="")
    else:
        print(text.comparison(judged, options.application), end="")
    for warning in warnings:
        print(f"pte-exporter: {warning}", file=sys.stderr)
    sys.stdout.flush()

    # The reason goes to stderr if it is bad news, or if standard output is for programs.
    stream = sys.stdout if code == gate.PASS and options.format == "console" else sys.stderr
    print(reason, file=stream)
    return code


def _judge(options: Options, settings: LoadRunSettings, warnings: list[str]) -> JudgedRun:
    from exporter import formats
    from exporter.analysis.loadrun_judgement import judge
    from exporter.publishing import baselines

    path = baselines.find(options.baselines, options.application, options.name)
    baseline = formats.read(path)
    result = formats.read(options.result)
    if not result.complete:
        raise PteError(f"{options.result}: the run was ended early, so it cannot be compared")

    runs_before = baselines.history(options.history, warnings, until=result.end, apart=options.result)
    if options.history and not runs_before:
        warnings.append("--history: no complete run ended before this one")

    judged = judge([*runs_before, result], baseline, settings)
    assert judged is not None
    return judged
