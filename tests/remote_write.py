"""As much of remote write (protobuf in snappy) as puts samples, with their own times, into a Prometheus."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import requests

CUSTOM_BUCKETS = -53
"""The schema of native histograms whose bounds are given; what classic ones are converted to."""

_STALE = struct.pack("<Q", 0x7FF0000000000002)
"""The NaN by which Prometheus marks that a series ends."""


@dataclass(frozen=True)
class Histogram:
    """A native histogram; `buckets` are counts by bucket index, bucket i of schema s ending at 2 ** (i / 2 ** s)."""

    time: float
    buckets: Mapping[int, int]
    sum: float
    schema: int
    bounds: Sequence[float] = ()
    """Upper bounds of buckets 0, 1, ... when the schema is CUSTOM_BUCKETS; one more bucket is beyond them."""


def _varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
    return out + bytes([value])


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _signed(field: int, value: int) -> bytes:
    return _number(field, value * 2 if value >= 0 else -value * 2 - 1)


def _double(field: int, value: float) -> bytes:
    return _varint(field << 3 | 1) + struct.pack("<d", value)


def _message(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _histogram(histogram: Histogram) -> bytes:
    indices = range(min(histogram.buckets), max(histogram.buckets) + 1)
    counts = [histogram.buckets.get(index, 0) for index in indices]
    deltas = (count - before for count, before in zip(counts, [0, *counts], strict=False))
    fields = [
        _number(1, sum(counts)),
        _double(3, histogram.sum),
        _signed(4, histogram.schema),
        _number(6, 0),
        _message(11, _signed(1, indices[0]) + _number(2, len(counts))),
        *(_signed(12, delta) for delta in deltas),
        _number(15, round(histogram.time * 1000)),
        *(_double(16, bound) for bound in histogram.bounds),
    ]
    return b"".join(fields)


def _series(labels: Mapping[str, str], values: Iterable[bytes]) -> bytes:
    named = (_message(1, name.encode()) + _message(2, value.encode()) for name, value in sorted(labels.items()))
    return b"".join([*(_message(1, label) for label in named), *values])


def _sample(time: float, value: float | None) -> bytes:
    number = _STALE if value is None else struct.pack("<d", value)
    return _message(2, _varint(1 << 3 | 1) + number + _number(2, round(time * 1000)))


def _snappy(data: bytes) -> bytes:
    """Snappy's framing around bytes left as they are."""
    out = _varint(len(data))
    for start in range(0, len(data), 1 << 16):
        part = data[start : start + (1 << 16)]
        out += bytes([61 << 2]) + struct.pack("<H", len(part) - 1) + part
    return out


def write(url: str, series: Iterable[tuple[Mapping[str, str], Iterable[Histogram]]]) -> None:
    """Send series of histograms to a server that was started with its remote write receiver."""
    _send(url, [_series(labels, (_message(4, _histogram(value)) for value in values)) for labels, values in series])


def write_samples(url: str, series: Iterable[tuple[Mapping[str, str], Iterable[tuple[float, float | None]]]]) -> None:
    """Send series of (Unix seconds, value), in the order of time; None marks that the series ends there."""
    _send(url, [_series(labels, (_sample(*sample) for sample in values)) for labels, values in series])


def _send(url: str, series: Iterable[bytes]) -> None:
    body = _snappy(b"".join(_message(1, message) for message in series))
    headers = {"Content-Encoding": "snappy", "Content-Type": "application/x-protobuf"}
    answer = requests.post(f"{url}/api/v1/write", data=body, headers=headers, timeout=30)
    assert answer.status_code == 204, answer.text
