"""A scrape of 100,000 series: CPU beside prometheus_client's encoder, time beside a bare server with the same bytes.

CPU is compared per scrape, at the default intervals: a poll every 5 minutes and a scrape every 15 seconds make 20
scrapes share one rendering. prometheus_client encodes ready-made families, so only its encoder counts.
"""

from __future__ import annotations

import contextlib
import http.client
import multiprocessing
import socket
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily

from benchmarks.measurement import Measurement
from exporter import catalogue
from exporter.catalogue import exposition
from exporter.commands.configuration import DEMO
from exporter.model.results import Snapshot
from exporter.pipeline import round_once
from exporter.serve.self_metrics import SelfMetrics
from exporter.sources import read
from tests.servers import free_port

SERIES = 100_000
SCRAPES_PER_POLL = 20
CPU_BOUND = 25.0
TIME_BOUND = 2.0
AT = 1_760_000_000.0
_SCRAPES = 60
_WARM_UP = 5


def snapshot() -> Snapshot:
    """The demo's main application under as many names as make 100,000 series."""
    demo = round_once(read(DEMO), AT)
    shop = demo.applications["shop"]
    single = replace(demo, applications={"shop": shop})
    per_application = exposition.render(single, catalogue.ALL).series
    names = [f"shop-{number:04d}" for number in range(SERIES // per_application * 2)]
    many = replace(demo, applications={name: replace(shop, application=name) for name in names})

    # Some series do not belong to an application, so the number of names must be found by trying.
    while (size := exposition.render(many, catalogue.ALL).series) > SERIES * 1.01:
        names = names[: max(1, len(names) * SERIES // size)]
        many = replace(demo, applications={name: many.applications[name] for name in names})
    return many


class Families:
    """The same families, ready-made, as a collector of prometheus_client."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._families = []
        for series in catalogue.ALL:
            family = GaugeMetricFamily(series.name, series.help, labels=series.labels)
            for values, value in series.read(snapshot):
                family.add_metric(values, value)
            if family.samples:
                self._families.append(family)

    def collect(self) -> Iterable[GaugeMetricFamily]:
        return self._families


def cpu(work: Callable[[], object], times: int) -> float:
    """CPU seconds of one call: the least of three runs of `times`."""
    best = float("inf")
    for _ in range(3):
        start = time.process_time()
        for _ in range(times):
            work()
        best = min(best, (time.process_time() - start) / times)
    return best


def _measure_cpu(snapshot: Snapshot) -> Measurement:
    registry = CollectorRegistry()
    registry.register(Families(snapshot))
    self_metrics = SelfMetrics()
    page = exposition.render(snapshot, catalogue.ALL)

    theirs = cpu(lambda: generate_latest(registry), 1)
    rendering = cpu(lambda: exposition.render(snapshot, catalogue.ALL), 1)
    scrape = cpu(lambda: page.gzipped(self_metrics.render(openmetrics=False)), 50)
    ours = rendering / SCRAPES_PER_POLL + scrape

    parts = f"rendering {rendering * 1e3:.0f} ms / {SCRAPES_PER_POLL} + scrape {scrape * 1e3:.2f} ms, its gzip included"
    beside = f"{theirs * 1e3:.0f} ms beside {ours * 1e3:.1f} ms"
    figure = f"{theirs / ours:.0f} times less ({beside}: {parts}; {page.series} series)"
    claim = f"CPU of a scrape of {SERIES:,} series beside prometheus_client's generate_latest (which does not compress)"
    return Measurement(claim, figure, f"at least {CPU_BOUND:g} times less", theirs / ours >= CPU_BOUND)


def _serve_ours(port: int, page: exposition.MetricsPage) -> None:
    from exporter.config import Config
    from exporter.serve.service import Published, Service
    from exporter.serve.web import server
    from exporter.serve.web.access import Access
    from exporter.serve.web.app import App

    def load() -> Config:
        return read(DEMO)

    service = Service(load, SelfMetrics())
    service.published = Published(page)
    app = App(service, Access(None))
    server.run(app, server.bind(f"127.0.0.1:{port}"), None, lambda: None)


def _serve_bare(port: int, body: bytes) -> None:
    """The least that can be called an HTTP server: a blocking socket and one sendall for each request."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n" % len(body)

    with socket.create_server(("127.0.0.1", port)) as listening:
        while True:
            client, _ = listening.accept()
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with client, contextlib.suppress(OSError):
                while client.recv(65536):
                    client.sendall(head)
                    client.sendall(body)


@contextlib.contextmanager
def _process(serve: Callable[..., None], *arguments: Any) -> Iterator[None]:
    process = multiprocessing.get_context("fork").Process(target=serve, args=arguments, daemon=True)
    process.start()
    try:
        yield
    finally:
        process.terminate()
        process.join()


def _client(port: int) -> http.client.HTTPConnection:
    for _ in range(200):
        with contextlib.suppress(OSError):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            connection.connect()
            return connection
        time.sleep(0.05)
    raise RuntimeError("the server did not start")


def _scrape(client: http.client.HTTPConnection) -> tuple[float, int]:
    start = time.perf_counter()
    client.request("GET", "/metrics", headers={"Accept-Encoding": "identity"})
    size = len(client.getresponse().read())
    return time.perf_counter() - start, size


def _median_scrapes(ports: Sequence[int], size: int) -> list[float]:
    """Seconds, of each server the median. They are scraped in turn: a slow machine slows down both."""
    clients = [_client(port) for port in ports]
    times: list[list[float]] = [[] for _ in clients]
    for turn in range(_WARM_UP + _SCRAPES):
        for client, seconds_of_client in zip(clients, times, strict=True):
            seconds, received = _scrape(client)
            assert abs(received - size) < 10_000, "both servers send the same page"
            if turn >= _WARM_UP:
                seconds_of_client.append(seconds)

    return [statistics.median(seconds) for seconds in times]


def _measure_time(snapshot: Snapshot) -> Measurement:
    page = exposition.render(snapshot, catalogue.ALL)
    body = page.body + SelfMetrics().render(openmetrics=False)
    our_port = free_port()
    bare_port = free_port()
    with _process(_serve_ours, our_port, page), _process(_serve_bare, bare_port, body):
        ours, bare = _median_scrapes([our_port, bare_port], len(body))

    figure = f"{ours / bare:.2f} times ({ours * 1e3:.2f} ms beside {bare * 1e3:.2f} ms for {len(body) / 1e6:.1f} MB)"
    bound = f"within {TIME_BOUND:g} times"
    return Measurement(
        "time of a cached scrape beside a bare server that sends the same bytes",
        figure,
        bound,
        ours / bare <= TIME_BOUND,
    )


def measure() -> Sequence[Measurement]:
    large = snapshot()
    return [_measure_cpu(large), _measure_time(large)]
