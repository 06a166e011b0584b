"""A published series: its name, labels, unit and help, and how its values are read from a snapshot."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from exporter.model.results import ApplicationResult, Snapshot

Row = tuple[tuple[str, ...], float]
Rows = Iterable[Row]
"""Label values, in the order of Series.labels, and the value. A reader leaves out rows without evidence."""

UNITS = ("seconds", "bytes", "ratio", "bits", "bytes_per_second", "requests_per_second")
_NAME = re.compile(r"pte_[a-z0-9]+(_[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Series:
    """One published gauge."""

    name: str
    help: str
    labels: tuple[str, ...]
    read: Callable[[Snapshot], Rows]
    is_input: bool = False
    """Whether other series are computed from it or judged by it: published and documented, on boards where it helps."""

    def __post_init__(self) -> None:
        assert _NAME.fullmatch(self.name), self.name
        assert self.help.endswith("."), f"{self.name}: the help is a sentence"

    @property
    def unit(self) -> str:
        """The base unit that the name ends in, for OpenMetrics; empty when it has none."""
        return max((u for u in UNITS if self.name.endswith(f"_{u}")), key=len, default="")

    def as_input(self) -> Series:
        """The same series, marked as an input: a numerator or denominator, a weight, a limit, a number of samples."""
        return replace(self, is_input=True)


Values = Iterable[tuple[tuple[str, ...], float | None]]
"""Values of the labels after `application`, and the value; None has no evidence and is left out."""

ApplicationReader = Callable[[ApplicationResult], Values]


def per_application(name: str, help: str, labels: Sequence[str], read: ApplicationReader) -> Series:
    """A series with the label `application` first; `read` gives the other labels' values, None meaning no evidence."""

    def rows(snapshot: Snapshot) -> Iterator[Row]:
        for application, result in snapshot.applications.items():
            for values, value in read(result):
                if value is not None:
                    yield (application, *values), value

    return Series(name, help, ("application", *labels), rows)


def scalar(name: str, help: str, read: Callable[[ApplicationResult], float | bool | None]) -> Series:
    """A series with one value per application."""
    return per_application(name, help, (), lambda result: [((), read(result))])


def evidence(name: str, help: str, read: Callable[[ApplicationResult], object]) -> Series:
    """A 0/1 series: 1 when `read` gives something, 0 when it gives None."""
    return scalar(name, help, lambda result: float(read(result) is not None))
