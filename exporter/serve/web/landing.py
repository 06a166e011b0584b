"""The landing page: the verdict of each application in words and numbers, and whether the numbers can be trusted.

Plain HTML from the last poll; no script, nothing loaded from elsewhere, every text escaped.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template

from exporter import __version__, humanize
from exporter.analysis.arithmetic import coarse
from exporter.model.incident import Incident
from exporter.model.observation import ApplicationObservation
from exporter.model.results import ApplicationResult, Snapshot
from exporter.report.facts import count_verdicts, describe_incident, incident_rank
from exporter.serve.service import SourceStatus

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


def render(snapshot: Snapshot | None, statuses: Sequence[SourceStatus], now: float) -> bytes:
    """The page at `now` (Unix seconds); without a snapshot it says what is missing."""
    results: list[ApplicationResult] = []
    sections: list[str] = []
    if snapshot is not None:
        results = sorted(snapshot.applications.values(), key=_order)
        sections = [_application(result, snapshot) for result in results]

    page = _PAGE.substitute(
        title=escape(_title(results)),
        summary=escape(f"{_summary(snapshot, results)}{_failing(statuses)}"),
        applications="\n".join(sections),
        sources="\n".join(_source(status, now) for status in statuses),
        style=_STYLE,
        version=escape(__version__),
    )
    return page.encode()


def _order(result: ApplicationResult) -> tuple[int, str]:
    """Failed certifications first, then those that cannot be judged."""
    return {False: 0, None: 1, True: 2}[result.certification.holds], result.application


def _title(results: Sequence[ApplicationResult]) -> str:
    failed = sum(result.certification.holds is False for result in results)
    if not failed:
        return "pte-exporter"
    return f"{humanize.pluralize(failed, 'certification')} failed – pte-exporter"


def _summary(snapshot: Snapshot | None, results: Sequence[ApplicationResult]) -> str:
    if snapshot is None:
        return "No results yet: the first poll of every source is still running."
    if not results:
        return f"No application was observed in production or the PTE. As of {humanize.format_time(snapshot.at)}."

    return f"{count_verdicts(results)}. As of {humanize.format_time(snapshot.at)}."


def _failing(statuses: Sequence[SourceStatus]) -> str:
    names = [status.environment.name for status in statuses if status.up is False]
    if not names:
        return ""
    noun = "source" if len(names) == 1 else "sources"
    return f" Failing {noun}: {', '.join(names)} (see below)."


def _application(result: ApplicationResult, snapshot: Snapshot) -> str:
    style, verdict = _VERDICTS[result.certification.holds]
    head = f'<h2>{escape(result.application)}</h2><span class="verdict">{verdict}</span>'
    sentence = escape(result.certification.sentence)
    facts = "".join(fact.html for fact in _facts(result, snapshot))
    return f'<section class="{style}"><div class="head">{head}</div><p>{sentence}</p><dl>{facts}</dl></section>'


@dataclass(frozen=True, slots=True)
class _Fact:
    """A number about an application, and the note beside it."""

    name: str
    value: str
    note: str

    @property
    def html(self) -> str:
        value = f"<strong>{escape(self.value)}</strong> <small>{escape(self.note)}</small>"
        return f"<div><dt>{escape(self.name)}</dt><dd>{value}</dd></div>"


def _facts(result: ApplicationResult, snapshot: Snapshot) -> Iterator[_Fact]:
    """The numbers that matter most."""
    limits = snapshot.settings.certification
    load = result.load.peak_ratio
    yield _Fact("Load reached", _percent(load), _share(load, limits.load_coverage, "of production's peak"))
    coverage = result.coverage.weighted_ratio
    note = _share(coverage, limits.weighted_coverage, "of production's requests")
    yield _Fact("Tested endpoints serve", _percent(coverage), note)

    note = f"limit: at least {humanize.percent(limits.efficacy)}"
    if result.efficacy.rating is not None:
        note = f"{result.efficacy.rating}; {note}"
    yield _Fact("Efficacy of the test", _percent(result.efficacy.score), note)

    yield _test_run(result, snapshot)
    if result.load_run is not None:
        total = result.load_run.run.total
        note = f"{_percent(total.success_ratio)} of {humanize.number(total.requests)} requests succeeded"
        yield _Fact("Grade of the load test", result.load_run.grade or _NONE, note)
    if result.production is not None:
        yield from _of_production(result.production)


def _test_run(result: ApplicationResult, snapshot: Snapshot) -> _Fact:
    longest = humanize.duration(snapshot.settings.certification.max_age)
    if result.run is not None and result.run_age is not None:
        age = humanize.duration(max(0.0, result.run_age))
        return _Fact("Test run", f"{age} old", f"limit: at most {longest}")

    # Only if the PTE was observed, it is certain that there was no run.
    value = "none found" if snapshot.pte is not None else _NONE
    return _Fact("Test run", value, f"limit: at most {longest} old")


def _share(ratio: float | None, limit: float, of: str) -> str:
    """The note beside a share; "no evidence of production's peak" would wrongly say that the peak is unknown."""
    if ratio is None:
        return f"limit: at least {humanize.percent(limit)} {of}"
    return f"{of}; limit: at least {humanize.percent(limit)}"


def _of_production(observation: ApplicationObservation) -> Iterator[_Fact]:
    """Facts that only some kinds of source have: incidents by their own rules, and rates coarser than minutes."""
    if observation.incidents is not None:
        yield _incidents(observation.incidents)

    resolution = coarse(observation, "request_rate")
    if resolution is not None:
        note = "per value of production's request rate; shorter peaks are unknown"
        yield _Fact("Resolution", humanize.duration(resolution), note)


def _incidents(incidents: Sequence[Incident]) -> _Fact:
    """How many are open, and the most serious by its name."""
    ongoing = [incident for incident in incidents if incident.is_open]
    ongoing.sort(key=incident_rank)
    note = f"{humanize.pluralize(len(incidents) - len(ongoing), 'incident')} ended"
    if ongoing:
        note = f"{describe_incident(ongoing[0])}; {note}"
    return _Fact("Open incidents in production", str(len(ongoing) or "none"), note)


def _percent(ratio: float | None) -> str:
    return _NONE if ratio is None else humanize.percent(ratio)


def _source(status: SourceStatus, now: float) -> str:
    style, state = _state(status, now)
    environment = status.environment
    name = environment.name
    if environment.name != environment.role:
        name = f"{environment.name} ({environment.role})"

    head = f'<span>{escape(name)}</span><span class="state {style}">{state}</span>'
    lines = "".join(f"<p>{escape(line)}</p>" for line in _source_lines(status, now))
    return f'<li><div class="head">{head}</div>{lines}</li>'


def _source_lines(status: SourceStatus, now: float) -> Iterator[str]:
    """The age of its data, its problems and their remedies."""
    age = "no data yet"
    if status.last_success is not None:
        age = f"data {humanize.duration(max(0.0, now - status.last_success))} old"
    yield f"{age}; polled every {_interval(status.environment.interval)}"

    if status.error is not None:
        yield f"{status.error.reason}: {status.error}"
    for warning in status.warnings:
        yield f"warning: {warning}"
    for step in status.failed:
        yield f"check {step.check} {step.subject}".rstrip() + f" failed: {step.result}"
        for cause in step.causes[:1]:
            yield f"likely cause: {cause.text}. What to do: {cause.remedy}"

    if status.error is not None or status.failed:
        yield f"all causes: pte-exporter doctor --config.file FILE --source {status.environment.name}"


def _interval(seconds: float) -> str:
    """The time after "every": minute, 30 seconds."""
    return humanize.duration(seconds).removeprefix("1 ")


def _state(status: SourceStatus, now: float) -> tuple[str, str]:
    if status.up is None:
        return "waiting", "… not polled yet"
    if status.up:
        return "ok", "✓ up"
    if status.withdrawn(now):
        return "failing", "✗ failing, series withdrawn"
    return "failing", "✗ failing"
