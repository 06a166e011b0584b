"""The made-up shop's metric families, named as the Prometheus client libraries do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Literal

from exporter.demo.histogram import BOUNDS, bucket_rate, sum_rate
from exporter.demo.noise import Floats
from exporter.demo.shop import ShopApplication
from exporter.demo.traffic import Role, Share, ShopTraffic, shares


@dataclass(frozen=True, slots=True)
class DemoSeries:
    """One line of a page: its name and labels, and its value in each minute."""

    text: str
    read: Callable[[ShopTraffic], Floats]
    """Increase per second of a counter, the value of a gauge."""


Lines = Callable[[int, Role, ShopApplication], Iterator[DemoSeries]]


@dataclass(frozen=True, slots=True)
class Family:
    """One metric family; `series` gives its lines for (seed, role, application)."""

    name: str
    """As OpenMetrics has it: a counter without its suffix."""
    kind: Literal["counter", "gauge", "histogram", "summary"]
    help: str
    series: Lines

    @property
    def counts(self) -> bool:
        return self.kind != "gauge"


def _labels(role: Role, application: ShopApplication, **more: str) -> str:
    labels = {"application": application.name, "environment": role, **more}
    return "{" + ",".join(f'{name}="{value}"' for name, value in labels.items()) + "}"


def _requests(seed: int, role: Role, application: ShopApplication) -> Iterator[DemoSeries]:
    for share in shares(seed, role, application):
        labels = partial(_labels, role, application, method=share.method, handler=share.path)
        yield DemoSeries(f"http_requests_total{labels(code='200')}", partial(_successes, share))
        if share.errors:
            yield DemoSeries(f"http_requests_total{labels(code='500')}", partial(_errors, share))


def _successes(share: Share, traffic: ShopTraffic) -> Floats:
    return share.requests * traffic.requests - share.errors * traffic.errors


def _errors(share: Share, traffic: ShopTraffic) -> Floats:
    return share.errors * traffic.errors


def _duration(_seed: int, role: Role, application: ShopApplication) -> Iterator[DemoSeries]:
    name = "http_request_duration_seconds"
    for bound in BOUNDS:
        le = "+Inf" if bound == float("inf") else repr(bound)
        yield DemoSeries(f"{name}_bucket{_labels(role, application, le=le)}", partial(bucket_rate, bound=bound))
    yield DemoSeries(f"{name}_sum{_labels(role, application)}", sum_rate)
    yield DemoSeries(f"{name}_count{_labels(role, application)}", lambda traffic: traffic.requests)


def _size(_seed: int, role: Role, application: ShopApplication) -> Iterator[DemoSeries]:
    name = "http_response_size_bytes"
    yield DemoSeries(f"{name}_sum{_labels(role, application)}", lambda traffic: traffic.bytes)
    yield DemoSeries(f"{name}_count{_labels(role, application)}", lambda traffic: traffic.requests)


def _gauge(name: str, help: str, read: Callable[[ShopTraffic], Floats]) -> Family:
    def lines(_seed: int, role: Role, application: ShopApplication) -> Iterator[DemoSeries]:
        yield DemoSeries(f"{name}{_labels(role, application)}", read)

    return Family(name, "gauge", help, lines)


FAMILIES: tuple[Family, ...] = (
    Family("http_requests", "counter", "Requests by route and status code.", _requests),
    Family("http_request_duration_seconds", "histogram", "How long requests took.", _duration),
    Family("http_response_size_bytes", "summary", "Size of responses.", _size),
    _gauge("demo_concurrent_users", "Users who are doing something.", lambda traffic: traffic.users),
    _gauge("demo_cpu_utilisation_ratio", "CPU used / CPU available.", lambda traffic: traffic.cpu),
    _gauge("demo_memory_utilisation_ratio", "Memory used / memory available.", lambda traffic: traffic.memory),
)
