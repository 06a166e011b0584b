"""The page that `pte-exporter run` serves while a load generator runs: totals since its start.

Counters, histograms and maxima lose nothing between two scrapes. Only `run` publishes them, no result has them.
"""

from __future__ import annotations

from exporter.catalogue.exporter import SelfSeries

_RUN = ("application",)
_PROCESS = ("application", "process")
_READ = "as far as the result is written"
_TREE = "of the process and its children"

STATS = ("min", "mean", "p50", "p90", "p95", "p99", "p995", "p999")
"""Latency statistics with a series; the maximum has its own."""

GENERATOR = "generator"
"""The process that `run` started; --target gives the others their names."""

UNSPECIFIED = "unspecified"
"""The kind of failures for which the result has no kind."""

REQUEST_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 2.5, 5, 10, 30, 60)
"""Upper bounds in seconds."""

CORE_BUCKETS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 1, 1.5, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)
"""Upper bounds in cores."""

RUNNING = SelfSeries("pte_load_run_live_running", "gauge", "1 while the load generator runs, 0 once it ended.", _RUN)
STARTED = SelfSeries("pte_load_run_live_start_timestamp_seconds", "gauge", "Start of the load generator.", _RUN)
REQUESTS = SelfSeries("pte_load_run_live_requests", "counter", f"Requests since the start, {_READ}.", _RUN)
FAILURES = SelfSeries(
    "pte_load_run_live_failures", "counter", f"Failed requests by kind of error, {_READ}.", ("application", "kind")
)
LATENCY = SelfSeries("pte_load_run_live_latency_seconds", "histogram", f"Latencies since the start, {_READ}.", _RUN)
PERCENTILE = SelfSeries(
    "pte_load_run_live_latency_percentile_seconds",
    "gauge",
    f"Latencies of all requests since the start, {_READ}.",
    ("application", "stat"),
)
LATENCY_MAX = SelfSeries("pte_load_run_live_latency_max_seconds", "gauge", "Longest latency since the start.", _RUN)
USERS = SelfSeries("pte_load_run_live_users", "gauge", "Most concurrent users in the last minute of the result.", _RUN)
USERS_MAX = SelfSeries("pte_load_run_live_users_max", "gauge", "Most concurrent users since the start.", _RUN)
CPU = SelfSeries("pte_load_run_process_cpu_seconds", "counter", f"CPU time {_TREE} since the start.", _PROCESS)
CPU_CORES = SelfSeries(
    "pte_load_run_process_cpu_cores", "histogram", f"Busy cores {_TREE}, in samples of 100 ms.", _PROCESS
)
CPU_MAX = SelfSeries(
    "pte_load_run_process_cpu_max_cores",
    "gauge",
    f"Most busy cores {_TREE} in a sample of 100 ms.",
    _PROCESS,
)
MEMORY = SelfSeries("pte_load_run_process_memory_bytes", "gauge", f"Resident memory {_TREE}.", _PROCESS)
MEMORY_MAX = SelfSeries(
    "pte_load_run_process_memory_max_bytes", "gauge", f"Most resident memory {_TREE} since the start.", _PROCESS
)
SOCKETS = SelfSeries("pte_load_run_process_sockets", "gauge", f"Open sockets {_TREE}.", _PROCESS)
SOCKETS_MAX = SelfSeries(
    "pte_load_run_process_sockets_max", "gauge", f"Most open sockets {_TREE} since the start.", _PROCESS
)
MISSED = SelfSeries(
    "pte_load_run_sampling_missed", "counter", "Samples that were not taken in time, of one every 100 ms.", _RUN
)

LIVE: tuple[SelfSeries, ...] = (
    RUNNING,
    STARTED,
    REQUESTS,
    FAILURES,
    LATENCY,
    PERCENTILE,
    LATENCY_MAX,
    USERS,
    USERS_MAX,
    CPU,
    CPU_CORES,
    CPU_MAX,
    MEMORY,
    MEMORY_MAX,
    SOCKETS,
    SOCKETS_MAX,
    MISSED,
)
