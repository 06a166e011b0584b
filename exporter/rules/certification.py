"""The verdict: a certification that does not hold, is too old, was outgrown, or cannot be judged."""

from __future__ import annotations

from exporter.model.rule import Record
from exporter.rules import reasons, templates
from exporter.rules.expressions import BRIDGE, EXPORTER, breach, evidence, last, published
from exporter.rules.rule import AlertDefinition, Definition

_REASONS = f"max by (job, application, reason) ({last('pte_certification_reason')})"

_DOES_NOT_HOLD = f"""\
sum by (job, application) (
  {_REASONS}
)
and on (job, application)
(
  min by (job, application) (
    {last("pte_certification_holds")}
    and on ({EXPORTER}, application)
    ({evidence("pte_certification_evidence")})
  )
  == 0
)"""

_NO_EVIDENCE = f"""\
max by (job, application) ({last("pte_certification_expected")}) == 1
and on (job, application)
max by (job, application) (max_over_time({published("pte_certification_evidence")}[{BRIDGE}])) == 0"""

_OWN = "job=%q,application=%q"
_NO_RUN = last("pte_certification_reason", f'{_OWN},reason="no_test_run"')
_IDLE = (
    f"""max by (side) ({last("pte_observation_evidence", f'{_OWN},signal="request_rate"')}) == 0"""
    f""" or max by (side) ({last("pte_requests_per_second", f'{_OWN},stat="mean"')}) == 0"""
)
# Each cause becomes a label, and the labels of the causes that apply are listed.
_WHY = (
    f'label_replace(max({_NO_RUN}) == 1, "why", "no test run was found within the look-back", "", "")'
    f" or label_replace(max({last('pte_certification_evidence', _OWN)}) unless max({_NO_RUN}),"
    ' "why", "the test environment was not observed", "", "")'
    f' or label_replace({_IDLE}, "why", "$1 had no requests", "side", "(.+)")'
)

RULES: tuple[Definition, ...] = (
    Record("application:pte_certification_holds:min", f"min by (application) ({published('pte_certification_holds')})"),
    Record(
        "application:pte_certification_reasons:sum",
        f"sum by (application) (max by (application, reason) ({published('pte_certification_reason')}))",
    ),
    AlertDefinition(
        name="PteCertificationDoesNotHold",
        expr=_DOES_NOT_HOLD,
        severity="critical",
        board="pte-certification",
        summary="{{ $labels.application }}: the performance certification does not hold",
        reason=reasons.lines(),
        action="fix these and repeat the load test; until then keep production's load below the tested load.",
    ),
    AlertDefinition(
        name="PteCertificationStale",
        expr=breach(
            last("pte_test_run_age_seconds"), ">", "certification_age_seconds", evidence_name="pte_test_run_evidence"
        ),
        severity="warning",
        board="pte-certification",
        summary="{{ $labels.application }}: the latest test run is too old",
        measure="age of the latest test run",
        value=templates.DURATION,
        limit=templates.at_most("certification_age_seconds", templates.AGE),
        reason="The run ended at "
        + templates.value_of("pte_test_run_end_timestamp_seconds", "humanizeTimestamp")
        + ".",
        action="run the load test. If a newer run exists, check why it was not detected.",
    ),
    AlertDefinition(
        name="PteCertificationOutgrownPeak",
        expr=breach(
            f"({last('pte_growth_peak_ratio')} - 1)", ">", "peak_growth_ratio", evidence_name="pte_growth_evidence"
        ),
        severity="warning",
        board="pte-traffic",
        summary="{{ $labels.application }}: production's peak has outgrown the certified load",
        measure="growth of production's seven-day peak since the test run",
        value=templates.PERCENT,
        limit=templates.at_most("peak_growth_ratio", "humanizePercentage"),
        reason="Production's peak was "
        + templates.value_of("pte_growth_peak_then_requests_per_second", templates.RATE)
        + " before the run and is "
        + templates.value_of("pte_growth_peak_now_requests_per_second", templates.RATE)
        + " now.",
        action="repeat the load test at today's peak plus a margin.",
    ),
    AlertDefinition(
        name="PteCertificationOutgrownMix",
        expr=breach(
            last("pte_growth_mix_total_variation_ratio"), ">", "mix_moved_ratio", evidence_name="pte_growth_evidence"
        ),
        severity="warning",
        board="pte-coverage",
        summary="{{ $labels.application }}: production's traffic mix has changed since the test run",
        measure="share of production's requests that moved to other endpoints since the test run",
        value=templates.PERCENT,
        limit=templates.at_most("mix_moved_ratio", "humanizePercentage"),
        reason="The test no longer represents production. Measured as total variation of the endpoints' shares.",
        action="repeat the load test with today's mix.",
    ),
    AlertDefinition(
        name="PteNoEvidence",
        expr=_NO_EVIDENCE,
        severity="warning",
        board="pte-certification",
        summary="{{ $labels.application }}: not enough data to judge the certification",
        measure="evidence for the verdict",
        value="none",
        limit="evidence is expected",
        reason=templates.label_values(
            _WHY, "why", ("job", "application") * 5, none="the load of the test was not observed"
        )
        + ".",
        action="run a load test, or fix the queries of the environment without data.",
        wait="1h",
    ),
)
