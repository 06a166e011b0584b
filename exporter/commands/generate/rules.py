"""`pte-exporter generate rules`: recording rules and alerts, of the exporter's series and of SLOs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from exporter import humanize
from exporter.commands.arguments import set_command
from exporter.commands.generate import files
from exporter.commands.generate.output import OutputOptions, add_output, write_or_check
from exporter.commands.generate.specs import SpecOptions, add_specs

if TYPE_CHECKING:
    from exporter.config import Config

_SPECS = (
    "only the rules of the SLOs in these files and folders: of Sloth, OpenSLO, or our configuration; "
    "give all in one call, as SLOs of one service share a file"
)


@dataclass(frozen=True)
class Options(OutputOptions, SpecOptions):
    """Of `generate rules`."""


def add(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    add_output(parser)
    add_specs(parser, _SPECS)
    set_command(parser, Options, run)


def run(options: Options) -> int:
    """Make the rules of specs, or those of the exporter's series and of the configuration's own SLOs."""
    config = _read_config(options)
    if options.spec:
        from exporter.commands.generate import objectives

        return _write_objectives(objectives.files(options.read(), config), options, config)

    from exporter import rules

    contents = rules.files(config)
    if config is None or options.config_file is None or not config.slos:
        return write_or_check(contents, options, config)

    from exporter.commands.generate import objectives

    own = objectives.own_objectives(config, options.config_file, options.limits())
    return _write_objectives({**contents, **own}, options, config)


def _read_config(options: Options) -> Config | None:
    """The configuration; rules ask nobody, so that for them `links` alone will do."""
    if not options.config_file:
        return None

    from exporter import config as configuration

    links = configuration.read_links(options.config_file)
    if links is not None:
        return links
    if options.spec:
        # Of it only the links are used, so the sources' own options, which take a while to load, are not looked at.
        return configuration.read(options.config_file)

    from exporter import sources

    return sources.read(options.config_file)


def _write_objectives(contents: Mapping[str, bytes], options: Options, config: Config | None) -> int:
    """Write or check files with those of SLOs; what else is generated there for SLOs is told, and never deleted."""
    left_over = files.left_over(contents, options.output)
    lost = {} if options.check else files.lost_ids(contents, options.output)
    code = write_or_check(contents, options, config)

    for name in left_over:
        text = "is of none of these SLOs: delete it, or give all specs in one call"
        print(f"{options.output / name}: {text}", file=sys.stderr)
    for name, ids in lost.items():
        text = f"no longer has {humanize.join_words(ids)}: give all specs in one call"
        print(f"{options.output / name}: {text}", file=sys.stderr)

    if options.check:
        return 1 if left_over else code
    slos = humanize.pluralize(len(files.slo_ids(contents)), "SLO")
    count = humanize.pluralize(len(contents), "file")
    print(f"{slos}: {count} below {options.output}", file=sys.stderr)
    return code
