"""The check of what was measured: values that cannot be, and those that are more likely in another unit."""

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
"""Mean latencies in seconds above this are more likely in milliseconds."""

_SHORT = 1e-5
"""Those below this have been scaled down twice."""

_ALIKE = 1.5
"""Two counts of the same requests differ by less than this factor."""

_ROUNDING = 1.001


def values(probe: PrometheusProbe) -> Finding:
    """Whether what was measured can be: signs, ratios, units."""
    if not probe.answers:
        return ok("nothing was found to judge")

    remarks = Remarks()
    _impossible(probe, remarks)
    _ratios(probe, remarks)
    _latency(probe, remarks)
    _errors(probe, remarks)
    _counts(probe, remarks)

    return remarks.finding(f"{join_words(list(probe.answers))}: nothing that cannot be")


def by_application(probe: PrometheusProbe, key: str) -> dict[str, float]:
    """Application to what a key gave; nothing where it gave nothing."""
    answer = probe.answers.get(key)
    return {} if answer is None else answer.by_application


def _impossible(probe: PrometheusProbe, remarks: Remarks) -> None:
    for key, answer in probe.answers.items():
        negative = sum(sample.value < 0 for sample in answer.samples)
        if negative:
            remarks.add(
                f"{key}: {negative} of {len(answer.samples)} values are negative, and left out",
                Cause(
                    "a gauge where a counter is wanted, or a difference",
                    f"mend signals.{key}; rate() needs a counter",
                ),
            )

        if answer.not_finite:
            remarks.add(
                f"{key}: {pluralize(answer.not_finite, 'value')} NaN or infinite, and left out",
                Cause(
                    "divided by nothing, such as by a limit that is not set",
                    f"mend the denominator in signals.{key}",
                ),
            )


def _ratios(probe: PrometheusProbe, remarks: Remarks) -> None:
    for key in ("cpu", "memory"):
        ratios = by_application(probe, key)
        name = max(ratios, key=lambda name: ratios[name], default="")
        if not name or ratios[name] <= 1:
            continue

        if ratios[name] > _PERCENT:
            cause = Cause("it is in percent, and a ratio 0..1 is wanted", f"signals.{key}: (...) / 100")
        else:
            text = "the denominator is what was requested, not what there is"
            cause = Cause(text, f"divide by the limit in signals.{key}")
        remarks.add(f"{key}: {ratios[name]:g} of {name} is above 1", cause)


def _latency(probe: PrometheusProbe, remarks: Remarks) -> None:
    """Milliseconds where seconds are wanted, by the metric's name or by how long requests would take; or vice versa."""
    scale = probe.templates.latency_scale
    means = _means(probe, scale)
    typical = median(means) if means else None
    median_text = "" if typical is None else f"; the median of their means is {spent(typical)}"

    names = _histograms(probe)
    says_milliseconds = scale == 1 and any("_milliseconds" in name or name.endswith("_ms_sum") for name in names)
    if says_milliseconds or (typical is not None and typical > _LONG):
        remarks.add(
            f"latency_scale is {scale:g} for {join_words(sorted(names))}{median_text}",
            Cause("the histogram counts milliseconds, and seconds are wanted", f"latency_scale: {scale / 1000:g}"),
        )
    elif typical is not None and typical < _SHORT and scale < 1:
        remarks.add(
            f"latency_scale is {scale:g}{median_text}",
            Cause("the histogram counts seconds already", "latency_scale: 1"),
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
            Cause("the two templates count different things", "let both read the same metric and matchers"),
        )


def _counts(probe: PrometheusProbe, remarks: Remarks) -> None:
    """The histogram's count against the request rate, where there is enough of that."""
    requests = by_application(probe, "request_rate")

    different = []
    for name, value in by_application(probe, "latency_count").items():
        # Below the threshold a single request more or less makes a large factor.
        rate = requests.get(name, 0.0)
        if rate > probe.context.threshold and not 1 / _ALIKE < value / rate < _ALIKE:
            different.append(name)

    if different:
        remarks.add(
            f"latency_count differs from request_rate for {join_words(sorted(different))}",
            Cause(
                "the histogram counts other requests than the counter does (other paths, a client's side)",
                "let request_rate read the histogram's _count, or narrow both with the same matchers",
            ),
        )
