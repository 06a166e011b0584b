"""From the arguments of a command to its typed options; and renamed options.

argparse's Namespace goes no further than `read`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from exporter.commands import exit_codes

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Options = TypeVar("Options", bound="DataclassInstance")


class UsageError(Exception):
    """Arguments that contradict each other: printed with the usage, exit code 2."""


@dataclass(frozen=True)
class Command(Generic[Options]):
    """The function that runs a command, and the type of its options."""

    parser: argparse.ArgumentParser
    options: type[Options]
    run: Callable[[Options], int]
    """Returns the exit code."""
    failure_code: int
    """The exit code if `run` raises."""


def set_command(
    parser: argparse.ArgumentParser,
    options: type[Options],
    run: Callable[[Options], int],
    *,
    failure_code: int = 1,
) -> None:
    """Add the `command` to the parser's namespace, and its exit codes to --help."""
    parser.epilog = exit_codes.epilog(parser.prog)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.set_defaults(command=Command(parser, options, run, failure_code))


def read(options: type[Options], namespace: argparse.Namespace) -> Options:
    """The options, each field from the argument of the same name."""
    values = {field.name: getattr(namespace, field.name) for field in fields(options)}
    return options(**values)


class _OldName(argparse.Action):
    """An old name of an option: does the same, and prints the new name once."""

    def __init__(self, option_strings: Sequence[str], dest: str, *, renamed: argparse.Action, **settings: Any) -> None:
        super().__init__(option_strings, dest, **settings)
        self._renamed = renamed
        self._announced = False

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        if not self._announced:
            _announce(self.option_strings[0], self._renamed.option_strings[0])
        self._announced = True

        self._renamed.required = False  # the old name counts
        self._renamed(parser, namespace, values, option_string)


def add_old_name(parser: argparse.ArgumentParser, old: str, renamed: argparse.Action) -> None:
    """Keep an option working under its old name, which --help does not show."""
    parser.add_argument(
        old,
        action=_OldName,
        renamed=renamed,
        dest=renamed.dest,
        nargs=renamed.nargs,
        type=renamed.type or str,
        metavar=renamed.metavar,
        default=argparse.SUPPRESS,
        help=argparse.SUPPRESS,
    )


def old_value(option: str, old: str, new: str) -> Callable[[str], str]:
    """A `type` for an option with a renamed choice."""

    def convert(text: str) -> str:
        if text != old:
            return text
        _announce(f"{option} {old}", f"{option} {new}")
        return new

    return convert


def _announce(old: str, new: str) -> None:
    print(f"pte-exporter: {old} is now {new}", file=sys.stderr)
