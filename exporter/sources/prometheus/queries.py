"""PromQL for whole windows, built from the templates of single minutes. Text in, text out.

Every expression here returns the label `application`, whatever the data calls it. One-minute values are at full
minutes: the value at t covers (t - rate_range, t]. Ranges of subqueries are one second shorter than their window:
closed ranges (Prometheus 2) and left-open ranges (3) then contain the same minutes, 1440 of them in 24 h.
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
"""The lags of mean squared differences, by the name of the statistic."""

LATENCY_QUANTILES = {"p50": "0.5", "p95": "0.95", "p99": "0.99", "p999": "0.999", "max": "1"}

_ALMOST = duration(MINUTE - 0.001)
"""A range of this length contains exactly one full minute, and one sample that is recorded every minute."""


def inside(seconds: float) -> str:
    """The subquery over the full minutes of a window that is `seconds` long and ends at the evaluation time."""
    return f"[{duration(seconds - 1)}:1m]"


def marked(expression: str, label: str, value: str) -> str:
    """The expression with an additional label that distinguishes the parts of a union."""
    return f'label_replace({expression}, {quote(label)}, {quote(value)}, "", "")'


def union(parts: Iterable[str]) -> str:
    return " or ".join(parts)


@dataclass(frozen=True, slots=True)
class Queries:
    """The queries of one side."""

    templates: Templates
    side: str
    rate_range: float
    """Range of the rate of one minute, in seconds."""
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
        """The value of one minute, on a full minute; negative, NaN and infinite ones are not measurements."""
        if key in self.recorded:
            # The sample recorded before the next full minute: see `recordable`.
            return f"last_over_time({RECORDED[key]}{{side={quote(self.side)}}}[1m] offset -{_ALMOST})"
        return self.measured(key)

    def measured(self, key: str) -> str | None:
        """As `minute`, always from the raw data."""
        query = self.named(key, self.rate_range)
        if query is None:
            return None

        # A service without failures has no series of failures: if it has requests, its failures are 0, not unknown.
        requests = self.named("request_rate", self.rate_range) if key == "error_rate" else None
        if requests:
            query = f"({query}) or on (application) ({requests}) * 0"
        return f"({query}) >= 0 < Inf"

    def recordable(self, key: str) -> str | None:
        """The expression of a recording rule: the value of the latest full minute.

        Prometheus spreads its rule groups and may evaluate one at any second of the minute. The steps of a subquery are
        at full minutes: the recorded value equals the result of a later query.
        """
        query = self.measured(key)
        if query is None:
            return None
        return f"last_over_time(({query})[{_ALMOST}:1m])"

    def fingerprint(self, key: str) -> str:
        """Distinguishes recordings of this query from others: of other templates, another selector, another site."""
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
        """One union over the window; label `stat`: mean, peak, min, stddev, samples, LAGS or a quantile.

        LAGS are mean squared differences of minutes that far apart, both in the window. The mean of the error ratio is
        the sum of errors / the sum of requests: a mean of ratios would give quiet and busy minutes the same weight.
        """
        value = self.signal(signal)
        if value is None:
            return None

        minutes = f"({value}){inside(seconds)}"
        # Written out once for each clause: PromQL has no names for parts of a query.
        functions = {"peak": "max", "min": "min", "stddev": "stddev", "samples": "count"}
        stats = {stat: f"{function}_over_time({minutes})" for stat, function in functions.items()}
        stats["mean"] = self.mean(signal, seconds) or f"avg_over_time({minutes})"

        # A subquery of one step, because a plain expression cannot have an offset.
        for stat, lag in LAGS.items():
            step = f"({value}) - on (application) last_over_time(({value})[59s:1m] offset {duration(lag)})"
            if seconds > lag:
                stats[stat] = f"avg_over_time((({step}) ^ 2){inside(seconds - lag)})"
        if signal == "request_rate":
            stats |= {q: f"quantile_over_time({q}, {minutes})" for q in QUANTILES}
        return union(marked(query, "stat", stat) for stat, query in stats.items())

    def mean(self, signal: str, seconds: float) -> str | None:
        """The mean of a ratio from its two sums; None for a signal that is not a ratio of rates."""
        errors = self.minute("error_rate")
        requests = self.minute("request_rate")
        if signal != "error_ratio" or errors is None or requests is None:
            return None
        span = inside(seconds)
        return f"sum_over_time(({errors}){span}) / on (application) (sum_over_time(({requests}){span}) > 0)"

    def counts(self, parts: Mapping[str, str], seconds: float) -> str | None:
        """A union of counts over the window; label `part` distinguishes them."""
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
        """As `counts`, each application over its own window, summed by minute; evaluated at the hull's end."""
        queries = {part: self._counted_minute(key) for key, part in parts.items()}
        minutes = union(marked(query, "part", part) for part, query in queries.items() if query)
        if not minutes:
            return None

        summed = f"{_summed(minutes, hull, windows)} * {MINUTE:.0f}"
        if parts is ROUTE_PARTS:  # its templates count over rate_range; the others return a rate
            return f"{summed} / {self.rate_range:g}"
        return summed

    def _counted_minute(self, key: str) -> str | None:
        if key in ROUTE_PARTS:
            return self.named(key, self.rate_range)
        return self.minute(key)

    def native(self, seconds: float) -> str | None:
        """Latency from native histograms over the window; label `stat`: count, sum or a quantile."""
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
        """How many minutes of the window are recorded, by key: a recent recording does not cover the whole window."""
        return f"count_over_time({RECORDING}{{side={quote(self.side)}}}[{duration(seconds - 0.001)}])"


def _summed(expression: str, hull: Window, windows: Mapping[str, Window]) -> str:
    """The sum over each application's window, at the hull's end."""
    return f"sum_over_time(({masked(expression, hull, windows)}){inside(hull.duration)})"


def _histogram_stats(histogram: str, factor: str) -> str:
    stats = {stat: f"histogram_quantile({q}, {histogram})" for stat, q in LATENCY_QUANTILES.items()}
    stats |= {stat: f"histogram_{stat}({histogram}){factor}" for stat in ("count", "sum")}
    return union(marked(query, "stat", stat) for stat, query in stats.items())
