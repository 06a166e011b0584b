"""What a verdict rests on, in words: a title and a line or so for each subject that has evidence."""

from __future__ import annotations

from collections.abc import Iterator

from exporter import humanize
from exporter.model.incident import INCIDENT_SEVERITIES, Incident
from exporter.model.loadrun_judgement import Change, JudgedRun
from exporter.model.observation import MINUTE, ApplicationObservation
from exporter.model.results import ApplicationResult, Capacity, Coverage, Efficacy, LoadCoverage, Objective, Pattern

_TOP = 5

Fact = tuple[str, str]


def facts(result: ApplicationResult) -> Iterator[Fact]:
    """(title, text) in the order in which people ask."""
    told = (
        ("test run", _run(result)),
        ("graded", _graded(result.load_run)),
        ("changed", _changed(result.load_run)),
        ("load", _load(result.load)),
        ("coverage", _coverage(result.coverage)),
        ("untested", _untested(result.coverage)),
        ("mix", _mix(result)),
        ("efficacy", _efficacy(result.efficacy)),
        ("objectives", map(_objective, result.objectives)),
        ("capacity", _capacity(result.capacity)),
        ("pattern", _pattern(result.pattern)),
        ("incidents", _incidents(result)),
        ("resolution", _resolution(result)),
    )
    for title, parts in told:
        text = "; ".join(parts)
        if text:
            yield title, text


def _sides(result: ApplicationResult) -> Iterator[tuple[str, ApplicationObservation]]:
    for whose, seen in (("production", result.production), ("the PTE", result.pte)):
        if seen is not None:
            yield whose, seen


def _run(result: ApplicationResult) -> Iterator[str]:
    if result.run is not None:
        window = result.run.window
        age = "" if result.run_age is None else f", {humanize.duration(result.run_age)} ago"
        origin = result.run.origin.replace("_", " ")
        yield f"{humanize.moment(window.start)} for {humanize.duration(window.duration)}{age} ({origin})"


def _graded(judged: JudgedRun | None) -> Iterator[str]:
    """The newest result file's grade, with what it rests on."""
    if judged is not None:
        total = judged.run.total
        yield f"{judged.grade or 'no evidence'}, {judged.run.tool} {judged.run.run}".rstrip()
        if total.success_ratio is not None:
            yield f"{humanize.percent(total.success_ratio)} of {humanize.number(total.requests)} requests succeeded"
        if total.latency.p95 is not None:
            yield f"P95 {humanize.seconds(total.latency.p95, humanize.SAID)}"


def _changed(judged: JudgedRun | None) -> Iterator[str]:
    """What is not as it was, the whole run first and then the names that moved most; of each what moved most."""
    most: dict[tuple[str, str], Change] = {}
    for one in judged.changes if judged is not None else ():
        key = one.name, one.against
        if one.verdict in {"worse", "better"} and (key not in most or _far(one) > _far(most[key])):
            most[key] = one
    moved = sorted(most.values(), key=lambda one: (bool(one.name), -_far(one)))
    for one in moved[:_TOP]:
        what = f"{humanize.label(one.metric)} of {one.name}" if one.name else humanize.label(one.metric)
        ratio = "" if one.ratio is None else f", {humanize.signed_percent(one.ratio)}"
        yield f"{what} {one.verdict} than {'the baseline' if one.against == 'baseline' else 'the runs before'}{ratio}"
    if len(moved) > _TOP:
        yield f"{len(moved) - _TOP} more"


def _far(change: Change) -> float:
    return abs(change.ratio or 0.0)


def _load(load: LoadCoverage) -> Iterator[str]:
    if load.peak_ratio is not None:
        yield f"the test's peak was {humanize.percent(load.peak_ratio)} of production's"
    if load.peak_percentile is not None:
        yield f"it reached what {humanize.percent(load.peak_percentile)} of production's minutes need"
    if load.sustained_rate is not None and load.sustained_percentile is not None:
        held = humanize.rate(load.sustained_rate, humanize.SAID)
        yield f"it held {held}, enough for {humanize.percent(load.sustained_percentile)} of them"
    if load.above_p95_seconds is not None:
        yield f"{humanize.duration(load.above_p95_seconds)} at or above production's P95"


def _coverage(coverage: Coverage) -> Iterator[str]:
    if coverage.ratio is not None:
        count = f"{coverage.tested_endpoints} of {coverage.production_endpoints} endpoints"
        yield f"{count} ({humanize.percent(coverage.ratio)})"
    if coverage.weighted_ratio is not None:
        yield f"{humanize.percent(coverage.weighted_ratio)} of production's requests"
    if coverage.only_pte:
        yield f"{len(coverage.only_pte)} tested that production does not have"


def _untested(coverage: Coverage) -> Iterator[str]:
    for endpoint in coverage.untested[:_TOP]:
        share = "" if endpoint.production_share is None else f" {humanize.percent(endpoint.production_share)}"
        yield f"{endpoint.method} {endpoint.route}{share}"
    if len(coverage.untested) > _TOP:
        yield f"{len(coverage.untested) - _TOP} more"


def _mix(result: ApplicationResult) -> Iterator[str]:
    coverage, growth = result.coverage, result.growth
    if coverage.total_variation is not None:
        yield f"{humanize.percent(coverage.total_variation)} apart between the sides"
    if growth.mix_moved is not None:
        yield f"production's own mix moved by {humanize.percent(growth.mix_moved)} since the test"
    if growth.peak_ratio is not None:
        yield f"production's peak {humanize.moved(growth.peak_ratio - 1)}"


def _efficacy(efficacy: Efficacy) -> Iterator[str]:
    if efficacy.score is not None:
        weighed = ((part, score, efficacy.weights.get(part, 0.0)) for part, score in efficacy.parts.items())
        parts = (
            f"{part.replace('_', ' ')} {humanize.percent(score)} x {humanize.number(weight, humanize.SAID)}"
            for part, score, weight in weighed
            if weight > 0
        )
        yield f"{humanize.percent(efficacy.score)}, {efficacy.rating}: {', '.join(parts)}"


def _objective(one: Objective) -> str:
    """Whether the run would have met it, with both sides' shares of bad requests."""
    if one.run_error_ratio is None:
        return f"{one.name}: no evidence"
    requests, most = humanize.number(one.run_requests or 0.0, humanize.SAID), humanize.percent(one.budget)
    found = f"{humanize.percent(one.run_error_ratio)} of the run's {requests} requests {humanize.bad(one.threshold)}"
    if one.baseline_error_ratio is not None:
        found += f", {humanize.percent(one.baseline_error_ratio)} of production's"
    verdict = {True: "would be met", False: "would not be met", None: "too few requests to tell"}[one.met]
    return f"{one.name}: {verdict}, {found}, at most {most}"


def _capacity(capacity: Capacity) -> Iterator[str]:
    if capacity.ratio is not None:
        yield f"a request takes {humanize.number(capacity.ratio, humanize.SAID)} times production's CPU in the PTE"


def _pattern(pattern: Pattern | None) -> Iterator[str]:
    if pattern is not None:
        yield f"peak {humanize.rate(pattern.peak, humanize.SAID)} in 7 days"
        yield f"busiest hour {pattern.peak_hour:02d}, quietest {pattern.low_hour:02d}"
        if pattern.volatility is not None:
            yield f"volatility {humanize.percent(pattern.volatility)}"
        yield f"{len(pattern.spikes)} spike{'' if len(pattern.spikes) == 1 else 's'}"


def _incidents(result: ApplicationResult) -> Iterator[str]:
    """What each side's source reported as trouble, if it tells: the most serious open one by name, the rest counted."""
    for whose, seen in _sides(result):
        if seen.incidents is None:
            continue
        lasting = [one for one in seen.incidents if one.is_open]
        count = humanize.counted(len(seen.incidents), "incident")
        told = f"{count} in {whose}, {len(lasting) or 'none'} open" if seen.incidents else f"none in {whose}"
        if lasting:
            told += f": {incident(min(lasting, key=incident_rank))}"
        yield told


def incident(one: Incident) -> str:
    """An incident in words."""
    return f"{one.name} on {one.entity}, {one.severity}, since {humanize.moment(one.start)}"


def incident_rank(one: Incident) -> tuple[int, float]:
    """The most serious first, of these the oldest."""
    return -INCIDENT_SEVERITIES.index(one.severity), one.start


def _resolution(result: ApplicationResult) -> Iterator[str]:
    """Which signals rest on values coarser than a minute: their peaks are of means, and not compared."""
    for whose, seen in _sides(result):
        steps: dict[float, list[str]] = {}
        for signal, summary in seen.signals.items():
            if summary.resolution > MINUTE:
                steps.setdefault(summary.resolution, []).append(humanize.label(signal))
        for size, signals in sorted(steps.items()):
            yield f"in {whose} means over {humanize.duration(size)}, so no peaks: {', '.join(signals)}"
