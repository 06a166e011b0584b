"""The report for people at a terminal: per application the verdict first, then what it rests on."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence

from exporter import humanize
from exporter.model.results import AT_LEAST, ApplicationResult, Criterion, Gap, Snapshot
from exporter.report.facts import facts
from exporter.report.table import columns

WIDTH = 110
"""Columns; only a name that is longer by itself passes it."""

_BOLD, _PLAIN = "\x1b[1m", "\x1b[0m"
_COLOURS = {True: "\x1b[32m", False: "\x1b[31m", None: "\x1b[33m"}
_VERDICTS = {True: "holds", False: "does not hold", None: "no evidence"}
_MET = {True: "met", False: "not met", None: "not observed"}
_NOTHING = "-"
_TITLE = 13
"""Columns of what stands left of the facts, with the margin."""

_TIED = "\u00a0"
_UNIT = re.compile(r"(?<=\d) (?=%|req/s|m?s\b|[kMG]?B/s|users)")


def render(snapshot: Snapshot, *, colour: bool = False) -> bytes:
    """The snapshot as text, WIDTH columns wide; escape codes only where `colour` asks for them."""
    lines = [f"Does the certification still hold?   {humanize.moment(snapshot.at)}", ""]
    if not snapshot.applications:
        lines.append("No application was seen on either side: no evidence.")
    for name in sorted(snapshot.applications):
        lines += [*_application(snapshot.applications[name], colour), ""]
    for observation in (snapshot.production, snapshot.pte):
        if observation is not None:
            for warning in observation.warnings:
                lines += _wrapped(f"warning from {observation.side}: {warning}", "")
    return ("\n".join(lines).rstrip("\n") + "\n").encode()


def _application(result: ApplicationResult, colour: bool) -> Iterator[str]:
    holds = result.certification.holds
    verdict = _VERDICTS[holds]
    if colour:
        yield f"{_BOLD}{result.application}{_PLAIN}: {_COLOURS[holds]}{verdict}{_PLAIN}"
    else:
        yield f"{result.application}: {verdict}"
    yield from _wrapped(result.certification.sentence, "  ")
    seen = [gap for gap in result.gaps if gap.production is not None or gap.pte is not None]
    if seen:
        yield from ("", *_gaps(seen), "")
    for title, text in facts(result):
        yield from _titled(title, text)
    wanted = [line for line in result.next_certification if not isinstance(line.objective, str)]
    if wanted:
        yield from ("", "  for the next test", *_next(wanted))
    urgent = [gap.recommendation for gap in seen if gap.recommendation and gap.severity in {"high", "critical"}]
    if urgent:
        yield from ("", "  to do")
    for text in urgent:
        yield from _wrapped(text, "    - ")


def _gaps(gaps: Sequence[Gap]) -> Iterator[str]:
    rows = [("signal", "production", "PTE", "gap", "severity", "the PTE is")]
    for gap in gaps:
        values = [_NOTHING if v is None else humanize.quantity(gap.signal, v) for v in (gap.production, gap.pte)]
        ratio = _NOTHING if gap.ratio is None else humanize.signed_percent(gap.ratio)
        verdict = gap.verdict.replace("_", " ")
        rows.append((humanize.label(gap.signal), values[0], values[1], ratio, gap.severity or _NOTHING, verdict))
    return (f"  {line}" for line in columns(rows, left=(0, 4, 5)))


def _next(wanted: Sequence[Criterion]) -> Iterator[str]:
    rows = []
    for line in wanted:
        assert not isinstance(line.objective, str)
        limit = "at least" if line.metric in AT_LEAST else "at most"
        met = "assumed" if line.assumption else _MET[line.met]
        rows.append((humanize.label(line.metric), limit, humanize.quantity(line.metric, line.objective), met))
    return (f"    {line}" for line in columns(rows, left=(0, 1, 3)))


def _titled(title: str, text: str) -> Iterator[str]:
    """A fact, its lines under each other right of its title."""
    return _wrapped(text, f"  {title}".ljust(_TITLE))


def _wrapped(text: str, first: str) -> Iterator[str]:
    """The text in lines, the first after `first`, the others indented as far; a number keeps its unit."""
    shape = textwrap.TextWrapper(WIDTH, first, " " * len(first), break_long_words=False, break_on_hyphens=False)
    return (line.replace(_TIED, " ") for line in shape.wrap(_UNIT.sub(_TIED, text)))
