"""What summaries tell, checked: a figure that no measurement can be is refused, with the place where it stands."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import msgspec

from exporter.errors import SourceError
from exporter.formats import File
from exporter.formats.tally.batch import LONGEST_LATENCY, LONGEST_RUN
from exporter.model.loadrun import LATENCY_FIGURES, QUANTILE_FIGURES, Latencies

_MOST = 2.0**60
_EARLIEST, _LATEST = 946684800.0, 4102444800.0
"""2000 and 2100, Unix seconds."""


def text(content: bytes) -> str:
    """A summary's text; raises SourceError where it is no UTF-8."""
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise SourceError("bad_data", f"is no UTF-8 at byte {error.start + 1}") from None


def count(value: float, what: str) -> int:
    """A whole number from 0 on; raises SourceError that begins with `what`."""
    if not (0 <= value <= _MOST and value == int(value)):
        raise SourceError("bad_data", f"{what} is {value:.12g}, wanted a whole number from 0 on")
    return int(value)


def size(value: float, what: str) -> float:
    """Bytes; raises SourceError."""
    if not 0 <= value <= _MOST:
        raise SourceError("bad_data", f"{what} is {value:.12g} bytes, wanted 0 or more")
    return value


def duration(value: float, what: str) -> float:
    """Seconds that a run took; raises SourceError."""
    if not 0 <= value <= LONGEST_RUN:
        raise SourceError("bad_data", f"{what} is {value:.12g} seconds, wanted 0 to {LONGEST_RUN:g}")
    return value


def moment(value: float, what: str) -> float:
    """Unix seconds; raises SourceError."""
    if not _EARLIEST <= value <= _LATEST:
        raise SourceError("bad_data", f"{what} is {value:.12g} Unix seconds, wanted a time from 2000 to 2100")
    return value


def latencies(seconds: Mapping[str, float | None], what: str) -> Latencies:
    """By the names of LATENCY_FIGURES; raises SourceError for what is no latency, or does not ascend."""
    told = {name: value for name in LATENCY_FIGURES if (value := seconds.get(name)) is not None}
    for name, value in told.items():
        if not 0 <= value <= LONGEST_LATENCY:
            text = f"{what}: {name} is {value:.12g} seconds, wanted 0 to {LONGEST_LATENCY:g}"
            raise SourceError("bad_data", text)
    ordered = [name for name in ("min", *QUANTILE_FIGURES, "max") if name in told]
    for lower, upper in itertools.pairwise(ordered):
        if told[lower] > told[upper] * (1 + 1e-9):
            text = f"{what}: {lower} is {told[lower]:.12g} seconds, more than {upper}, {told[upper]:.12g}"
            raise SourceError("bad_data", text)
    return msgspec.convert(told, Latencies)


def infer_times(file: File, took: float) -> tuple[float, float, str]:
    """Start and end (Unix seconds) of a run of so many seconds, by the file's own age; and what to tell of it."""
    text = "tells a duration and no times: its end was taken from when the file was last written"
    return file.modified - took, file.modified, text
