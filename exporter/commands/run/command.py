"""`pte-exporter run`: its arguments, the order of things, and its exit codes."""

from __future__ import annotations

import argparse
import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from exporter.commands.publish import command as push_command
from exporter.errors import PteError

if TYPE_CHECKING:  # they take a while to load, and every command's start would wait for it
    from exporter.commands.run.live import Live
    from exporter.commands.run.result import ResultPlan
    from exporter.commands.run.targets import Target
    from exporter.commands.run.terminal import ProgressLine
    from exporter.publishing.places import Place

_STANDARD_OUTPUT = "-"

ADDRESS = "127.0.0.1:9827"

_HELP = """\
Starts a load generator, samples its processes and those of --target every 100 ms, serves live percentiles on /metrics
while it goes, publishes its result at the end and exits with its exit code. What follows on -- is passed on untouched.

Exit codes: the generator's (128 + n where signal n ended it); 1 where it succeeded and its result could not be read,
saved or published; 2 where nothing was started; 126 and 127 where COMMAND cannot be run, or is not there.
"""


def split(arguments: Sequence[str]) -> tuple[list[str], list[str] | None]:
    """(our own arguments, the command after the first -- of `run`), as argparse has its own ideas of what -- means."""
    given = list(arguments)
    if given[:1] != ["run"] or "--" not in given:
        return given, None
    at = given.index("--")
    return given[:at], given[at + 1 :]


def add(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.usage = "pte-exporter run --application NAME [--result FILE] [OPTION …] -- COMMAND …"
    parser.description = _HELP
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    push_command.add_arguments(parser)
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
    parser.set_defaults(run=_run, failed=2, usage_error=parser.error)


def _target(text: str) -> Target:
    from exporter.commands.run import targets  # not for every command's start

    return targets.target(text)


def _run(given: argparse.Namespace) -> int:
    from exporter.commands.run import child, targets
    from exporter.commands.run.live import Live
    from exporter.commands.run.sampler import Sampler
    from exporter.commands.run.terminal import ProgressLine
    from exporter.commands.run.wrapper import wrap

    _check(given)
    child.check()
    plan = _plan(given)
    sampler = Sampler()
    for target in given.target:
        sampler.watch(target.name, targets.tree(target))
    live = Live(given.application, sampler)
    progress = ProgressLine(live)
    with _result(given.result) as path, _page(given.listen_address, live, progress):
        try:
            return wrap(given.wrapped, path, plan, live, progress)
        except child.StartError as error:
            progress.say(str(error))
            return error.code


def _check(given: argparse.Namespace) -> None:
    """What argparse cannot tell."""
    if not given.wrapped:
        given.usage_error("wanted -- and behind it the command that makes the load")

    names = [target.name for target in given.target]
    for name in names:
        if names.count(name) > 1:
            given.usage_error(f"--target {name} is given twice")

    if given.save is not None and not given.save.absolute().parent.is_dir():
        given.usage_error(f"--save {given.save}: there is no folder {given.save.parent}")
    needing = {"--to": given.to, "--save": given.save, "--baseline": given.baseline, "--history": given.history}
    for option, value in needing.items():
        if value and given.result is None:
            given.usage_error(f"{option} wants --result: without it there is no result")


def _plan(given: argparse.Namespace) -> ResultPlan:
    """Read before the test begins, which may take hours."""
    from exporter.commands.run.result import ResultPlan
    from exporter.publishing import inputs

    return ResultPlan(
        given.application,
        inputs.read(given),
        _destinations(given),
        save=given.save,
        run=given.run_id or "",
        commit=given.commit or "",
        from_output=given.result == _STANDARD_OUTPUT,
    )


def _destinations(given: argparse.Namespace) -> Sequence[Place]:
    """Where the result goes; without any, the HTTP client and its 7 MiB stay away from the load generator."""
    if not given.to and given.to_config_file is None:
        return ()

    from exporter.publishing import places

    return places.read(given)


@contextlib.contextmanager
def _result(given: str | None) -> Iterator[Path | None]:
    """Where the result is going to be; None: there is none."""
    if given != _STANDARD_OUTPUT:
        yield Path(given) if given else None
        return
    with tempfile.TemporaryDirectory(prefix="pte-exporter-") as folder:
        yield Path(folder) / "output"


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
