"""The report for people at a terminal: per application the verdict, then the facts behind it."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence

from exporter import humanize
from exporter.model.results import AT_LEAST, ApplicationResult, Criterion, Gap, Snapshot
from exporter.report.facts import count_verdicts, facts
from exporter.report.table import columns

WIDTH = 80
"""Columns; only a longer name passes it."""

_BOLD = "\x1b[1m"
_PLAIN = "\x1b[0m"
_COLOURS = {True: "\x1b[32m", False: "\x1b[31m", None: "\x1b[33m"}

_VERDICTS = {True: "holds", False: "does not hold", None: "no evidence"}
_MET = {True: "met", False: "not met", None: "not observed"}
_NOTHING = "-"

_TITLE = 13
"""Columns of a fact's title, with the margin."""

_TIED = "\u00a0"
_UNIT = re.compile(r"(?<=\d) (?=%|req/s|m?s\b|[kMG]?B/s|users|(?:day|hour|minute|second)s?\b)")
"""The space between a number and its unit, where no line may break."""


def render(snapshot: Snapshot, *, colour: bool = False) -> bytes:
    """The snapshot as text, WIDTH columns wide; with escape codes only if `colour` is true."""
    lines = [f"Does the certification still hold?   {humanize.format_time(snapshot.at)}", ""]
    if not snapshot.applications:
        lines.append("No application was observed in production or the PTE: no evidence.")
    else:
        lines += [f"{count_verdicts(list(snapshot.applications.values()))}.", ""]
    for name in sorted(snapshot.applications):
        lines += [*_application(snapshot.applications[name], colour), ""]

    for observation in (snapshot.production, snapshot.pte):
        if observation is not None:
            for warning in observation.warnings:
                lines += _wrapped(f"warning from {observation.side}: {warning}", "")
    return ("\n".join(lines).rstrip("\n") + "\n").encode()


def _application(result: ApplicationResult, colour: bool) -> Iterator[str]:
    """The verdict first, then the facts behind it, then the actions."""
    yield _verdict(result, colour)
    yield from _wrapped(result.certification.sentence, "  ")

    gaps = [gap for gap in result.gaps if gap.production is not None or gap.pte is not None]
    if gaps:
        yield ""
        yield from _gaps(gaps)
        yield ""
    for title, text in facts(result):
        yield from _wrapped(text, f"  {title}".ljust(_TITLE))

    criteria = list(_criteria(result.next_certification))
    if criteria:
        yield ""
        yield "  for the next test"
        yield from (f"    {line}" for line in columns(criteria, left_aligned=(0, 1, 3)))

    urgent = [gap.recommendation for gap in gaps if gap.recommendation and gap.severity in {"high", "critical"}]
    if urgent:
        yield ""
        yield "  to do"
    for recommendation in urgent:
        yield from _wrapped(recommendation, "    - ")


def _verdict(result: ApplicationResult, colour: bool) -> str:
    holds = result.certification.holds
    verdict = _VERDICTS[holds]
    if not colour:
        return f"{result.application}: {verdict}"
    return f"{_BOLD}{result.application}{_PLAIN}: {_COLOURS[holds]}{verdict}{_PLAIN}"


def _gaps(gaps: Sequence[Gap]) -> Iterator[str]:
    rows = [("signal", "production", "PTE", "gap", "severity", "the PTE is"), *map(_gap, gaps)]
    return (f"  {line}" for line in columns(rows, left_aligned=(0, 4, 5)))


def _gap(gap: Gap) -> tuple[str, ...]:
    return (
        humanize.label(gap.signal),
        _quantity(gap.signal, gap.production),
        _quantity(gap.signal, gap.pte),
        _NOTHING if gap.ratio is None else humanize.signed_percent(gap.ratio),
        gap.severity or _NOTHING,
        gap.verdict.replace("_", " "),
    )


def _quantity(signal: str, value: float | None) -> str:
    if value is None:
        return _NOTHING
    return humanize.quantity(signal, value)


def _criteria(criteria: Sequence[Criterion]) -> Iterator[tuple[str, ...]]:
    """The objectives of the next test that are numbers."""
    for criterion in criteria:
        if isinstance(criterion.objective, str):
            continue
        limit = "at least" if criterion.metric in AT_LEAST else "at most"
        objective = humanize.quantity(criterion.metric, criterion.objective)
        met = "assumed" if criterion.assumption else _MET[criterion.met]
        yield humanize.label(criterion.metric), limit, objective, met


def _wrapped(text: str, first: str) -> Iterator[str]:
    """The text in lines, the first after `first`, the others indented by as much; a number keeps its unit."""
    shape = textwrap.TextWrapper(WIDTH, first, " " * len(first), break_long_words=False, break_on_hyphens=False)
    for line in shape.wrap(_UNIT.sub(_TIED, text)):
        yield line.replace(_TIED, " ")
