"""A poll of many applications from a real Prometheus: queries stay the same, time grows no faster than the data."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import fleet
from benchmarks.measurement import Measurement
from exporter.config import read
from exporter.pipeline import Pipeline
from exporter.sources import options
from tests.servers import create_blocks, prometheus

FEW = 10
MANY = 200
BOUND = 25.0
HOURS = {"production": 6, "pte": 2}
END = 1_760_000_400 // 3600 * 3600
_CONFIG = """
environments:
  - role: production
    source: &source
      kind: prometheus
      url: {url}
      preset: prometheus
      labels: {{application: application}}
      selector: environment="production",application=~"{applications}"
      rate_range: 2m
      timeout: 5m
      signals:
        concurrent_users: sum by ($application) (fleet_users{{$selector}})
        cpu: avg by ($application) (fleet_cpu_ratio{{$selector}})
        memory: avg by ($application) (fleet_memory_ratio{{$selector}})
  - role: pte
    source:
      <<: *source
      selector: environment="pte",application=~"{applications}"
analysis:
  test_run: {{lookback: 1d}}
  certification: {{max_age: 12h}}
"""


def _poll(url: str, applications: str, count: int, directory: Path) -> tuple[float, int]:
    """Seconds (best of two) and queries of a poll of both sides."""
    file = directory / "exporter.yml"
    file.write_text(_CONFIG.format(url=url, applications=applications))
    pipeline = Pipeline(read(file, options))

    best = float("inf")
    try:
        for _ in range(2):
            start = time.perf_counter()
            observations = [pipeline.poll(side, END) for side in ("production", "pte")]
            snapshot = pipeline.snapshot(END)
            best = min(best, time.perf_counter() - start)
    finally:
        pipeline.close()

    # A poll that is fast because half of the responses were empty does not count.
    judged_results = [result for result in snapshot.applications.values() if result.certification.holds is not None]
    assert len(judged_results) == count, f"{len(judged_results)} of {count} applications were judged"
    return best, sum(observation.queries for observation in observations)


def measure() -> Sequence[Measurement]:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        text = directory / "fleet.txt"
        samples = fleet.write(text, MANY, END, HOURS)
        blocks = create_blocks("3", text, directory / "blocks")
        text.unlink()
        with prometheus("3", directory / "prometheus", blocks=blocks) as server:
            few, few_queries = _poll(server.url, "app-00.", FEW, directory)
            many, many_queries = _poll(server.url, "app-.*", MANY, directory)

    ratio = many / few
    figure = f"{ratio:.1f} times ({few:.2f} s, {many:.2f} s; {samples / 1e6:.1f} million samples in Prometheus)"
    return [
        Measurement(
            f"queries of a poll at {FEW} and at {MANY} applications x {fleet.ROUTES} routes",
            f"{few_queries} and {many_queries}",
            "the same",
            few_queries == many_queries,
        ),
        Measurement(f"time at {MANY} applications / time at {FEW}", figure, f"at most {BOUND:g}", ratio <= BOUND),
    ]
