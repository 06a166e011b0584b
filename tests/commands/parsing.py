"""The commands of the parser, one by one."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from exporter.commands import parser as command_parser


def commands(
    parser: argparse.ArgumentParser | None = None, name: str = ""
) -> Iterator[tuple[str, str, argparse.ArgumentParser]]:
    """(name, its line in --help, parser) of each command and of those below it: ("slo gate", "may a ...", ...)."""
    for action in (parser or command_parser.create())._actions:
        if not isinstance(action, argparse._SubParsersAction):
            continue
        lines = {choice.dest: choice.help or "" for choice in action._choices_actions}
        for word, below in action.choices.items():
            path = f"{name} {word}".strip()
            yield path, lines[word], below
            yield from commands(below, path)


def options(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """What --help shows of a command's options."""
    return [action for action in parser._actions if action.option_strings and action.help != argparse.SUPPRESS]
