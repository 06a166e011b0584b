"""A small client of the Prometheus HTTP API: typed answers, typed errors, nothing retried.

Non-finite values are dropped, as nobody measured them (0/0 is NaN, x/0 is Inf). Native histogram samples are counted,
told as a warning and left out: queries read them through histogram_* functions, whose answers are numbers.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
import numpy as np

from exporter.clients.http import Response, Session
from exporter.clients.truncation import is_cut_off
from exporter.errors import SourceError
from exporter.model.minutes import Range

MAX_POINTS = 11_000
"""Points per series that a server gives for one range query; Prometheus refuses more."""

OBSERVATION_SECONDS = 600.0
"""After this no further query is sent: a poll that takes longer has its place in a recording, or its source is ill."""

_ACCEPTED = (200, 400, 422)
"""Statuses whose body is the API's JSON: the answer, or what is wrong with the query."""

_SHOWN = 1000
"""Characters of a query, and of a server's words about it, that a message shows."""

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


class _Answer(msgspec.Struct):
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


class _Series(msgspec.Struct):
    metric: dict[str, str]
    values: list[tuple[float, str]] = []
    histograms: Any = None


def quote(value: str) -> str:
    """A string literal of PromQL with exactly this content; the one way values get into queries."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def series_name(labels: Mapping[str, str]) -> str:
    """A label set as PromQL writes it."""
    inner = ",".join(f"{name}={quote(value)}" for name, value in sorted(labels.items()) if name != "__name__")
    return f"{labels.get('__name__', '')}{{{inner}}}"


class Client:
    """Queries of one observation, sent within `seconds`: counts them, gathers warnings and notes the server's clock."""

    def __init__(self, session: Session, seconds: float = OBSERVATION_SECONDS, *, stats: bool = False) -> None:
        self._session = session
        self._stats = stats
        self._seconds = seconds
        self._end = time.monotonic() + seconds
        self.queries = 0
        self.clock_skew: float | None = None
        """The server's clock minus ours, in seconds, from the first answer."""
        self.warnings: list[str] = []
        self.warned = 0
        """How many answers came with a warning of the server: they may be incomplete."""
        self.samples_read: int | None = None
        """How many samples the server read for the last answer, where `stats` were asked for and it tells."""
        self.not_finite = 0
        """How many values of the last instant query were NaN or infinite."""

    def query(self, promql: str, at: float) -> list[Sample]:
        """An instant query at Unix time `at`, which must give a vector. Raises SourceError."""
        result = self._ask("/api/v1/query", {"query": promql, "time": _time(at)}, "vector")
        elements = self._decode(result, list[_Instant])
        self._unique([element.metric for element in elements])
        self._ignored(sum(element.histogram is not None for element in elements))
        found = [Sample(each.metric, self._number(each.value[1])) for each in elements if each.value is not None]
        finite = [sample for sample in found if math.isfinite(sample.value)]
        self.not_finite = len(found) - len(finite)
        return finite

    def query_range(self, promql: str, start: float, end: float, step: float) -> list[Range]:
        """A range query at start, start + step, ... end, in as many requests as 11,000 points each ask for."""
        parts: dict[tuple[tuple[str, str], ...], list[Range]] = {}
        for first, last in _chunks(start, end, step):
            for part in self._range(promql, first, last, step):
                parts.setdefault(tuple(sorted(part.labels.items())), []).append(part)
        return [_joined(part) for part in parts.values()]

    def _range(self, promql: str, start: float, end: float, step: float) -> Iterator[Range]:
        form = {"query": promql, "start": _time(start), "end": _time(end), "step": _time(step)}
        form["nocache"] = "1"  # keeps VictoriaMetrics from moving start and end; Prometheus does not know it
        series = self._decode(self._ask("/api/v1/query_range", form, "matrix"), list[_Series])
        self._unique([one.metric for one in series])
        self._ignored(sum(one.histograms is not None for one in series))
        for one in series:
            times = np.array([at for at, _ in one.values], dtype=np.float64)
            values = np.array([self._number(text) for _, text in one.values], dtype=np.float64)
            finite = np.isfinite(values)
            if finite.any():
                yield Range(one.metric, times[finite], values[finite])

    def _ask(self, path: str, form: Mapping[str, str], kind: str) -> msgspec.Raw:
        if time.monotonic() > self._end:
            text = f"the queries of one poll took more than {self._seconds:g} s: is it overloaded? record the signals"
            raise SourceError("timeout", text).at_server(self._session.place)
        if self._stats:
            form = {**form, "stats": "all"}
        self.queries += 1
        response = self._session.post(path, form, accept=_ACCEPTED)
        if self.clock_skew is None:
            self.clock_skew = response.clock_skew

        answer = self._answer(response)
        if answer.status != "success":
            text = _short(self._session.redact(f"{answer.errorType}: {answer.error}"))
            query = _short(self._session.redact(form["query"]))
            raise self._error("bad_query", f"refused a query: {text}; the query: {query}", status=response.status)

        self.warned += bool(answer.warnings)
        for warning in (*(answer.warnings or ()), *(answer.infos or ())):
            self._warn(self._session.redact(warning))
        data = answer.data
        if data is None:
            raise self._error("bad_data", f"gave nothing, wanted a {kind}: check the templates")
        if data.resultType != kind:
            result_type = self._session.redact(data.resultType)
            raise self._error("bad_data", f"gave a {result_type}, wanted a {kind}: check the templates")
        self.samples_read = _samples_read(data.stats)
        return data.result

    def _answer(self, response: Response) -> _Answer:
        if response.status != 200 and not response.body.lstrip().startswith(b"{"):
            text = f"answered {response.status}: check that url is a Prometheus API"
            raise self._error("http_error", text, status=response.status)
        return self._decode(response.body, _Answer)

    def _decode(self, body: bytes | msgspec.Raw, type_: type[T]) -> T:
        """Decode JSON; tells an answer that is no JSON, one that was cut off, and one of the wrong shape apart."""
        try:
            return msgspec.json.decode(body, type=type_)
        except msgspec.ValidationError as error:
            text = self._session.redact(str(error))
            raise self._error("bad_data", f"gave unexpected JSON ({text}): is url a Prometheus API?") from None
        except (msgspec.DecodeError, UnicodeDecodeError):
            content = bytes(body).lstrip()
            if content[:1] in (b"{", b"") and is_cut_off(content):
                text = "cut its JSON off: look at its log and at proxies between"
                raise self._error("truncated", text) from None
            text = "gave no JSON: check that url is a Prometheus API, not a login or start page"
            raise self._error("not_json", text) from None

    def _error(self, reason: str, text: str, *, status: int | None = None) -> SourceError:
        """An error whose text begins with who did what: the server, and a verb."""
        place = self._session.place
        return SourceError(reason, f"{place} {text}", location=place, status=status)

    def _number(self, text: str) -> float:
        try:
            return float(text)
        except ValueError:
            number = self._session.redact(text)
            raise self._error("bad_data", f"gave {number!r} where a number belongs") from None

    def _unique(self, metrics: Sequence[Mapping[str, str]]) -> None:
        keys = set[frozenset[tuple[str, str]]]()
        for metric in metrics:
            key = frozenset(metric.items())
            if key in keys:
                text = self._session.redact(series_name(metric))
                raise self._error("bad_data", f"gave a series twice: {text}")
            keys.add(key)

    def _ignored(self, histograms: int) -> None:
        if histograms:
            self._warn(f"{histograms} native histograms ignored where numbers belong: use latency_native for them")

    def _warn(self, text: str) -> None:
        if text not in self.warnings:
            self.warnings.append(text)


def _samples_read(stats: Any) -> int | None:
    """From the statistics of a query; their form is the server's own affair."""
    samples = stats.get("samples") if isinstance(stats, dict) else None
    total = samples.get("totalQueryableSamples") if isinstance(samples, dict) else None
    return total if isinstance(total, int) else None


def _short(text: str) -> str:
    """Both ends of a long text: a server that quotes a query of 16 KiB has its own words before or after it."""
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN // 2]} … {text[-_SHOWN // 2 :]}"


def _time(seconds: float) -> str:
    """Unix seconds or a step without exponent and without rounding to fewer than milliseconds."""
    return f"{seconds:.3f}"


def _chunks(start: float, end: float, step: float) -> Iterator[tuple[float, float]]:
    last = math.floor((end - start) / step)
    for first in range(0, last + 1, MAX_POINTS):
        yield start + first * step, start + min(first + MAX_POINTS - 1, last) * step


def _joined(parts: Sequence[Range]) -> Range:
    if len(parts) == 1:
        return parts[0]
    times = np.concatenate([part.times for part in parts])
    return Range(parts[0].labels, times, np.concatenate([part.values for part in parts]))
