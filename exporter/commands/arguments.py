"""From the arguments of a command to its typed options; and names of options that were changed.

argparse's Namespace goes no further than `read`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Options = TypeVar("Options", bound="DataclassInstance")


class UsageError(Exception):
    """Arguments that are fine one by one and do not fit together: told with the usage, exit code 2."""


@dataclass(frozen=True)
class Command(Generic[Options]):
    """What is done with the arguments that a parser has read."""

    parser: argparse.ArgumentParser
    options: type[Options]
    run: Callable[[Options], int]
    """Gives the exit code."""
    failure_code: int
    """The exit code where `run` raises."""


def set_command(
    parser: argparse.ArgumentParser,
    options: type[Options],
    run: Callable[[Options], int],
    *,
    failure_code: int = 1,
) -> None:
    """Make the parser's namespace have a `command`."""
    parser.set_defaults(command=Command(parser, options, run, failure_code))


def read(options: type[Options], namespace: argparse.Namespace) -> Options:
    """The options, each field from the argument of the same name."""
    values = {field.name: getattr(namespace, field.name) for field in fields(options)}
    return options(**values)


class _OldName(argparse.Action):
    """Does what the option does that it was the name of, and says once how that is called now."""

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

        self._renamed.required = False  # as it is given
        self._renamed(parser, namespace, values, option_string)


def add_old_name(parser: argparse.ArgumentParser, old: str, renamed: argparse.Action) -> None:
    """Let an option go on working under its old name, which --help does not show."""
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
    """A `type` for an option of which one of the choices was renamed."""

    def convert(text: str) -> str:
        if text != old:
            return text
        _announce(f"{option} {old}", f"{option} {new}")
        return new

    return convert


def _announce(old: str, new: str) -> None:
    print(f"pte-exporter: {old} is now {new}", file=sys.stderr)
