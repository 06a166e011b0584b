"""Which Prometheus is asked for the state of objectives, and how."""

from __future__ import annotations

from collections.abc import Callable

from exporter.clients.http import Session
from exporter.clients.http.options import HttpOptions
from exporter.clients.http.validation import problems
from exporter.clients.prometheus import PrometheusClient
from exporter.errors import PteError, SourceError
from exporter.slo.status import Status


def ask(url: str | None, config_file: str | None, query: Callable[[PrometheusClient], list[Status]]) -> list[Status]:
    """What Prometheus says; its name stands before what is wrong there."""
    session = _session(url, config_file)

    try:
        return query(PrometheusClient(session))
    except SourceError:
        raise  # it names the server by itself
    except PteError as error:
        raise PteError(f"{session.address}: {error}") from None
    finally:
        session.close()


def _session(url: str | None, config_file: str | None) -> Session:
    if url is not None:
        for _, text in problems(url, HttpOptions()):
            raise PteError(f"--prometheus.url: {text}")
        return Session(url, HttpOptions())
    if config_file is None:
        raise PteError("which Prometheus? give --prometheus.url, or --config.file with production's source there")

    from exporter import sources
    from exporter.sources.prometheus.source import Options

    source = sources.read(config_file).environment("production").source
    if not isinstance(source, Options):
        raise PteError(f"{config_file}: production's source is no Prometheus: give --prometheus.url")
    return Session(source.url, source)
