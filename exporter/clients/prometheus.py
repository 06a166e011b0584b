"""A small client of the Prometheus HTTP API: typed results, typed errors, no retries.

Non-finite values are dropped because they are not measurements (0/0 is NaN, x/0 is Inf). Native histogram samples are
dropped with a warning that counts them: queries read them through histogram_* functions, which return numbers.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
import numpy as np

from exporter import decoding
from exporter.clients.http import HttpResponse, Session
from exporter.clients.truncation import is_cut_off
from exporter.errors import SourceError
from exporter.model.minutes import Range

MAX_POINTS = 11_000
"""Points per series in one range query; Prometheus refuses more."""

OBSERVATION_SECONDS = 600.0
"""After this no further query is sent: a poll that takes longer needs recording rules, or its server is overloaded."""

_ACCEPTED = (200, 400, 422)
"""Statuses with the API's JSON as body: the result, or the error in the query."""

_LONGEST_TEXT = 1000
"""Characters of a query, and of the server's error text, that a message shows."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Sample:
    """One element of an instant vector."""

    labels: Mapping[str, str]
    value: float


class _Data(msgspec.Struct):
    resultType: str  # noqa: N815 the API's own word
    result: msgspec.Raw
    stats: Any = None


class _Payload(msgspec.Struct):
    status: str
    data: _Data | None = None
    errorType: str = ""  # noqa: N815
    error: str = ""
    warnings: tuple[str, ...] | None = None
    infos: tuple[str, ...] | None = None


class _Instant(msgspec.Struct):
    metric: dict[str, str]
    value: tuple[float, str] | None = None
    histogram: Any = None


class _Labels(msgspec.Struct):
    status: str
    data: list[str] = []


class _Series(msgspec.Struct):
    metric: dict[str, str]
    values: list[tuple[float, str]] = []
    histograms: Any = None


def quote(value: str) -> str:
    """A string literal of PromQL with exactly this content; the only way that values get into queries."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def series_name(labels: Mapping[str, str]) -> str:
    """A label set in PromQL's notation."""
    inner = ",".join(f"{name}={quote(value)}" for name, value in sorted(labels.items()) if name != "__name__")
    return f"{labels.get('__name__', '')}{{{inner}}}"


class PrometheusClient:
    """Sends the queries of one observation within `seconds`; counts them, collects warnings and the clock skew.

    Also sends the other requests of a check-up: to the index, and for the server's status.
    """

    def __init__(self, session: Session, seconds: float = OBSERVATION_SECONDS, *, stats: bool = False) -> None:
        self._session = session
        self._stats = stats
        self._seconds = seconds
        self._end = time.monotonic() + seconds

        self.queries = 0
        self.lookups = 0
        """Requests that are not queries: to the index, and for the server's status."""
        self.clock_skew: float | None = None
        """The server's clock minus ours, in seconds, from the first response."""
        self.warnings: list[str] = []
        self.warned = 0
        """How many results came with a warning of the server: they may be incomplete."""
        self.samples_read: int | None = None
        """How many samples the server read for the last result, where `stats` was set and the server reports it."""
        self.not_finite = 0
        """How many values of the last instant query were NaN or infinite."""

    def query(self, promql: str, at: float) -> list[Sample]:
        """An instant query at Unix time `at` that returns a vector. Raises SourceError."""
        result = self._request("/api/v1/query", {"query": promql, "time": _time(at)}, "vector")
        elements = self._decode(result, list[_Instant])
        self._unique([element.metric for element in elements])
        self._ignored(sum(element.histogram is not None for element in elements))

        samples = []
        self.not_finite = 0
        for element in elements:
            if element.value is None:
                continue
            value = self._number(element.value[1])
            if math.isfinite(value):
                samples.append(Sample(element.metric, value))
            else:
                self.not_finite += 1
        return samples

    def query_range(self, promql: str, start: float, end: float, step: float) -> list[Range]:
        """A range query at start, start + step, ... end, split into requests of at most 11,000 points."""
        parts: dict[tuple[tuple[str, str], ...], list[Range]] = {}
        for first, last in _chunks(start, end, step):
            for part in self._range(promql, first, last, step):
                key = tuple(sorted(part.labels.items()))
                parts.setdefault(key, []).append(part)
        return [_joined(part) for part in parts.values()]

    def _range(self, promql: str, start: float, end: float, step: float) -> Iterator[Range]:
        form = {"query": promql, "start": _time(start), "end": _time(end), "step": _time(step)}
        # Keeps VictoriaMetrics from moving start and end; Prometheus ignores it.
        form["nocache"] = "1"
        matrix = self._decode(self._request("/api/v1/query_range", form, "matrix"), list[_Series])
        self._unique([series.metric for series in matrix])
        self._ignored(sum(series.histograms is not None for series in matrix))

        for series in matrix:
            times = np.array([at for at, _ in series.values], dtype=np.float64)
            values = np.array([self._number(text) for _, text in series.values], dtype=np.float64)
            finite = np.isfinite(values)
            if finite.any():
                yield Range(series.metric, times[finite], values[finite])

    def labels(self, match: str, start: float, end: float) -> frozenset[str] | None:
        """Label names of the series that match and have samples in that time; None: the response has no list of names.

        Reads the index and no samples. Raises SourceError.
        """
        form = {"match[]": match, "start": f"{start:.0f}", "end": f"{end:.0f}"}
        self.lookups += 1
        response = self._session.post("/api/v1/labels", form)
        try:
            return frozenset(decoding.decode(response.body, _Labels).data)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None

    def status(self, name: str) -> Mapping[str, object] | None:
        """The data of /api/v1/status/NAME; None: the response is not of this API. Raises SourceError."""
        self.lookups += 1
        response = self._session.get(f"/api/v1/status/{name}")

        try:
            payload = msgspec.json.decode(response.body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None
        data = payload.get("data") if isinstance(payload, dict) else None
        return data if isinstance(data, dict) else None

    def _request(self, path: str, form: Mapping[str, str], kind: str) -> msgspec.Raw:
        if time.monotonic() > self._end:
            text = f"the queries of one poll took more than {self._seconds:g} s"
            text = f"{text}: is the server overloaded? record the signals"
            raise SourceError("timeout", text).at_server(self._session.address)
        if self._stats:
            form = {**form, "stats": "all"}
        self.queries += 1
        response = self._session.post(path, form, accept=_ACCEPTED)
        if self.clock_skew is None:
            self.clock_skew = response.clock_skew

        payload = self._payload(response)
        if payload.status != "success":
            text = _short(self._session.redact(f"{payload.errorType}: {payload.error}"))
            query = _short(self._session.redact(form["query"]))
            raise self._error("bad_query", f"refused a query: {text}; the query: {query}", status=response.status)

        # Notes (infos) are for authors of queries; a warning may mean that a part of the data is missing.
        self.warned += bool(payload.warnings)
        for warning in (*(payload.warnings or ()), *(payload.infos or ())):
            self._warn(self._session.redact(warning))
        data = payload.data
        if data is None:
            raise self._error("bad_data", f"returned no data, expected a {kind}: check the templates")
        if data.resultType != kind:
            result_type = self._session.redact(data.resultType)
            raise self._error("bad_data", f"returned a {result_type}, expected a {kind}: check the templates")
        self.samples_read = _samples_read(data.stats)
        return data.result

    def _payload(self, response: HttpResponse) -> _Payload:
        if response.status != 200 and not response.body.lstrip().startswith(b"{"):
            text = f"responded with status {response.status}: check that url is a Prometheus API"
            raise self._error("http_error", text, status=response.status)
        return self._decode(response.body, _Payload)

    def _decode(self, body: bytes | msgspec.Raw, type_: type[T]) -> T:
        """Decode JSON; distinguishes a body that is not JSON, one that was cut off, and one of the wrong shape."""
        try:
            return decoding.decode(body, type_)
        except msgspec.ValidationError as error:
            text = self._session.redact(str(error))
            raise self._error("bad_data", f"returned unexpected JSON ({text}): is url a Prometheus API?") from None
        except (msgspec.DecodeError, UnicodeDecodeError):
            # A body that begins like an object was cut off; anything else is another server's page.
            content = bytes(body).lstrip()
            if content[:1] in (b"{", b"") and is_cut_off(content):
                text = "sent incomplete JSON: check its log and proxies on the way"
                raise self._error("truncated", text) from None
            text = "returned no JSON: check that url is a Prometheus API, not a login or start page"
            raise self._error("not_json", text) from None

    def _error(self, reason: str, text: str, *, status: int | None = None) -> SourceError:
        """An error; its text begins with the server, and `text` with a verb."""
        address = self._session.address
        return SourceError(reason, f"{address} {text}", location=address, status=status)

    def _number(self, text: str) -> float:
        try:
            return float(text)
        except ValueError:
            number = self._session.redact(text)
            raise self._error("bad_data", f"returned {number!r}, expected a number") from None

    def _unique(self, metrics: Sequence[Mapping[str, str]]) -> None:
        keys = set[frozenset[tuple[str, str]]]()
        for metric in metrics:
            key = frozenset(metric.items())
            if key in keys:
                text = self._session.redact(series_name(metric))
                raise self._error("bad_data", f"returned a duplicate series: {text}")
            keys.add(key)

    def _ignored(self, histograms: int) -> None:
        if histograms:
            self._warn(f"{histograms} native histograms ignored, expected numbers: use latency_native for them")

    def _warn(self, text: str) -> None:
        if text not in self.warnings:
            self.warnings.append(text)


def _samples_read(stats: Any) -> int | None:
    """From the statistics of a query; each server has its own form of them."""
    samples = stats.get("samples") if isinstance(stats, dict) else None
    total = samples.get("totalQueryableSamples") if isinstance(samples, dict) else None
    return total if isinstance(total, int) else None


def _short(text: str) -> str:
    """Both ends of a long text: a server that quotes a query of 16 KiB puts its error before or after it."""
    if len(text) <= _LONGEST_TEXT:
        return text
    half = _LONGEST_TEXT // 2
    return f"{text[:half]} … {text[-half:]}"


def _time(seconds: float) -> str:
    """Unix seconds or a step with milliseconds, without an exponent."""
    return f"{seconds:.3f}"


def _chunks(start: float, end: float, step: float) -> Iterator[tuple[float, float]]:
    last = math.floor((end - start) / step)
    for first in range(0, last + 1, MAX_POINTS):
        yield start + first * step, start + min(first + MAX_POINTS - 1, last) * step


def _joined(parts: Sequence[Range]) -> Range:
    if len(parts) == 1:
        return parts[0]
    times = np.concatenate([part.times for part in parts])
    values = np.concatenate([part.values for part in parts])
    return Range(parts[0].labels, times, values)
