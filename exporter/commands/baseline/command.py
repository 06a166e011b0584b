"""`pte-exporter baseline`: its arguments and exit codes. What takes long to load is loaded when it is needed."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from exporter.errors import PteError

if TYPE_CHECKING:
    from exporter.model.settings import LoadRunSettings

_UNKNOWN = 3
"""A gate's exit code also where something failed: 1 is a verdict."""

_GRADES = ("A+", "A", "B", "C", "D")

_COMPARE_HELP = """\
Exit codes: 0 not worse; 1 something is worse by --severity or more, or the grade is below --min-grade; 2 wrong usage;
3 nobody knows: a file cannot be read, or too few requests to leave out that the run is worse.
"""


def add(parser: argparse.ArgumentParser, common: argparse.ArgumentParser) -> None:
    """Its commands; `common` has the arguments that all commands have."""
    kept = argparse.ArgumentParser(add_help=False)
    kept.add_argument(
        "--folder", type=Path, default=Path("baselines"), help="where baselines are saved; default %(default)s"
    )
    formats = argparse.ArgumentParser(add_help=False)
    formats.add_argument("--format", choices=("console", "json"), default="console")
    whose = argparse.ArgumentParser(add_help=False)
    whose.add_argument("--application", required=True, metavar="NAME", help="whose result it is")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    saved = commands.add_parser("save", parents=[common, kept, whose], help="save a run by name")
    saved.add_argument("name", metavar="NAME", help="of the baseline, such as main or v1.4")
    saved.add_argument("result", type=Path, metavar="RESULT", help="a load test's result file")
    saved.add_argument("--run", dest="run_id", metavar="ID", help="what people call the run; default: the file's name")
    saved.add_argument("--commit", metavar="SHA", help="which commit was tested")
    saved.add_argument("--force", action="store_true", help="replace it, or save a run that was ended early")
    saved.set_defaults(run=_save)

    listed = commands.add_parser("list", parents=[common, kept, formats], help="which are saved")
    listed.add_argument("--application", metavar="NAME", help="only of this one")
    listed.set_defaults(run=_list)

    compared = commands.add_parser(
        "compare",
        parents=[common, kept, whose, formats],
        help="is a run worse than a baseline? may a pipeline go on?",
        description=_COMPARE_HELP,
    )
    compared.add_argument("name", metavar="NAME|FILE", help="a baseline's name, or a result file")
    compared.add_argument("result", type=Path, metavar="RESULT", help="the run that is compared")
    compared.add_argument(
        "--history",
        action="append",
        default=[],
        metavar="GLOB",
        help="result files of the runs before: how much runs scatter is told by them; may be given more than once",
    )
    compared.add_argument("--min-grade", choices=_GRADES, help="a worse grade is exit code 1; default: any will do")
    compared.add_argument(
        "--severity",
        choices=("low", "medium", "high", "critical"),
        help="of a change for the worse, from which on it is exit code 1; "
        "default: analysis.load_runs.alert_severity, medium unless configured",
    )
    compared.set_defaults(run=_compare, failed=_UNKNOWN)


def _save(given: argparse.Namespace) -> int:
    from exporter import formats
    from exporter.publishing import baselines as files

    path = files.place(given.folder, given.application, given.name)
    run = formats.read(given.result)
    if not run.complete and not given.force:
        raise PteError(f"{given.result}: the run was ended early; --force saves it all the same")
    if not run.total.requests:
        raise PteError(f"{given.result}: holds no requests")
    run = replace(run, run=given.run_id or run.run, commit=given.commit or run.commit)
    files.save(path, run, force=given.force)
    print(f"{path}: run {run.run}, {run.total.requests} requests")
    return 0


def _list(given: argparse.Namespace) -> int:
    from exporter.commands.baseline import show
    from exporter.publishing import baselines as files

    wrong = list[str]()
    found, settings = list(files.listed(given.folder, given.application, wrong)), _settings(given)
    text = show.baselines_as_json if given.format == "json" else show.baselines_as_table
    print(text(found, settings), end="")
    for each in wrong:
        print(f"pte-exporter: {each}", file=sys.stderr)
    return 1 if wrong else 0


def _compare(given: argparse.Namespace) -> int:
    from exporter import formats
    from exporter.analysis.loadrun_judgement import judge
    from exporter.commands.baseline import gate, show
    from exporter.publishing import baselines as files

    settings, warnings = _settings(given), list[str]()
    baseline = formats.read(files.find(given.folder, given.application, given.name))
    run = formats.read(given.result)
    if not run.complete:
        raise PteError(f"{given.result}: the run was ended early, and says nothing of the whole")
    before = files.history(given.history, warnings, until=run.end, apart=given.result)
    if given.history and not before:
        warnings.append("--history: not one complete run that ended before this one")
    judged = judge([*before, run], baseline, settings)
    assert judged is not None
    code, reason = gate.judge(judged, settings, given.severity or settings.alert_severity, given.min_grade)
    if given.format == "json":
        print(show.comparison_as_json(judged, code, reason, warnings), end="")
    else:
        print(show.comparison_as_text(judged, given.application), end="")
    for each in warnings:
        print(f"pte-exporter: {each}", file=sys.stderr)
    sys.stdout.flush()
    to = sys.stdout if code == gate.PASS and given.format == "console" else sys.stderr
    print(reason, file=to)
    return code


def _settings(given: argparse.Namespace) -> LoadRunSettings:
    from exporter import sources
    from exporter.model.settings import AnalysisSettings

    found = sources.read(given.config_file).analysis if given.config_file else AnalysisSettings()
    return found.load_runs
