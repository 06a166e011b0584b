"""Changes for the worse in generated histories: who reports them, who cries wolf. Run by run, as a pipeline sees them.

Each rule is asked after every run, knowing only the runs so far. A report is right if it places the change within NEAR
runs of a true one (of a ramp: of any part of it); a second report of the same change is neither right nor false. The
rule of 10 % places nothing, so each of its reports while the latency is truly raised is forgiven.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from benchmarks import otava
from benchmarks.histories import RUNS, History, histories
from benchmarks.measured import Measured
from exporter.analysis.regression import Point, against_history
from exporter.model.settings import LoadRunSettings

NEAR = 6
"""Runs."""

EACH = 20
"""Histories of each kind."""

SEED = 20_26
"""None that the method's constants were chosen with."""

_KNOWN = 30
"""Runs that the source loadtest knows at once, by default."""

_FIRST = 10
"""Runs that the rule of 10 % takes the median of as its baseline; all begin after them."""


@dataclass(frozen=True)
class Report:
    """At the run `at` a change for the worse was reported that began with the run `start`."""

    start: int
    at: int


@dataclass(frozen=True)
class Told:
    """All reports of one rule on one history, and whether after the last run it says that things are worse."""

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

    def add(self, history: History, told: Told) -> None:
        found: dict[int, int] = {}
        for report in told.reports:
            fitting = [
                number
                for number, truth in enumerate(history.truths)
                if truth.start - NEAR <= report.start <= truth.end + NEAR and report.at >= truth.start
            ]
            if fitting:
                found.setdefault(fitting[0], report.at - history.truths[fitting[0]].start)
            else:
                self.false += 1
        self.right += len(found)
        self.missed += len(history.truths) - len(found)
        self.delays += found.values()
        self.runs += RUNS - _FIRST
        self.wrong_now += history.worse_now is not None and told.worse_now != history.worse_now


def _new(reports: list[Report], start: int, at: int) -> None:
    if not any(abs(start - known.start) <= NEAR for known in reports):
        reports.append(Report(start, at))


def ours(history: History) -> Told:
    """The verdict against history, with the defaults."""
    settings, reports, worse = LoadRunSettings(), list[Report](), False
    for end in range(_FIRST + 1, RUNS + 1):
        first = max(0, end - _KNOWN)
        points = [Point(float(value), 1000) for value in history.values[first:end]]
        change, found = against_history(points, "latency_p95", settings)
        worse = change.verdict == "worse"
        if worse and found is not None:
            _new(reports, first + found.steps[-1].start, end - 1)
    return Told(reports, worse)


def naive(history: History) -> Told:
    """10 % over the median of the first runs; runs in a row are one report."""
    limit = 1.1 * float(np.median(history.values[:_FIRST]))
    above = history.values > limit
    starts = [run for run in range(_FIRST, RUNS) if above[run] and not (above[run - 1] and run > _FIRST)]
    # What lies in a raised stretch is right or a repetition: placed where the change is, it is not counted as false.
    reports = [Report(_raised_since(history, run), run) for run in starts]
    return Told(reports, bool(above[-1]))


def _raised_since(history: History, run: int) -> int:
    for truth in history.truths:
        if truth.start <= run < (truth.until or RUNS):
            return truth.start
    return run


def _otava(each: Sequence[History]) -> list[Told] | None:
    """With its defaults, and the same least change as ours."""
    python = otava.install()
    if python is None:
        return None
    least = LoadRunSettings().steps.low
    found = otava.change_points(python, [history.values.tolist() for history in each], _FIRST + 1, least)
    told = []
    for changes in found:
        reports: list[Report] = []
        for number, points in enumerate(changes):
            for start, up in points:
                if up:
                    _new(reports, start, _FIRST + number)
        last = [up for start, up in changes[-1] if start > RUNS - LoadRunSettings().settled]
        told.append(Told(reports, bool(last and last[-1])))
    return told


def _scores(each: Sequence[History], told: Sequence[Told]) -> dict[str, Score]:
    """By kind of history, and over all."""
    scores: dict[str, Score] = {}
    for history, one in zip(each, told, strict=True):
        for kind in (history.kind, "all"):
            scores.setdefault(kind, Score()).add(history, one)
    scores["all"] = scores.pop("all")
    return scores


def _line(kind: str, score: Score) -> str:
    delay = f"{np.median(score.delays):.0f}" if score.delays else "-"
    if not score.right + score.missed:
        return f"{kind:22}{'':24}  false {score.false:3} ({100 * score.false / score.runs:.2f} of 100 runs)"
    figures = f"P {score.precision:.2f}  R {score.recall:.2f}  F1 {score.f1:.2f}"
    return f"{kind:22}{figures}  false {score.false:3}  after {delay} runs, wrong at the end {score.wrong_now}"


def measure() -> Sequence[Measured]:
    """Precision, recall and F1 by kind of history, of ours, of the rule of 10 %, and of Otava where it is there."""
    each = histories(EACH, SEED)
    began = time.perf_counter()
    rules: dict[str, list[Told] | None] = {"ours": _all(ours, each)}
    spent = (time.perf_counter() - began) / (len(each) * (RUNS - _FIRST))
    rules |= {"10 % rule": _all(naive, each), f"otava {otava.VERSION}": _otava(each)}
    found = {name: _scores(each, told) for name, told in rules.items() if told is not None}
    for name, scores in found.items():
        print(f"  {name}")
        for kind, score in scores.items():
            print(f"    {_line(kind, score)}")
    mine, rule = found["ours"]["all"], found["10 % rule"]["all"]
    quiet = sum(score.false for kind, score in found["ours"].items() if kind.startswith("quiet"))
    other = next((scores["all"] for name, scores in found.items() if name.startswith("otava")), None)
    beside = f"10 % rule {rule.f1:.2f}, " + (f"Otava {other.f1:.2f}" if other else "Otava cannot be installed")
    best = max(rule.f1, other.f1 if other else 0.0)
    quiet_runs = 100 * quiet / (4 * EACH * (RUNS - _FIRST))
    precise = f"precision {mine.precision:.3f}, recall {mine.recall:.3f}"
    return [
        Measured(
            f"F1 of changes for the worse in {len(each)} generated histories",
            f"{mine.f1:.3f} ({precise}); {beside}",
            "at least 0.9, and more than both others",
            mine.f1 >= 0.9 and mine.f1 > best,
        ),
        Measured("false reports in quiet histories", f"{quiet_runs:.3f} of 100 runs", "below 0.1", quiet_runs < 0.1),
        Measured("time of a verdict on 30 runs", f"{spent * 1000:.2f} ms", "below 5 ms", spent < 0.005),
    ]


def _all(rule: Callable[[History], Told], each: Sequence[History]) -> list[Told]:
    return [rule(history) for history in each]
