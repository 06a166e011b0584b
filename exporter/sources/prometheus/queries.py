"""PromQL for whole windows, made from the templates of single minutes. Text in, text out.

Every expression here gives the label `application`, whatever the data calls it. One-minute values stand on full
minutes: the value at t covers (t - rate_range, t]. Ranges of subqueries are one second short of their window, so that
closed ranges (Prometheus 2) and left-open ones (3) hold the same minutes: 24 h are 1440 of them on both.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from exporter.clients.prometheus import quote
from exporter.model.observation import LATENCY_MEAN, MINUTE, NOISE_LAG, QUANTILES, Window
from exporter.sources.prometheus.presets import RECORDED, RECORDING, Templates, duration
from exporter.sources.prometheus.stretches import masked

BUCKET_PARTS = {"latency_bucket": "bucket", "latency_sum": "sum", "latency_count": "count"}
ROUTE_PARTS = {"route_requests": "requests", "route_successes": "successes"}
SIGNAL_KEYS = {"error_ratio": ("error_rate", "request_rate"), LATENCY_MEAN: ("latency_sum", "latency_count")}
"""The keys behind a signal, where they are not its own name."""

LAGS = {"msd1": MINUTE, "msd10": NOISE_LAG}
"""Mean squared differences by the part of a summary that they are."""

LATENCY_QUANTILES = {"p50": "0.5", "p95": "0.95", "p99": "0.99", "p999": "0.999", "max": "1"}

_ALMOST = duration(MINUTE - 0.001)
"""With this, a stretch of time holds exactly one full minute, and one sample recorded every minute."""


def inside(seconds: float) -> str:
    """The subquery over the full minutes of a window that is `seconds` long and ends at the evaluation time."""
    return f"[{duration(seconds - 1)}:1m]"


def marked(expression: str, label: str, value: str) -> str:
    """The expression with a label added, to tell the parts of a union apart."""
    return f'label_replace({expression}, {quote(label)}, {quote(value)}, "", "")'


def union(parts: Iterable[str]) -> str:
    return " or ".join(parts)


@dataclass(frozen=True, slots=True)
class Queries:
    """The queries of one side."""

    templates: Templates
    side: str
    rate_range: float
    """Seconds over which the rate of one minute is taken."""
    recorded: frozenset[str] = frozenset()
    """Keys that are read from recorded one-minute series."""

    def named(self, key: str, seconds: float) -> str | None:
        """The raw query over a range in seconds, with the label `application`."""
        query = self.templates.fill(key, seconds)
        label = self.templates.labels["application"]
        if query is None or label == "application":
            return query
        # (?s) as the dot of Prometheus 2 does not match a newline.
        return f'label_replace({query}, "application", "$1", {quote(label)}, "(?s:(.+))")'

    def minute(self, key: str) -> str | None:
        """The value of one minute, on a full minute; negative, NaN and infinite ones are no measurements."""
        if key in self.recorded:
            # What was recorded before the next full minute: see `recordable`.
            return f"last_over_time({RECORDED[key]}{{side={quote(self.side)}}}[1m] offset -{_ALMOST})"
        return self.measured(key)

    def measured(self, key: str) -> str | None:
        """As `minute`, always from the raw data."""
        query = self.named(key, self.rate_range)
        if query is None:
            return None

        # A service without a failure has no series of failures: where it has requests, that is none and not unknown.
        requests = self.named("request_rate", self.rate_range) if key == "error_rate" else None
        if requests:
            query = f"({query}) or on (application) ({requests}) * 0"
        return f"({query}) >= 0 < Inf"

    def recordable(self, key: str) -> str | None:
        """What a rule records: the value of the latest full minute.

        A rule group is evaluated at any second of the minute, as Prometheus spreads its groups; a subquery's steps
        stand on full minutes, so that what is recorded is the same as what would be asked for later.
        """
        query = self.measured(key)
        if query is None:
            return None
        return f"last_over_time(({query})[{_ALMOST}:1m])"

    def fingerprint(self, key: str) -> str:
        """Tells recordings of this query from those of another: of other templates, another selector, another site."""
        return hashlib.sha256((self.recordable(key) or "").encode()).hexdigest()[:12]

    def signal(self, signal: str) -> str | None:
        """The value of one minute of a signal of the model."""
        if signal not in SIGNAL_KEYS:
            return self.minute(signal)

        over, under = (self.minute(key) for key in SIGNAL_KEYS[signal])
        if not over or not under:
            return None
        ratio = f"({over}) / on (application) (({under}) > 0)"
        if signal == LATENCY_MEAN:
            return f"{ratio} * {self.templates.latency_scale!r}"
        return ratio

    def is_recorded(self, signal: str) -> bool:
        """Whether all of a signal is read from recordings."""
        return self.recorded.issuperset(SIGNAL_KEYS.get(signal, (signal,)))

    def summary(self, signal: str, seconds: float) -> str | None:
        """One union over the window: label `stat` tells mean, peak, min, stddev, samples, LAGS and quantiles apart.

        LAGS are mean squared differences of minutes that far apart, both in the window. The mean of the error ratio is
        the sum of errors / the sum of requests: a mean of ratios would weigh quiet minutes like busy ones.
        """
        value = self.signal(signal)
        if value is None:
            return None

        minutes = f"({value}){inside(seconds)}"
        # Written out once for each clause: PromQL has no names for parts of a query.
        functions = {"peak": "max", "min": "min", "stddev": "stddev", "samples": "count"}
        stats = {stat: f"{function}_over_time({minutes})" for stat, function in functions.items()}
        stats["mean"] = self.mean(signal, seconds) or f"avg_over_time({minutes})"

        # By a subquery of one step, as an expression by itself cannot be looked at some minutes earlier.
        for stat, lag in LAGS.items():
            step = f"({value}) - on (application) last_over_time(({value})[59s:1m] offset {duration(lag)})"
            if seconds > lag:
                stats[stat] = f"avg_over_time((({step}) ^ 2){inside(seconds - lag)})"
        if signal == "request_rate":
            stats |= {q: f"quantile_over_time({q}, {minutes})" for q in QUANTILES}
        return union(marked(query, "stat", stat) for stat, query in stats.items())

    def mean(self, signal: str, seconds: float) -> str | None:
        """The mean of a ratio from its two sums; None for a signal that is no ratio of rates."""
        errors = self.minute("error_rate")
        requests = self.minute("request_rate")
        if signal != "error_ratio" or errors is None or requests is None:
            return None
        span = inside(seconds)
        return f"sum_over_time(({errors}){span}) / on (application) (sum_over_time(({requests}){span}) > 0)"

    def counts(self, parts: Mapping[str, str], seconds: float) -> str | None:
        """A union of what was counted over the window; label `part` tells the parts apart."""
        queries = {part: self._count(key, seconds) for key, part in parts.items()}
        return union(marked(query, "part", part) for part, query in queries.items() if query) or None

    def _count(self, key: str, seconds: float) -> str | None:
        if key in self.recorded:
            return f"sum_over_time(({self.minute(key)}){inside(seconds)}) * {MINUTE:.0f}"
        query = self.named(key, seconds)
        if query is None or key in ROUTE_PARTS:
            return query
        return f"({query}) * {seconds:.0f}"

    def run_counts(self, parts: Mapping[str, str], hull: Window, windows: Mapping[str, Window]) -> str | None:
        """As `counts`, each application over its own window, summed minute by minute; asked at the hull's end."""
        queries = {part: self._counted_minute(key) for key, part in parts.items()}
        minutes = union(marked(query, "part", part) for part, query in queries.items() if query)
        if not minutes:
            return None

        summed = f"{_summed(minutes, hull, windows)} * {MINUTE:.0f}"
        if parts is ROUTE_PARTS:  # whose templates count over rate_range, where the others give a rate
            return f"{summed} / {self.rate_range:g}"
        return summed

    def _counted_minute(self, key: str) -> str | None:
        if key in ROUTE_PARTS:
            return self.named(key, self.rate_range)
        return self.minute(key)

    def native(self, seconds: float) -> str | None:
        """Latency from native histograms over the window: label `stat` tells count, sum and the quantiles apart."""
        query = self.named("latency_native", seconds)
        if query is None:
            return None
        return _histogram_stats(query, f" * {seconds:.0f}")

    def run_native(self, hull: Window, windows: Mapping[str, Window]) -> str | None:
        """As `native`, each application over its own window."""
        query = self.named("latency_native", self.rate_range)
        if query is None:
            return None
        return _histogram_stats(_summed(query, hull, windows), f" * {MINUTE:.0f}")

    def native_mean(self) -> str | None:
        """The mean latency of one minute from native histograms."""
        query = self.named("latency_native", self.rate_range)
        if query is None:
            return None
        return f"histogram_sum({query}) / (histogram_count({query}) > 0) * {self.templates.latency_scale!r}"

    def pattern(self, step: float) -> str | None:
        """Mean request rate over each step."""
        if "request_rate" in self.recorded:
            return f"avg_over_time(({self.minute('request_rate')}){inside(step)})"
        query = self.named("request_rate", max(step, self.rate_range))
        if query is None:
            return None
        return f"({query}) >= 0 < Inf"

    def recording(self, seconds: float) -> str:
        """How many minutes of the window were recorded, by key: a young recording must not pass for the whole of it."""
        return f"count_over_time({RECORDING}{{side={quote(self.side)}}}[{duration(seconds - 0.001)}])"


def _summed(expression: str, hull: Window, windows: Mapping[str, Window]) -> str:
    """The sum over each application's window, at the hull's end."""
    return f"sum_over_time(({masked(expression, hull, windows)}){inside(hull.duration)})"


def _histogram_stats(histogram: str, factor: str) -> str:
    stats = {stat: f"histogram_quantile({q}, {histogram})" for stat, q in LATENCY_QUANTILES.items()}
    stats |= {stat: f"histogram_{stat}({histogram}){factor}" for stat in ("count", "sum")}
    return union(marked(query, "stat", stat) for stat, query in stats.items())
