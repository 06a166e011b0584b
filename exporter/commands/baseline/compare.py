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
"""A gate's exit code also where something failed: 1 is a verdict."""

_GRADES = ("A+", "A", "B", "C", "D")

_HELP = """\
Exit codes: 0 not worse; 1 something is worse by --severity or more, or the grade is below --min-grade; 2 wrong usage;
3 nobody knows: a file cannot be read, or too few requests to leave out that the run is worse.
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

    parser.add_argument("name", metavar="NAME|FILE", help="a baseline's name, or a result file")
    parser.add_argument("result", type=Path, metavar="RESULT", help="the run that is compared")
    parser.add_argument(
        "--history",
        action="append",
        default=[],
        metavar="GLOB",
        help="result files of the runs before: how much runs scatter is told by them; may be given more than once",
    )
    parser.add_argument("--min-grade", choices=_GRADES, help="a worse grade is exit code 1; default: any will do")
    parser.add_argument(
        "--severity",
        choices=("low", "medium", "high", "critical"),
        help="of a change for the worse, from which on it is exit code 1; "
        "default: analysis.load_runs.alert_severity, medium unless configured",
    )
    set_command(parser, Options, run, failure_code=_UNKNOWN)


def run(options: Options) -> int:
    """Compare, print every comparison, and say in the last line why the pipeline may go on or not."""
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

    # The reason is a message where it is bad news, and where standard output is for programs.
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
        raise PteError(f"{options.result}: the run was ended early, and says nothing of the whole")

    runs_before = baselines.history(options.history, warnings, until=result.end, apart=options.result)
    if options.history and not runs_before:
        warnings.append("--history: not one complete run that ended before this one")

    judged = judge([*runs_before, result], baseline, settings)
    assert judged is not None
    return judged
