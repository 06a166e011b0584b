"""`pte-exporter doctor`: its arguments, and what it prints while it works. What takes long to load is loaded late."""

from __future__ import annotations

import argparse
import io
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from exporter.commands.arguments import Progress
from exporter.errors import ConfigError

if TYPE_CHECKING:
    from exporter.checkup import Step
    from exporter.config import Config, Environment
    from exporter.model.checkup import CheckResult, Checkup

_DEMO = Path(__file__).parents[2] / "demo.yml"

_HELP = """\
Each step says what was tried and what came back and, where something is wrong, likely causes with what to do about
them, the likeliest first. A step that depends on a failed one is skipped. The last polls the source once.

Exit codes: 0 all is well (there may be warnings); 1 something failed, or the configuration does not load; 2 wrong
usage.
"""


def add(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    parser.description = _HELP
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--source", metavar="NAME", help="only the environment of this name; default: all of them")
    parser.add_argument("--format", choices=("text", "json"), default="text")
    parser.set_defaults(run=_run)


def _run(given: argparse.Namespace) -> int:
    from exporter import sources
    from exporter.config.conversion import unknown

    try:
        config = sources.read(given.config_file or _DEMO, checked=False)
    except ConfigError as error:
        if given.format == "json":
            from exporter.commands.doctor import json

            sys.stdout.buffer.write(json.render([], time.time(), error.problems))
        raise
    names = tuple(each.name for each in config.environments)
    if not given.config_file:  # on the terminal as well where the output goes to a file
        print("pte-exporter doctor: no --config.file: this is the embedded demo", file=sys.stderr)
    if given.source is not None and given.source not in names:
        print(f"pte-exporter doctor: --source: {unknown(given.source, names, 'source')}", file=sys.stderr)
        return 2
    chosen = [each for each in config.environments if given.source in (None, each.name)]
    return _as_json(config, chosen) if given.format == "json" else _as_text(config, chosen)


def _as_text(config: Config, chosen: list[Environment]) -> int:
    from exporter import sources
    from exporter.commands.doctor import text

    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a name in another alphabet is no reason to tell nothing
    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    well: dict[str, bool] = {}
    for environment in chosen:
        name = environment.name
        steps: list[CheckResult] = []
        print(text.heading(name, sources.kind(environment), environment.role, colour=colour), flush=True)
        for line in text.lines(_kept(_steps(config, environment), steps), colour=colour):
            print(line, flush=True)
        print(f"{text.summary(name, steps)}\n", flush=True)
        well[name] = all(done.verdict != "failed" for done in steps)
    print(text.ends(well.items()))
    return 0 if all(well.values()) else 1


def _kept(steps: Iterator[CheckResult], into: list[CheckResult]) -> Iterator[CheckResult]:
    for done in steps:
        into.append(done)
        yield done


def _as_json(config: Config, chosen: list[Environment]) -> int:
    from exporter import sources
    from exporter.commands.doctor import json
    from exporter.model.checkup import Checkup

    found: list[tuple[str, Checkup]] = []
    began = time.time()
    for environment in chosen:
        steps = tuple(_steps(config, environment))
        found.append((environment.role, Checkup(environment.name, sources.kind(environment), steps)))
    sys.stdout.buffer.write(json.render(found, began))
    return 0 if all(checkup.well for _, checkup in found) else 1


def _steps(config: Config, environment: Environment) -> Iterator[CheckResult]:
    """Each step when it is done; while it is made, a line on stderr says so, where a person looks on."""
    from exporter.pipeline.checkup import examine

    waiting: list[Progress] = []

    def begin(step: Step) -> None:
        waiting.append(Progress(f"{environment.name}: {step.check} {step.subject}".rstrip()))
        waiting[-1].__enter__()

    try:
        for done in examine(config, environment, time.time(), begin):
            if waiting:
                waiting.pop().__exit__()
            yield done
    finally:
        if waiting:
            waiting.pop().__exit__()
