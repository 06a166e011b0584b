"""`pte-exporter generate rules`: recording rules and alerts, for the exporter's series and for SLOs."""

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
    "generate only the rules of the SLOs in these files and directories (Sloth, OpenSLO or our configuration); "
    "pass all in one call, because SLOs of one service share a file"
)


@dataclass(frozen=True)
class Options(OutputOptions, SpecOptions):
    """Options of `generate rules`."""


def add(parser: argparse.ArgumentParser) -> None:
    """Add its arguments."""
    add_output(parser)
    add_specs(parser, _SPECS)
    set_command(parser, Options, run)


def run(options: Options) -> int:
    """Generate the rules of specs, or those for the exporter's series and the configuration's own SLOs."""
    config = _read_config(options)
    if options.spec:
        from exporter.commands.generate import objectives

        return _write_objectives(objectives.files(options.read(), config), options, config)

    contents = make(config)
    if config is None or options.config_file is None or not config.slos:
        return write_or_check(contents, options, config)

    from exporter.commands.generate import objectives

    own = objectives.own_objectives(config, options.config_file, options.limits())
    return _write_objectives({**contents, **own}, options, config)


def make(config: Config | None) -> Mapping[str, bytes]:
    """The rules over the exporter's own series, and the recording rules for the sources' servers."""
    from exporter import rules, sources

    environments = config.environments if config is not None else ()
    recordings = {environment.name: sources.recordings(environment) for environment in environments}
    return rules.files(config, recordings)


def _read_config(options: Options) -> Config | None:
    """The configuration; rules need no source, so for them `links` alone is enough."""
    if not options.config_file:
        return None

    from exporter import config as configuration

    links = configuration.read_links(options.config_file)
    if links is not None:
        return links
    if options.spec:
        # Only the links are used, so the sources' own options, which are slow to load, are not checked.
        return configuration.read(options.config_file)

    from exporter import sources

    return sources.read(options.config_file)


def _write_objectives(contents: Mapping[str, bytes], options: Options, config: Config | None) -> int:
    """Write or check files with those of SLOs; other generated files of SLOs are reported, and never deleted."""
    left_over = files.left_over(contents, options.output)
    removed = {} if options.check else files.removed_ids(contents, options.output)
    code = write_or_check(contents, options, config)

    for name in left_over:
        text = "belongs to none of these SLOs: delete it, or pass all specs in one call"
        print(f"{options.output / name}: {text}", file=sys.stderr)
    for name, ids in removed.items():
        text = f"no longer contains {humanize.join_words(ids)}: pass all specs in one call"
        print(f"{options.output / name}: {text}", file=sys.stderr)

    if options.check:
        return 1 if left_over else code
    slos = humanize.pluralize(len(files.slo_ids(contents)), "SLO")
    count = humanize.pluralize(len(contents), "file")
    print(f"{slos}: {count} below {options.output}", file=sys.stderr)
    return code
