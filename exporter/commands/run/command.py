"""`pte-exporter run`: its arguments, the order of things, and its exit codes."""

from __future__ import annotations

import argparse
import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from exporter.commands.arguments import UsageError, set_command
from exporter.commands.common import JUDGING, add_common
from exporter.commands.publish.arguments import ResultOptions, add_arguments
from exporter.errors import PteError

if TYPE_CHECKING:  # they take a while to load, and every command's start would wait for it
    from exporter.commands.run.live import Live
    from exporter.commands.run.result import ResultPlan
    from exporter.commands.run.targets import Target
    from exporter.commands.run.terminal import ProgressLine
    from exporter.publishing.destinations import Destination

_STANDARD_OUTPUT = "-"

ADDRESS = "127.0.0.1:9827"

_HELP = """\
Starts a load generator, samples its processes and those of --target every 100 ms, serves live percentiles on /metrics
while it goes, publishes its result at the end and exits with its exit code. What follows on -- is passed on untouched.

Exit codes: the generator's (128 + n where signal n ended it); 1 where it succeeded and its result could not be read,
saved or published; 2 where nothing was started; 126 and 127 where COMMAND cannot be run, or is not there.
"""


@dataclass(frozen=True)
class Options(ResultOptions):
    """Of `run`."""

    result: str | None
    target: list[Target]
    save: Path | None
    listen_address: str | None
    wrapped: list[str] | None
    """The command behind --."""


def add(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    parser.usage = "pte-exporter run --application NAME [--result FILE] [OPTION …] -- COMMAND …"
    parser.description = _HELP
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add_common(parser, JUDGING)
    add_arguments(parser)

    parser.add_argument(
        "--result",
        metavar="FILE",
        help="the result file that COMMAND writes, or a glob that the new one will match; - for what it prints on "
        "standard output, which is passed through",
    )
    parser.add_argument(
        "--target",
        action="append",
        default=[],
        type=_target,
        metavar="NAME=PID|NAME=:PORT",
        help="a process on this machine to sample too, by its number or the port it listens on; repeatable",
    )
    parser.add_argument("--save", type=Path, metavar="FILE", help="write the run there, as `baseline save` does")
    parser.add_argument(
        "--web.listen-address",
        dest="listen_address",
        metavar="HOST:PORT",
        help=f"where /metrics is served; default {ADDRESS}, and nowhere where that is taken",
    )
    set_command(parser, Options, run, failure_code=2)


def _target(text: str) -> Target:
    from exporter.commands.run import targets  # not for every command's start

    return targets.target(text)


def run(options: Options) -> int:
    """Run the load generator to its end, and publish its result."""
    from exporter.commands.run import child, targets
    from exporter.commands.run.live import Live
    from exporter.commands.run.sampler import Sampler
    from exporter.commands.run.terminal import ProgressLine
    from exporter.commands.run.wrapper import wrap

    _check(options)
    child.check()
    plan = _plan(options)
    sampler = Sampler()
    for target in options.target:
        sampler.watch(target.name, targets.tree(target))

    live = Live(options.application, sampler)
    progress = ProgressLine(live)
    with _result(options.result) as path, _page(options.listen_address, live, progress):
        try:
            return wrap(options.wrapped or [], path, plan, live, progress)
        except child.StartError as error:
            progress.say(str(error))
            return error.code


def _check(options: Options) -> None:
    """What argparse cannot tell."""
    if not options.wrapped:
        raise UsageError("wanted -- and behind it the command that makes the load")

    names = [target.name for target in options.target]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"--target {name} is given twice")

    if options.save is not None and not options.save.absolute().parent.is_dir():
        raise UsageError(f"--save {options.save}: there is no folder {options.save.parent}")

    needing = {
        "--to": options.to,
        "--save": options.save,
        "--baseline": options.baseline,
        "--history": options.history,
    }
    for option, value in needing.items():
        if value and options.result is None:
            raise UsageError(f"{option} wants --result: without it there is no result")


def _plan(options: Options) -> ResultPlan:
    """Read before the test begins, which may take hours."""
    from exporter.commands.run.result import ResultPlan
    from exporter.publishing import inputs

    return ResultPlan(
        options.application,
        inputs.read(options.input_files()),
        _destinations(options),
        save=options.save,
        run=options.run_id or "",
        commit=options.commit or "",
        from_output=options.result == _STANDARD_OUTPUT,
    )


def _destinations(options: Options) -> Sequence[Destination]:
    """Where the result goes; without any, the HTTP client and its 7 MiB stay away from the load generator."""
    if not options.to and options.to_config_file is None:
        return ()

    from exporter.publishing import destinations

    return destinations.read(options.to, options.to_config_file)


@contextlib.contextmanager
def _result(result: str | None) -> Iterator[Path | None]:
    """Where the result is going to be; None: there is none."""
    if result == _STANDARD_OUTPUT:
        with tempfile.TemporaryDirectory(prefix="pte-exporter-") as folder:
            yield Path(folder) / "output"
        return
    yield Path(result) if result else None


@contextlib.contextmanager
def _page(address: str | None, live: Live, progress: ProgressLine) -> Iterator[None]:
    """Serve /metrics for as long as the block takes; an address that was asked for has to be free."""
    from exporter.commands.run.page import Page

    try:
        page = Page(address or ADDRESS, live)
    except PteError as error:
        if address:
            raise
        progress.say(f"no page of its own: {error}; --web.listen-address names another address")
        yield
        return

    page.start()
    progress.say(f"/metrics is on {page.url}metrics")
    try:
        yield
    finally:
        page.end()
