"""The same requests as a JMeter file, a k6 run and a PTE's Prometheus: gap, coverage and efficacy are the same."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import yaml

from exporter import sources
from exporter.demo.shop import APPLICATIONS
from exporter.demo.traffic import shares
from exporter.model.results import ApplicationResult
from exporter.pipeline import round_once
from tests import servers
from tests.making_runs import touch

END = 1795176000.0
"""2026-11-20T12:00:00Z."""

START, DURATION, RATE = END - 3600.0, 1800.0, 20.0
BOUNDS = tuple(0.005 * 1.08**n for n in range(100))
"""Of the servers' histogram, seconds: as fine as no server's is, so that latencies can be compared."""


COLUMNS = (
    *("timeStamp", "elapsed", "label", "responseCode", "responseMessage", "threadName", "dataType", "success"),
    *("failureMessage", "bytes", "sentBytes", "grpThreads", "allThreads", "URL", "Latency", "IdleTime", "Connect"),
)


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    start: float
    """Whole milliseconds."""
    seconds: float
    failed: bool


@pytest.fixture(scope="module")
def requests() -> Sequence[Request]:
    """Half an hour over the routes of the demo's shop, the last ten of which the test never calls; 2 % fail."""
    chance, shop = (
        np.random.default_rng(3),
        next(application for application in APPLICATIONS if application.name == "shop"),
    )
    routes = [(share.method, share.path) for share in shares(1, "production", shop)][:-10]
    weights = np.asarray([share.requests for share in shares(1, "production", shop)][:-10])
    count = int(RATE * DURATION)
    starts = np.round(START + np.sort(chance.uniform(0, DURATION - 5, count)), 3)
    return [
        Request(routes[route][0], routes[route][1], start, round(seconds, 3), failed)
        for route, start, seconds, failed in zip(
            chance.choice(len(routes), count, p=weights / weights.sum()).tolist(),
            starts.tolist(),
            np.minimum(0.12 * chance.lognormal(0, 0.6, count), 4).tolist(),
            (chance.random(count) < 0.02).tolist(),
            strict=True,
        )
    ]


def jmeter(requests: Sequence[Request], path: Path) -> None:
    """As JMeter writes its JTL by default."""
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(COLUMNS)
        for request in sorted(requests, key=lambda item: item.start + item.seconds):
            code, text = ("500", "Internal Server Error") if request.failed else ("200", "OK")
            label, url = f"{request.method} {request.path}", f"http://pte.example{request.path}"
            times = (round(request.start * 1000), round(request.seconds * 1000))
            ok = str(not request.failed).lower()
            out.writerow([*times, label, code, text, "Users 1-1", "text", ok, "", 2000, 200, 30, 30, url, 1, 0, 1])


def k6(requests: Sequence[Request], path: Path) -> None:
    """As `k6 run --out json` writes it: each request's points when it has ended."""
    metric: dict[str, object] = {
        "name": "http_req_duration",
        "type": "trend",
        "contains": "time",
        "thresholds": [],
        "submetrics": None,
    }
    with path.open("w", encoding="utf-8") as out:
        out.write(json.dumps({"type": "Metric", "data": metric, "metric": "http_req_duration"}) + "\n")
        for request in sorted(requests, key=lambda item: item.start + item.seconds):
            tags = {
                "expected_response": str(not request.failed).lower(),
                "group": "",
                "method": request.method,
                "name": f"http://pte.example{request.path}",
                "proto": "HTTP/1.1",
                "scenario": "default",
                "status": "500" if request.failed else "200",
                "url": f"http://pte.example{request.path}",
            } | ({"error_code": "1500"} if request.failed else {})
            at = datetime.fromtimestamp(request.start + request.seconds, UTC).isoformat().replace("+00:00", "Z")
            for name, value in (
                ("http_reqs", 1),
                ("http_req_duration", request.seconds * 1000),
                ("http_req_failed", int(request.failed)),
            ):
                data = {"time": at, "value": value, "tags": tags}
                out.write(json.dumps({"metric": name, "type": "Point", "data": data}) + "\n")


def openmetrics(requests: Sequence[Request], path: Path) -> None:
    """Data of a Prometheus that scrapes the servers every five seconds."""
    ends = np.asarray([request.start + request.seconds for request in requests])
    seconds = np.asarray([request.seconds for request in requests])
    scrapes = np.arange(START - 60, END, 5.0)
    with path.open("w", encoding="utf-8") as out:

        def counter(series: str, which: np.ndarray, weights: np.ndarray | None = None) -> None:
            order = np.argsort(ends[which])
            weighed = np.ones(order.size) if weights is None else weights[which][order]
            sums = np.concatenate([[0.0], np.cumsum(weighed)])
            values = sums[np.searchsorted(ends[which][order], scrapes, side="right")]
            out.writelines(
                f"{series} {v:.6f} {t:.0f}\n" for v, t in zip(values.tolist(), scrapes.tolist(), strict=True)
            )

        kinds = sorted({(request.method, request.path, request.failed) for request in requests})
        keys = np.asarray([kinds.index((request.method, request.path, request.failed)) for request in requests])
        out.write("# TYPE http_requests counter\n")
        for number, (method, route, failed) in enumerate(kinds):
            labels = f'job="shop",method="{method}",handler="{route}",code="{500 if failed else 200}"'
            counter(f"http_requests_total{{{labels}}}", keys == number)
        everything = np.ones(len(requests), dtype=bool)
        out.write("# TYPE http_request_duration_seconds histogram\n")
        for bound in BOUNDS:
            counter(f'http_request_duration_seconds_bucket{{job="shop",le="{bound:.6f}"}}', seconds <= bound)
        counter('http_request_duration_seconds_bucket{job="shop",le="+Inf"}', everything)
        counter('http_request_duration_seconds_sum{job="shop"}', everything, seconds)
        counter('http_request_duration_seconds_count{job="shop"}', everything)
        out.write("# EOF\n")


def result(directory: Path, source: object) -> ApplicationResult:
    """One round: the demo's production, and the PTE from the source."""
    path = directory / "exporter.yml"
    environments = [{"role": "production", "source": {"kind": "demo"}}, {"role": "pte", "source": source}]
    path.write_text(yaml.safe_dump({"environments": environments}), encoding="utf-8")
    return round_once(sources.read(path), END).applications["shop"]


@pytest.fixture(scope="module")
def by_prometheus(requests: Sequence[Request], tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApplicationResult]:
    directory = tmp_path_factory.mktemp("prometheus")
    openmetrics(requests, directory / "pte.om")
    blocks = servers.create_blocks("2.42", directory / "pte.om", directory / "tsdb")
    with servers.prometheus("3", directory / "server", blocks=blocks) as server:
        yield result(directory, {"kind": "prometheus", "url": server.url, "preset": "prometheus"})


@pytest.mark.parametrize("write", [jmeter, k6])
def test_what_wrote_the_result_does_not_matter(
    write: Callable[[Sequence[Request], Path], None],
    requests: Sequence[Request],
    by_prometheus: ApplicationResult,
    tmp_path: Path,
) -> None:
    """Coverage and errors are equal; rates and latencies as near as scrapes and the servers' buckets allow."""
    (tmp_path / "results" / "shop").mkdir(parents=True)
    write(requests, tmp_path / "results" / "shop" / "run")
    touch(tmp_path / "results" / "shop" / "run", 3600)
    entry = result(tmp_path, {"kind": "loadtest", "folder": str(tmp_path / "results")})

    assert entry.run is not None
    assert by_prometheus.run is not None
    assert abs(entry.run.window.start - by_prometheus.run.window.start) <= 60
    assert abs(entry.run.window.end - by_prometheus.run.window.end) <= 60

    for element in (entry.run, by_prometheus.run):
        assert "steady_state" in {phase.kind for phase in element.phases}
    for result_ in (entry, by_prometheus):
        assert result_.coverage.ratio == pytest.approx(35 / 45)
    assert entry.coverage.weighted_ratio == by_prometheus.coverage.weighted_ratio
    assert {(e.method, e.route) for e in entry.coverage.untested} == {
        (e.method, e.route) for e in by_prometheus.coverage.untested
    }
    assert entry.coverage.total_variation == pytest.approx(by_prometheus.coverage.total_variation, abs=0.005)

    gaps = {gap.signal: gap for gap in by_prometheus.gaps}
    for gap in entry.gaps:
        if gaps[gap.signal].pte is not None and gap.signal != "error_ratio":
            assert gap.pte == pytest.approx(gaps[gap.signal].pte, rel=0.05), gap.signal
    errors = [item.pte.signals["error_ratio"].mean for item in (entry, by_prometheus) if item.pte is not None]
    assert errors[0] == pytest.approx(sum(request.failed for request in requests) / len(requests))
    assert errors[0] == pytest.approx(errors[1], rel=0.02)
    assert entry.efficacy.score == pytest.approx(by_prometheus.efficacy.score, abs=0.01)
    assert entry.load_run is not None
    assert entry.load_run.grade == "A"  # 98 % succeeded, and A+ wants more than 99 %
