"""Panels on the page that `pte-exporter run` serves while a load generator runs."""

from __future__ import annotations

from exporter.dashboards.kit.panels import Panel, PanelSpec, timeseries
from exporter.dashboards.kit.query import APPLICATION, Query, largest

IDLE = (
    "No load generator is running under pte-exporter run, or its page is not scraped: "
    "see docs/how-to/run-a-load-test.md."
)
_PROCESS = "application, process"


def _rate(name: str, by: str = "application") -> str:
    return f"sum by ({by}) (rate({name}{{{APPLICATION}}}[5m]))"


def _largest(name: str, by: str = "application") -> str:
    return largest(by, name, APPLICATION)


def panels() -> tuple[Panel, ...]:
    return (_latencies(), _since_start(), _requests(), _users(), _cpu(), _burst(), _memory(), _sockets(), _state())


def _latencies() -> Panel:
    spec = PanelSpec("Latency now", "How long do requests take, over the last five minutes?", IDLE, "s", (8, 9))
    stem = "pte_load_run_live_latency_seconds"
    buckets = _rate(f"{stem}_bucket", "application, le")
    mean = f"{_rate(f'{stem}_sum')} / ({_rate(f'{stem}_count')} > 0)"
    return timeseries(
        spec,
        Query(mean, "mean, {{application}}"),
        *(Query(f"histogram_quantile({q}, {buckets})", f"{name}, {{{{application}}}}") for q, name in _QUANTILES),
    )


_QUANTILES = ((0.5, "P50"), (0.95, "P95"), (0.99, "P99"))


def _since_start() -> Panel:
    spec = PanelSpec(
        "Latency since the start",
        "What are the run's percentiles so far, and what was the longest request?",
        IDLE,
        "s",
        (8, 9),
    )

    return timeseries(
        spec,
        Query(
            _largest("pte_load_run_live_latency_percentile_seconds", "application, stat"), "{{stat}}, {{application}}"
        ),
        Query(_largest("pte_load_run_live_latency_max_seconds"), "longest, {{application}}"),
    )


def _requests() -> Panel:
    spec = PanelSpec(
        "Requests and failures", "How many requests per second are sent, and how many fail?", IDLE, "reqps", (8, 9)
    )

    return timeseries(
        spec,
        Query(_rate("pte_load_run_live_requests_total"), "requests, {{application}}"),
        Query(_rate("pte_load_run_live_failures_total", "application, kind"), "failed: {{kind}}, {{application}}"),
    )


def _users() -> Panel:
    spec = PanelSpec("Users", "How many users are active, and what was the maximum?", IDLE, "short", (8, 9))

    return timeseries(
        spec,
        Query(_largest("pte_load_run_live_users"), "now, {{application}}"),
        Query(_largest("pte_load_run_live_users_max"), "maximum, {{application}}"),
    )


def _cpu() -> Panel:
    spec = PanelSpec(
        "CPU",
        "How many cores are busy on average, by the CPU time counter and by samples?",
        IDLE,
        "short",
        (8, 9),
    )

    stem = "pte_load_run_process_cpu_cores"
    sampled = f"{_rate(f'{stem}_sum', _PROCESS)} / ({_rate(f'{stem}_count', _PROCESS)} > 0)"
    return timeseries(
        spec,
        Query(_rate("pte_load_run_process_cpu_seconds_total", _PROCESS), "{{process}}, {{application}}"),
        Query(sampled, "{{process}} by samples, {{application}}"),
    )


def _burst() -> Panel:
    spec = PanelSpec(
        "CPU in bursts",
        "How many cores are busy in the busiest 100 ms samples, which a mean hides?",
        IDLE,
        "short",
        (8, 9),
    )

    buckets = _rate("pte_load_run_process_cpu_cores_bucket", f"{_PROCESS}, le")
    return timeseries(
        spec,
        Query(f"histogram_quantile(0.99, {buckets})", "P99 of {{process}}, {{application}}"),
        Query(_largest("pte_load_run_process_cpu_max_cores", _PROCESS), "maximum of {{process}}, {{application}}"),
    )


def _memory() -> Panel:
    spec = PanelSpec("Memory", "How much memory do processes use, and what was the maximum?", IDLE, "bytes", (8, 9))

    return timeseries(
        spec,
        Query(_largest("pte_load_run_process_memory_bytes", _PROCESS), "{{process}}, {{application}}"),
        Query(_largest("pte_load_run_process_memory_max_bytes", _PROCESS), "maximum of {{process}}, {{application}}"),
    )


def _sockets() -> Panel:
    spec = PanelSpec("Sockets", "How many sockets are open, and what was the maximum?", IDLE, "short", (8, 9))
    return timeseries(
        spec,
        Query(_largest("pte_load_run_process_sockets", _PROCESS), "{{process}}, {{application}}"),
        Query(_largest("pte_load_run_process_sockets_max", _PROCESS), "maximum of {{process}}, {{application}}"),
    )


def _state() -> Panel:
    spec = PanelSpec("The run itself", "How long has it been running, and were samples missed?", IDLE, "short", (8, 9))

    started = _largest("pte_load_run_live_start_timestamp_seconds")
    running = _largest("pte_load_run_live_running")
    return timeseries(
        spec,
        Query(f"(time() - {started}) / 60 and on (application) {running} == 1", "minutes, {{application}}"),
        Query(_largest("pte_load_run_sampling_missed_total"), "samples missed, {{application}}"),
    )
