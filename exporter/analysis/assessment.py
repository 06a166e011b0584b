"""One round: two observations in, all results out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from exporter.analysis.capacity import capacity
from exporter.analysis.certification import Findings, certification
from exporter.analysis.coverage import coverage
from exporter.analysis.efficacy import efficacy
from exporter.analysis.execution import executed
from exporter.analysis.gap import gaps
from exporter.analysis.growth import growth
from exporter.analysis.load import load_coverage
from exporter.analysis.loadrun_judgement import judge
from exporter.analysis.next_certification import next_certification
from exporter.analysis.pattern import pattern
from exporter.analysis.run import phases
from exporter.analysis.slo import objectives
from exporter.model.execution import Executed
from exporter.model.loadrun_judgement import JudgedRun
from exporter.model.observation import ApplicationObservation, Observation, TestRun
from exporter.model.results import ApplicationResult, Snapshot
from exporter.model.settings import AnalysisSettings, TestRunSettings
from exporter.model.slo_settings import SloSettings


def analyse(  # noqa: PLR0917 - the things a round is made from
    production: Observation | None,
    pte: Observation | None,
    before: Mapping[str, ApplicationObservation],
    settings: AnalysisSettings,
    at: float,
    sides: Mapping[str, str],
    last: Snapshot | None = None,
    slos: Sequence[SloSettings] = (),
    ci: Observation | None = None,
) -> Snapshot:
    """Results for every application that either side knows or the settings expect, at the time `at` (Unix seconds).

    An observation is None when its source could not be read or its data is too old. `before` holds production as it was
    before the application's run, with pattern and routes. `sides` names both roles ("production", "pte"). Of the `last`
    snapshot what cannot have changed is kept: the pattern of the very same observation, more than half of the work, and
    the judgement of the same load tests.
    `slos` are the objectives of all applications, `ci` what test runners reported.
    """
    live = production.applications if production else {}
    test = pte.applications if pte else {}
    known = last.applications if last is not None and last.settings is settings else {}
    wanted: dict[str, list[SloSettings]] = {}
    for slo in slos:
        wanted.setdefault(slo.application, []).append(slo)
    results = {
        name: _application(
            name,
            live.get(name),
            test.get(name),
            before.get(name),
            known.get(name),
            settings=settings,
            slos=wanted.get(name, ()),
            at=at,
            searched=pte is not None,
        )
        for name in sorted({*live, *test, *settings.expected})
    }
    executions = _executions(ci, settings, at, last)
    return Snapshot(at, production, pte, results, sides, settings, executions)


def _executions(
    ci: Observation | None, settings: AnalysisSettings, at: float, last: Snapshot | None
) -> dict[str, Executed]:
    """Of every application that was reported or of which tests are expected; of none when nobody told."""
    if ci is None:
        return {}
    reports = {name: one.reports for name, one in ci.applications.items()}
    before = last.executions if last is not None and last.settings is settings else {}
    names = sorted({*reports, *settings.test_executions.expected})
    return {name: executed(reports.get(name, ()), settings.test_executions, at, before.get(name)) for name in names}


def _application(
    name: str,
    production: ApplicationObservation | None,
    tested: ApplicationObservation | None,
    before: ApplicationObservation | None,
    last: ApplicationResult | None,
    *,
    settings: AnalysisSettings,
    slos: Sequence[SloSettings],
    at: float,
    searched: bool,
) -> ApplicationResult:
    run = _run(tested, settings.test_run)
    pte = replace(tested, run=run) if tested and run else None
    same = last is not None and last.production is production
    run_age = max(0.0, at - run.window.end) if run else None
    found_gaps = gaps(production, pte, settings)
    load = load_coverage(production, pte, settings.test_run)
    covered = coverage(production, pte, settings.routes)
    score = efficacy(covered, load, found_gaps, settings)
    moved = growth(before, production, settings.routes)
    judged = objectives(production, pte, slos)
    findings = Findings(production, pte, run, run_age, searched, found_gaps, load, covered, score, moved, judged)
    return ApplicationResult(
        application=name,
        production=production,
        pte=pte,
        run=run,
        run_age=run_age,
        pattern=last.pattern if last and same else pattern(production.pattern if production else None, settings),
        gaps=found_gaps,
        load=load,
        coverage=covered,
        capacity=capacity(production, pte),
        efficacy=score,
        next_certification=next_certification(production, pte, settings),
        growth=moved,
        objectives=judged,
        certification=certification(findings, settings),
        load_run=_judged(tested, last, settings) if tested else None,
    )


def _judged(
    tested: ApplicationObservation, last: ApplicationResult | None, settings: AnalysisSettings
) -> JudgedRun | None:
    """The judgement of the load test; the last one's while the runs are the same, as it is dear."""
    before = last.pte if last is not None else None
    if last is not None and before is not None:
        known = (before.load_runs, before.load_baseline)
        if known == (tested.load_runs, tested.load_baseline):
            return last.load_run
    return judge(tested.load_runs, tested.load_baseline, settings.load_runs)


def _run(seen: ApplicationObservation | None, settings: TestRunSettings) -> TestRun | None:
    """The run, with its phases recognised unless the source knows them; data without a run count as a recorded one."""
    if seen is None or not (seen.run or seen.signals or seen.latency or seen.routes):
        return None
    run = seen.run or TestRun(seen.window, "recorded")
    return run if run.phases or seen.minutes is None else replace(run, phases=phases(seen.minutes, settings))
