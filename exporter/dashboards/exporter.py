"""Board "exporter": can I trust these numbers?"""

from __future__ import annotations

from exporter.dashboards.evidence import evidence, samples, verdicts
from exporter.dashboards.kit import value_mappings
from exporter.dashboards.kit.board import Board, applications, data_source, moments, sides
from exporter.dashboards.kit.panels import (
    Key,
    Panel,
    PanelSpec,
    TableColumn,
    heading,
    stat,
    table,
    timeline,
    timeseries,
)
from exporter.dashboards.kit.query import DATA_AGE, DATA_LIMIT, DATA_STATE, Query, largest, smallest
from exporter.dashboards.shared import NOT_SCRAPED, UNSCRAPED, alerts, data_age, data_state

_REPLICA = "job, instance"
_OF_EXPORTER = f"and on ({_REPLICA}) pte_exporter_build_info"


def board() -> Board:
    return Board(
        "pte-exporter",
        "Can I trust these numbers?",
        (
            *_tiles(),
            heading("Sources: can they be read, how fast, and if not, why?"),
            _sources(),
            _source_states(),
            *_polls(),
            _checks(),
            heading("Evidence: which data supports the results?"),
            evidence(),
            verdicts(),
            samples(),
            heading("The exporter, its replicas and its rules"),
            _replicas(),
            *_process(),
            _limits(),
            alerts("The exporter's own alerts", "Which alerts about the exporter are firing?", (14, 9), own=True),
        ),
        (data_source(), applications(), sides()),
        span="now-6h",
        annotations=(
            moments(
                "Configuration loaded",
                largest("instance", "pte_config_last_reload_success_timestamp_seconds"),
                "purple",
            ),
        ),
    )


def _tiles() -> tuple[Panel, ...]:
    scraped = PanelSpec(
        "Replicas reached",
        "Does Prometheus reach every replica of the exporter?",
        UNSCRAPED,
        "none",
        (4, 6),
    )
    config = PanelSpec(
        "Configuration",
        "Is the running configuration the one in the file, or did a reload fail?",
        UNSCRAPED,
        "none",
        (4, 6),
    )
    tls = PanelSpec("TLS verification", "Is every source's certificate verified?", "no source uses TLS", "none", (4, 6))
    rules = PanelSpec(
        "Our rules",
        "Does Prometheus evaluate our rules? The watchdog alert always fires if they are loaded.",
        "not loaded or evaluated",
        "none",
        (4, 6),
    )

    reached = f"min by (instance) (up and on ({_REPLICA}) last_over_time(pte_exporter_build_info[1d]))"
    watchdog = 'max by (alertname) (ALERTS{alertname="PteWatchdog", alertstate="firing"})'

    return (
        data_state(4),
        data_age(4),
        stat(scraped, Query(reached, "{{instance}}"), value_map=value_mappings.SCRAPED),
        stat(
            config,
            Query(smallest("instance", "pte_config_last_reload_successful"), "{{instance}}"),
            value_map=value_mappings.RELOAD,
        ),
        stat(tls, Query(smallest("source", "pte_source_tls_verification"), "{{source}}"), value_map=value_mappings.TLS),
        stat(rules, Query(watchdog, "watchdog"), value_map=value_mappings.RULES),
    )


def _sources() -> Panel:
    spec = PanelSpec(
        "Sources",
        "What is the state of each source, how old is its data, and at which age is it withdrawn? The worst replica "
        "counts.",
        NOT_SCRAPED,
        "s",
        (24, 6),
    )

    columns = [
        TableColumn("data", DATA_STATE, "none", value_mappings.DATA),
        TableColumn("last poll", smallest("source", "pte_source_up"), "none", value_mappings.POLL),
        TableColumn("age", DATA_AGE, "s", decimals=0, empty="never succeeded"),
        TableColumn("withdrawn at", DATA_LIMIT, "s"),
        TableColumn("interval", largest("source", "pte_source_interval_seconds"), "s"),
        TableColumn(
            "last attempt",
            "time() - min by (source) (pte_source_last_poll_timestamp_seconds)",
            "s",
            decimals=0,
            empty="never",
        ),
        TableColumn("queries", largest("source", "pte_source_queries"), decimals=0, empty="none yet"),
        TableColumn("warnings", largest("source", "pte_source_warnings"), decimals=0, empty="none yet"),
        TableColumn("check warnings", largest("source", "pte_source_check_warnings"), decimals=0, empty="none yet"),
        TableColumn(
            "last checked",
            "time() - min by (source) (pte_source_check_timestamp_seconds)",
            "s",
            decimals=0,
            empty="none yet",
        ),
        TableColumn(
            "clock skew", largest("source", "pte_source_clock_skew_seconds"), "s", decimals=1, empty="not reported"
        ),
        TableColumn(
            "TLS verified",
            smallest("source", "pte_source_tls_verification"),
            "none",
            value_mappings.TLS,
            empty="no TLS",
        ),
    ]

    return table(spec, [Key("source", "source")], columns, sort="data")


def _source_states() -> Panel:
    spec = PanelSpec(
        "Source state over time",
        "When did each source's polls succeed, and when were its series withdrawn?",
        NOT_SCRAPED,
        "none",
        (12, 8),
    )

    return timeline(spec, Query(DATA_STATE, "{{source}}"), value_map=value_mappings.DATA)


def _checks() -> Panel:
    spec = PanelSpec(
        "Checks",
        "Does each source deliver all required data, and if not, which check failed? pte-exporter doctor reports the "
        "causes and remedies. Skipped checks leave a gap.",
        "No check has finished yet.",
        "none",
        (24, 8),
    )

    return timeline(
        spec,
        Query(smallest("source, check", "pte_source_check"), "{{source}} {{check}}"),
        value_map=value_mappings.CHECK,
    )


def _rate(name: str, by: str) -> str:
    return f"sum by ({by}) (rate({name}[30m]))"


_INCREASE = "sum by ({}) (increase({}[30m]))".format


def _polls() -> tuple[Panel, ...]:
    return _duration(), _failures(), _pace(), _age(), _skew()


def _duration() -> Panel:
    spec = PanelSpec(
        "Duration of polls",
        "How long do polls take (mean and P95 over 30 minutes), compared with the poll interval (limit)?",
        "No poll ended in this time range.",
        "s",
        (12, 8),
    )

    stem = "pte_source_poll_duration_seconds"
    mean = f"{_rate(f'{stem}_sum', 'source')} / {_rate(f'{stem}_count', 'source')}"
    p95 = f"histogram_quantile(0.95, {_rate(f'{stem}_bucket', 'source, le')})"

    return timeseries(
        spec,
        Query(mean, "mean, {{source}}"),
        Query(p95, "P95, {{source}}"),
        Query(smallest("source", "pte_source_interval_seconds"), "limit, interval of {{source}}"),
    )


def _failures() -> Panel:
    spec = PanelSpec(
        "Failed polls by reason",
        "Why do polls fail? Failures in 30 minutes, by source and reason.",
        "No poll failed in this time range: good.",
        "short",
        (12, 8),
    )

    failed = _INCREASE("source, reason", "pte_source_poll_failures_total")
    return timeseries(spec, Query(f"{failed} > 0", "{{source}} {{reason}}"), bars=True)


def _pace() -> Panel:
    spec = PanelSpec(
        "Polls and missed slots",
        "Are sources polled as often as configured? Polls in 30 minutes; a slot is missed while a poll is in flight.",
        NOT_SCRAPED,
        "short",
        (12, 8),
    )

    return timeseries(
        spec,
        Query(_INCREASE("source", "pte_source_polls_total"), "polls, {{source}}"),
        Query(_INCREASE("source", "pte_source_skipped_polls_total"), "missed slots, {{source}}"),
    )


def _age() -> Panel:
    spec = PanelSpec(
        "Age of the data over time",
        "How old was the data of each source? A saw-tooth as high as the interval is normal.",
        NOT_SCRAPED,
        "s",
        (12, 8),
    )

    return timeseries(spec, Query(DATA_AGE, "{{source}}"), Query(DATA_LIMIT, "limit, {{source}}"))


def _skew() -> Panel:
    spec = PanelSpec(
        "Clock skew",
        "How far do the sources' clocks differ from the exporter's, where they report the time?",
        "No source reports its clock.",
        "s",
        (12, 8),
    )

    return timeseries(spec, Query(largest("source", "pte_source_clock_skew_seconds"), "{{source}}"))


def _replicas() -> Panel:
    by = "job, instance"
    spec = PanelSpec(
        "Replicas",
        "Which replicas run, with which version, how large is their page and how old their snapshot?",
        NOT_SCRAPED,
        "short",
        (24, 6),
    )

    version = f"{by}, version, pythonversion"

    def joined(expr: str) -> str:
        return f"({expr}) * on ({by}) group_left (version, pythonversion) max by ({version}) (pte_exporter_build_info)"

    columns = [
        TableColumn("reached", joined(smallest(by, "up")), "none", value_mappings.SCRAPED),
        TableColumn(
            "snapshot's age", joined(f"time() - {largest(by, 'pte_snapshot_timestamp_seconds')}"), "s", decimals=0
        ),
        TableColumn("series", joined(largest(by, "pte_snapshot_series")), decimals=0),
        TableColumn("snapshot takes", joined(largest(by, "pte_snapshot_duration_seconds")), "s"),
        TableColumn("memory", joined(largest(by, "process_resident_memory_bytes")), "bytes"),
        TableColumn("running since", joined(f"time() - {largest(by, 'process_start_time_seconds')}"), "s"),
        TableColumn("demo data (1: made up)", joined(largest(by, "pte_demo")), decimals=0),
        TableColumn("scrape takes", joined(largest(by, "scrape_duration_seconds")), "s"),
    ]
    keys = [
        Key(label, title)
        for label, title in zip(version.split(", "), ("job", "instance", "version", "Python"), strict=True)
    ]

    return table(spec, keys, columns, sort="instance", desc=False)


def _process() -> tuple[Panel, ...]:
    memory = PanelSpec("Memory", "Does the exporter's memory stay level?", NOT_SCRAPED, "bytes", (8, 8))
    cpu = PanelSpec("CPU", "How much CPU time does the exporter use?", NOT_SCRAPED, "percentunit", (8, 8))
    rules = PanelSpec(
        "Failed rule evaluations",
        "Does Prometheus fail to evaluate any rule? Failures in 30 minutes, by group; a failing rule raises no alert.",
        "No data: this Prometheus does not scrape itself.",
        "short",
        (8, 8),
    )

    failed = "sum by (rule_group) (increase(prometheus_rule_evaluation_failures_total[30m]))"
    busy = f"max by (instance) (rate(process_cpu_seconds_total[5m]) {_OF_EXPORTER})"
    resident = f"max by (instance) (process_resident_memory_bytes {_OF_EXPORTER})"
    return (
        timeseries(memory, Query(resident, "{{instance}}")),
        timeseries(cpu, Query(busy, "{{instance}}")),
        timeseries(rules, Query(failed, "{{rule_group}}"), bars=True),
    )


def _limits() -> Panel:
    spec = PanelSpec(
        "Configured limits",
        "Which limits are results judged by? The name includes the unit.",
        NOT_SCRAPED,
        "locale",
        (10, 9),
    )

    columns = [TableColumn("value", largest("limit", "pte_limit"), decimals=4)]
    return table(spec, [Key("limit", "limit")], columns, sort="limit", desc=False)
