"""The cost of evaluating SLO rules in a real Prometheus, beside rules of Sloth's shape.

Of Sloth's rules only the ratios are there, because the others read next to nothing; of ours all, with budget, state
and alerts. Each kind has its own server, with the same history, and both run at the same time.
"""

from __future__ import annotations

import contextlib
import re
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import requests
import yaml

from benchmarks import slo_history
from benchmarks.measurement import Measurement
from exporter.model.slo import DAY, WINDOW, Alerting, Period, Sli, Slo
from exporter.slo import rules as slo_rules
from exporter.slo.rules import names
from exporter.slo.rules.fragments import duration
from exporter.slo.specs.tiers import tiers
from tests.servers import create_blocks, eventually, prometheus

OBJECTIVES = 100
SAMPLES_BOUND = 15_000
FEWER_BOUND = 50.0
CHEAPER_BOUND = 2.0
INTERVAL = 20
"""Seconds, and not the rules' minute: an evaluation costs the same, and the benchmark waits for less."""
_ROUNDS = 3
_AHEAD = 600
_PERIOD = Period(30 * DAY)
_SLI = Sli(
    f'sum(rate({slo_history.SOURCE}{{job="shop",code=~"5.."}}[{WINDOW}]))',
    f'sum(rate({slo_history.SOURCE}{{job="shop"}}[{WINDOW}]))',
)


def _slos() -> Iterator[Slo]:
    for identifier in slo_history.identifiers(OBJECTIVES):
        service, name = identifier.split("-", 1)
        yield Slo(service, name, Decimal("99.9"), _SLI, _PERIOD, tiers(_PERIOD), Alerting("PteSloBurn"))


def _sloth(slo: Slo) -> dict[str, object]:
    """A group with the ratios as Sloth takes them: each window from the source, the period as a mean of ratios."""
    labels = slo_history.sloth_labels(slo.id)
    rules = []
    for window in map(duration, names.WINDOWS):
        errors = slo.sli.errors.replace(WINDOW, window)
        total = slo.sli.total.replace(WINDOW, window)
        rules.append(_ratio(window, f"({errors})\n/\n({total})", labels))

    five = f'{names.RATIO}5m{{sloth_id="{labels["sloth_id"]}"}}[30d]'
    rules.append(_ratio("30d", f"sum_over_time({five})\n/ ignoring (sloth_window)\ncount_over_time({five})", labels))
    return {"name": labels["sloth_id"], "rules": rules}


def _ratio(window: str, expr: str, labels: Mapping[str, str]) -> dict[str, object]:
    return {"record": names.RATIO + window, "expr": expr, "labels": {**labels, "sloth_window": window}}


def _rules(directory: Path) -> list[Path]:
    """The files of ours and of Sloth's."""
    slos = list(_slos())
    (ours,) = slo_rules.files(slos, "https://example.com/RUNBOOK.md", "https://example.com").values()
    files = [directory / "ours.rules.yml", directory / "sloth.rules.yml"]
    files[0].write_bytes(ours.replace(b"    interval: 1m\n", b""))
    files[1].write_text(yaml.dump({"groups": [_sloth(slo) for slo in slos]}, Dumper=yaml.CSafeDumper))
    return files


class _Server:
    """A Prometheus and its own metrics about its rules."""

    def __init__(self, url: str, rules: Path) -> None:
        self.url = url
        self.rules = rules

    def read(self, metric: str) -> list[float]:
        """The metric's values, one a group where it is of groups."""
        response = requests.get(f"{self.url}/metrics", timeout=30)
        response.raise_for_status()
        return [float(value) for value in re.findall(rf"^{metric}(?:{{.*}})? (\S+)$", response.text, re.MULTILINE)]

    def evaluations(self) -> list[float]:
        return self.read("prometheus_rule_group_iterations_total")


@dataclass(frozen=True)
class _Cost:
    samples: int
    """That an evaluation of one objective's group reads."""
    wall: float
    """Seconds that its queries take, one after the other, of a few runs the fastest."""
    cpu: float
    """CPU seconds of the server for an evaluation of one group."""
    groups: float
    """Seconds that the last evaluations of all groups took, summed."""


def _queries(server: _Server) -> tuple[int, float]:
    """Samples and seconds of the rules of the first group."""
    first, *_ = yaml.load(server.rules.read_text(), yaml.CSafeLoader)["groups"]
    at = time.time()
    samples = 0
    seconds = 0.0

    for rule in first["rules"]:
        runs = []
        for _ in range(_ROUNDS):
            query = {"query": rule["expr"], "time": f"{at:.3f}", "stats": "all"}
            response = requests.post(f"{server.url}/api/v1/query", data=query, timeout=60)
            response.raise_for_status()
            runs.append(response.json()["data"]["stats"])

        samples += runs[0]["samples"]["totalQueryableSamples"]
        seconds += min(run["timings"]["evalTotalTime"] for run in runs)
    return samples, seconds


@dataclass(frozen=True)
class _Counters:
    """The counters of a server since its start."""

    cpu: float
    """Seconds."""
    evaluations: float
    """Of groups."""
    failures: float

    @classmethod
    def of(cls, server: _Server) -> _Counters:
        return cls(
            sum(server.read("process_cpu_seconds_total")),
            sum(server.evaluations()),
            sum(server.read("prometheus_rule_evaluation_failures_total")),
        )


def _costs(servers: Sequence[_Server]) -> list[_Cost]:
    def warm() -> bool:
        return all(min(server.evaluations()) >= 2 for server in servers)

    eventually(warm, 20 * INTERVAL, "two evaluations of each group")
    before = [_Counters.of(server) for server in servers]
    time.sleep(INTERVAL)
    after = [_Counters.of(server) for server in servers]  # before our own queries, which cost CPU time as well

    costs = []
    for server, start, end in zip(servers, before, after, strict=True):
        failures = end.failures - start.failures
        assert failures == 0, f"{failures:.0f} rules failed"
        cpu = (end.cpu - start.cpu) / (end.evaluations - start.evaluations)
        samples, seconds = _queries(server)
        groups = server.read("prometheus_rule_group_last_duration_seconds")
        costs.append(_Cost(samples, seconds, cpu, sum(groups)))

    return costs


def _measure(directory: Path) -> tuple[list[_Cost], int]:
    """Costs of ours and of Sloth's; samples of the history."""
    end = int(time.time()) // slo_history.MINUTE * slo_history.MINUTE
    text = directory / "history.txt"
    samples = slo_history.write(text, OBJECTIVES, end)
    blocks = create_blocks("3", text, directory / "blocks")
    text.unlink()

    config: dict[str, object] = {"global": {"evaluation_interval": f"{INTERVAL}s"}}
    with contextlib.ExitStack() as stack:
        servers = []
        for file in _rules(directory):
            folder = directory / file.name.split(".")[0]
            args = ["--web.enable-remote-write-receiver"]
            running = prometheus("3", folder, config=config, rules=[file], blocks=blocks, args=args)
            servers.append(_Server(stack.enter_context(running).url, file))
            slo_history.continue_source(servers[-1].url, OBJECTIVES, end, int(time.time()) + _AHEAD)
        return _costs(servers), samples


def measure() -> Sequence[Measurement]:
    with tempfile.TemporaryDirectory() as directory:
        (ours, sloth), samples = _measure(Path(directory))

    over = f"{slo_history.SOURCE_SERIES} source series at {slo_history.SCRAPE} s, 31 days"
    fewer = sloth.samples / ours.samples
    cheaper = sloth.cpu / ours.cpu
    busy = f"{ours.groups:.2f} s beside {sloth.groups:.2f} s"
    return [
        Measurement(
            f"samples that one evaluation of an SLO's rules reads ({over})",
            f"{ours.samples:,}",
            f"at most {SAMPLES_BOUND:,}",
            ours.samples <= SAMPLES_BOUND,
        ),
        Measurement(
            "the same beside Sloth's ratios, each window read from the source",
            f"{fewer:.0f} times fewer ({sloth.samples:,}); its queries take {ours.wall * 1e3:.1f} ms beside "
            f"{sloth.wall * 1e3:.1f} ms",
            f"at least {FEWER_BOUND:g} times fewer",
            fewer >= FEWER_BOUND,
        ),
        Measurement(
            f"CPU of Prometheus for an evaluation of an SLO's rules, with {OBJECTIVES} SLOs, beside Sloth's ratios",
            f"{cheaper:.1f} times less ({ours.cpu * 1e3:.1f} ms beside {sloth.cpu * 1e3:.1f} ms; last evaluation of "
            f"all groups {busy}; {samples / 1e6:.1f} million samples in Prometheus)",
            f"at least {CHEAPER_BOUND:g} times less",
            cheaper >= CHEAPER_BOUND,
        ),
    ]
