"""`pte-exporter generate`: its arguments, and what becomes of the files. What takes long to load waits until then."""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exporter import humanize
from exporter.commands import generate
from exporter.commands.arguments import Progress, duration, moment
from exporter.errors import PteError

if TYPE_CHECKING:
    from exporter.config import Config
    from exporter.model.slo import Slo
    from exporter.slo.specs import Options


def add(parser: argparse.ArgumentParser, common: argparse.ArgumentParser) -> None:
    """Its kinds; `common` has the arguments that all commands have."""
    made = argparse.ArgumentParser(add_help=False)
    made.add_argument("--check", action="store_true", help="write nothing; exit 1 when a file differs")
    where = "rules/, alertmanager/, dashboards/ or docs/ below it are written; default: the current directory"
    made.add_argument("--output", type=Path, metavar="DIR", default=Path(), help=where)
    specs = argparse.ArgumentParser(add_help=False)
    times: dict[str, Any] = {"type": duration, "metavar": "DURATION"}
    specs.add_argument("--slo-period", default=30 * 86400, help="of specs that name none; default 30d", **times)
    specs.add_argument("--scrape-interval", default=30, help="of the data; default 30s", **times)
    specs.add_argument("--retention", help="of Prometheus; default: windows may be longer than it", **times)
    paths: dict[str, Any] = {"nargs": "+", "action": "extend", "type": Path, "metavar": "PATH"}
    kinds = parser.add_subparsers(required=True, metavar="KIND")

    for kind in generate.KINDS:
        inherited = [common, made, specs] if kind == "rules" else [common, made]
        about = {"rules": "recording rules and alerts", "dashboards": "Grafana's JSON", "docs": "docs/METRICS.md"}[kind]
        one = kinds.add_parser(kind, parents=inherited, help=about)
        one.set_defaults(run=_files, kind=kind)
        if kind == "rules":
            text = "only the rules of the SLOs in these files and folders: of Sloth, OpenSLO, or our configuration; "
            text += "give all in one call, as SLOs of one service share a file"
            one.add_argument("--slo", help=text, **paths)
            one.set_defaults(run=_rules)

    past = kinds.add_parser("backfill", parents=[common, specs], help="how to give new SLOs a past with promtool")
    past.add_argument("--slo", required=True, help="files and folders with specs", **paths)
    past.add_argument("--start", required=True, type=moment, metavar="TIME", help="not before the oldest raw data")
    past.add_argument(
        "--end", type=moment, metavar="TIME", help="when the rules were loaded, if at least 3 h ago; default 3 h ago"
    )
    past.add_argument("--url", required=True, help="of the Prometheus that evaluates the rules")
    past.add_argument("--graphs", action="store_true", help="record for graphs too what rules make of the sums")
    past.add_argument("--output", type=Path, metavar="DIR", default=Path("backfill"), help="default: %(default)s")
    past.set_defaults(run=_backfill, parser=past)


def _files(given: argparse.Namespace) -> int:
    return _made(given, generate.files(given.kind, _config(given)))


def _rules(given: argparse.Namespace) -> int:
    config = _config(given)
    if given.slo:
        return _objectives(given, generate.objectives(_slos(given), config), config)
    files = generate.files("rules", config)
    if config is None or not config.slos:
        return _made(given, files, config)
    return _objectives(given, {**files, **generate.own_objectives(config, given.config_file, _options(given))}, config)


def _objectives(given: argparse.Namespace, files: Mapping[str, bytes], config: Config | None) -> int:
    """Write or check files with those of SLOs; what else is generated there for SLOs is told, and never deleted."""
    left_over = generate.left_over(files, given.output)
    lost = {} if given.check else generate.lost(files, given.output)
    code = _made(given, files, config)
    of_none = "is of none of these SLOs: delete it, or give all specs in one call"
    for name in left_over:
        print(f"{given.output / name}: {of_none}", file=sys.stderr)
    for name, ids in lost.items():
        print(
            f"{given.output / name}: no longer has {humanize.listed(ids)}: give all specs in one call", file=sys.stderr
        )
    if given.check:
        return 1 if left_over else code
    slos, several = len(generate.ids(files)), len(files)
    print(f"{humanize.counted(slos, 'SLO')}: {humanize.counted(several, 'file')} below {given.output}", file=sys.stderr)
    return code


def _made(given: argparse.Namespace, files: Mapping[str, bytes], linked: Config | None = None) -> int:
    """Write or check; `linked`: whose links the files have."""
    if not given.check:
        for link in generate.unset_links(linked) if linked is not None else ():
            print(f"{given.config_file}: {link}: not set, so that links of alerts lead to an example", file=sys.stderr)
        generate.write(files, given.output)
        return 0
    differing = generate.differing(files, given.output)
    for name in differing:
        print(f"{given.output / name}: differs from what is generated", file=sys.stderr)
    if differing:
        same = [part for part in given.arguments if part != "--check"]
        print(f"mend it with: pte-exporter {shlex.join(same)}", file=sys.stderr)
    return 1 if differing else 0


def _backfill(given: argparse.Namespace) -> int:
    from exporter.commands.generate import backfill

    oldest = time.time() - backfill.SAFE_AGE
    start, end = given.start.timestamp(), given.end.timestamp() if given.end else oldest
    if end > oldest:
        given.parser.error(f"argument --end: wanted a time at least {backfill.SAFE_AGE // 3600} h ago: {backfill.WHY}")
    if start >= end:
        given.parser.error("argument --start: wanted a time before --end")
    stages = backfill.stages(_slos(given), graphs=given.graphs)
    files = backfill.files(stages)
    other = backfill.other(files, given.output)
    if other:
        raise PteError(f"{other}: is of another backfill, whose script needs it: give another --output, or delete it")
    generate.write(files, given.output)
    print(backfill.commands(stages, start, end, given.url, given.output), end="")
    return 0


def _slos(given: argparse.Namespace) -> list[Slo]:
    """The objectives in the files of --slo."""
    from exporter.slo import specs

    with Progress("reading the specs"):
        return specs.read(given.slo, _options(given))


def _options(given: argparse.Namespace) -> Options:
    from exporter.slo.specs import Options

    return Options(given.slo_period, given.scrape_interval, given.retention)


def _config(given: argparse.Namespace) -> Config | None:
    """The configuration; rules ask nobody, so that for them `links` alone will do."""
    if not given.config_file:
        return None
    from exporter import config as configuration

    links = configuration.read_links(given.config_file) if given.kind == "rules" else None
    if links is not None:
        return links
    if given.kind == "rules" and given.slo:
        # Of it only the links are used, so the sources' own options, which take a while to load, are not looked at.
        return configuration.read(given.config_file)
    from exporter import sources

    return sources.read(given.config_file)
