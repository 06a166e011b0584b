"""The entry point: parses the command line, runs the command, and turns errors into lines and exit codes."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Sequence
from typing import Any

from exporter import logs
from exporter.commands import arguments as command_arguments
from exporter.commands import parser
from exporter.commands.arguments import Command, UsageError
from exporter.commands.sigterm import end_at_sigterm
from exporter.errors import ConfigError, PteError

logger = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command `pte-exporter`; returns its exit code."""
    end_at_sigterm(128 + signal.SIGTERM)
    _open_closed_streams()

    if arguments is None:
        arguments = sys.argv[1:]
    own, wrapped = split(arguments)
    namespace = parser.create(_command_names(own)).parse_args(own)
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
        _print_error(error)
        return command.failure_code
    except Exception as error:
        logger.debug("internal error", exc_info=True)
        text = f"{error.__class__.__name__}: {error}; --log.level debug shows where"
        print(f"pte-exporter: internal error, please report it: {text}", file=sys.stderr)
        return command.failure_code
    return code


def split(arguments: Sequence[str]) -> tuple[list[str], list[str] | None]:
    """(our own arguments, the command after the first -- of `run`): argparse would treat -- differently."""
    own = [*arguments]
    if own[:1] != ["run"] or "--" not in own:
        return own, None
    at = own.index("--")
    return own[:at], own[at + 1 :]


def _command_names(arguments: Sequence[str]) -> list[str]:
    """The command that is called, if any: no option with a value comes before it."""
    words = [argument for argument in arguments if not argument.startswith("-")]
    return words[:1]


def _print_error(error: PteError | OSError) -> None:
    """One line per problem, and never a traceback."""
    if isinstance(error, ConfigError):
        for problem in error.problems:
            print(problem, file=sys.stderr)
    elif isinstance(error, PteError):
        print(f"pte-exporter: {error}", file=sys.stderr)
    elif isinstance(error, BrokenPipeError):
        # The reader of our output has gone; keep Python from reporting that when it flushes at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    else:
        file = f"{error.filename}: " if error.filename else ""
        print(f"pte-exporter: {file}{error.strerror or error}", file=sys.stderr)


def _open_closed_streams() -> None:
    """With >&- or 2>&-, Python sets the stream to None, which cannot be flushed."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115  to the end


if __name__ == "__main__":
    sys.exit(main())
