"""Board "traffic": what is normal, when is the peak?"""

from __future__ import annotations

from exporter.dashboards.kit import value_mappings
from exporter.dashboards.kit.board import Board, applications, data_source, sides
from exporter.dashboards.kit.panels import Key, Panel, PanelSpec, TableColumn, bars, heading, stat, table, timeseries
from exporter.dashboards.kit.query import (
    APPLICATION,
    SIDE,
    Query,
    largest,
    limit,
    or_no_evidence,
    per_application,
    scalar,
)
from exporter.dashboards.shared import (
    UNSCRAPED,
    alerts,
    application_key,
    data_age,
    data_state,
    to_board,
)

NO_PATTERN = "No evidence: production has no request rates for the last seven days."
NO_SIGNAL = "No evidence: the chosen side was not observed, or its source has no query for this signal."
_AGAIN = to_board("pte-traffic", "Only this application")


def board() -> Board:
    return Board(
        "pte-traffic",
        "What is normal in production, and when is the peak?",
        (
            *_tiles(),
            heading("Profile of the last seven days, in the configured time zone"),
            _hours(),
            _days(),
            heading("Spikes: when was the rate far above the same hour of the other days?"),
            _spikes(),
            _growth(),
            heading("Signals of production and the PTE over their windows"),
            *_signals(),
            _statistics(),
            heading("Alerts"),
            alerts("Firing alerts", "Which alerts are firing for these applications?", (24, 6)),
        ),
        (data_source(), applications(), sides()),
        span="now-7d",
    )


def _tiles() -> tuple[Panel, ...]:
    peak_hour = PanelSpec("Peak hour", "In which hour of the day is the mean rate highest?", UNSCRAPED, "none", (5, 6))
    quiet_hour = PanelSpec("Quiet hour", "In which hour of the day is the mean rate lowest?", UNSCRAPED, "none", (4, 6))
    peak = PanelSpec(
        "Peak of seven days",
        "What was the largest five-minute mean rate of the week?",
        "no pattern found",
        "reqps",
        (4, 6),
    )
    spikes = PanelSpec(
        "Spikes",
        "How many five-minute intervals were far above the same hour of the other days?",
        UNSCRAPED,
        "none",
        (4, 6),
    )

    def tile(spec: PanelSpec, name: str, kind: value_mappings.ValueMap) -> Panel:
        query = or_no_evidence(scalar(name), "pte_pattern_evidence")
        return stat(spec, Query(query, "{{application}}"), value_map=kind, links=_AGAIN)

    return (
        tile(peak_hour, "pte_pattern_peak_hour", value_mappings.HOURS),
        tile(quiet_hour, "pte_pattern_low_hour", value_mappings.HOURS),
        stat(peak, Query(scalar("pte_pattern_peak_requests_per_second"), "{{application}}"), links=_AGAIN),
        tile(spikes, "pte_pattern_spikes", value_mappings.SPIKES),
        data_state(3),
        data_age(4),
    )


def _hours() -> Panel:
    spec = PanelSpec(
        "Hour of the day", "Which mean rate is normal in each hour of the day?", NO_PATTERN, "reqps", (15, 9)
    )
    rate = largest("application, hour", "pte_pattern_hour_requests_per_second", APPLICATION)
    return bars(spec, Query(rate), across="hour", series="application")


def _days() -> Panel:
    spec = PanelSpec(
        "Day of the week", "Which mean rate is normal on each day of the week?", NO_PATTERN, "reqps", (9, 9)
    )
    rate = largest("application, day", "pte_pattern_day_requests_per_second", APPLICATION)
    for day, text in value_mappings.DAYS.items():
        rate = f'label_replace({rate}, "day", "{text}", "day", "{day}")'
    return bars(spec, Query(rate), across="day", series="application")


def _spikes() -> Panel:
    by = "application, rank"
    spec = PanelSpec(
        "Largest spikes",
        "When were the largest spikes, how high, and how many times the same hour of the other days? "
        "The limit is the multiple from which an interval counts.",
        "No spikes in the last seven days, or no evidence: see the tile above.",
        "locale",
        (13, 8),
    )

    magnitude = largest(by, "pte_spike_magnitude_ratio", APPLICATION)
    columns = [
        TableColumn("time", f"{largest(by, 'pte_spike_timestamp_seconds', APPLICATION)} * 1000", "dateTimeAsIso"),
        TableColumn("rate", largest(by, "pte_spike_requests_per_second", APPLICATION), "reqps", decimals=1),
        TableColumn("times normal", magnitude, decimals=2),
        TableColumn(
            "limit", f"{magnitude} * 0 + on () group_left () {limit('spike_magnitude_ratio')}", decimals=2, empty="none"
        ),
    ]
    keys = [application_key("pte-traffic", "Only this application"), Key("rank", "rank")]
    return table(spec, keys, columns, sort="times normal")


def _growth() -> Panel:
    spec = PanelSpec(
        "Steadiness and growth",
        "How much do hourly means vary over the week (coefficient of variation), and did production's peak or mix "
        "change since the test run by more than allowed (limits)?",
        "No evidence: production was not observed.",
        "percentunit",
        (11, 8),
    )

    columns = [
        TableColumn("volatility", scalar("pte_pattern_volatility_ratio"), "percentunit", decimals=1),
        TableColumn("peak before the run", scalar("pte_growth_peak_then_requests_per_second"), "reqps", decimals=1),
        TableColumn("peak now", scalar("pte_growth_peak_now_requests_per_second"), "reqps", decimals=1),
        TableColumn("growth", f"{scalar('pte_growth_peak_ratio')} - 1", "percentunit", decimals=1),
        TableColumn("at most", per_application("peak_growth_ratio"), "percentunit"),
        TableColumn("mix change", scalar("pte_growth_mix_total_variation_ratio"), "percentunit", decimals=1),
        TableColumn("mix at most", per_application("mix_moved_ratio"), "percentunit"),
    ]
    keys = [application_key("pte-certification", "Certification of this application")]
    return table(spec, keys, columns, sort="growth")


def _signals() -> tuple[Panel, ...]:
    signals = (
        ("Request rate", "pte_requests_per_second", "reqps", "How much traffic is there: mean and peak minute?"),
        ("Latency", "pte_latency_seconds", "s", "How long do requests take over the whole window?"),
        ("Error ratio", "pte_error_ratio", "percentunit", "What share of requests fails: mean and worst minute?"),
        ("Throughput", "pte_throughput_bytes_per_second", "Bps", "How many bytes are sent: mean and peak minute?"),
        (
            "Concurrent users",
            "pte_concurrent_users",
            "short",
            "How many users are active: mean and peak minute?",
        ),
        ("CPU", "pte_cpu_utilisation_ratio", "percentunit", "How busy are the processors: mean and peak minute?"),
        ("Memory", "pte_memory_utilisation_ratio", "percentunit", "How full is the memory: mean and peak minute?"),
    )

    return tuple(_signal(*signal) for signal in signals)


def _signal(title: str, name: str, unit: str, question: str) -> Panel:
    stats = "p50|p95|p99" if name == "pte_latency_seconds" else "mean|peak"
    value = largest("application, side, stat", name, APPLICATION, SIDE, f'stat=~"{stats}"')
    spec = PanelSpec(title, question, NO_SIGNAL, unit, (8, 9))
    return timeseries(spec, Query(value, "{{application}} {{side}} {{stat}}"), links=_AGAIN)


def _statistics() -> Panel:
    by = "application, side"
    spec = PanelSpec(
        "Request rates in figures",
        "How are the one-minute request rates of each environment distributed? If each value covers more than a "
        "minute, the peak is a peak of means.",
        NO_SIGNAL,
        "reqps",
        (16, 9),
    )

    columns = [
        TableColumn(
            stat, largest(by, "pte_requests_per_second", APPLICATION, SIDE, f'stat="{stat}"'), "reqps", decimals=1
        )
        for stat in ("min", "p5", "p50", "p95", "p99", "peak")
    ]
    rates = 'signal="request_rate"'
    covered = largest(by, "pte_observed_resolution_seconds", APPLICATION, SIDE, rates)
    columns += [
        TableColumn("values", largest(by, "pte_observed_samples", APPLICATION, SIDE, rates), decimals=0),
        TableColumn("each covers", covered, "s", value_mappings.RESOLUTION),
    ]
    columns += [
        TableColumn(
            title,
            f"{largest(by, f'pte_observation_{edge}_timestamp_seconds', APPLICATION, SIDE)} * 1000",
            "dateTimeAsIso",
        )
        for title, edge in (("from", "start"), ("until", "end"))
    ]
    keys = [application_key("pte-traffic", "Only this application"), Key("side", "side")]
    return table(spec, keys, columns, sort="peak")
