"""The report for people at a terminal: per application the verdict first, then what it rests on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from exporter.model.results import ApplicationResult, Coverage, Gap, Snapshot
from exporter.report import words

_BOLD, _PLAIN = "\x1b[1m", "\x1b[0m"
_COLOURS = {True: "\x1b[32m", False: "\x1b[31m", None: "\x1b[33m"}
_VERDICTS = {True: "holds", False: "does not hold", None: "no evidence"}
_NOTHING = "-"
_TOP = 5


def render(snapshot: Snapshot, *, colour: bool = False) -> bytes:
    """The snapshot as text, at most about 110 columns wide."""
    lines = [f"Does the certification still hold?   {words.moment(snapshot.at)}", ""]
    if not snapshot.applications:
        lines.append("No application was seen on either side: no evidence.")
    for name in sorted(snapshot.applications):
        lines += [*_application(snapshot.applications[name], colour), ""]
    for observation in (snapshot.production, snapshot.pte):
        if observation is not None:
            lines += [f"warning from {observation.side}: {warning}" for warning in observation.warnings]
    return "\n".join(lines).encode()


def _application(result: ApplicationResult, colour: bool) -> Iterator[str]:
    holds = result.certification.holds
    verdict = _VERDICTS[holds]
    if colour:
        yield f"{_BOLD}{result.application}{_PLAIN}: {_COLOURS[holds]}{verdict}{_PLAIN}"
    else:
        yield f"{result.application}: {verdict}"
    yield f"  {result.certification.sentence}"
    if any(gap.production is not None or gap.pte is not None for gap in result.gaps):
        yield from (f"  {line}" for line in _gaps(result.gaps))
    for title, text in _facts(result):
        yield f"  {title:<11}{text}"
    for gap in result.gaps:
        if gap.recommendation is not None and gap.severity in {"high", "critical"}:
            yield f"  {'to do':<11}{gap.recommendation}"


def _gaps(gaps: Sequence[Gap]) -> Iterator[str]:
    rows = [("signal", "production", "PTE", "gap", "severity", "verdict")]
    for gap in gaps:
        if gap.production is None and gap.pte is None:
            continue
        values = [_NOTHING if v is None else words.quantity(gap.signal, v) for v in (gap.production, gap.pte)]
        ratio = _NOTHING if gap.ratio is None else words.signed_percent(gap.ratio)
        verdict = gap.verdict.replace("_", " ")
        rows.append((words.label(gap.signal), values[0], values[1], ratio, gap.severity or _NOTHING, verdict))
    widths = [max(len(row[column]) for row in rows) for column in range(6)]
    for row in rows:
        numbers = (row[column].rjust(widths[column]) for column in (1, 2, 3))
        yield "  ".join([row[0].ljust(widths[0]), *numbers, row[4].ljust(widths[4]), row[5]])


def _facts(result: ApplicationResult) -> Iterator[tuple[str, str]]:
    if result.run is not None:
        window = result.run.window
        age = "" if result.run_age is None else f", {words.duration(result.run_age)} ago"
        length = words.duration(window.duration)
        yield "test run", f"{words.moment(window.start)} for {length}{age} ({result.run.origin})"
    yield from _lines("load", _load(result))
    yield from _lines("coverage", _coverage(result.coverage))
    yield from _lines("untested", _untested(result.coverage))
    yield from _lines("mix", _mix(result))
    efficacy = result.efficacy
    if efficacy.score is not None:
        parts = ", ".join(
            f"{part.replace('_', ' ')} {words.percent(score)} x {words.number(efficacy.weights.get(part, 0.0))}"
            for part, score in efficacy.parts.items()
        )
        yield "efficacy", f"{words.percent(efficacy.score)} {efficacy.rating}: {parts}"
    if result.capacity.ratio is not None:
        yield "capacity", f"the PTE uses {words.number(result.capacity.ratio)} times production's CPU per request"
    pattern = result.pattern
    if pattern is not None:
        volatility = "" if pattern.volatility is None else f", volatility {words.percent(pattern.volatility)}"
        hours = f"busiest hour {pattern.peak_hour:02d}, quietest {pattern.low_hour:02d}"
        yield "pattern", f"peak {words.rate(pattern.peak)} in 7 days, {hours}{volatility}, {len(pattern.spikes)} spikes"
    lines = [line for line in result.next_certification if not isinstance(line.objective, str)]
    if lines and result.production is not None:
        shown = (
            f"{words.label(line.metric)} {words.quantity(line.metric, float(line.objective))}{_met(line.met)}"
            for line in lines
        )
        yield "next test", ", ".join(shown)


def _lines(title: str, parts: Iterator[str]) -> Iterator[tuple[str, str]]:
    text = "; ".join(parts)
    if text:
        yield title, text


def _met(met: bool | None) -> str:
    return "" if met is None else " (met)" if met else " (not met)"


def _load(result: ApplicationResult) -> Iterator[str]:
    load = result.load
    if load.peak_ratio is not None:
        yield f"the test's peak was {words.percent(load.peak_ratio)} of production's"
    if load.peak_percentile is not None:
        yield f"it reached {words.percent(load.peak_percentile)} of production's minutes"
    if load.sustained_rate is not None and load.sustained_percentile is not None:
        yield f"sustained {words.rate(load.sustained_rate)}, above {words.percent(load.sustained_percentile)} of them"
    if load.above_p95_seconds is not None:
        yield f"{words.duration(load.above_p95_seconds)} at or above production's P95"


def _coverage(coverage: Coverage) -> Iterator[str]:
    if coverage.ratio is not None:
        count = f"{coverage.tested_endpoints} of {coverage.production_endpoints} endpoints"
        yield f"{count} ({words.percent(coverage.ratio)})"
    if coverage.weighted_ratio is not None:
        yield f"{words.percent(coverage.weighted_ratio)} of production's requests"
    if coverage.only_pte:
        yield f"{len(coverage.only_pte)} tested that production does not have"


def _untested(coverage: Coverage) -> Iterator[str]:
    for endpoint in coverage.untested[:_TOP]:
        share = "" if endpoint.production_share is None else f" {words.percent(endpoint.production_share)}"
        yield f"{endpoint.method} {endpoint.route}{share}"
    if len(coverage.untested) > _TOP:
        yield f"{len(coverage.untested) - _TOP} more"


def _mix(result: ApplicationResult) -> Iterator[str]:
    coverage, growth = result.coverage, result.growth
    if coverage.total_variation is not None:
        yield f"total variation {words.percent(coverage.total_variation)} between the sides"
    if growth.mix_moved is not None:
        yield f"production's own mix moved {words.percent(growth.mix_moved)} since the run"
    if growth.peak_ratio is not None:
        yield f"its peak is {words.percent(growth.peak_ratio)} of what it was before the run"
