"""`pte-exporter run`: its arguments and its steps."""

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
Runs a load generator, samples its processes and those of --target every 100 ms, serves live percentiles on /metrics
meanwhile, publishes its result at the end and exits with its exit code. COMMAND after -- is passed on unchanged.
"""


@dataclass(frozen=True)
class Options(ResultOptions):
    """Of `run`."""

    result: str | None
    target: list[Target]
    save: Path | None
    listen_address: str | None
    wrapped: list[str] | None
    """The command after --."""


def add(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    parser.usage = "pte-exporter run --application NAME [--result FILE] [OPTION …] -- COMMAND …"
    parser.description = _HELP
    add_common(parser, JUDGING)
    add_arguments(parser)

    parser.add_argument(
        "--result",
        metavar="FILE",
        help="result file that COMMAND writes, or a glob that the new file will match; - for its standard output, "
        "which is passed through",
    )
    parser.add_argument(
        "--target",
        action="append",
        default=[],
        type=_target,
        metavar="NAME=PID|NAME=:PORT",
        help="sample this process on this machine too, by PID or by the port that it listens on; repeatable",
    )
    parser.add_argument(
        "--save", type=Path, metavar="FILE", help="save the run to this file, in the format of `baseline save`"
    )
    parser.add_argument(
        "--web.listen-address",
        dest="listen_address",
        metavar="HOST:PORT",
        help=f"address to serve /metrics on (default: {ADDRESS}; no page if that is in use)",
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
    """Check the arguments together, which argparse cannot do."""
    if not options.wrapped:
        raise UsageError("expected -- and the command of the load generator after it")

    names = [target.name for target in options.target]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"duplicate --target {name}")

    if options.save is not None and not options.save.absolute().parent.is_dir():
        raise UsageError(f"--save {options.save}: no such directory: {options.save.parent}")

    needing = {
        "--to": options.to,
        "--save": options.save,
        "--baseline": options.baseline,
        "--history": options.history,
    }
    for option, value in needing.items():
        if value and options.result is None:
            raise UsageError(f"{option} requires --result")


def _plan(options: Options) -> ResultPlan:
    """Read the inputs before the test begins, which may take hours."""
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
    """The destinations; without any, the HTTP client and its 7 MiB are not loaded."""
    if not options.to and options.to_config_file is None:
        return ()

    from exporter.publishing import destinations

    return destinations.read(options.to, options.to_config_file)


@contextlib.contextmanager
def _result(result: str | None) -> Iterator[Path | None]:
    """The path of the future result; None: there is none."""
    if result == _STANDARD_OUTPUT:
        with tempfile.TemporaryDirectory(prefix="pte-exporter-") as folder:
            yield Path(folder) / "output"
        return
    yield Path(result) if result else None


@contextlib.contextmanager
def _page(address: str | None, live: Live, progress: ProgressLine) -> Iterator[None]:
    """Serve /metrics for as long as the block takes; an explicit address must be free."""
    from exporter.commands.run.page import LivePage

    try:
        page = LivePage(address or ADDRESS, live)
    except PteError as error:
        if address:
            raise
        progress.say(f"no page for this run: {error}; choose another address with --web.listen-address")
        yield
        return

    page.start()
    progress.say(f"metrics: {page.url}metrics")
    try:
        yield
    finally:
        page.end()
