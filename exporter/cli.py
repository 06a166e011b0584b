"""Arguments, exit codes, nothing else. 0: fine, 1: a problem was found, 2: wrong usage; gates have 3 as well."""

from __future__ import annotations

import argparse
import logging
import os
import shlex
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from exporter import __version__, humanize, logs
from exporter.commands import generate
from exporter.commands.arguments import Progress, moment
from exporter.commands.baseline import command as baseline_command
from exporter.commands.doctor import command as doctor_command
from exporter.commands.generate import command as generate_command
from exporter.commands.publish import command as push_command
from exporter.commands.run import command as wrap_command
from exporter.commands.slo import command as slo_command
from exporter.errors import ConfigError, PteError

if TYPE_CHECKING:  # it takes a while to load, and before that signals are to be heard
    from exporter.config import Config

DEMO = Path(__file__).parent / "demo.yml"

logger = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command `pte-exporter`; gives its exit code."""
    _end_at_sigterm(128 + signal.SIGTERM)
    _open_what_is_closed()
    own, wrapped = wrap_command.split(sys.argv[1:] if arguments is None else arguments)
    given = _parser().parse_args(own)
    given.wrapped = wrapped
    given.arguments = list(sys.argv[1:] if arguments is None else arguments)
    logs.set_up(given.log_level, given.log_format)
    failed: int = getattr(given, "failed", 1)
    try:
        code: int = given.run(given)
        sys.stdout.flush()
    except ConfigError as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)
        return failed
    except PteError as error:
        print(f"pte-exporter: {error}", file=sys.stderr)
        return failed
    except BrokenPipeError:
        # Who read our output has gone; keep Python from saying so when it flushes at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return failed
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"pte-exporter: {where}{error.strerror or error}", file=sys.stderr)
        return failed
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        logger.debug("a fault of the exporter", exc_info=True)
        text = f"a fault of the exporter: {error.__class__.__name__}: {error}; --log.level debug tells where"
        print(f"pte-exporter: {text}", file=sys.stderr)
        return failed
    return code


def _open_what_is_closed() -> None:
    """Started with >&- or 2>&-, Python has None there, which cannot be flushed."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115  to the end


def _end_at_sigterm(code: int) -> None:
    """A process 1 is sent no signal that it has no handler for, so that without this it could not be ended early."""
    signal.signal(signal.SIGTERM, lambda *_: os._exit(code))


def _serve(given: argparse.Namespace) -> int:
    _end_at_sigterm(0)  # until the server takes it over
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # likewise: a reload before that ends nothing
    from exporter.serve.self_metrics import SelfMetrics
    from exporter.serve.service import Service
    from exporter.serve.web import server
    from exporter.serve.web.access import Access
    from exporter.serve.web.app import App

    access = Access(given.web_config_file)

    def load() -> Config:
        config = _config(given)
        access.reload()
        return config

    listening = server.bind(given.listen_address)
    service = Service(load, SelfMetrics())
    service.start()
    app = App(service, access, lifecycle=given.enable_lifecycle)
    url = _url(listening.getsockname(), tls=access.tls is not None)
    demo = {} if given.config_file else {"config": "the embedded demo"}
    logger.info("listening", extra=logs.fields(url=url, version=__version__, **demo))
    server.run(app, listening, access.tls, service.reload_soon)
    service.stop()
    logger.info("ended")
    logging.shutdown()
    # Polls in flight are left behind. An orderly end of the interpreter would crash in native code under them.
    os._exit(0)


def _url(name: tuple[str, int], *, tls: bool) -> str:
    host = {"0.0.0.0": "localhost", "::": "localhost"}.get(name[0], name[0])  # noqa: S104
    return f"http{'s' * tls}://{f'[{host}]' if ':' in host else host}:{name[1]}/"


def _report(given: argparse.Namespace) -> int:
    from exporter.pipeline import round_once
    from exporter.report import FORMATS

    config = _config(given)
    at = given.at.timestamp() if given.at is not None else time.time()
    with Progress(f"asking {', '.join(environment.name for environment in config.environments)}"):
        snapshot = round_once(config, at)
    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    sys.stdout.buffer.write(FORMATS[given.format](snapshot, colour=colour))
    return 0


def _check(given: argparse.Namespace) -> int:
    from exporter.slo.specs import Options, is_foreign, own

    if given.config_file and is_foreign(Path(given.config_file)):
        text = "is a spec of SLOs and no configuration: check it with pte-exporter generate rules --check --slo"
        raise PteError(f"{given.config_file}: {text} {shlex.quote(given.config_file)}")
    config = _config(given)
    _, problems = own.slos(config, given.config_file or str(DEMO), Options())
    if problems:
        raise ConfigError(problems)
    if given.web_config_file is not None:
        from exporter.serve.web.access import Access

        Access(given.web_config_file)
    if config.slos:
        generate.own_objectives(config, given.config_file or str(DEMO))  # tells what is wrong with their queries
    kinds = ", ".join(f"{environment.name} ({environment.role})" for environment in config.environments)
    slos = f"; {humanize.counted(len(config.slos), 'SLO')}" if config.slos else ""
    print(f"{given.config_file or 'embedded demo'}: fine, {len(config.environments)} environments: {kinds}{slos}")
    return 0


def _config(given: argparse.Namespace) -> Config:
    from exporter import sources

    return sources.read(given.config_file or DEMO)


def _common(config: str) -> argparse.ArgumentParser:
    """The arguments that all commands have; `config` says what the configuration is for."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--config.file", dest="config_file", metavar="FILE", help=config)
    common.add_argument("--log.level", dest="log_level", choices=logs.LEVELS, default="info")
    common.add_argument("--log.format", dest="log_format", choices=logs.FORMATS, default="logfmt")
    return common


def _parser() -> argparse.ArgumentParser:
    common = _common("default: the embedded demo")
    judging = _common("of its limits, grades and routes; default: the usual limits")
    web = argparse.ArgumentParser(add_help=False)
    web.add_argument("--web.config.file", dest="web_config_file", metavar="FILE", help="TLS and basic authentication")

    parser = argparse.ArgumentParser(
        prog="pte-exporter", description="Does a performance test's certification still hold in production?"
    )
    parser.add_argument("--version", action="version", version=f"pte-exporter {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", parents=[common, web], help="poll both sides and publish /metrics")
    serve.add_argument(
        "--web.listen-address",
        dest="listen_address",
        metavar="HOST:PORT",
        default="127.0.0.1:9826",
        help="host:port, :port for all interfaces, or [::1]:port; default %(default)s",
    )
    serve.add_argument(
        "--web.enable-lifecycle",
        dest="enable_lifecycle",
        action="store_true",
        help="allow POST /-/reload also without authentication",
    )
    serve.set_defaults(run=_serve)

    report = commands.add_parser("report", parents=[common], help="do one round and print it")
    report.add_argument("--format", choices=("console", "json"), default="console")
    report.add_argument(
        "--at",
        type=moment,
        metavar="TIME",
        help="a time of the past, such as 2026-11-20T10:00:00Z, or Unix seconds; default now",
    )
    report.set_defaults(run=_report)

    check = commands.add_parser("check", parents=[common, web], help="tell what is wrong with the configuration")
    check.set_defaults(run=_check)

    doctor_command.add(commands.add_parser("doctor", parents=[common], help="tell what is wrong with any source"))
    generate_command.add(commands.add_parser("generate", help="write rules, dashboards or docs/METRICS.md"), common)
    wrap_command.add(commands.add_parser("run", parents=[judging], help="start a load generator, publish its result"))
    push_command.add(commands.add_parser("publish", parents=[judging], help="publish a load test's result, once"))
    baseline_command.add(commands.add_parser("baseline", help="runs saved by name, and gates on them"), judging)
    slo_command.add(commands.add_parser("slo", help="the state of error budgets, from Prometheus"), common)
    return parser


if __name__ == "__main__":
    sys.exit(main())
