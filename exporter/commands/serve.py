"""`pte-exporter serve`: polls the sources and serves /metrics until it is stopped."""

from __future__ import annotations

import argparse
import logging
import os
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

from exporter import __version__, logs
from exporter.commands import configuration
from exporter.commands.arguments import set_command
from exporter.commands.common import add_common, add_web_config
from exporter.commands.sigterm import end_at_sigterm

if TYPE_CHECKING:  # it takes a while to load, and signals must be handled before
    from exporter.config import Config

logger = logging.getLogger(__name__)

_ANY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104


@dataclass(frozen=True)
class Options:
    """Of `serve`."""

    config_file: str | None
    web_config_file: str | None
    listen_address: str
    enable_lifecycle: bool


def add(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    add_common(parser)
    add_web_config(parser)

    parser.add_argument(
        "--web.listen-address",
        dest="listen_address",
        metavar="HOST:PORT",
        default="127.0.0.1:9826",
        help="address to listen on: host:port, :port for all interfaces, or [::1]:port (default: %(default)s)",
    )
    parser.add_argument(
        "--web.enable-lifecycle",
        dest="enable_lifecycle",
        action="store_true",
        help="allow POST /-/reload without authentication too",
    )
    set_command(parser, Options, run)


def run(options: Options) -> int:
    """Serve until SIGTERM or SIGINT; it does not return."""
    end_at_sigterm(0)  # until the server handles it
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # likewise: an early reload must not end the process

    from exporter.serve.self_metrics import SelfMetrics
    from exporter.serve.service import Service
    from exporter.serve.web import server
    from exporter.serve.web.access import Access
    from exporter.serve.web.app import App

    access = Access(options.web_config_file)

    def load() -> Config:
        config = configuration.read(options.config_file)
        access.reload()
        return config

    listening = server.bind(options.listen_address)
    service = Service(load, SelfMetrics())
    service.start()
    app = App(service, access, lifecycle=options.enable_lifecycle)

    url = _url(listening.getsockname(), tls=access.tls is not None)
    logger.info("listening", extra=logs.fields(url=url, version=__version__))
    if not options.config_file:
        logger.warning("no --config.file: serving the embedded demo, all values are made up")

    server.run(app, listening, access.tls, service.reload_soon)
    service.stop()
    logger.info("stopped")
    logging.shutdown()
    # Polls in flight are left behind. An orderly end of the interpreter would crash in native code under them.
    os._exit(0)


def _url(address: tuple[str, int], *, tls: bool) -> str:
    """The URL for a browser on this machine."""
    host, port, *_ = address
    if host in _ANY_ADDRESS:
        host = "localhost"
    if ":" in host:
        host = f"[{host}]"
    scheme = "https" if tls else "http"
    return f"{scheme}://{host}:{port}/"
