"""`pte-exporter run`: its arguments, the order of things, and its exit codes."""

from __future__ import annotations

import argparse
import contextlib
import logging
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from exporter.commands.arguments import UsageError, set_command
from exporter.commands.common import JUDGING, add_common
from exporter.commands.publish.arguments import ResultOptions, add_arguments
from exporter.errors import PteError

if TYPE_CHECKING:  # they take a while to load, and every command's start would wait for it
    from exporter.commands.run.awaiting import Followed
    from exporter.commands.run.live import Live
    from exporter.commands.run.outcome import Ended, Wanted
    from exporter.commands.run.targets import Target
    from exporter.commands.run.terminal import ProgressLine

logger = logging.getLogger(__name__)

_STANDARD_OUTPUT = "-"

_WAIT = 3600.0
"""Seconds between looks at a load generator that goes on by itself; it ends the wait when it ends."""

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

    _check(options)
    child.check()
    wanted = _wanted(options)
    sampler = Sampler()
    for target in options.target:
        sampler.watch(target.name, targets.tree(target))

    live = Live(options.application, sampler)
    progress = ProgressLine(live)
    with _result(options.result) as path, _page(options.listen_address, live, progress):
        try:
            return _run_wrapped(options.wrapped or [], path, wanted, live, progress)
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


def _wanted(options: Options) -> Wanted:
    """Read before the test begins, which may take hours."""
    from exporter.commands.run.outcome import Wanted
    from exporter.publishing import destinations, inputs

    return Wanted(
        options.application,
        inputs.read(options.input_files()),
        destinations.read(options.to, options.to_config_file),
        save=options.save,
        run=options.run_id or "",
        commit=options.commit or "",
        printed=options.result == _STANDARD_OUTPUT,
    )


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


def _run_wrapped(command: list[str], path: Path | None, wanted: Wanted, live: Live, progress: ProgressLine) -> int:
    """Run the command to its end, and deal with its result."""
    from exporter.commands.run import outcome
    from exporter.commands.run.awaiting import followed
    from exporter.commands.run.child import Child
    from exporter.commands.run.watching import look_on

    following = None if path is None else followed(path)
    if following is not None and following.is_stale:
        progress.say(f"{path} is there already: it counts only if COMMAND writes it anew")

    output = path if wanted.printed else None
    child = Child(command, output)
    try:
        look_on(child, live, following, progress)
    except Exception as error:  # a test of hours is not ended because of us
        logger.debug("a fault of the exporter", exc_info=True)
        _tell_fault(error, progress)
        progress.say("the load generator goes on unseen")
        while not child.wait(_WAIT):
            pass
    code, left = child.end()
    if left:
        progress.say(f"of what COMMAND started, {left} ran on without it: ended")

    ended = outcome.Ended(code, child.signalled, outcome.used(live.sampler))
    if child.lost is not None:  # what is there of it is not the run
        progress.say(f"no result: what COMMAND printed could not be kept: {child.lost}")
        outcome.tell(ended)
        return code or 1
    if following is None:
        outcome.tell(ended)
        return code

    good = _deal_with(following, ended, wanted, progress)
    following.close()
    # The generator's own code comes first: whoever started us goes by it.
    return code if good or code else 1


def _deal_with(following: Followed, ended: Ended, wanted: Wanted, progress: ProgressLine) -> bool:
    """Whether all that was wanted of the result could be done."""
    from exporter.commands.run import outcome

    try:
        return outcome.deal_with(following, ended, wanted)
    except Exception as error:  # the generator's code is still wanted
        logger.debug("a fault of the exporter", exc_info=True)
        _tell_fault(error, progress)
        return False


def _tell_fault(error: Exception, progress: ProgressLine) -> None:
    text = f"a fault of the exporter: {error.__class__.__name__}: {error}; --log.level debug tells where"
    progress.say(text)
