"""Changes for the worse in generated histories: detections and false alarms, run by run, as in a pipeline.

Each rule is evaluated after every run, with only the runs so far. A report is right if it places the change within NEAR
runs of a true one (of a ramp: of any part of it); a second report of the same change is neither right nor false. The
rule of 10 % places nothing, so each of its reports while the latency is truly raised is forgiven.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from benchmarks import otava
from benchmarks.histories import RUNS, History, histories
from benchmarks.measurement import Measurement
from exporter.analysis.regression import Point, against_history
from exporter.model.settings import LoadRunSettings

NEAR = 6
"""Runs."""

PER_KIND = 20
"""Histories of each kind."""

SEED = 20_26
"""Not used to choose the method's constants."""

_WINDOW = 30
"""Runs that the source loadtest reads, by default."""

_FIRST = 10
"""Runs that the rule of 10 % takes the median of as its baseline; all begin after them."""


@dataclass(frozen=True)
class Report:
    """At the run `at` a change for the worse was reported that began with the run `start`."""

    start: int
    at: int


@dataclass(frozen=True)
class Outcome:
    """All reports of one rule on one history, and whether its verdict after the last run is worse."""

    reports: Sequence[Report]
    worse_now: bool


@dataclass
class Score:
    """Counts over histories."""

    right: int = 0
    false: int = 0
    missed: int = 0
    wrong_now: int = 0
    runs: int = 0
    delays: list[int] = field(default_factory=list)

    @property
    def precision(self) -> float:
        return self.right / max(1, self.right + self.false)

    @property
    def recall(self) -> float:
        return self.right / max(1, self.right + self.missed)

    @property
    def f1(self) -> float:
        return 2 * self.right / max(1, 2 * self.right + self.false + self.missed)

    def add(self, history: History, outcome: Outcome) -> None:
        delays: dict[int, int] = {}
        for report in outcome.reports:
            number = _reported_truth(history, report)
            if number is None:
                self.false += 1
            else:
                # Of several reports of one change the first counts, and the others count for nothing.
                delays.setdefault(number, report.at - history.truths[number].start)

        self.right += len(delays)
        self.missed += len(history.truths) - len(delays)
        self.delays += delays.values()
        self.runs += RUNS - _FIRST
        self.wrong_now += history.worse_now is not None and outcome.worse_now != history.worse_now


def _reported_truth(history: History, report: Report) -> int | None:
    """The number of the true change that the report is about; None: there is none."""
    for number, truth in enumerate(history.truths):
        is_near = truth.start - NEAR <= report.start <= truth.end + NEAR
        if is_near and report.at >= truth.start:
            return number
    return None


def _add_new(reports: list[Report], start: int, at: int) -> None:
    """Add the report, unless it repeats a change."""
    if not any(abs(start - report.start) <= NEAR for report in reports):
        reports.append(Report(start, at))


def ours(history: History) -> Outcome:
    """The verdict against history, with the defaults."""
    settings = LoadRunSettings()
    reports: list[Report] = []
    worse = False
    for end in range(_FIRST + 1, RUNS + 1):
        first = max(0, end - _WINDOW)
        points = [Point(float(value), 1000) for value in history.values[first:end]]
        change, regression = against_history(points, "latency_p95", settings)
        worse = change.verdict == "worse"
        if worse and regression is not None:
            _add_new(reports, first + regression.steps[-1].start, end - 1)

    return Outcome(reports, worse)


def naive(history: History) -> Outcome:
    """10 % over the median of the first runs; runs in a row are one report."""
    limit = 1.1 * float(np.median(history.values[:_FIRST]))
    above = history.values > limit
    starts = [run for run in range(_FIRST, RUNS) if above[run] and not (above[run - 1] and run > _FIRST)]
    # A report while the latency is raised is right or a repetition: placed at the change, it is not counted as false.
    reports = [Report(_raised_since(history, run), run) for run in starts]
    return Outcome(reports, bool(above[-1]))


def _raised_since(history: History, run: int) -> int:
    for truth in history.truths:
        if truth.start <= run < (truth.until or RUNS):
            return truth.start
    return run


def _otava(sample: Sequence[History]) -> list[Outcome] | None:
    """With its defaults, and the same least change as ours."""
    python = otava.install()
    if python is None:
        return None

    least = LoadRunSettings().steps.low
    values = [history.values.tolist() for history in sample]
    return [_otava_outcome(points) for points in otava.change_points(python, values, _FIRST + 1, least)]


def _otava_outcome(change_points: Sequence[Sequence[tuple[int, bool]]]) -> Outcome:
    """Its reports on one history, run by run: the changes, and whether upwards."""
    reports: list[Report] = []
    for number, points in enumerate(change_points):
        for start, up in points:
            if up:
                _add_new(reports, start, _FIRST + number)

    recent = [up for start, up in change_points[-1] if start > RUNS - LoadRunSettings().settled]
    return Outcome(reports, bool(recent and recent[-1]))


def _scores(sample: Sequence[History], outcomes: Sequence[Outcome]) -> dict[str, Score]:
    """By kind of history, and over all."""
    scores: dict[str, Score] = {}
    total = Score()
    for history, outcome in zip(sample, outcomes, strict=True):
        scores.setdefault(history.kind, Score()).add(history, outcome)
        total.add(history, outcome)
    return {**scores, "all": total}


def _line(kind: str, score: Score) -> str:
    if not score.right + score.missed:
        return f"{kind:22}{'':24}  false {score.false:3} ({100 * score.false / score.runs:.2f} of 100 runs)"

    delay = f"{np.median(score.delays):.0f}" if score.delays else "-"
    figures = f"P {score.precision:.2f}  R {score.recall:.2f}  F1 {score.f1:.2f}"
    return f"{kind:22}{figures}  false {score.false:3}  after {delay} runs, wrong at the end {score.wrong_now}"


def measure() -> Sequence[Measurement]:
    """Precision, recall and F1 by kind of history, of ours, of the rule of 10 %, and of Otava where it is there."""
    sample = histories(PER_KIND, SEED)
    start = time.perf_counter()
    our_outcomes = [ours(history) for history in sample]
    seconds = (time.perf_counter() - start) / (len(sample) * (RUNS - _FIRST))

    scores = {
        "ours": _scores(sample, our_outcomes),
        "10 % rule": _scores(sample, [naive(history) for history in sample]),
    }
    otava_outcomes = _otava(sample)
    if otava_outcomes is not None:
        scores[f"otava {otava.VERSION}"] = _scores(sample, otava_outcomes)
    _print(scores)

    others = {name: by_kind["all"].f1 for name, by_kind in scores.items() if name != "ours"}
    return [
        _accuracy(len(sample), scores["ours"]["all"], others),
        _false_alarms(scores["ours"]),
        Measurement("time of a verdict on 30 runs", f"{seconds * 1000:.2f} ms", "below 5 ms", seconds < 0.005),
    ]


def _print(scores: Mapping[str, Mapping[str, Score]]) -> None:
    for name, by_kind in scores.items():
        print(f"  {name}")
        for kind, score in by_kind.items():
            print(f"    {_line(kind, score)}")


def _accuracy(count: int, score: Score, others: Mapping[str, float]) -> Measurement:
    """`others`: F1 of the other rules by their names; Otava's is missing where it cannot be installed."""
    otava_f1 = others.get(f"otava {otava.VERSION}")
    beside = f"10 % rule {others['10 % rule']:.2f}, "
    beside += "Otava cannot be installed" if otava_f1 is None else f"Otava {otava_f1:.2f}"
    return Measurement(
        f"F1 of changes for the worse in {count} generated histories",
        f"{score.f1:.3f} (precision {score.precision:.3f}, recall {score.recall:.3f}); {beside}",
        "at least 0.9, and more than both others",
        score.f1 >= 0.9 and score.f1 > max(others.values()),
    )


def _false_alarms(by_kind: Mapping[str, Score]) -> Measurement:
    quiet = sum(score.false for kind, score in by_kind.items() if kind.startswith("quiet"))
    share = 100 * quiet / (4 * PER_KIND * (RUNS - _FIRST))
    return Measurement("false reports in quiet histories", f"{share:.3f} of 100 runs", "below 0.1", share < 0.1)
