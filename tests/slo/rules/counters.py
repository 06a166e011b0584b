"""Counters of events per minute, and the figures of objectives from them on a real server."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate

from exporter.model.slo import Slo
from tests.slo.rules.evaluation import BASE, Answers, Evaluation, rules

MIDNIGHT = 1760054400
"""2025-10-10T00:00:00Z, a Friday."""
SECOND = 23
"""Of the minute, in which groups are evaluated."""

Series = tuple[Mapping[str, str], list[tuple[float, float | None]]]


def counter(
    labels: Mapping[str, str], stretches: Sequence[tuple[float, float]], end: float = MIDNIGHT, first: float = 0
) -> Series:
    """A counter, scraped twice a minute until `end`: (minutes, events a minute), oldest first; from `first` on."""
    steps = [events / 2 for minutes, events in stretches for _ in range(round(minutes * 2))]
    totals = list(accumulate(steps, initial=first))
    return labels, [(end - 30 * (len(steps) - n), total) for n, total in enumerate(totals)]


def record(server: Evaluation, slo: Slo, minutes: float, end: float = MIDNIGHT) -> None:
    """Record the rates and their sums of the minutes before `end`."""
    server.over([rule for rule in rules(slo) if rule.name in BASE], end - minutes * 60 + SECOND - 60, end + SECOND - 60)


def evaluate(server: Evaluation, slo: Slo, end: float = MIDNIGHT) -> Answers:
    """All figures in the last minute before `end`."""
    return server.at(rules(slo), end + SECOND - 60)


def send(server: Evaluation, *series: Series) -> None:
    server.write(series)


def named(name: str, labels: Iterable[tuple[str, str]] = ()) -> dict[str, str]:
    return {"__name__": name, **dict(labels)}
