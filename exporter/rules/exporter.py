"""The exporter itself: can its numbers, and the absence of alerts, be trusted?"""

from __future__ import annotations

from exporter.model.rule import Record
from exporter.rules import templates
from exporter.rules.expressions import BRIDGE, EXPORTER, last, limit, published
from exporter.rules.rule import AlertDefinition, Definition

_KEY = f"{EXPORTER}, source"
_OWN = ("job", "source")
_BUILD = published("pte_exporter_build_info")
_SUCCESS = published("pte_source_last_success_timestamp_seconds")

# A single failed poll raises no alert: the last success must be two intervals ago, or missing.
_FAILING = f"""\
min by (job, source) (
  {last("pte_source_up")} == 0
  unless on ({_KEY})
  (
    time() - {last(_SUCCESS)}
    <= on ({_KEY})
    2 * {last("pte_source_interval_seconds")}
  )
)"""

_TOO_OLD = f"""\
max by (job, source) (
  time() - {last(_SUCCESS)}
  > on ({_KEY})
  {last("pte_source_max_age_seconds")}
)"""

# Checks of a source that cannot be read at all fail too: PteSourceFailing reports that, with the reason.
_CHECKS = f"""\
count by (job, source) (
  min by (job, source, check) (
    {last("pte_source_check")} == 0
    unless on ({_KEY})
    {last("pte_source_up")} == 0
  )
)"""

# Where an exporter was ever scraped. The rule reads its own last value: a target that is still configured but cannot be
# scraped is remembered as long as that lasts. One that left the configuration may have been removed on purpose.
_TARGETS = "job_instance:pte_exporter_build_info:group"
_SCRAPED = f"""\
group by (job, instance) ({_BUILD})
or
(
  last_over_time({_TARGETS}[1d])
  and on (job, instance)
  up == 0
)"""

# An exporter without any snapshot is judged from its start. While no source responds, polls are spaced out, and
# PteSourceFailing reports it.
_STALE = f"""\
max by (job) (
  (
    time() - (
      {last("pte_snapshot_timestamp_seconds")}
      or on ({EXPORTER})
      {last("pte_config_last_reload_success_timestamp_seconds")}
    )
    > on ({EXPORTER})
    2 * max by ({EXPORTER}) ({last("pte_source_interval_seconds")})
  )
  unless on ({EXPORTER})
  max by ({EXPORTER}) ({last("pte_source_up")}) == 0
)"""

_SKEWED = f"""\
max by (job, source) (
  abs({last("pte_source_clock_skew_seconds")})
  > on ({EXPORTER}) group_left ()
  max by ({EXPORTER}) ({limit("clock_skew_seconds")})
)"""

# A job that had an exporter and has none now; or no job ever had one within a day.
_ABSENT = f"""\
(
  group by (job) (last_over_time({_TARGETS}[1d]))
  unless on (job)
  group by (job) (last_over_time({_BUILD}[{BRIDGE}]))
)
or
absent_over_time({_TARGETS}[1d])"""

_MATCH = "job=%q,source=%q"
_FAILED = f"{last(_SUCCESS, _MATCH)} and on ({_KEY}) ({last('pte_source_up')} == 0)"
_AGE = templates.lookup(f"time() - max({_FAILED})", _OWN, templates.AGE)
_FAILURES = published("pte_source_poll_failures_total")
# Of the last hour; or, while the breaker holds polls back or the exporter is young, of its whole life.
_REASONS = f"""\
max by (reason) (increase({_FAILURES}{{{_MATCH}}}[1h])) > 0 or
max by (reason) ({last(_FAILURES, _MATCH)}) > 0 unless on () max(increase({_FAILURES}{{{_MATCH}}}[1h])) > 0""".replace(
    "\n", " "
)
_MAX_AGE = templates.lookup(f"min({last('pte_source_max_age_seconds', _MATCH)})", _OWN, templates.AGE)

RULES: tuple[Definition, ...] = (
    Record(_TARGETS, _SCRAPED),
    Record("source:pte_source_age_seconds:max", f"max by (source) (time() - {_SUCCESS})"),
    AlertDefinition(
        name="PteExporterAbsent",
        expr=_ABSENT,
        severity="critical",
        board="pte-exporter",
        summary="Prometheus scrapes no pte-exporter{{ with $labels.job }} in job {{ . }}{{ end }}",
        measure="exporters that Prometheus can scrape",
        value="0",
        limit="at least 1",
        reason="Certifications are not judged, and all other alerts of this job are blind.",
        action="check /targets in Prometheus, then the exporter's process and log; start the exporter.",
        wait="5m",
    ),
    AlertDefinition(
        name="PteSourceFailing",
        expr=_FAILING,
        severity="warning",
        board="pte-exporter",
        summary="The exporter cannot read its source {{ $labels.source }}",
        measure="time since the last successful poll",
        value=_AGE,
        limit="at most two poll intervals",
        reason="Polls failed with: "
        + templates.label_values(_REASONS, "reason", _OWN * 3)
        + ". The series of this source are withdrawn after "
        + _MAX_AGE
        + ".",
        action="run pte-exporter doctor --config.file FILE --source {{ $labels.source }} and follow its remedies.",
        wait="10m",
    ),
    AlertDefinition(
        name="PteSourceCheckFailed",
        expr=_CHECKS,
        severity="warning",
        board="pte-exporter",
        summary="Source {{ $labels.source }} fails its checks",
        measure="failed checks",
        value="{{ $value | humanize }}",
        limit="0",
        reason="Failed: "
        + templates.label_values(f"min by (check) ({last('pte_source_check', _MATCH)}) == 0", "check", _OWN, raw=True)
        + ". The source responds, but part of the data is missing or wrong.",
        action="run pte-exporter doctor --config.file FILE --source {{ $labels.source }} and follow its remedies.",
    ),
    AlertDefinition(
        name="PteDataTooOld",
        expr=_TOO_OLD,
        severity="warning",
        board="pte-exporter",
        summary="The data of source {{ $labels.source }} is too old",
        measure="time since the last successful poll",
        value=templates.DURATION,
        limit="at most " + _MAX_AGE,
        reason="Its series are withdrawn, so certifications cannot be judged.",
        action="treat it as PteSourceFailing; if that does not fire, restart the exporter and keep its log.",
        wait="5m",
    ),
    AlertDefinition(
        name="PteSnapshotStale",
        expr=_STALE,
        severity="warning",
        board="pte-exporter",
        summary="The exporter has stopped publishing new results",
        measure="time since the last snapshot",
        value=templates.DURATION,
        limit="at most two poll intervals",
        reason="Its sources respond, but its results are frozen: do not trust any verdict.",
        action="check the log for an internal error, restart the exporter and report the error.",
        wait="10m",
    ),
    AlertDefinition(
        name="PteSourceClockSkew",
        expr=_SKEWED,
        severity="warning",
        board="pte-exporter",
        summary="The clock of source {{ $labels.source }} differs from the exporter's",
        measure="difference between the clocks",
        value=templates.DURATION,
        limit=templates.at_most("clock_skew_seconds", templates.AGE),
        reason="The source's clock minus the exporter's: "
        + templates.lookup(f"max({last('pte_source_clock_skew_seconds', _MATCH)})", _OWN, templates.AGE)
        + ". Queries use the exporter's clock, so the newest data is missed or judged late.",
        action="synchronise the clocks of both machines (NTP).",
    ),
    AlertDefinition(
        name="PteConfigReloadFailed",
        expr=f"min by (job) ({last('pte_config_last_reload_successful')}) == 0",
        severity="warning",
        board="pte-exporter",
        summary="The exporter rejected its new configuration",
        measure="configuration reload",
        value="failed",
        limit="succeeded",
        reason="The configuration loaded at "
        + templates.lookup(
            f"max({last('pte_config_last_reload_success_timestamp_seconds', 'job=%q')})", ("job",), "humanizeTimestamp"
        )
        + " stays active. The next start will fail.",
        action="run pte-exporter check --config.file=FILE, fix the file and reload (SIGHUP).",
        wait="5m",
    ),
    AlertDefinition(
        name="PteTlsVerificationOff",
        expr=f"min by (job, source) ({last('pte_source_tls_verification')}) == 0",
        severity="info",
        board="pte-exporter",
        summary="The certificate of source {{ $labels.source }} is not verified",
        measure="TLS verification",
        value="off",
        limit="on",
        reason="insecure_skip_verify is set: anyone on the network path can read the credentials and forge data.",
        action="set tls.ca_file and remove insecure_skip_verify.",
    ),
    AlertDefinition(
        name="PteRuleFailures",
        expr="sum by (job, instance, rule_group) (\n"
        '  increase(prometheus_rule_evaluation_failures_total{rule_group=~".*;(pte|slo)-.+"}[15m])\n'
        ") > 0",
        severity="warning",
        board="pte-exporter",
        summary="Prometheus cannot evaluate {{ $labels.rule_group }}",
        measure="failed evaluations in 15 minutes",
        value="{{ $value | humanize }}",
        limit="0",
        reason="Alerts of this group may be missing.",
        action="find the error on /rules in Prometheus or in its log; regenerate the rules with the running version.",
        wait="5m",
    ),
    AlertDefinition(
        name="PteWatchdog",
        expr="vector(1)",
        severity="info",
        board="pte-exporter",
        summary="Always firing: the path from Prometheus to the receiver works",
        measure="heartbeat",
        value="present",
        limit="present",
        reason="This alert always fires. The receiver must raise an alarm when it stops.",
        action="nothing. If the heartbeat stops, check Prometheus, Alertmanager and the path between them.",
        wait="0s",
    ),
)
