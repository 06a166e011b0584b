"""The facts behind a verdict: a title and a line or two for each subject that has evidence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from exporter import humanize
from exporter.model.incident import INCIDENT_SEVERITIES, Incident
from exporter.model.loadrun_judgement import Change, JudgedRun
from exporter.model.observation import MINUTE, ApplicationObservation, Summary
from exporter.model.results import ApplicationResult, Capacity, Coverage, Efficacy, Objective, Pattern

_TOP = 5
"""Endpoints or changes to name; the rest are counted."""

_NEARLY_ALL = 0.9995
"""A larger share would read as 100 %, which it is not."""

_MET = {True: "would be met", False: "would not be met", None: "too few requests to judge"}

Fact = tuple[str, str]


def facts(result: ApplicationResult) -> Iterator[Fact]:
    """(title, text), the most asked first."""
    subjects = (
        ("test run", _run(result)),
        ("graded", _graded(result.load_run)),
        ("changed", _changed(result.load_run)),
        ("load", _load(result)),
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

    # A subject without evidence has no parts, and is left out.
    for title, parts in subjects:
        text = "; ".join(parts)
        if text:
            yield title, text


def count_verdicts(results: Sequence[ApplicationResult]) -> str:
    """1 of 4 certifications holds, 1 has failed, 2 cannot be judged; a verdict that nothing has is left out."""
    verdicts = Counter(result.certification.holds for result in results)
    holds = "holds" if verdicts[True] == 1 else "hold"
    parts = [f"{verdicts[True]} of {humanize.pluralize(len(results), 'certification')} {holds}"]
    if verdicts[False]:
        have = "has" if verdicts[False] == 1 else "have"
        parts.append(f"{verdicts[False]} {have} failed")
    if verdicts[None]:
        parts.append(f"{verdicts[None]} cannot be judged")
    return ", ".join(parts)


def _sides(result: ApplicationResult) -> Iterator[tuple[str, ApplicationObservation]]:
    """Each observation with its side's name, as a sentence needs it."""
    if result.production is not None:
        yield "production", result.production
    if result.pte is not None:
        yield "the PTE", result.pte


def _run(result: ApplicationResult) -> Iterator[str]:
    if result.run is None:
        return

    window = result.run.window
    age = "" if result.run_age is None else f", {humanize.duration(result.run_age)} ago"
    origin = result.run.origin.replace("_", " ")
    yield f"{humanize.format_time(window.start)} for {humanize.duration(window.duration)}{age} ({origin})"


def _graded(judged: JudgedRun | None) -> Iterator[str]:
    """The newest result file's grade, with its inputs."""
    if judged is None:
        return

    total = judged.run.total
    yield f"{judged.grade or 'no evidence'}, {judged.run.tool} {judged.run.run}".rstrip()
    if total.success_ratio is not None:
        yield f"{humanize.percent(total.success_ratio)} of {humanize.number(total.requests)} requests succeeded"
    if total.latency.p95 is not None:
        yield f"P95 latency {humanize.seconds(total.latency.p95, humanize.SENTENCE_DIGITS)}"


def _changed(judged: JudgedRun | None) -> Iterator[str]:
    """Changes for the better or worse, the whole run first and then the names that changed most."""
    if judged is None:
        return

    changes = sorted(_largest_changes(judged), key=lambda change: (change.name != "", -_size(change)))
    for change in changes[:_TOP]:
        metric = humanize.label(change.metric)
        subject = f"{metric} of {change.name}" if change.name else metric
        reference = "in the baseline" if change.against == "baseline" else "in earlier runs"
        ratio = "" if change.ratio is None else f" ({humanize.signed_percent(change.ratio)})"
        yield f"{subject} is {change.verdict} than {reference}{ratio}"

    if len(changes) > _TOP:
        yield f"{len(changes) - _TOP} more"


def _largest_changes(judged: JudgedRun) -> Iterable[Change]:
    """For each name the metric that changed most: three latencies of one name would repeat the same news."""
    largest: dict[tuple[str, str], Change] = {}
    for change in judged.changes:
        if change.verdict not in {"worse", "better"}:
            continue
        key = change.name, change.against
        if key not in largest or _size(change) > _size(largest[key]):
            largest[key] = change
    return largest.values()


def _size(change: Change) -> float:
    return abs(change.ratio or 0.0)


def _load(result: ApplicationResult) -> Iterator[str]:
    """How the test's peak and its sustained rate compare with production's load."""
    load = result.load
    production = _request_rate(result.production)
    pte = _request_rate(result.pte)
    if production is None or pte is None or load.peak_ratio is None:
        return

    peak = _rate(pte.peak)
    production_peak = f"{humanize.percent(load.peak_ratio)} of production's peak ({_rate(production.peak)})"
    is_always_below = load.peak_percentile is not None and _is_below(pte.peak, production.min)
    if is_always_below:
        yield f"the test's peak ({peak}) was below production's load in every minute of the window"
        yield f"it reached {production_peak}"
    else:
        text = f"the test's peak ({peak}) was {production_peak}"
        if load.peak_percentile is not None:
            text += f", {_enough(pte.peak, load.peak_percentile, production.min)}"
        yield text

    if load.sustained_rate is not None and load.sustained_percentile is not None:
        sustained = f"the test sustained {_rate(load.sustained_rate)}"
        if not is_always_below:
            sustained += f", {_enough(load.sustained_rate, load.sustained_percentile, production.min)}"
        yield sustained
    if load.above_p95_seconds is not None and not is_always_below:
        yield _above_p95(load.above_p95_seconds)


def _request_rate(observation: ApplicationObservation | None) -> Summary | None:
    if observation is None:
        return None
    return observation.signals.get("request_rate")


def _rate(value: float | None) -> str:
    if value is None:
        return "unknown"
    return humanize.rate(value, humanize.SENTENCE_DIGITS)


def _is_below(rate: float | None, minimum: float | None) -> bool:
    return rate is not None and minimum is not None and rate < minimum


def _enough(rate: float | None, percentile: float, minimum: float | None) -> str:
    """For how many of production's minutes the rate was enough, true for every size of it."""
    if percentile >= 1:
        return "enough for every minute of production"
    if _is_below(rate, minimum):
        return "too low for any minute of production"
    if percentile <= 0:
        return "enough only for production's quietest minutes"
    if percentile >= _NEARLY_ALL:
        return "enough for nearly every minute of production"
    return f"enough for {humanize.percent(percentile)} of production's minutes"


def _above_p95(seconds: float) -> str:
    if seconds == 0:
        return "no minute of the test reached production's P95 rate"
    return f"the test spent {humanize.duration(seconds)} at or above production's P95 rate"


def _coverage(coverage: Coverage) -> Iterator[str]:
    if coverage.ratio is not None:
        count = f"{coverage.tested_endpoints} of {coverage.production_endpoints} endpoints"
        yield f"{count} ({humanize.percent(coverage.ratio)})"
    if coverage.weighted_ratio is not None:
        yield f"{humanize.percent(coverage.weighted_ratio)} of production's requests"
    if coverage.only_pte:
        yield f"{humanize.pluralize(len(coverage.only_pte), 'tested endpoint')} not in production"


def _untested(coverage: Coverage) -> Iterator[str]:
    for endpoint in coverage.untested[:_TOP]:
        share = ""
        if endpoint.production_share is not None:
            share = f" {humanize.percent(endpoint.production_share)}"
        yield f"{endpoint.method} {endpoint.route}{share}"

    if len(coverage.untested) > _TOP:
        yield f"{len(coverage.untested) - _TOP} more"


def _mix(result: ApplicationResult) -> Iterator[str]:
    growth = result.growth
    if result.coverage.total_variation is not None:
        yield f"the test's traffic mix differs from production's by {humanize.percent(result.coverage.total_variation)}"
    if growth.mix_moved is not None:
        yield f"production's mix moved by {humanize.percent(growth.mix_moved)} since the test"
    if growth.peak_ratio is not None:
        yield f"production's peak {humanize.describe_change(growth.peak_ratio - 1)}"


def _efficacy(efficacy: Efficacy) -> Iterator[str]:
    if efficacy.score is None:
        return

    parts = []
    for part, score in efficacy.parts.items():
        weight = efficacy.weights.get(part, 0.0)
        if weight > 0:
            name = part.replace("_", " ")
            parts.append(f"{name} {humanize.percent(score)} x {humanize.number(weight, humanize.SENTENCE_DIGITS)}")
    yield f"{humanize.percent(efficacy.score)}, {efficacy.rating}: {', '.join(parts)}"


def _objective(objective: Objective) -> str:
    """Whether the run would have met it, with both sides' shares of bad requests."""
    if objective.run_error_ratio is None:
        return f"{objective.name}: no evidence"

    ratio = humanize.percent(objective.run_error_ratio)
    requests = humanize.number(objective.run_requests or 0.0, humanize.SENTENCE_DIGITS)
    shares = f"{ratio} of the run's {requests} requests {humanize.describe_bad_request(objective.threshold)}"
    if objective.baseline_error_ratio is not None:
        shares += f", {humanize.percent(objective.baseline_error_ratio)} of production's"

    return f"{objective.name}: {_MET[objective.met]}: {shares} (limit: at most {humanize.percent(objective.budget)})"


def _capacity(capacity: Capacity) -> Iterator[str]:
    if capacity.ratio is not None:
        times = humanize.number(capacity.ratio, humanize.SENTENCE_DIGITS)
        yield f"a request in the PTE uses {times} times production's CPU"


def _pattern(pattern: Pattern | None) -> Iterator[str]:
    if pattern is None:
        return

    yield f"peak {humanize.rate(pattern.peak, humanize.SENTENCE_DIGITS)} in 7 days"
    yield f"busiest hour {pattern.peak_hour:02d}, quietest hour {pattern.low_hour:02d}"
    if pattern.volatility is not None:
        yield f"volatility {humanize.percent(pattern.volatility)}"
    yield humanize.pluralize(len(pattern.spikes), "spike")


def _incidents(result: ApplicationResult) -> Iterator[str]:
    """The incidents that each side's source reported: the most serious open incident by name, the rest counted."""
    for side, observation in _sides(result):
        incidents = observation.incidents
        if incidents is None:
            continue
        if not incidents:
            yield f"none in {side}"
            continue

        still_open = [incident for incident in incidents if incident.is_open]
        text = f"{humanize.pluralize(len(incidents), 'incident')} in {side}, {len(still_open) or 'none'} open"
        if still_open:
            text += f": {describe_incident(min(still_open, key=incident_rank))}"
        yield text


def describe_incident(incident: Incident) -> str:
    """An incident in words."""
    return f"{incident.name} on {incident.entity}, {incident.severity}, since {humanize.format_time(incident.start)}"


def incident_rank(incident: Incident) -> tuple[int, float]:
    """The most serious first, then the oldest."""
    return -INCIDENT_SEVERITIES.index(incident.severity), incident.start


def _resolution(result: ApplicationResult) -> Iterator[str]:
    """Signals with values coarser than a minute, whose peaks are not compared."""
    for side, observation in _sides(result):
        by_resolution: dict[float, list[str]] = {}
        for signal, summary in observation.signals.items():
            if summary.resolution > MINUTE:
                by_resolution.setdefault(summary.resolution, []).append(humanize.label(signal))

        for resolution, labels in sorted(by_resolution.items()):
            yield f"{side} has only means over {humanize.duration(resolution)}, without peaks: {', '.join(labels)}"
