"""k6's machine-readable summary: --new-machine-readable-summary, of k6 1.5 and later. docs/reference/formats.md,
section "k6".

A rate has `matches` of `total`: what http_req_failed matches are failures. It has no thresholds.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated

import msgspec

from exporter import decoding
from exporter.errors import SourceError
from exporter.formats import File, Format
from exporter.formats.k6.metrics import Metrics, Values
from exporter.formats.tally.summaries import duration, moment, text
from exporter.model.loadrun import LoadRun

_LIST = re.compile(rb'"results":\s*\{.*"metrics":\s*\[', re.DOTALL)


def recognise(head: bytes) -> bool:
    """Keys come in any order; metrics are a list here, and an object in k6's other summaries."""
    if not head.lstrip().startswith(b"{"):
        return False
    return b'"k6Version"' in head or (_LIST.search(head) is not None and b'"http_req' in head)


class _Metadata(msgspec.Struct):
    generatedAt: Annotated[datetime, msgspec.Meta(tz=True)]  # noqa: N815


class _Config(msgspec.Struct):
    duration: float


class _Metric(msgspec.Struct):
    name: str
    values: dict[str, float | None]


class _Results(msgspec.Struct):
    metrics: list[_Metric]
    passed: bool | None = None


class _Summary(msgspec.Struct):
    metadata: _Metadata
    config: _Config
    results: _Results


def read(content: bytes, file: File) -> LoadRun:
    """The run; raises SourceError."""
    try:
        summary = decoding.decode(text(content), _Summary)
    except (msgspec.DecodeError, RecursionError) as error:
        raise SourceError("bad_data", f"is not a machine-readable k6 summary: {error}") from None

    metrics = Metrics({metric.name: _values(metric) for metric in summary.results.metrics})
    total = metrics.figures()
    if total is None or not total.requests:
        raise SourceError("bad_data", "results.metrics: has no requests, expected http_reqs with a count")

    end = moment(summary.metadata.generatedAt.timestamp(), "metadata.generatedAt")
    start = end - duration(summary.config.duration, "config.duration")
    checks: dict[str, bool] = {}
    if summary.results.passed is not None:
        checks["all thresholds"] = summary.results.passed
    return LoadRun(
        FORMAT.tool,
        FORMAT.name,
        start,
        end,
        total,
        metrics.endpoints(total),
        users=metrics.users,
        checks=checks,
        warnings=("has no times of requests: the end is the time when the summary was written",),
    )


def _values(metric: _Metric) -> Values:
    """As k6's other summaries have them: `passes` is how often a rate was true."""
    pairs = metric.values.items()
    values = {key: value for key, value in pairs if value is not None and key not in ("passes", "fails")}
    if "matches" in values:
        values["passes"] = values["matches"]
        if "total" in values:
            values["fails"] = values["total"] - values["matches"]
    return values


FORMAT = Format("k6-machine-summary", "k6", recognise, read=read)
