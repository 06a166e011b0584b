"""All results of one round: observations of both sides in, a snapshot out."""

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
from exporter.model.results import ApplicationResult, Pattern, Snapshot
from exporter.model.settings import AnalysisSettings, TestRunSettings
from exporter.model.slo_settings import SloSettings


def analyse(  # noqa: PLR0917 - the things an assessment is made from
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
    """Results for every application of either side or of the settings, at the time `at` (Unix seconds).

    An observation is None when its source could not be read or its data is too old. `before` holds production as it was
    before the application's run, with pattern and routes. `sides` names both roles ("production", "pte"). Of the `last`
    snapshot what cannot have changed is kept: the pattern of the very same observation, more than half of the work, and
    the judgement of the same load tests.
    `slos` are the objectives of all applications, `ci` what test runners reported.
    """
    in_production = production.applications if production else {}
    in_pte = pte.applications if pte else {}
    # What was computed with other settings may come out otherwise now.
    comparable = last if last is not None and last.settings is settings else None
    last_results = comparable.applications if comparable is not None else {}
    slos_of = _by_application(slos)

    results = {}
    for name in sorted({*in_production, *in_pte, *settings.expected}):
        results[name] = _application(
            name,
            in_production.get(name),
            in_pte.get(name),
            before.get(name),
            last_results.get(name),
            settings=settings,
            slos=slos_of.get(name, ()),
            at=at,
            searched=pte is not None,
        )

    executions = _executions(ci, settings, at, comparable)
    return Snapshot(at, production, pte, results, sides, settings, executions)


def _by_application(slos: Sequence[SloSettings]) -> Mapping[str, Sequence[SloSettings]]:
    result: dict[str, list[SloSettings]] = {}
    for slo in slos:
        result.setdefault(slo.application, []).append(slo)
    return result


def _executions(
    ci: Observation | None, settings: AnalysisSettings, at: float, last: Snapshot | None
) -> dict[str, Executed]:
    """The executions of every reported or expected application; none without an observation."""
    if ci is None:
        return {}

    reports = {name: observation.reports for name, observation in ci.applications.items()}
    last_executions = last.executions if last is not None else {}
    return {
        name: executed(reports.get(name, ()), settings.test_executions, at, last_executions.get(name))
        for name in sorted({*reports, *settings.test_executions.expected})
    }


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
    run_age = max(0.0, at - run.window.end) if run else None

    all_gaps = gaps(production, pte, settings)
    load = load_coverage(production, pte, settings.test_run)
    covered = coverage(production, pte, settings.routes)
    score = efficacy(covered, load, all_gaps, settings)
    grown = growth(before, production, settings.routes)
    objective_results = objectives(production, pte, slos)
    findings = Findings(
        production, pte, run, run_age, searched, all_gaps, load, covered, score, grown, objective_results
    )

    return ApplicationResult(
        application=name,
        production=production,
        pte=pte,
        run=run,
        run_age=run_age,
        pattern=_pattern(production, last, settings),
        gaps=all_gaps,
        load=load,
        coverage=covered,
        capacity=capacity(production, pte),
        efficacy=score,
        next_certification=next_certification(production, pte, settings),
        growth=grown,
        objectives=objective_results,
        certification=certification(findings, settings),
        load_run=_load_run(tested, last, settings),
    )


def _pattern(
    production: ApplicationObservation | None, last: ApplicationResult | None, settings: AnalysisSettings
) -> Pattern | None:
    """The last one's while the observation is the very same: it is more than half of the work."""
    if last is not None and last.production is production:
        return last.pattern
    if production is None:
        return None
    return pattern(production.pattern, settings)


def _load_run(
    tested: ApplicationObservation | None, last: ApplicationResult | None, settings: AnalysisSettings
) -> JudgedRun | None:
    """The newest load test, judged; judging is expensive, so the last judgement is used while the runs are the same."""
    if tested is None:
        return None
    if last is not None and last.pte is not None:
        last_runs = (last.pte.load_runs, last.pte.load_baseline)
        if last_runs == (tested.load_runs, tested.load_baseline):
            return last.load_run
    return judge(tested.load_runs, tested.load_baseline, settings.load_runs)


def _run(observation: ApplicationObservation | None, settings: TestRunSettings) -> TestRun | None:
    """The run, with its phases recognised unless the source knows them; data without a run count as a recorded one."""
    if observation is None:
        return None
    if not (observation.run or observation.signals or observation.latency or observation.routes):
        return None

    run = observation.run or TestRun(observation.window, "recorded")
    if run.phases or observation.minutes is None:
        return run
    return replace(run, phases=phases(observation.minutes, settings))
