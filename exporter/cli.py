"""The parser and exit codes, nothing else. 0: fine, 1: a problem was found, 2: wrong usage; gates have 3 as well."""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import signal
import sys
from collections.abc import Callable, Collection, Sequence
from typing import Any

from exporter import __version__, logs
from exporter.commands import arguments as command_arguments
from exporter.commands.arguments import Command, UsageError
from exporter.commands.sigterm import end_at_sigterm
from exporter.errors import ConfigError, PteError

logger = logging.getLogger(__name__)

COMMANDS = {
    "serve": "poll both sides and publish /metrics",
    "report": "do one round and print it",
    "check": "tell what is wrong with the configuration",
    "doctor": "tell what is wrong with any source",
    "generate": "write rules, dashboards or docs/reference/metrics.md",
    "run": "start a load generator, publish its result",
    "publish": "publish a load test's result, once",
    "baseline": "runs saved by name, and gates on them",
    "slo": "the state of error budgets, from Prometheus",
}
"""Each is a module or package of `exporter.commands`, with its line in --help."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command `pte-exporter`; gives its exit code."""
    end_at_sigterm(128 + signal.SIGTERM)
    _open_what_is_closed()

    if arguments is None:
        arguments = sys.argv[1:]
    own, wrapped = split(arguments)
    namespace = _parser(_command_names(own)).parse_args(own)
    namespace.wrapped = wrapped
    namespace.arguments = [*arguments]
    logs.set_up(namespace.log_level, namespace.log_format)

    command: Command[Any] = namespace.command
    try:
        code = command.run(command_arguments.read(command.options, namespace))
        sys.stdout.flush()
    except UsageError as error:
        command.parser.error(str(error))
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except (PteError, OSError) as error:
        _tell(error)
        return command.failure_code
    except Exception as error:
        logger.debug("a fault of the exporter", exc_info=True)
        text = f"{error.__class__.__name__}: {error}; --log.level debug tells where"
        print(f"pte-exporter: a fault of the exporter: {text}", file=sys.stderr)
        return command.failure_code
    return code


def split(arguments: Sequence[str]) -> tuple[list[str], list[str] | None]:
    """(our own arguments, the command after the first -- of `run`), as argparse has its own ideas of what -- means."""
    own = [*arguments]
    if own[:1] != ["run"] or "--" not in own:
        return own, None
    at = own.index("--")
    return own[:at], own[at + 1 :]


def _command_names(arguments: Sequence[str]) -> list[str]:
    """The command that is called, if any: no option stands before it that has a value."""
    words = [argument for argument in arguments if not argument.startswith("-")]
    return words[:1]


def _parser(names: Collection[str] = tuple(COMMANDS)) -> argparse.ArgumentParser:
    """`names`: the commands whose arguments are loaded, as to load all would make every start slower."""
    parser = argparse.ArgumentParser(
        prog="pte-exporter", description="Does a performance test's certification still hold in production?"
    )
    parser.add_argument("--version", action="version", version=f"pte-exporter {__version__}")

    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, text in COMMANDS.items():
        command = commands.add_parser(name, help=text)
        if name in names:
            add: Callable[[argparse.ArgumentParser], None]
            add = importlib.import_module(f"exporter.commands.{name}").add
            add(command)
    return parser


def _tell(error: PteError | OSError) -> None:
    """What went wrong, for a person: one line a problem, and never a traceback."""
    if isinstance(error, ConfigError):
        for problem in error.problems:
            print(problem, file=sys.stderr)
    elif isinstance(error, PteError):
        print(f"pte-exporter: {error}", file=sys.stderr)
    elif isinstance(error, BrokenPipeError):
        # Who read our output has gone; keep Python from saying so when it flushes at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    else:
        file = f"{error.filename}: " if error.filename else ""
        print(f"pte-exporter: {file}{error.strerror or error}", file=sys.stderr)


def _open_what_is_closed() -> None:
    """Started with >&- or 2>&-, Python has None there, which cannot be flushed."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115  to the end


if __name__ == "__main__":
    sys.exit(main())
