"""The result files that the made-up shop's load tests would have left: the newest run and those before it.

Computed from the same traffic as everything else, so that the newest run has the requests, failures and latencies that
the PTE shows. What changes from run to run is made up: checkout's payment became slower three runs ago, and
its shipping rates do so little by little.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from exporter.analysis.histogram import SUB, bounds, latencies, merged
from exporter.analysis.loadrun import brief
from exporter.demo.noise import Floats, uniform
from exporter.demo.shop import Application
from exporter.demo.traffic import DAY, LATENCY_SHAPE, Traffic, shares, traffic
from exporter.model.loadrun import Endpoint, Figures, Histogram, Latencies, LoadRun, Usage
from exporter.model.observation import MINUTE, Window

RUNS = 12
"""How many runs there are, the newest included."""

BASELINE = 8
"""The run that was saved: so many before the newest."""

SLOWER = ("POST", "/checkout/{id}/payment")
BEFORE, SLOWER_SINCE = 0.7, 3
"""Up to three runs ago that route took this part of what it takes now."""

DRIFTING, DRIFT = ("GET", "/shipping/rates"), 1.03
"""That one takes so much longer with each run."""

_LEAST, _MOST = 11 * SUB, 26 * SUB
"""Buckets that are looked at: from half a millisecond to a minute."""

_EDGES = np.array([bounds(position)[1] for position in range(_LEAST, _MOST)])
_MIDDLES = np.array([sum(bounds(position)) / 2 for position in range(_LEAST, _MOST)])
_STEEP = _EDGES**-LATENCY_SHAPE


@dataclass(frozen=True, slots=True)
class LoadRuns:
    """The runs, the newest last, and the one that was saved as the baseline."""

    runs: tuple[LoadRun, ...]
    baseline: LoadRun


@lru_cache(maxsize=8)
def load_runs(seed: int, application: Application, window: Window) -> LoadRuns:
    """Those of the test that ran in the window and of the same test before it."""
    kept, baseline = list[LoadRun](), None
    for ago in range(RUNS):
        run = _run(seed, application, window, ago)
        baseline = run if ago == BASELINE else baseline
        kept.append(brief(run) if ago else run)
    assert baseline is not None
    return LoadRuns(tuple(reversed(kept)), baseline)


def _run(seed: int, application: Application, window: Window, ago: int) -> LoadRun:
    """The run so many before that of the window."""
    assert application.test is not None
    back = ago * application.test.period_days * DAY * MINUTE
    start, end = window.start - back, window.end - back
    seen = traffic(seed, "pte", application, np.arange(int(start // MINUTE) + 1, int(end // MINUTE) + 1))
    endpoints = tuple(sorted(_endpoints(seed, application, seen, ago), key=lambda one: one.name))
    number = int(start // MINUTE // DAY)
    requests = sum(one.figures.requests for one in endpoints)
    failures = sum(one.figures.failures or 0 for one in endpoints)
    timeouts = failures // 5
    total = Figures(
        requests,
        failures,
        {"500": failures - timeouts, "timeout": timeouts} if failures else {},
        _figures(merged(one.figures.latency.histogram for one in endpoints if one.figures.latency.histogram)),
        received=float(np.round(seen.bytes.sum() * MINUTE)),
        sent=420.0 * requests,
    )
    return LoadRun(
        tool="k6",
        format="k6-json",
        start=start,
        end=end,
        total=total,
        endpoints=endpoints,
        users=float(seen.users.max()),
        checks=_checks(total),
        usage={"generator": _usage(seen)},
        run=f"{application.name}-{number}",
        commit=f"{int(uniform(seed, 'commit', np.array([number]))[0] * 2**31) & 0xFFFFFFF:07x}",
    )


def _checks(total: Figures) -> Mapping[str, bool]:
    """As k6 names its thresholds."""
    assert total.latency.p95 is not None
    assert total.success_ratio is not None
    return {
        "http_req_duration: p(95)<2000": total.latency.p95 < 2.0,
        "http_req_failed: rate<0.05": total.success_ratio > 0.95,
    }


def _usage(seen: Traffic) -> Usage:
    """What a generator needs that makes these requests."""
    cores = seen.requests / 1500.0
    memory = 6e7 + 9e4 * float(seen.users.max())
    peak = float(cores.max())
    return Usage(int(seen.times.size * 600), float(cores.mean()), 1.3 * peak, memory, int(seen.users.max()) + 3)


def _endpoints(seed: int, application: Application, seen: Traffic, ago: int) -> Iterator[Endpoint]:
    """By the names that a script gives its requests: method and path."""
    requests, errors = float(seen.requests.sum()) * MINUTE, float(seen.errors.sum()) * MINUTE
    tested = {(one.method, _plain(one.path)): one for one in shares(seed, "pte", application)}
    for position, route in enumerate(application.routes):
        mine = tested.get((route.method, _plain(route.path)))
        if mine is None:
            continue
        pace = float(1.0 + 0.35 * uniform(seed, f"{application.name} pace", np.array([position]))[0])
        noise = float(1.0 + 0.02 * uniform(seed, f"{route.method} {route.path} run", seen.minutes[:1])[0])
        if (route.method, route.path) == SLOWER and ago >= SLOWER_SINCE:
            pace *= BEFORE
        if (route.method, route.path) == DRIFTING:
            pace *= DRIFT**-ago
        count, failed = round(mine.requests * requests), round(mine.errors * errors)
        figures = Figures(count, failed, {"500": failed} if failed else {}, _latency(seen, pace * noise, count))
        yield Endpoint(f"{route.method} {route.path}", figures, route.method, route.path)


def _plain(path: str) -> str:
    return path.replace("{", "").replace("}", "").replace(":", "")


def _latency(seen: Traffic, pace: float, count: int) -> Latencies:
    """Of `count` requests, spread over the run as all are; every tenth of the run has one median."""
    served = seen.requests > 0.0
    parts = np.array_split(np.argsort(seen.latency[served]), 10)
    weights = np.array([seen.requests[served][part].sum() for part in parts])
    medians = np.array([seen.latency[served][part].mean() for part in parts]) * pace
    below: Floats = np.zeros(_STEEP.size)  # added up: a matrix product would take megabytes for its buffers
    for median, weight in zip(medians.tolist(), (weights / weights.sum()).tolist(), strict=True):
        below += weight / (1.0 + median**LATENCY_SHAPE * _STEEP)
    held = np.diff(np.round(below * count), prepend=0.0).astype(np.int64)
    held[-1] += count - int(held.sum())
    (at,) = np.nonzero(held)
    return _figures(Histogram(tuple((at + _LEAST).tolist()), tuple(held[at].tolist())))


def _figures(histogram: Histogram) -> Latencies:
    if not histogram.counts:
        return Latencies()
    middles = _MIDDLES[np.array(histogram.indices) - _LEAST]
    total = float(np.dot(middles, histogram.counts))
    return latencies(histogram, float(middles[0]), total, float(middles[-1]))
