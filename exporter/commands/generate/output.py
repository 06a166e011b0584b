"""The output of generated files: they are written, or with --check compared with existing files."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from exporter.commands.common import add_common
from exporter.commands.generate import files

if TYPE_CHECKING:
    from exporter.config import Config

_HELP = "directory below which rules/, alertmanager/, dashboards/ or docs/ are written (default: the current directory)"


@dataclass(frozen=True)
class OutputOptions:
    """Options of each kind of files."""

    config_file: str | None
    check: bool
    output: Path
    arguments: list[str]
    """The whole command line, for the command that fixes the differences found by --check."""


def add_output(parser: argparse.ArgumentParser) -> None:
    """Add the options for the output."""
    add_common(parser)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file differs")
    parser.add_argument("--output", type=Path, metavar="DIR", default=Path(), help=_HELP)


def write_or_check(contents: Mapping[str, bytes], options: OutputOptions, linked: Config | None = None) -> int:
    """Files by their path below the output directory; `linked`: the configuration whose links they contain."""
    if options.check:
        return _check(contents, options)

    if linked is not None:
        for key in _unset_links(linked):
            text = "not set, so links in alerts point to an example"
            print(f"{options.config_file}: {key}: {text}", file=sys.stderr)
    files.write(contents, options.output)
    return 0


def _check(contents: Mapping[str, bytes], options: OutputOptions) -> int:
    differing = files.differing(contents, options.output)
    if not differing:
        return 0

    for name in differing:
        print(f"{options.output / name}: differs from the generated content", file=sys.stderr)
    fix = [argument for argument in options.arguments if argument != "--check"]
    print(f"fix it with: pte-exporter {shlex.join(fix)}", file=sys.stderr)
    return 1


def _unset_links(config: Config) -> Iterator[str]:
    """The keys of link bases that are not configured; links in alerts then point to an example."""
    for key in config.links.__struct_fields__:
        if getattr(config.links, key) is None:
            yield f"links.{key}"
