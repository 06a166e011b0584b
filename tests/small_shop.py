"""A history that can be computed by hand, as OpenMetrics: any number of applications and routes, client-library names.

Application i serves (i + 1) * 10 requests/s in even minutes and twice that in odd ones, evenly over its routes, so that
the minute ending at t is odd when t / 60 is. Each request takes 0.2 s and 1000 bytes. Application 0 fails 1 % of its
requests in even minutes and 4 % in odd ones; the others never fail and have no series of failures. Users of all
applications go through 10, 20, 40, 10, so that minutes that are ten apart differ, which those of requests do not.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests import servers

END = 1795176000.0
"""2026-11-20T12:00:00Z."""


def name(index: int) -> str:
    return f"app{index}"


def rate(index: int, minute: int) -> float:
    return (index + 1) * 10.0 * (1 + minute % 2)


def errors(index: int, minute: int) -> float:
    return rate(index, minute) * (0.01, 0.04)[minute % 2] if index == 0 else 0.0


def users(minute: int) -> float:
    return (10.0, 20.0, 40.0, 10.0)[minute % 4]


USERS: dict[str, str | None] = {"concurrent_users": "sum by ($application) (users{$selector})"}
"""The template for users, which no preset has."""


def blocks(directory: Path, applications: int, routes: int, hours: int = 2, extra: str = "") -> Path:
    """A TSDB directory with that history up to END; `extra` is more OpenMetrics text, families of its own."""
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / "small.om"
    file.write_text("\n".join([*_lines(applications, routes, hours), *extra.strip().splitlines(), "# EOF", ""]))
    return servers.create_blocks("2.42", file, directory / "blocks")


def _lines(applications: int, routes: int, hours: int) -> Iterator[str]:
    yield "# TYPE http_requests counter"
    for index in range(applications):
        for route in range(routes):
            labels = f'job="{name(index)}",method="GET",handler="/r{route}"'
            yield from _counter(f'http_requests_total{{{labels},code="200"}}', index, hours, 1 / routes, passed=True)
            if index == 0:
                yield from _counter(
                    f'http_requests_total{{{labels},code="500"}}', index, hours, 1 / routes, passed=False
                )
    yield "# TYPE users gauge"
    for index in range(applications):
        for minute in _minutes(hours):
            yield f'users{{job="{name(index)}"}} {users(minute):g} {60 * minute - 10}'
    yield "# TYPE http_request_duration_seconds histogram"
    for index in range(applications):
        series = "http_request_duration_seconds"
        for le, share in (("0.1", 0.0), ("0.3", 1.0), ("+Inf", 1.0)):
            yield from _counter(f'{series}_bucket{{job="{name(index)}",le="{le}"}}', index, hours, share)
        yield from _counter(f'{series}_count{{job="{name(index)}"}}', index, hours, 1.0)
        yield from _counter(f'{series}_sum{{job="{name(index)}"}}', index, hours, 0.2)
    yield "# TYPE http_response_size_bytes summary"
    for index in range(applications):
        yield from _counter(f'http_response_size_bytes_sum{{job="{name(index)}"}}', index, hours, 1000.0)


def _counter(series: str, index: int, hours: int, share: float, passed: bool | None = None) -> Iterator[str]:
    """Samples at :10 and :40 of each minute; of all requests, or of those that passed or failed."""
    total = 0.0
    for minute in _minutes(hours):
        per_second = rate(index, minute)
        failed = errors(index, minute)
        per_second = {None: per_second, True: per_second - failed, False: failed}[passed] * share
        for second in (10, 40):
            yield f"{series} {total + per_second * second:.6f} {60 * (minute - 1) + second}"
        total += per_second * 60


def _minutes(hours: int) -> range:
    return range(int(END // 60) - hours * 60 + 1, int(END // 60) + 1)
