"""The made-up result files agree with the made-up traffic."""

from __future__ import annotations

import pytest

from exporter.model.observation import Observation, Window
from exporter.sources.demo import Options, Source

END = 1795161600.0


@pytest.fixture(scope="module")
def observed() -> Observation:
    """The PTE over the detected runs of nine days."""
    lookback = Window(END - 9 * 86400, END)
    return Source(Options(), "pte").observe_runs(
        lookback,
        1.0,
        lambda activity: {name: Window(item.times[0] - 60, item.times[-1]) for name, item in activity.items()},
    )


@pytest.mark.parametrize("application", ["shop", "checkout"])
def test_the_newest_file_tells_what_the_pte_showed(observed: Observation, application: str) -> None:
    """Requests, failures and the mean latency are the traffic's; the runs come in order and end before it."""
    item = observed.applications[application]
    newest = item.load_runs[-1]
    assert item.latency is not None
    assert item.latency.requests == pytest.approx(newest.total.requests, rel=1e-4)
    assert item.signals["error_ratio"].mean == pytest.approx(
        (newest.total.failures or 0) / newest.total.requests, rel=0.02
    )
    assert newest.total.latency.mean == pytest.approx(item.latency.mean, rel=0.35)
    assert sum(endpoint.figures.requests for endpoint in newest.endpoints) == newest.total.requests
    ends = [run.end for run in item.load_runs]
    assert ends == sorted(ends)
    assert len(set(ends)) == len(ends)
    assert item.load_baseline is not None
    assert item.load_baseline.end in ends[:-1]
    assert item.load_baseline.total.latency.histogram is not None


def test_two_routes_became_slower(observed: Observation) -> None:
    """Of checkout's routes two take longer than in the baseline, by more than runs differ."""
    application = observed.applications["checkout"]
    assert application.load_baseline is not None
    old = {endpoint.name: endpoint.figures.latency.p95 or 0.0 for endpoint in application.load_baseline.endpoints}
    moved = {
        load_run.name: (load_run.figures.latency.p95 or 0.0) / old[load_run.name]
        for load_run in application.load_runs[-1].endpoints
    }
    assert moved.pop("POST /checkout/{id}/payment") > 1.3
    assert moved.pop("GET /shipping/rates") > 1.2
    assert all(0.9 < ratio < 1.1 for ratio in moved.values())
