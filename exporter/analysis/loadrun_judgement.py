"""What is thought of an application's newest load test. docs/method.md, section "Judgement of a run"."""

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
class _Named:
    """A run with its figures by name."""

    figures: Mapping[str, Figures]
    seconds: float
    share: float = 1.0


def judge(runs: Sequence[LoadRun], baseline: LoadRun | None, settings: LoadRunSettings) -> JudgedRun | None:
    """The newest of the runs (the last) against the baseline and the runs before; None without a run."""
    if not runs:
        return None
    several = _ambiguous([*runs, baseline] if baseline else runs)
    known = [_named(run, several) for run in runs]
    newest = replace(known[-1], share=independent_share(runs[-1]))
    saved = replace(_named(baseline, several), share=independent_share(baseline)) if baseline else None
    names = sorted(newest.figures, key=lambda name: (name != TOTAL, -newest.figures[name].requests, name))
    wanted = names[: 1 + settings.max_endpoints]
    changes, trends = list[Change](), list[Trend]()
    for name in wanted:
        for each in METRICS:
            found, way = _judged(name, each, [*known[:-1], newest], saved, settings)
            changes += (replace(change, name=name) for change in found)
            trends += [replace(way, name=name)] if way else []
    mark = grade(runs[-1].total, settings)
    return JudgedRun(runs[-1], mark, tuple(changes), tuple(trends), len(names) - len(wanted))


def _judged(
    name: str, each: str, runs: Sequence[_Named], saved: _Named | None, settings: LoadRunSettings
) -> tuple[Sequence[Change], Trend | None]:
    """One metric of one name; nothing where the newest run does not tell it, no history where there are no runs."""
    points = list(_points(name, each, runs))
    if metric(runs[-1].figures[name], each, runs[-1].seconds) is None:
        return (), None
    changes, noise = list[Change](), None
    if len(runs) > 1:
        change, levels = against_history(points, each, settings)
        changes.append(change)
        noise = levels.noise.deviation if levels else None
    if saved is not None:
        now, then = (Measured(run.figures.get(name, Figures(0)), run.seconds, run.share) for run in (runs[-1], saved))
        compared = against_baseline(now, then, each, noise, settings)
        changes += [compared] if compared else []
    return changes, trend(points, each, settings) if len(runs) > 1 else None


def _points(name: str, each: str, runs: Sequence[_Named]) -> Iterator[Point]:
    """A run that does not tell the metric is no run of its series."""
    for run in runs:
        figures = run.figures.get(name)
        value = metric(figures, each, run.seconds) if figures is not None else None
        if figures is not None and value is not None:
            yield Point(value, figures.requests)


def _named(run: LoadRun, several: set[str]) -> _Named:
    """Endpoints that share a name are told apart by their method."""
    found: dict[str, Figures] = {}
    for one in run.endpoints:
        name = f"{one.method} {one.name}".strip() if one.name in several else one.name
        held = found.get(name)
        if name and (held is None or held.requests < one.figures.requests):
            found[name] = one.figures
    return _Named({TOTAL: run.total, **found}, run.duration)


def _ambiguous(runs: Sequence[LoadRun]) -> set[str]:
    """Names that stand for more than one endpoint in any of the runs."""
    return {name for run in runs for name, held in Counter(one.name for one in run.endpoints).items() if held > 1}
