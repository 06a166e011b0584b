"""k6's summary as handleSummary() gets it, and as the older --summary-export writes it. docs/reference/formats.md,
section "k6".

The export has a metric's values without the object `values` around them, thresholds as true where they were *crossed*
(handleSummary has {"ok": true} where they were met), and no duration.
"""

from __future__ import annotations

import re

import msgspec

from exporter import decoding
from exporter.errors import SourceError
from exporter.formats import File, Format
from exporter.formats.k6.metrics import Metrics
from exporter.formats.tally.summaries import duration, infer_times, text
from exporter.model.loadrun import LoadRun

_OBJECT = re.compile(rb'"metrics":\s*\{')


def recognise(head: bytes) -> bool:
    """Keys come in any order, and handleSummary's author may leave out any of them."""
    if not head.lstrip().startswith(b"{") or b'"k6Version"' in head:
        return False
    return b'"root_group"' in head or (_OBJECT.search(head) is not None and b'"http_req' in head)


class _State(msgspec.Struct):
    testRunDurationMs: float  # noqa: N815


class _Ok(msgspec.Struct):
    ok: bool


class _Summary(msgspec.Struct):
    metrics: dict[str, dict[str, msgspec.Raw]]
    state: _State | None = None


def read(content: bytes, file: File) -> LoadRun:
    """The run; raises SourceError."""
    metrics = Metrics()
    try:
        summary = decoding.decode(text(content), _Summary)
        for name, metric in summary.metrics.items():
            _take(metrics, name, metric)
    except (msgspec.DecodeError, RecursionError) as error:
        raise SourceError("bad_data", f"is not a k6 summary: {error}") from None

    total = metrics.figures()
    if total is None or not total.requests:
        raise SourceError("bad_data", "metrics: has no requests, expected http_reqs with a count")

    start, end, warning = infer_times(file, _took(summary.state, metrics))
    return LoadRun(
        FORMAT.tool,
        FORMAT.name,
        start,
        end,
        total,
        metrics.endpoints(total),
        users=metrics.users,
        checks=metrics.checks,
        dated=False,
        warnings=(warning, *metrics.warnings),
    )


def _take(metrics: Metrics, name: str, metric: dict[str, msgspec.Raw]) -> None:
    """A metric of either form."""
    if "values" in metric:
        values = decoding.decode(metric["values"], dict[str, float | None])
        thresholds = decoding.decode(metric.get("thresholds", b"{}"), dict[str, _Ok])
        met = {source: threshold.ok for source, threshold in thresholds.items()}
    else:
        rest = {key: value for key, value in metric.items() if key != "thresholds"}
        values = {key: decoding.decode(value, float | None) for key, value in rest.items()}  # type: ignore[arg-type]
        crossed = decoding.decode(metric.get("thresholds", b"{}"), dict[str, bool])
        met = {source: not is_crossed for source, is_crossed in crossed.items()}

    metrics.values[name] = {key: value for key, value in values.items() if value is not None}
    for source, ok in met.items():
        metrics.checks[f"{name} {source}"] = ok


def _took(state: _State | None, metrics: Metrics) -> float:
    """Seconds; the export has them only as what a counter's rate was made with."""
    if state is not None:
        return duration(state.testRunDurationMs / 1000, "state: testRunDurationMs")

    for name in ("http_reqs", "iterations", "data_received"):
        values = metrics.values.get(name, {})
        if values.get("count", 0) > 0 and values.get("rate", 0) > 0:
            return duration(values["count"] / values["rate"], f"{name}: count / rate")

    metrics.warnings.append("has no duration")
    return 0.0


FORMAT = Format("k6-summary", "k6", recognise, read=read)
