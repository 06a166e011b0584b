"""What is thought of an application's newest load test. docs/explanation/method.md, section "Judgement of a run"."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from exporter.analysis.comparison import Measured, against_baseline, independent_share
from exporter.analysis.grade import grade
from exporter.analysis.regression import Point, against_history, metric
from exporter.analysis.trend import trend
from exporter.model.loadrun import Figures, LoadRun
from exporter.model.loadrun_judgement import METRICS, Change, JudgedRun, Trend
from exporter.model.settings import LoadRunSettings

TOTAL = ""
"""The name of the whole run."""


@dataclass(frozen=True, slots=True)
class _NamedRun:
    """A run with its figures by name."""

    figures: Mapping[str, Figures]
    seconds: float
    share: float = 1.0
    """Of the requests, those that count as independent."""

    def measured(self, name: str) -> Measured:
        return Measured(self.figures.get(name, Figures(0)), self.seconds, self.share)


def judge(runs: Sequence[LoadRun], baseline: LoadRun | None, settings: LoadRunSettings) -> JudgedRun | None:
    """The newest of the runs (the last) against the baseline and the runs before; None without a run."""
    if not runs:
        return None

    # A name that is ambiguous in any run gets its method in all of them: only equal names are compared.
    everything = [*runs, baseline] if baseline else runs
    ambiguous = _ambiguous(everything)
    named = [_named(run, ambiguous) for run in runs]
    named[-1] = replace(named[-1], share=independent_share(runs[-1]))
    named_baseline = None
    if baseline is not None:
        named_baseline = replace(_named(baseline, ambiguous), share=independent_share(baseline))

    names = _by_requests(named[-1])
    judged_names = names[: 1 + settings.max_endpoints]
    changes: list[Change] = []
    trends: list[Trend] = []
    for name in judged_names:
        for metric_name in METRICS:
            metric_changes, metric_trend = _judged(name, metric_name, named, named_baseline, settings)
            changes += (replace(change, name=name) for change in metric_changes)
            if metric_trend is not None:
                trends.append(replace(metric_trend, name=name))

    return JudgedRun(
        run=runs[-1],
        grade=grade(runs[-1].total, settings),
        changes=tuple(changes),
        trends=tuple(trends),
        left_out=len(names) - len(judged_names),
    )


def _by_requests(run: _NamedRun) -> list[str]:
    """The whole run first, then the names with most requests."""
    return sorted(run.figures, key=lambda name: (name != TOTAL, -run.figures[name].requests, name))


def _judged(
    name: str,
    metric_name: str,
    runs: Sequence[_NamedRun],
    baseline: _NamedRun | None,
    settings: LoadRunSettings,
) -> tuple[Sequence[Change], Trend | None]:
    """One metric of one name; nothing where the newest run does not have it, no history without runs."""
    newest = runs[-1]
    if metric(newest.figures[name], metric_name, newest.seconds) is None:
        return (), None

    changes: list[Change] = []
    run_noise = None
    direction = None
    if len(runs) > 1:
        points = list(_points(name, metric_name, runs))
        change, levels = against_history(points, metric_name, settings)
        changes.append(change)
        run_noise = levels.noise.deviation if levels else None
        direction = trend(points, metric_name, settings)

    if baseline is not None:
        compared = against_baseline(newest.measured(name), baseline.measured(name), metric_name, run_noise, settings)
        if compared is not None:
            changes.append(compared)
    return changes, direction


def _points(name: str, metric_name: str, runs: Sequence[_NamedRun]) -> Iterator[Point]:
    """A run without the metric is left out of its series."""
    for run in runs:
        figures = run.figures.get(name)
        if figures is None:
            continue
        value = metric(figures, metric_name, run.seconds)
        if value is not None:
            yield Point(value, figures.requests)


def _named(run: LoadRun, ambiguous: set[str]) -> _NamedRun:
    """The method distinguishes endpoints that share a name."""
    figures: dict[str, Figures] = {}
    for endpoint in run.endpoints:
        name = endpoint.name
        if name in ambiguous:
            name = f"{endpoint.method} {name}".strip()

        largest = figures.get(name)
        if name and (largest is None or largest.requests < endpoint.figures.requests):
            figures[name] = endpoint.figures
    return _NamedRun({TOTAL: run.total, **figures}, run.duration)


def _ambiguous(runs: Sequence[LoadRun]) -> set[str]:
    """Names of more than one endpoint in any of the runs."""
    names: set[str] = set()
    for run in runs:
        frequency = Counter(endpoint.name for endpoint in run.endpoints)
        names |= {name for name, count in frequency.items() if count > 1}
    return names
