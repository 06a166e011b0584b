"""What becomes of generated files: they are written, or with --check compared with those that are there."""

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

_WHERE = "rules/, alertmanager/, dashboards/ or docs/ below it are written; default: the current directory"


@dataclass(frozen=True)
class OutputOptions:
    """Of each kind of files."""

    config_file: str | None
    check: bool
    output: Path
    arguments: list[str]
    """All that were given, so that the command can be named that fixes what --check finds."""


def add_output(parser: argparse.ArgumentParser) -> None:
    """Where the files go."""
    add_common(parser)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a file differs")
    parser.add_argument("--output", type=Path, metavar="DIR", default=Path(), help=_WHERE)


def write_or_check(contents: Mapping[str, bytes], options: OutputOptions, linked: Config | None = None) -> int:
    """Files by their path below the output directory; `linked`: whose links they have."""
    if options.check:
        return _check(contents, options)

    if linked is not None:
        for key in _unset_links(linked):
            text = "not set, so that links of alerts lead to an example"
            print(f"{options.config_file}: {key}: {text}", file=sys.stderr)
    files.write(contents, options.output)
    return 0


def _check(contents: Mapping[str, bytes], options: OutputOptions) -> int:
    differing = files.differing(contents, options.output)
    if not differing:
        return 0

    for name in differing:
        print(f"{options.output / name}: differs from what is generated", file=sys.stderr)
    fix = [argument for argument in options.arguments if argument != "--check"]
    print(f"mend it with: pte-exporter {shlex.join(fix)}", file=sys.stderr)
    return 1


def _unset_links(config: Config) -> Iterator[str]:
    """The keys of bases of links that are not configured: those of the alerts lead to an example then."""
    for key in config.links.__struct_fields__:
        if getattr(config.links, key) is None:
            yield f"links.{key}"
