"""`pte-exporter slo`: its arguments, and where it asks. What takes long to load is loaded when it is needed."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from exporter.errors import PteError, SourceError

if TYPE_CHECKING:
    from exporter.clients.http import Session
    from exporter.clients.prometheus import Client
    from exporter.slo.status import Status

_UNKNOWN = 3
"""A gate's exit code also where something failed: 1 is a verdict."""

_GATE_HELP = """\
Exit codes: 0 enough budget is left; 1 less is left than wanted; 2 wrong usage; 3 nobody knows: no such SLO, its
telemetry is gone, too little of its period is known, or Prometheus could not be asked.
"""


def add(parser: argparse.ArgumentParser, common: argparse.ArgumentParser) -> None:
    """Its commands; `common` has the arguments that all commands have."""
    asked = argparse.ArgumentParser(add_help=False)
    asked.add_argument(
        "--prometheus.url",
        dest="url",
        metavar="URL",
        help="of the Prometheus that evaluates the rules; default: production's source in --config.file, "
        "which may have credentials and TLS",
    )
    one = argparse.ArgumentParser(add_help=False)
    one.add_argument("--slo", required=True, metavar="ID", dest="id", help="the label sloth_id: service-name")
    one.add_argument("--side", help="of this side; production's id will do for the PTE's too")
    formats = argparse.ArgumentParser(add_help=False)
    formats.add_argument("--format", choices=("console", "json"), default="console")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    listed = commands.add_parser("list", parents=[common, asked, formats], help="all of them, the worst first")
    listed.add_argument("--side", help="only those of this side")
    listed.set_defaults(run=_list)
    shown = commands.add_parser("show", parents=[common, asked, formats, one], help="one in full")
    shown.set_defaults(run=_show)
    gate = commands.add_parser(
        "gate", parents=[common, asked, one], help="may a pipeline go on?", description=_GATE_HELP
    )
    gate.add_argument(
        "--min-remaining", type=_ratio, required=True, metavar="RATIO", help="of the budget: 0.1 is a tenth of it"
    )
    gate.add_argument(
        "--min-coverage",
        type=_ratio,
        default=0.9,
        metavar="RATIO",
        help="for how much of its period the budget must be known; default %(default)s",
    )
    gate.set_defaults(run=_gate, failed=_UNKNOWN)


def _ratio(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is no ratio, wanted one between 0 and 1, such as 0.1")
    return value


def _list(given: argparse.Namespace) -> int:
    from exporter.commands.slo import show
    from exporter.slo.status import query as reading

    found = _asked(given, lambda client: reading.read(client, time.time(), given.side))
    print(show.as_json(found, brief=True) if given.format == "json" else show.as_table(found, colour=_colour()), end="")
    return 0


def _show(given: argparse.Namespace) -> int:
    from exporter.commands.slo import show
    from exporter.slo.status import query as reading

    found = _asked(given, lambda client: reading.read_one(client, time.time(), given.id, given.side))
    if given.format == "json":
        print(show.as_json(found), end="")
    else:
        print("\n".join(show.as_text(status, colour=_colour()) for status in found), end="")
    return 0


def _gate(given: argparse.Namespace) -> int:
    from exporter.commands.slo import gate
    from exporter.slo.status import query as reading

    found = _asked(given, lambda client: reading.read_one(client, time.time(), given.id, given.side))
    code, text = gate.judge(found, given.min_remaining, given.min_coverage)
    print(text, file=sys.stdout if code == gate.PASS else sys.stderr)
    return code


def _colour() -> bool:
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ


def _asked(given: argparse.Namespace, ask: Callable[[Client], list[Status]]) -> list[Status]:
    """What Prometheus says; its name stands before what is wrong there."""
    from exporter.clients.prometheus import Client

    session = _session(given)
    try:
        return ask(Client(session))
    except SourceError:
        raise
    except PteError as error:
        raise PteError(f"{session.place}: {error}") from None
    finally:
        session.close()


def _session(given: argparse.Namespace) -> Session:
    from exporter.clients.http import Session
    from exporter.clients.http.options import HttpOptions
    from exporter.clients.http.validation import problems

    if given.url is not None:
        for _, text in problems(given.url, HttpOptions()):
            raise PteError(f"--prometheus.url: {text}")
        return Session(given.url, HttpOptions())
    if given.config_file is None:
        raise PteError("which Prometheus? give --prometheus.url, or --config.file with production's source there")
    from exporter import sources
    from exporter.sources.prometheus.source import Options

    source = sources.read(given.config_file).environment("production").source
    if not isinstance(source, Options):
        raise PteError(f"{given.config_file}: production's source is no Prometheus: give --prometheus.url")
    return Session(source.url, source)
