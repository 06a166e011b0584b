"""Made-up runs of load tests, and requests as the arguments of `publish` make them."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from exporter.analysis.histogram import SIZE, index, latencies, sparse
from exporter.commands.arguments import read
from exporter.commands.common import add_common
from exporter.commands.publish.arguments import ResultOptions, add_arguments
from exporter.formats import saved
from exporter.model.loadrun import Figures, Latencies, LoadRun, RunEndpoint, Usage
from exporter.publishing.publication import PublicationRequest

START = 1795161600.0


def latency(seconds: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Latencies:
    """All figures of these latencies."""
    histogram = sparse(np.bincount(index(seconds), minlength=SIZE))
    return latencies(histogram, float(seconds.min()), float(seconds.sum()), float(seconds.max()))


def load_run(name: str = "r1", names: Mapping[str, int] | None = None, slow: float = 1.0, failed: int = 10) -> LoadRun:
    """A run of ten minutes with these names and their requests; the first one has all the failures."""
    chance = np.random.default_rng(7)
    counts = names or {"GET /cart": 3000, "Log in": 1000}
    drawn = {name: slow * chance.lognormal(-2, 0.4, count) for name, count in counts.items()}
    endpoints = tuple(
        RunEndpoint(name, Figures(counts[name], 0 if position else failed, {}, latency(seconds)))
        for position, (name, seconds) in enumerate(drawn.items())
    )
    requests = sum(counts.values())
    errors = {"500": failed} if failed else {}
    total = Figures(requests, failed, errors, latency(np.concatenate(list(drawn.values()))), 4e6, 2e5)
    usage = {"generator": Usage(6000, 0.4, 1.2, 2e8, 40)}
    return LoadRun("k6", "k6-json", START, START + 600, total, endpoints, users=20.0, usage=usage, run=name)


def later(run: LoadRun, hours: float) -> LoadRun:
    """The same at another time."""
    return replace(run, start=run.start + hours * 3600, end=run.end + hours * 3600)


def write(path: Path, run: LoadRun) -> Path:
    """As `run --save` and `baseline save` write it."""
    path.write_bytes(saved.write(run))
    return path


def request(*arguments: str, application: str = "shop") -> PublicationRequest:
    """What `publish` and `run` make of these arguments."""
    parser = argparse.ArgumentParser()
    add_common(parser)
    add_arguments(parser)
    namespace = parser.parse_args(["--application", application, *arguments])
    return read(ResultOptions, namespace).request()
