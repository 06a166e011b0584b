"""Arguments, exit codes, nothing else. 0: fine, 1: a problem was found, 2: wrong usage; `slo gate` has 3 as well."""

from __future__ import annotations

import argparse
import logging
import os
import re
import shlex
import signal
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exporter import __version__, generate, logs
from exporter.errors import ConfigError, PteError
from exporter.slo import command as slo_command

if TYPE_CHECKING:  # it takes a while to load, and before that signals are to be heard
    from exporter.config import Config
    from exporter.model.slo import Slo
    from exporter.specs import Options

DEMO = Path(__file__).parent / "demo.yml"

_NUMBER = re.compile(r"[0-9]{9,}(\.[0-9]+)?")
"""Unix seconds; a shorter number such as 20261120 is a date."""

logger = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command `pte-exporter`; gives its exit code."""
    _end_at_sigterm(128 + signal.SIGTERM)
    given = _parser().parse_args(arguments)
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


def _end_at_sigterm(code: int) -> None:
    """A process 1 is sent no signal that it has no handler for, so that without this it could not be ended early."""
    signal.signal(signal.SIGTERM, lambda *_: os._exit(code))


def _serve(given: argparse.Namespace) -> int:
    _end_at_sigterm(0)  # until the server takes it over
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # likewise: a reload before that ends nothing
    from exporter.own_metrics import OwnMetrics
    from exporter.service import Service
    from exporter.web import App, server
    from exporter.web.access import Access

    access = Access(given.web_config_file)

    def load() -> Config:
        config = _config(given)
        access.reload()
        return config

    listening = server.bind(given.listen_address)
    service = Service(load, OwnMetrics())
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
    with _Progress(f"asking {', '.join(environment.name for environment in config.environments)}"):
        snapshot = round_once(config, at)
    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    sys.stdout.buffer.write(FORMATS[given.format](snapshot, colour=colour))
    return 0


def _check(given: argparse.Namespace) -> int:
    from exporter.specs import Options, own

    config = _config(given)
    _, problems = own.slos(config, given.config_file or str(DEMO), Options())
    if problems:
        raise ConfigError(problems)
    if given.web_config_file is not None:
        from exporter.web.access import Access

        Access(given.web_config_file)
    if config.slos:
        generate.own_objectives(config, given.config_file or str(DEMO))  # tells what is wrong with their queries
    kinds = ", ".join(f"{environment.name} ({environment.role})" for environment in config.environments)
    print(f"{given.config_file or 'embedded demo'}: fine, {len(config.environments)} environments: {kinds}")
    return 0


def _generate(given: argparse.Namespace) -> int:
    config = _config(given) if given.config_file else None
    return _made(given, generate.files(given.kind, config))


def _generate_rules(given: argparse.Namespace) -> int:
    if given.slo:
        from exporter import config as configuration

        # Of it only the links are used, so the sources' own options, which take a while to load, are not looked at.
        config = configuration.read(given.config_file) if given.config_file else None
        files = generate.objectives(_slos(given), config)
        return _made(given, files, config, generate.left_over(files, given.output))
    config = _config(given) if given.config_file else None
    files = dict(generate.files("rules", config))
    if config is None or not config.slos:
        return _made(given, files, config)
    files |= generate.own_objectives(config, given.config_file, _options(given))
    return _made(given, files, config, generate.left_over(files, given.output))


def _made(
    given: argparse.Namespace, files: Mapping[str, bytes], linked: Config | None = None, left_over: Sequence[str] = ()
) -> int:
    """Write or check; `linked`: whose links the files have."""
    if not given.check:
        for link in generate.unset_links(linked) if linked is not None else ():
            print(f"{given.config_file}: {link}: not set, so that links of alerts lead to an example", file=sys.stderr)
        generate.write(files, given.output)
        return 0
    differing = generate.differing(files, given.output)
    for name in differing:
        print(f"{given.output / name}: differs from what is generated", file=sys.stderr)
    for name in left_over:
        print(f"{given.output / name}: is of no SLO any more: delete it", file=sys.stderr)
    if differing:
        same = [part for part in given.arguments if part != "--check"]
        print(f"mend it with: pte-exporter {shlex.join(same)}", file=sys.stderr)
    return 1 if differing or left_over else 0


def _generate_backfill(given: argparse.Namespace) -> int:
    from exporter.generate import backfill

    oldest = time.time() - backfill.SAFE_AGE
    start, end = given.start.timestamp(), given.end.timestamp() if given.end else oldest
    if end > oldest:
        given.parser.error(f"argument --end: wanted a time at least {backfill.SAFE_AGE // 3600} h ago: {backfill.WHY}")
    if start >= end:
        given.parser.error("argument --start: wanted a time before --end")
    stages = backfill.stages(_slos(given), graphs=given.graphs)
    generate.write(backfill.files(stages), given.output)
    print(backfill.commands(stages, start, end, given.url, str(given.output.resolve())), end="")
    return 0


def _slos(given: argparse.Namespace) -> list[Slo]:
    """The objectives in the files of --slo."""
    from exporter import specs

    with _Progress("reading the specs"):
        return specs.read(given.slo, _options(given))


def _options(given: argparse.Namespace) -> Options:
    from exporter.specs import Options

    return Options(given.slo_period, given.scrape_interval, given.retention)


def _config(given: argparse.Namespace) -> Config:
    from exporter import sources

    return sources.read(given.config_file or DEMO)


class _Progress:
    """A line on stderr that tells what is waited for and how long; only where a person looks on."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._tell, daemon=True)

    def __enter__(self) -> None:
        if sys.stderr.isatty():
            self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._done.set()
        if self._thread.is_alive():
            self._thread.join()
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)

    def _tell(self) -> None:
        began = time.monotonic()
        while not self._done.wait(0.2):
            seconds = time.monotonic() - began
            print(f"\r\x1b[K{self._what} … {seconds:.0f} s", end="", file=sys.stderr, flush=True)


def _moment(text: str) -> datetime:
    try:
        at = datetime.fromtimestamp(float(text), UTC) if _NUMBER.fullmatch(text) else datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        wanted = "wanted one such as 2026-11-20T10:00:00Z, or Unix seconds"
        raise argparse.ArgumentTypeError(f"{text} is no time, {wanted}") from None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    if at > datetime.now(UTC):
        raise argparse.ArgumentTypeError(f"{text} is in the future, wanted a time of the past")
    return at


def _duration(text: str) -> int:
    from exporter.config.conversion import duration

    seconds = float(duration(text) or 0)
    if seconds <= 0 or seconds != int(seconds):
        raise argparse.ArgumentTypeError(f"{text} is no duration, wanted one such as 30s, 5m or 30d")
    return int(seconds)


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--config.file", dest="config_file", metavar="FILE", help="default: the embedded demo")
    common.add_argument("--log.level", dest="log_level", choices=logs.LEVELS, default="info")
    common.add_argument("--log.format", dest="log_format", choices=logs.FORMATS, default="logfmt")
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
        type=_moment,
        metavar="TIME",
        help="a time of the past, such as 2026-11-20T10:00:00Z, or Unix seconds; default now",
    )
    report.set_defaults(run=_report)

    check = commands.add_parser("check", parents=[common, web], help="tell what is wrong with the configuration")
    check.set_defaults(run=_check)

    _add_generate(commands.add_parser("generate", help="write rules, dashboards or docs/METRICS.md"), common)
    slo_command.add(commands.add_parser("slo", help="the state of error budgets, from Prometheus"), common)
    return parser


def _add_generate(parser: argparse.ArgumentParser, common: argparse.ArgumentParser) -> None:
    made = argparse.ArgumentParser(add_help=False)
    made.add_argument("--check", action="store_true", help="write nothing; exit 1 when a file differs")
    made.add_argument("--output", type=Path, metavar="DIR", default=Path(), help="default: the current directory")
    specs = argparse.ArgumentParser(add_help=False)
    times: dict[str, Any] = {"type": _duration, "metavar": "DURATION"}
    specs.add_argument("--slo-period", default=30 * 86400, help="of specs that name none; default 30d", **times)
    specs.add_argument("--scrape-interval", default=30, help="of the data; default 30s", **times)
    specs.add_argument("--retention", help="of Prometheus; default: windows may be longer than it", **times)
    paths: dict[str, Any] = {"nargs": "+", "type": Path, "metavar": "PATH"}
    kinds = parser.add_subparsers(required=True, metavar="KIND")

    for kind in generate.KINDS:
        inherited = [common, made, specs] if kind == "rules" else [common, made]
        about = {"rules": "recording rules and alerts", "dashboards": "Grafana's JSON", "docs": "docs/METRICS.md"}[kind]
        one = kinds.add_parser(kind, parents=inherited, help=about)
        one.set_defaults(run=_generate, kind=kind)
        if kind == "rules":
            text = "only the rules of the SLOs in these files and folders: of Sloth, OpenSLO, or our configuration"
            one.add_argument("--slo", help=text, **paths)
            one.set_defaults(run=_generate_rules)

    past = kinds.add_parser("backfill", parents=[common, specs], help="how to give new SLOs a past with promtool")
    past.add_argument("--slo", required=True, help="files and folders with specs", **paths)
    past.add_argument("--start", required=True, type=_moment, metavar="TIME", help="not before the oldest raw data")
    past.add_argument(
        "--end", type=_moment, metavar="TIME", help="when the rules were loaded, if at least 3 h ago; default 3 h ago"
    )
    past.add_argument("--url", required=True, help="of the Prometheus that evaluates the rules")
    past.add_argument("--graphs", action="store_true", help="record for graphs too what rules make of the sums")
    past.add_argument("--output", type=Path, metavar="DIR", default=Path("backfill"), help="default: %(default)s")
    past.set_defaults(run=_generate_backfill, parser=past)


if __name__ == "__main__":
    sys.exit(main())
