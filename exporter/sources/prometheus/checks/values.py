"""The check of the measured values: impossible values, and values that are probably in another unit."""

from __future__ import annotations

from statistics import median

from exporter.checkup import Remarks, ok
from exporter.humanize import join_words, pluralize
from exporter.humanize import seconds as spent
from exporter.model.checkup import Cause, Finding
from exporter.sources.prometheus.checks.probe import PrometheusProbe

_PERCENT = 1.5
"""A ratio above this is more likely a percentage than an overload."""

_LONG = 20.0
"""Mean latencies above this, in seconds, are probably in milliseconds."""

_SHORT = 1e-5
"""Mean latencies below this were scaled down twice."""

_ALIKE = 1.5
"""Two counts of the same requests differ by less than this factor."""

_ROUNDING = 1.001


def values(probe: PrometheusProbe) -> Finding:
    """Whether the values are plausible: signs, ratios, units."""
    if not probe.results:
        return ok("no values to check")

    remarks = Remarks()
    _impossible(probe, remarks)
    _ratios(probe, remarks)
    _latency(probe, remarks)
    _errors(probe, remarks)
    _counts(probe, remarks)

    return remarks.finding(f"{join_words(list(probe.results))}: all values are plausible")


def by_application(probe: PrometheusProbe, key: str) -> dict[str, float]:
    """Application to its value for a key; empty without a result."""
    result = probe.results.get(key)
    return {} if result is None else result.by_application


def _impossible(probe: PrometheusProbe, remarks: Remarks) -> None:
    for key, result in probe.results.items():
        negative = sum(sample.value < 0 for sample in result.samples)
        if negative:
            remarks.add(
                f"{key}: {negative} of {len(result.samples)} values are negative and left out",
                Cause(
                    "a gauge instead of a counter, or a difference",
                    f"fix signals.{key}; rate() needs a counter",
                ),
            )

        if result.not_finite:
            remarks.add(
                f"{key}: {pluralize(result.not_finite, 'value')} NaN or infinite, left out",
                Cause(
                    "a division by 0, such as by a limit that is not set",
                    f"fix the denominator in signals.{key}",
                ),
            )


def _ratios(probe: PrometheusProbe, remarks: Remarks) -> None:
    for key in ("cpu", "memory"):
        ratios = by_application(probe, key)
        name = max(ratios, key=lambda name: ratios[name], default="")
        if not name or ratios[name] <= 1:
            continue

        if ratios[name] > _PERCENT:
            cause = Cause("it is in percent, expected a ratio 0..1", f"signals.{key}: (...) / 100")
        else:
            text = "the denominator is the requested amount, not the limit"
            cause = Cause(text, f"divide by the limit in signals.{key}")
        remarks.add(f"{key}: {ratios[name]:g} of {name} is above 1", cause)


def _latency(probe: PrometheusProbe, remarks: Remarks) -> None:
    """Milliseconds instead of seconds, by the metric's name or by implausible latencies; or vice versa."""
    scale = probe.templates.latency_scale
    means = _means(probe, scale)
    typical = median(means) if means else None
    median_text = "" if typical is None else f"; the median of their means is {spent(typical)}"

    names = _histograms(probe)
    says_milliseconds = scale == 1 and any("_milliseconds" in name or name.endswith("_ms_sum") for name in names)
    if says_milliseconds or (typical is not None and typical > _LONG):
        remarks.add(
            f"latency_scale is {scale:g} for {join_words(sorted(names))}{median_text}",
            Cause("the histogram is in milliseconds, expected seconds", f"latency_scale: {scale / 1000:g}"),
        )
    elif typical is not None and typical < _SHORT and scale < 1:
        remarks.add(
            f"latency_scale is {scale:g}{median_text}",
            Cause("the histogram is already in seconds", "latency_scale: 1"),
        )


def _histograms(probe: PrometheusProbe) -> set[str]:
    names = set[str]()
    for key in ("latency_sum", "latency_native"):
        names |= {part.metric for part in probe.selectors(key)}
    return names


def _means(probe: PrometheusProbe, scale: float) -> list[float]:
    """Mean latency of each application, in seconds."""
    sums = by_application(probe, "latency_sum")
    counts = by_application(probe, "latency_count")
    return [scale * sums[name] / count for name, count in counts.items() if count > 0 and name in sums]


def _errors(probe: PrometheusProbe, remarks: Remarks) -> None:
    errors = by_application(probe, "error_rate")
    requests = by_application(probe, "request_rate")

    more = [name for name, value in errors.items() if name in requests and value > requests[name] * _ROUNDING]
    if more:
        remarks.add(
            f"error_rate exceeds request_rate for {join_words(sorted(more))}",
            Cause("the two templates count different things", "use the same metric and matchers in both"),
        )


def _counts(probe: PrometheusProbe, remarks: Remarks) -> None:
    """Compares the histogram's count with the request rate, if there is enough load."""
    requests = by_application(probe, "request_rate")

    different = []
    for name, value in by_application(probe, "latency_count").items():
        # Below the threshold, a single request more or less makes a large factor.
        rate = requests.get(name, 0.0)
        if rate > probe.context.threshold and not 1 / _ALIKE < value / rate < _ALIKE:
            different.append(name)

    if different:
        remarks.add(
            f"latency_count differs from request_rate for {join_words(sorted(different))}",
            Cause(
                "the histogram counts other requests than the counter (other paths, the client side)",
                "use the histogram's _count in request_rate, or narrow both with the same matchers",
            ),
        )
