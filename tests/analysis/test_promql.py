"""Summaries and histogram quantiles, against what real Prometheus servers compute from the same values."""

from __future__ import annotations

import math
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import requests

from exporter.analysis.baseline import histogram_quantile, summarise
from exporter.model.observation import QUANTILES
from tests.analysis.making import START, minutes
from tests.servers import PROMTOOL, Server, program, prometheus

RANDOM = np.random.default_rng(17)
SERIES = {str(case): minutes(RANDOM.gamma(2.0, 50.0, 40).round(3).tolist()) for case in range(20)}
END = START + 40 * 60.0
NEAR = "avg_over_time(((x - x offset 1m) ^ 2)[2329s:1m])"
FAR = "avg_over_time(((x - x offset 10m) ^ 2)[1789s:1m])"
"""Over the minutes that have one before them within the 40: ranges are short of a minute, open or closed."""

BOUNDS = [0.005, 0.01, 0.1, 0.25, 1.0, 10.0, math.inf]


def buckets(case: int) -> list[float]:
    """Cumulative counts; every third histogram has a decrease, every seventh nothing, every fifth a heavy tail."""
    counts = RANDOM.integers(0, 50, len(BOUNDS)).astype(float)
    counts[-1] *= 10 if case % 5 == 0 else 0
    cumulative = np.cumsum(counts) * (0 if case % 7 == 0 else 1)
    if case % 3 == 0:
        cumulative[RANDOM.integers(1, len(BOUNDS) - 1)] *= 0.7
    return [float(count) for count in cumulative]


HISTOGRAMS = {str(case): buckets(case) for case in range(60)}


def openmetrics() -> Iterator[str]:
    yield "# TYPE x gauge"
    for case, samples in SERIES.items():
        for time, value in zip(samples.times, samples.values, strict=True):
            yield f'x{{case="{case}"}} {value!r} {time:.0f}'
    yield "# TYPE h gauge"
    for case, cumulative in HISTOGRAMS.items():
        for bound, count in zip(BOUNDS, cumulative, strict=True):
            yield f'h{{case="{case}",le="{"+Inf" if math.isinf(bound) else bound}"}} {count!r} {END:.0f}'
    yield "# EOF\n"


@pytest.fixture(scope="module", params=["2.42", "3"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A Prometheus that holds the series and histograms."""
    directory: Path = tmp_path_factory.mktemp("promql")
    text, blocks = directory / "values.txt", directory / "blocks"
    text.write_text("\n".join(openmetrics()))
    command = [program(PROMTOOL["2.42"]), "tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=1080h"]
    subprocess.run([*command, str(text), str(blocks)], check=True, capture_output=True, timeout=60)
    with prometheus(request.param, directory, blocks=blocks) as running:
        yield running


def ask(server: Server, promql: str) -> dict[str, float]:
    """Value by case, at the end of the series."""
    answer = requests.post(f"{server.url}/api/v1/query", {"query": promql, "time": f"{END:.0f}"}, timeout=30).json()
    return {result["metric"]["case"]: float(result["value"][1]) for result in answer["data"]["result"]}


@pytest.mark.parametrize(
    ("stat", "promql"),
    [
        ("mean", "avg_over_time(x[2h])"),
        ("peak", "max_over_time(x[2h])"),
        ("min", "min_over_time(x[2h])"),
        ("stddev", "stddev_over_time(x[2h])"),
        ("samples", "count_over_time(x[2h])"),
        ("noise", f"({FAR} / 2) ^ 0.5"),
        ("autocorrelation", f"1 - {NEAR} / {FAR}"),
    ],
)
def test_summary(server: Server, stat: str, promql: str) -> None:
    """Each statistic is what the server says of the same minutes."""
    expected = ask(server, promql)
    assert expected.keys() == SERIES.keys()
    for case, samples in SERIES.items():
        assert getattr(summarise(samples), stat) == pytest.approx(expected[case], rel=1e-9)


@pytest.mark.parametrize("q", QUANTILES)
def test_quantiles(server: Server, q: str) -> None:
    """Quantiles are those of quantile_over_time."""
    expected = ask(server, f"quantile_over_time({q}, x[2h])")
    assert expected.keys() == SERIES.keys()
    for case, samples in SERIES.items():
        assert summarise(samples).quantiles[q] == pytest.approx(expected[case], rel=1e-12)


@pytest.mark.parametrize("q", [0.01, 0.5, 0.95, 0.99, 0.999, 1.0])
def test_histogram_quantile(server: Server, q: float) -> None:
    """Quantiles are those of histogram_quantile; none where it has none or answers with the last finite bound."""
    expected = ask(server, f"histogram_quantile({q}, h)")
    result = {case: histogram_quantile(BOUNDS, cumulative, q) for case, cumulative in HISTOGRAMS.items()}
    for case, value in result.items():
        if value is None:
            assert math.isnan(expected[case]) or expected[case] == BOUNDS[-2]
        else:
            assert value == pytest.approx(expected[case], rel=1e-12)
    assert sum(value is not None for value in result.values()) >= 30
