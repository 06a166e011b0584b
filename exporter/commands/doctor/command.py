"""`pte-exporter doctor`: its arguments, and its output while it runs. Slow imports happen late."""

from __future__ import annotations

import argparse
import io
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from exporter.commands.arguments import old_value, set_command
from exporter.commands.common import add_common, add_format
from exporter.commands.configuration import DEMO
from exporter.commands.progress import Progress
from exporter.commands.terminal import is_coloured
from exporter.errors import ConfigError

if TYPE_CHECKING:
    from exporter.checkup import Step
    from exporter.config import Config, Environment
    from exporter.model.checkup import CheckResult, Checkup

_HELP = """\
Check each source step by step. A step prints what it tried and the result. After a failure or a warning it prints
causes and remedies, the likeliest first. A step that depends on a failed one is skipped. The last step polls the
source once.
"""


@dataclass(frozen=True)
class Options:
    """Options of `doctor`."""

    config_file: str | None
    source: str | None
    """None: all sources."""
    format: str


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.description = _HELP
    add_common(parser)
    parser.add_argument(
        "--source", metavar="NAME", help="check only the environment of this name (default: all environments)"
    )
    format = add_format(parser)
    format.type = old_value("--format", "text", "console")
    set_command(parser, Options, run)


def run(options: Options) -> int:
    """Run all steps of all sources, or of one."""
    config = _read_config(options)
    if not options.config_file:  # on stderr, to be visible also when the output goes to a file
        print("pte-exporter doctor: no --config.file: this is the embedded demo", file=sys.stderr)

    names = tuple(environment.name for environment in config.environments)
    if options.source is not None and options.source not in names:
        from exporter.config.conversion import unknown

        print(f"pte-exporter doctor: --source: {unknown(options.source, names, 'source')}", file=sys.stderr)
        return 2

    environments = [environment for environment in config.environments if options.source in (None, environment.name)]
    if options.format == "json":
        return _print_json(config, environments)
    return _print_text(config, environments)


def _read_config(options: Options) -> Config:
    """The configuration, with unchecked sources; if it does not load, a program still gets a JSON document."""
    from exporter import sources

    try:
        return sources.read(options.config_file or DEMO, checked=False)
    except ConfigError as error:
        if options.format == "json":
            from exporter.commands.doctor import json

            sys.stdout.buffer.write(json.render([], time.time(), error.problems))
        raise


def _print_text(config: Config, environments: list[Environment]) -> int:
    from exporter import sources
    from exporter.commands.doctor import text

    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a name in another alphabet must not stop the output
    colour = is_coloured()

    well: dict[str, bool] = {}
    for environment in environments:
        name = environment.name
        kind = sources.kind(environment)
        print(text.heading(name, kind, environment.role, colour=colour), flush=True)

        done: list[CheckResult] = []
        steps = _record(_steps(config, environment), done)
        for line in text.lines(steps, colour=colour):
            print(line, flush=True)

        print(f"{text.summary(name, done)}\n", flush=True)
        well[name] = all(step.verdict != "failed" for step in done)

    print(text.ends(well.items()))
    return 0 if all(well.values()) else 1


def _record(steps: Iterator[CheckResult], done: list[CheckResult]) -> Iterator[CheckResult]:
    """Yields the steps unchanged and collects them in `done`."""
    for step in steps:
        done.append(step)
        yield step


def _print_json(config: Config, environments: list[Environment]) -> int:
    from exporter import sources
    from exporter.commands.doctor import json
    from exporter.model.checkup import Checkup

    began = time.time()
    checkups: list[tuple[str, Checkup]] = []
    for environment in environments:
        steps = tuple(_steps(config, environment))
        checkup = Checkup(environment.name, sources.kind(environment), steps)
        checkups.append((environment.role, checkup))

    sys.stdout.buffer.write(json.render(checkups, began))
    return 0 if all(checkup.well for _, checkup in checkups) else 1


def _steps(config: Config, environment: Environment) -> Iterator[CheckResult]:
    """Each step when it is done; while it runs, a line on stderr says so, if stderr is a terminal."""
    from exporter.pipeline.checkup import examine

    waiting: list[Progress] = []

    def begin(step: Step) -> None:
        waiting.append(Progress(f"{environment.name}: {step.check} {step.subject}".rstrip()))
        waiting[-1].__enter__()

    try:
        for step in examine(config, environment, time.time(), begin):
            if waiting:
                waiting.pop().__exit__()
            yield step
    finally:
        if waiting:
            waiting.pop().__exit__()
