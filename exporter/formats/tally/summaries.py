"""Figures of summaries, checked: an impossible measurement is refused, with its location."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from exporter import decoding
from exporter.errors import SourceError
from exporter.formats import File
from exporter.formats.tally.limits import EARLIEST, LATEST, LONGEST_LATENCY, LONGEST_RUN, MOST
from exporter.model.loadrun import LATENCY_FIGURES, QUANTILE_FIGURES, Latencies


def text(content: bytes) -> str:
    """A summary's text; raises SourceError where it is not UTF-8."""
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise SourceError("bad_data", f"is not UTF-8 at byte {error.start + 1}") from None


def count(value: float, what: str) -> int:
    """A whole number from 0 on; raises SourceError that begins with `what`."""
    if not (0 <= value <= MOST and value == int(value)):
        raise SourceError("bad_data", f"{what} is {value:.12g}, expected a whole number from 0 on")
    return int(value)


def size(value: float, what: str) -> float:
    """Bytes; raises SourceError."""
    if not 0 <= value <= MOST:
        raise SourceError("bad_data", f"{what} is {value:.12g} bytes, expected 0 or more")
    return value


def duration(value: float, what: str) -> float:
    """Seconds that a run took; raises SourceError."""
    if not 0 <= value <= LONGEST_RUN:
        raise SourceError("bad_data", f"{what} is {value:.12g} seconds, expected 0 to {LONGEST_RUN:g}")
    return value


def moment(value: float, what: str) -> float:
    """Unix seconds; raises SourceError."""
    if not EARLIEST <= value <= LATEST:
        raise SourceError("bad_data", f"{what} is {value:.12g} Unix seconds, expected a time from 2000 to 2100")
    return value


def latencies(seconds: Mapping[str, float | None], what: str) -> Latencies:
    """By the names of LATENCY_FIGURES; raises SourceError for an impossible latency, or where they do not ascend."""
    figures: dict[str, float] = {}
    for name in LATENCY_FIGURES:
        value = seconds.get(name)
        if value is None:
            continue
        if not 0 <= value <= LONGEST_LATENCY:
            text = f"{what}: {name} is {value:.12g} seconds, expected 0 to {LONGEST_LATENCY:g}"
            raise SourceError("bad_data", text)
        figures[name] = value

    ascending = [name for name in ("min", *QUANTILE_FIGURES, "max") if name in figures]
    for lower, upper in itertools.pairwise(ascending):
        # Tools compute percentiles in floats, of which the last digit may differ.
        if figures[lower] > figures[upper] * (1 + 1e-9):
            text = f"{what}: {lower} is {figures[lower]:.12g} seconds, more than {upper}, {figures[upper]:.12g}"
            raise SourceError("bad_data", text)

    return decoding.convert(figures, Latencies)


def infer_times(file: File, took: float) -> tuple[float, float, str]:
    """Start and end (Unix seconds) of a run of so many seconds, by the file's own age; and a warning about it."""
    warning = "has a duration but no times: the end is the time when the file was last written"
    return file.modified - took, file.modified, warning
