"""The connection to the Prometheus that has the state of objectives."""

from __future__ import annotations

from collections.abc import Callable

from exporter.clients.http import Session
from exporter.clients.http.options import HttpOptions
from exporter.clients.http.validation import problems
from exporter.clients.prometheus import PrometheusClient
from exporter.errors import PteError, SourceError
from exporter.slo.status import BudgetStatus


def ask(
    url: str | None, config_file: str | None, query: Callable[[PrometheusClient], list[BudgetStatus]]
) -> list[BudgetStatus]:
    """The result of a query; errors begin with the server's name."""
    session = _session(url, config_file)

    try:
        return query(PrometheusClient(session))
    except SourceError:
        raise  # its message contains the server's name
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
        raise PteError("no Prometheus to query: use --prometheus.url, or --config.file with production's source")

    from exporter import sources
    from exporter.sources.prometheus.source import Options

    source = sources.read(config_file).environment("production").source
    if not isinstance(source, Options):
        raise PteError(f"{config_file}: production's source is not of kind prometheus: use --prometheus.url")
    return Session(source.url, source)
