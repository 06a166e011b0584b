"""The result files that the made-up shop's load tests would have left: the newest run and those before it.

Computed from the same traffic as everything else, so that the newest run has the requests, failures and latencies that
the PTE shows. What changes from run to run is made up: checkout's payment became slower three runs ago, and
its shipping rates do so little by little.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from exporter.analysis.histogram import SUB, bounds, latencies, merged
from exporter.analysis.loadrun import brief
from exporter.demo.noise import Floats, uniform
from exporter.demo.shop import ShopApplication, ShopRoute
from exporter.demo.traffic import DAY, LATENCY_SHAPE, ShopTraffic, shares, traffic
from exporter.model.loadrun import Figures, Histogram, Latencies, LoadRun, RunEndpoint, Usage
from exporter.model.observation import MINUTE, Window

RUNS = 12
"""How many runs there are, the newest included."""

BASELINE = 8
"""Position of the saved run, counted back from the newest."""

SLOWER = ("POST", "/checkout/{id}/payment")
BEFORE = 0.7
SLOWER_SINCE = 3
"""Up to three runs ago, the route's latency was this share of the current one."""

DRIFTING = ("GET", "/shipping/rates")
DRIFT = 1.03
"""Its latency grows by this factor with each run."""

_LEAST = 11 * SUB
_MOST = 26 * SUB
"""Bounds of the computed buckets: from half a millisecond to a minute."""

_EDGES = np.array([bounds(position)[1] for position in range(_LEAST, _MOST)])
_MIDDLES = np.array([sum(bounds(position)) / 2 for position in range(_LEAST, _MOST)])
_STEEP = _EDGES**-LATENCY_SHAPE


@dataclass(frozen=True, slots=True)
class LoadRuns:
    """The runs, the newest last, and the one that was saved as the baseline."""

    runs: tuple[LoadRun, ...]
    baseline: LoadRun


@lru_cache(maxsize=8)
def load_runs(seed: int, application: ShopApplication, window: Window) -> LoadRuns:
    """Those of the test that ran in the window and of the same test before it."""
    # Only the baseline and the newest stay whole: a dozen whole runs would take ten megabytes.
    earlier = []
    for ago in reversed(range(1, RUNS)):
        run = _run(seed, application, window, ago)
        earlier.append(brief(run))
        if ago == BASELINE:
            baseline = run

    newest = _run(seed, application, window, 0)
    return LoadRuns((*earlier, newest), baseline)


def _run(seed: int, application: ShopApplication, window: Window, ago: int) -> LoadRun:
    """The run `back` runs before that of the window."""
    assert application.test is not None
    back = ago * application.test.period_days * DAY * MINUTE
    start = window.start - back
    end = window.end - back
    minutes = np.arange(int(start // MINUTE) + 1, int(end // MINUTE) + 1)
    run_traffic = traffic(seed, "pte", application, minutes)
    endpoints = sorted(_endpoints(seed, application, run_traffic, ago), key=lambda endpoint: endpoint.name)
    total = _total(endpoints, run_traffic)

    number = int(start // MINUTE // DAY)
    commit = int(uniform(seed, "commit", np.array([number]))[0] * 2**31) & 0xFFFFFFF
    return LoadRun(
        tool="k6",
        format="k6-json",
        start=start,
        end=end,
        total=total,
        endpoints=tuple(endpoints),
        users=float(run_traffic.users.max()),
        checks=_checks(total),
        usage={"generator": _usage(run_traffic)},
        run=f"{application.name}-{number}",
        commit=f"{commit:07x}",
    )


def _total(endpoints: Sequence[RunEndpoint], run_traffic: ShopTraffic) -> Figures:
    requests = sum(endpoint.figures.requests for endpoint in endpoints)
    failures = sum(endpoint.figures.failures or 0 for endpoint in endpoints)
    errors = {}
    if failures:
        timeouts = failures // 5
        errors = {"500": failures - timeouts, "timeout": timeouts}

    histograms = [endpoint.figures.latency.histogram for endpoint in endpoints]
    return Figures(
        requests,
        failures,
        errors,
        _figures(merged(histogram for histogram in histograms if histogram)),
        received=float(np.round(run_traffic.bytes.sum() * MINUTE)),
        sent=420.0 * requests,
    )


def _checks(total: Figures) -> Mapping[str, bool]:
    """As k6 names its thresholds."""
    assert total.latency.p95 is not None
    assert total.success_ratio is not None
    return {
        "http_req_duration: p(95)<2000": total.latency.p95 < 2.0,
        "http_req_failed: rate<0.05": total.success_ratio > 0.95,
    }


def _usage(run_traffic: ShopTraffic) -> Usage:
    """The resources of a generator with these requests."""
    cores = run_traffic.requests / 1500.0
    users = float(run_traffic.users.max())
    return Usage(
        samples=int(run_traffic.times.size * 600),
        cpu_mean=float(cores.mean()),
        cpu_max=1.3 * float(cores.max()),
        memory_max=6e7 + 9e4 * users,
        sockets_max=int(users) + 3,
    )


def _endpoints(seed: int, application: ShopApplication, run_traffic: ShopTraffic, ago: int) -> Iterator[RunEndpoint]:
    """By request name in a script: method and path."""
    requests = float(run_traffic.requests.sum()) * MINUTE
    errors = float(run_traffic.errors.sum()) * MINUTE
    tested = {(share.method, _plain(share.path)): share for share in shares(seed, "pte", application)}

    for position, route in enumerate(application.routes):
        share = tested.get((route.method, _plain(route.path)))
        if share is None:
            continue
        pace = float(1.0 + 0.35 * uniform(seed, f"{application.name} pace", np.array([position]))[0])
        noise = float(1.0 + 0.02 * uniform(seed, f"{route.method} {route.path} run", run_traffic.minutes[:1])[0])
        pace *= _changed(route, ago)

        count = round(share.requests * requests)
        failed = round(share.errors * errors)
        kinds = {"500": failed} if failed else {}
        figures = Figures(count, failed, kinds, _latency(run_traffic, pace * noise, count))
        yield RunEndpoint(f"{route.method} {route.path}", figures, route.method, route.path)


def _changed(route: ShopRoute, ago: int) -> float:
    """The route's latency so many runs ago, as a multiple of the current one."""
    if (route.method, route.path) == SLOWER and ago >= SLOWER_SINCE:
        return BEFORE
    if (route.method, route.path) == DRIFTING:
        return DRIFT**-ago
    return 1.0


def _plain(path: str) -> str:
    return path.replace("{", "").replace("}", "").replace(":", "")


def _latency(run_traffic: ShopTraffic, pace: float, count: int) -> Latencies:
    """Of `count` requests, spread over the run as all are; every tenth of the run has one median."""
    served = run_traffic.requests > 0.0
    requests = run_traffic.requests[served]
    latency = run_traffic.latency[served]
    tenths = np.array_split(np.argsort(latency), 10)
    weights = np.array([requests[tenth].sum() for tenth in tenths])
    medians = np.array([latency[tenth].mean() for tenth in tenths]) * pace

    below: Floats = np.zeros(_STEEP.size)  # added up: a matrix product would take megabytes for its buffers
    for median, weight in zip(medians.tolist(), (weights / weights.sum()).tolist(), strict=True):
        below += weight / (1.0 + median**LATENCY_SHAPE * _STEEP)

    # Rounding loses or makes a few requests, and some are beyond the last bucket: it takes what is missing.
    counts = np.diff(np.round(below * count), prepend=0.0).astype(np.int64)
    counts[-1] += count - int(counts.sum())
    (filled,) = np.nonzero(counts)
    return _figures(Histogram(tuple((filled + _LEAST).tolist()), tuple(counts[filled].tolist())))


def _figures(histogram: Histogram) -> Latencies:
    if not histogram.counts:
        return Latencies()
    middles = _MIDDLES[np.array(histogram.indices) - _LEAST]
    total = float(np.dot(middles, histogram.counts))
    return latencies(histogram, float(middles[0]), total, float(middles[-1]))
