"""Many made-up applications as OpenMetrics, in the client-library convention, to fill a real Prometheus with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

ROUTES = 45
STEP = 60
BUCKETS = ("0.05", "0.1", "0.25", "0.5", "1.0", "2.5", "+Inf")
_BELOW = (0.30, 0.60, 0.85, 0.95, 0.99, 0.998, 1.0)


def application(number: int) -> str:
    return f"app-{number:03d}"


def _word(number: int) -> str:
    """A path segment that no route normaliser takes for an identifier."""
    return "thing-" + "abcdefghij"[number // 10] + "abcdefghij"[number % 10]


def write(path: Path, applications: int, end: int, hours: dict[str, int]) -> int:
    """Write `hours[environment]` hours that end at `end`; returns the number of samples."""
    samples = 0
    with path.open("w") as out:
        for (family, kind), series in _families(applications, hours):
            out.write(f"# TYPE {family} {kind}\n")
            for name, labels, environment, per_step in series:
                times = np.arange(end - hours[environment] * 3600, end + 1, STEP)
                steps = np.ones(times.size) if kind == "gauge" else np.arange(times.size)
                values = per_step * steps
                prefix = f'{name}{{environment="{environment}",{labels}}} '
                out.writelines(f"{prefix}{v:g} {t}\n" for v, t in zip(values.tolist(), times.tolist(), strict=True))
                samples += times.size

        out.write("# EOF\n")
    return samples


Row = tuple[str, str, str, float]


def _families(applications: int, sides: dict[str, int]) -> Iterator[tuple[tuple[str, str], Iterator[Row]]]:
    names = [(side, application(number)) for side in sides for number in range(applications)]
    yield ("http_requests", "counter"), _requests(names)
    yield ("http_request_duration_seconds", "histogram"), _latency(names)
    for gauge, value in (("fleet_users", 100.0), ("fleet_cpu_ratio", 0.4), ("fleet_memory_ratio", 0.5)):
        yield (gauge, "gauge"), ((gauge, f'application="{name}"', side, value) for side, name in names)


def _requests(names: list[tuple[str, str]]) -> Iterator[Row]:
    for side, name in names:
        for route in range(ROUTES):
            labels = f'application="{name}",method="GET",handler="/{_word(route)}/{{id}}"'
            yield "http_requests_total", f'{labels},code="200"', side, 600.0 / (1 + route)
            if route % 9 == 0:
                yield "http_requests_total", f'{labels},code="500"', side, 1.0


def _latency(names: list[tuple[str, str]]) -> Iterator[Row]:
    for side, name in names:
        for le, share in zip(BUCKETS, _BELOW, strict=True):
            yield "http_request_duration_seconds_bucket", f'application="{name}",le="{le}"', side, 2600.0 * share
        yield "http_request_duration_seconds_count", f'application="{name}"', side, 2600.0
        yield "http_request_duration_seconds_sum", f'application="{name}"', side, 300.0
