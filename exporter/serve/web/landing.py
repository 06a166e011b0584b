"""The landing page: the verdict of each application in words and numbers, and whether the numbers can be believed.

Plain HTML from what was polled; no script, nothing loaded from elsewhere, every text escaped.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from string import Template

from exporter import __version__, humanize
from exporter.analysis.arithmetic import coarse
from exporter.model.observation import ApplicationObservation
from exporter.model.results import ApplicationResult, Snapshot
from exporter.report.facts import describe_incident, incident_rank
from exporter.serve.service import Status

_HERE = Path(__file__).parent
_PAGE = Template((_HERE / "landing.html").read_text(encoding="utf-8"))
_STYLE = (_HERE / "landing_style.html").read_text(encoding="utf-8")
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

POLICY = f"default-src 'none'; img-src data:; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'"
"""Content-Security-Policy of every page: our own style and nothing else."""

_VERDICTS = {
    True: ("holds", "✓ holds"),
    False: ("fails", "✗ does not hold"),
    None: ("unknown", "? no evidence"),
}

_NONE = "no evidence"


def render(snapshot: Snapshot | None, statuses: Sequence[Status], now: float) -> bytes:
    """The page at `now` (Unix seconds); without a snapshot it says what it waits for."""
    results = sorted(snapshot.applications.values(), key=_order) if snapshot is not None else []
    page = _PAGE.substitute(
        title=escape(_title(results)),
        summary=escape(f"{_summary(snapshot, results)}{_failing(statuses)}"),
        applications="\n".join(_application(result, snapshot) for result in results if snapshot is not None),
        sources="\n".join(_source(status, now) for status in statuses),
        style=_STYLE,
        version=escape(__version__),
    )
    return page.encode()


def _order(result: ApplicationResult) -> tuple[int, str]:
    """What does not hold first, what cannot be told next."""
    return {False: 0, None: 1, True: 2}[result.certification.holds], result.application


def _title(results: Sequence[ApplicationResult]) -> str:
    failing = sum(result.certification.holds is False for result in results)
    return f"{failing} do not hold – pte-exporter" if failing else "pte-exporter"


def _summary(snapshot: Snapshot | None, results: Sequence[ApplicationResult]) -> str:
    if snapshot is None:
        return "Nothing is known yet: every source has to be tried once."
    if not results:
        return f"No application was seen on either side. As of {humanize.format_time(snapshot.at)}."
    counts = [sum(result.certification.holds is holds for result in results) for holds in (True, False, None)]
    told = f"{counts[0]} of {len(results)} hold, {counts[1]} do not, {counts[2]} without evidence."
    return f"{told} As of {humanize.format_time(snapshot.at)}."


def _failing(statuses: Sequence[Status]) -> str:
    names = ", ".join(status.environment.name for status in statuses if status.up is False)
    return f" Failing source: {names}, see below." if names else ""


def _application(result: ApplicationResult, snapshot: Snapshot) -> str:
    style, verdict = _VERDICTS[result.certification.holds]
    facts = "".join(
        f"<div><dt>{escape(name)}</dt><dd><strong>{escape(value)}</strong> <small>{escape(note)}</small></dd></div>"
        for name, value, note in _facts(result, snapshot)
    )
    head = f'<h2>{escape(result.application)}</h2><span class="verdict">{verdict}</span>'
    sentence = escape(result.certification.sentence)
    return f'<section class="{style}"><div class="head">{head}</div><p>{sentence}</p><dl>{facts}</dl></section>'


def _facts(result: ApplicationResult, snapshot: Snapshot) -> Iterator[tuple[str, str, str]]:
    """(what, value, beside it) of the numbers that matter most."""
    limits = snapshot.settings.certification
    load, coverage, efficacy = result.load.peak_ratio, result.coverage.weighted_ratio, result.efficacy.score
    yield "Load reached", _percent(load), _share(load, limits.load_coverage, "of production's peak")
    tested = _share(coverage, limits.weighted_coverage, "of production's requests")
    yield "Tested endpoints serve", _percent(coverage), tested
    rating = f"{result.efficacy.rating}, " if result.efficacy.rating is not None else ""
    yield "Efficacy of the test", _percent(efficacy), f"{rating}at least {humanize.percent(limits.efficacy)} wanted"
    if result.run is None or result.run_age is None:
        # Only where the PTE was seen is the absence of a run something that is known.
        yield (
            "Test run",
            "none found" if snapshot.pte is not None else _NONE,
            f"at most {humanize.duration(limits.max_age)} old wanted",
        )
    else:
        limit = f"at most {humanize.duration(limits.max_age)} wanted"
        yield "Test run", f"{humanize.duration(max(0.0, result.run_age))} old", limit
    if result.load_run is not None:
        total = result.load_run.run.total
        success = f"{_percent(total.success_ratio)} of {humanize.number(total.requests)} requests succeeded"
        yield "Grade of the load test", result.load_run.grade or _NONE, success
    if result.production is not None:
        yield from _of_production(result.production)


def _share(ratio: float | None, limit: float, of: str) -> str:
    """What stands beside a share: "no evidence of production's peak" would say that the peak is not known."""
    return (
        f"at least {humanize.percent(limit)} {of} wanted"
        if ratio is None
        else f"{of}, at least {humanize.percent(limit)} wanted"
    )


def _of_production(seen: ApplicationObservation) -> Iterator[tuple[str, str, str]]:
    """What only some kinds of source tell: trouble by their own rules, and rates without minutes."""
    if seen.incidents is not None:
        lasting = sorted((one for one in seen.incidents if one.is_open), key=incident_rank)
        named = f"{describe_incident(lasting[0])}; " if lasting else ""
        ended = humanize.pluralize(len(seen.incidents) - len(lasting), "incident")
        yield "Open incidents in production", str(len(lasting) or "none"), f"{named}{ended} that ended"
    steps = coarse(seen, "request_rate")
    if steps is not None:
        yield "Resolution", humanize.duration(steps), "for each value of production's request rate: no peaks are known"


def _percent(ratio: float | None) -> str:
    return _NONE if ratio is None else humanize.percent(ratio)


def _source(status: Status, now: float) -> str:
    style, state = _state(status, now)
    environment = status.environment
    age = "no data yet" if status.seen is None else f"data {humanize.duration(max(0.0, now - status.seen))} old"
    lines = [f"{age}; polled every {humanize.duration(environment.interval)}"]
    if status.error is not None:
        lines.append(f"{status.error.reason}: {status.error}")
    lines += [f"warning: {warning}" for warning in status.warnings]
    for step in status.failed:
        lines.append(f"check {step.check} {step.subject}".rstrip() + f" failed: {step.found}")
        lines += [f"likely cause: {cause.text}. What to do: {cause.remedy}" for cause in step.causes[:1]]
    if status.error is not None or status.failed:
        lines.append(f"all causes: pte-exporter doctor --config.file FILE --source {environment.name}")
    below = "".join(f"<p>{escape(line)}</p>" for line in lines)
    name = escape(
        f"{environment.name} ({environment.role})" if environment.name != environment.role else environment.name
    )
    return f'<li><div class="head"><span>{name}</span><span class="state {style}">{state}</span></div>{below}</li>'


def _state(status: Status, now: float) -> tuple[str, str]:
    if status.up is None:
        return "waiting", "… not tried yet"
    if status.up:
        return "ok", "✓ answers"
    return "failing", "✗ failing, series withdrawn" if status.withdrawn(now) else "✗ failing"
